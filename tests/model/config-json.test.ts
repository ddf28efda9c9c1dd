import { expect, test } from 'vitest';
import { configJson, parseShape } from '../../src/model/config-json.ts';
import { type LlamaShape, parameterCount, parameterShapes } from '../../src/model/shape.ts';
import { caught, llama32, qwen25 } from './configs.ts';
import { tinyShape } from './tiny-shape.ts';

const tiny: LlamaShape = { ...tinyShape, vocabSize: 300, tiedEmbeddings: false };

test('reads Llama 3.2 with its scaling, and counts its parameters', () => {
  const shape = parseShape(llama32, 'config.json');
  expect(shape).toMatchObject({
    modelType: 'llama',
    heads: 32,
    kvHeads: 8,
    headDim: 64,
    tiedEmbeddings: true,
    attentionBias: false,
  });
  expect(shape.ropeScaling).toEqual({ factor: 32, lowFreqFactor: 1, highFreqFactor: 4, originalContextLength: 8192 });
  expect(parameterCount(shape)).toBe(1_235_814_400);
});

test('reads Qwen2.5 with biases on q, k and v only', () => {
  const shape = parseShape(qwen25, 'config.json');
  expect(shape).toMatchObject({ modelType: 'qwen2', headDim: 64, attentionBias: true, queryKeyNorm: false });
  expect(parameterCount(shape)).toBe(494_032_768);
  const names = [...parameterShapes(shape).keys()];
  expect(names).toContain('model.layers.0.self_attn.k_proj.bias');
  expect(names).not.toContain('model.layers.0.self_attn.o_proj.bias');
});

test('reads the rope_parameters spelling of transformers 5', () => {
  const { rope_scaling, rope_theta, ...rest } = llama32;
  const shape = parseShape({ ...rest, rope_parameters: { ...rope_scaling, rope_theta } }, 'config.json');
  expect(shape).toEqual(parseShape(llama32, 'config.json'));
});

test('reads a Mistral whose window covers its context, and a Qwen3 without head_dim', () => {
  const mistral = parseShape({ ...qwen25, model_type: 'mistral', sliding_window: 32768 }, 'config.json');
  expect(mistral.attentionBias).toBe(false);
  const qwen3 = parseShape({ ...qwen25, model_type: 'qwen3' }, 'config.json');
  expect(qwen3).toMatchObject({ headDim: 128, queryKeyNorm: true, attentionBias: false });
  expect(parameterShapes(qwen3).get('model.layers.23.self_attn.q_norm.weight')).toEqual([128]);
});

test.each([
  ['model_type', { ...llama32, model_type: 'gemma2' }],
  ['model_type', { ...llama32, model_type: 'constructor' }],
  ['model_type', { ...llama32, model_type: undefined }],
  ['vocab_size', { ...llama32, vocab_size: '128256' }],
  ['hidden_size', { ...llama32, hidden_size: undefined }],
  ['hidden_act', { ...llama32, hidden_act: 'gelu' }],
  ['attention_bias', { ...llama32, attention_bias: true }],
  ['mlp_bias', { ...llama32, mlp_bias: true }],
  ['num_key_value_heads', { ...llama32, num_key_value_heads: 5 }],
  ['head_dim', { ...llama32, head_dim: 63 }],
  ['head_dim', { ...llama32, head_dim: undefined, hidden_size: 2050 }],
  ['rope_scaling.rope_type', { ...llama32, rope_scaling: { type: 'yarn', factor: 4 } }],
  ['rope_scaling.low_freq_factor', { ...llama32, rope_scaling: { ...llama32.rope_scaling, low_freq_factor: undefined } }],
  ['rope_parameters.rope_type', { ...llama32, rope_scaling: null, rope_parameters: { rope_type: 'dynamic', factor: 2 } }],
  ['partial_rotary_factor', { ...llama32, partial_rotary_factor: 0.5 }],
  ['quantization_config', { ...llama32, quantization_config: { quant_method: 'gptq' } }],
  ['sliding_window', { ...qwen25, model_type: 'mistral', sliding_window: 4096 }],
  ['sliding_window', { ...qwen25, use_sliding_window: true, sliding_window: 4096 }],
  ['num_hidden_layers', { ...llama32, num_hidden_layers: 3_000_000 }],
  ['vocab_size', { ...llama32, vocab_size: 0x7fffffff }],
  ['hidden_size', { ...llama32, hidden_size: 0x7fffffff }],
  ['intermediate_size', { ...llama32, intermediate_size: 0x7fffffff }],
  ['num_attention_heads', { ...llama32, num_attention_heads: 0x7fffffff }],
  ['num_key_value_heads', { ...llama32, num_key_value_heads: 0x7fffffff }],
  ['head_dim', { ...llama32, head_dim: 0x7ffffffe }],
  ['max_position_embeddings', { ...llama32, max_position_embeddings: 0x7fffffff }],
  ['layer_types', { ...qwen25, layer_types: ['full_attention', 'sliding_attention'] }],
])('refuses a config by the name of the field: %s', (field, config) => {
  const error = caught(() => parseShape(config, '/models/m/config.json'));
  expect(error.code).toBe('invalid_model');
  expect(error.message).toContain('/models/m/config.json');
  expect(error.message).toContain(field);
});

test('refuses what is no object at all', () => {
  expect(caught(() => parseShape([], 'config.json')).code).toBe('invalid_model');
  expect(caught(() => parseShape(null, 'config.json')).code).toBe('invalid_model');
});

test.each(['llama', 'qwen2', 'qwen3', 'mistral'] as const)('a written %s config reads back as the same shape', (modelType) => {
  const shape = {
    ...tiny,
    modelType,
    attentionBias: modelType === 'qwen2',
    queryKeyNorm: modelType === 'qwen3',
    ropeScaling: { factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContextLength: 32 },
  };
  const config = JSON.parse(JSON.stringify(configJson(shape, 'bfloat16', { eos: 3 })));
  expect(parseShape(config, 'config.json')).toEqual(shape);
  expect(config).toMatchObject({ torch_dtype: 'bfloat16', eos_token_id: 3, bos_token_id: null });
});

test.each([
  ['Gated delta nets', 'qwen3_5'],
  ['short convolutions', 'lfm2'],
  ['reads images', 'gemma3'],
])('says why not: %s', (why, model_type) => {
  const { message } = caught(() => parseShape({ ...llama32, model_type }, 'config.json'));
  expect(message.toLowerCase()).toContain(why.toLowerCase());
  expect(message).toContain('one of llama, qwen2, qwen3, mistral, gemma3_text, granite, smollm3, granitemoehybrid');
});
