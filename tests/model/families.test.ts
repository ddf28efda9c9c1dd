// What config.json says of families that differ from Llama in more than a bias or a norm, and what of it is refused.
import { expect, test } from 'vitest';
import { configJson, parseShape } from '../../src/model/config-json.ts';
import { parameterShapes, ropeFrequencies } from '../../src/model/shape.ts';
import { caught, gemma3, granite4, smollm3 } from './configs.ts';

test('reads Gemma 3, with what transformers takes where the config is silent', () => {
  const shape = parseShape(gemma3, 'config.json');
  expect(shape).toMatchObject({
    ...{ queryKeyNorm: true, outputNorms: true, normOffset: 1, activation: 'gelu', tiedEmbeddings: true },
    ...{ embeddingMultiplier: Math.sqrt(640), attentionMultiplier: 1 / 16, slidingWindow: 512, windowedLayers: [0, 1, 2, 3, 4] },
    ...{ ropeTheta: 1e6, localRopeTheta: 1e4, ropeScaling: null },
  });
  const { layer_types: _, rope_theta, rope_local_base_freq, head_dim, hidden_activation, ...silent } = gemma3;
  expect(parseShape({ ...silent, sliding_window_pattern: 6 }, 'config.json')).toEqual(shape);
  const sparser = parseShape({ ...silent, sliding_window_pattern: 2 }, 'config.json');
  expect(sparser.windowedLayers).toEqual([0, 2, 4]);
});

test('reads the rotary bases of Gemma 3 in the spelling of transformers 5', () => {
  const { rope_theta, rope_local_base_freq, rope_scaling, ...rest } = gemma3;
  const whole = { rope_type: 'linear', factor: 8, rope_theta };
  const local = { rope_type: 'default', rope_theta: rope_local_base_freq };
  const shape = parseShape({ ...rest, rope_parameters: { full_attention: whole, sliding_attention: local } }, 'config.json');
  expect(shape).toEqual(parseShape({ ...gemma3, rope_scaling: { rope_type: 'linear', factor: 8 } }, 'config.json'));
  expect(shape).toMatchObject({ ropeScaling: { factor: 8 }, localRopeTheta: 1e4 });
  expect(ropeFrequencies(shape)[3]).toBeCloseTo(1e6 ** (-6 / 256) / 8, 12);
  expect(ropeFrequencies(shape, 'local')[3]).toBeCloseTo(1e4 ** (-6 / 256), 12);
});

test('reads a dense Granite 4 as the Granite it is', () => {
  const shape = parseShape(granite4, 'config.json');
  expect(shape).toMatchObject({
    ...{ modelType: 'granite', intermediateSize: 2000, windowedLayers: [] },
    ...{ embeddingMultiplier: 12, attentionMultiplier: 0.015625, residualMultiplier: 0.246, logitsScaling: 4 },
  });
  const plain = { ...granite4, model_type: 'granite', intermediate_size: 2000, layer_types: undefined };
  expect(parseShape(plain, 'config.json')).toEqual(shape);
});

test('reads SmolLM3, told which layers do not rotate or every how manieth', () => {
  const shape = parseShape(smollm3, 'config.json');
  expect(shape).toMatchObject({ unrotatedLayers: [3, 7], tiedEmbeddings: true, ropeTheta: 2e6 });
  const told = parseShape({ ...smollm3, no_rope_layers: [0, 1, 1, 1, 1, 1, 1, 0] }, 'config.json');
  expect(told.unrotatedLayers).toEqual([0, 7]);
});

test.each([
  ['hidden_activation', { ...gemma3, hidden_activation: 'gelu' }],
  ['final_logit_softcapping', { ...gemma3, final_logit_softcapping: 30 }],
  ['attn_logit_softcapping', { ...gemma3, attn_logit_softcapping: 50 }],
  ['use_bidirectional_attention', { ...gemma3, use_bidirectional_attention: true }],
  ['layer_types', { ...gemma3, layer_types: ['full_attention'] }],
  ['layer_types', { ...gemma3, layer_types: new Array(6).fill('chunked_attention') }],
  ['rope_parameters.sliding_attention', { ...gemma3, rope_parameters: { rope_type: 'default', rope_theta: 10000 } }],
  ['rope_scaling.rope_type', { ...gemma3, rope_scaling: { rope_type: 'yarn', factor: 8 } }],
  ['num_local_experts', { ...granite4, num_local_experts: 32 }],
  ['position_embedding_type', { ...granite4, position_embedding_type: 'nope' }],
  ['position_embedding_type', { ...granite4, position_embedding_type: null }],
  ['layer_types', { ...granite4, layer_types: ['attention', 'mamba'] }],
  ['layer_types', { ...granite4, layer_types: undefined }],
  ['residual_multiplier', { ...granite4, residual_multiplier: '0.2' }],
  ['no_rope_layers', { ...smollm3, no_rope_layers: [1, 0] }],
  ['sliding_window', { ...smollm3, use_sliding_window: true, sliding_window: 4096 }],
])('refuses a config by the name of the field: %s', (field, config) => {
  const { code, message } = caught(() => parseShape(config, 'config.json'));
  expect(code).toBe('invalid_model');
  expect(message).toContain(field);
});

test.each([gemma3, { ...gemma3, rope_scaling: { rope_type: 'linear', factor: 8 } }, granite4, smollm3])(
  'a written $model_type config reads back as the same shape',
  (given) => {
    const shape = parseShape(given, 'config.json');
    const config = JSON.parse(JSON.stringify(configJson(shape, 'bfloat16', { eos: 3 })));
    expect(parseShape(config, 'config.json')).toEqual(shape);
  },
);

test('Gemma 3 has four norms a layer beside those of queries and keys', () => {
  const names = [...parameterShapes(parseShape(gemma3, 'config.json')).keys()].filter((name) => /layers\.5\..*norm/.test(name));
  expect(names.map((name) => name.split('.').at(-2))).toEqual([
    ...['input_layernorm', 'q_norm', 'k_norm', 'post_attention_layernorm'],
    ...['pre_feedforward_layernorm', 'post_feedforward_layernorm'],
  ]);
});
