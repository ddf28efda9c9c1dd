import { expect, test } from 'vitest';
import { SteerError } from '../../src/errors.ts';
import { configJson, parseShape } from '../../src/model/config-json.ts';
import { type LlamaShape, parameterCount, parameterShapes, ropeFrequencies } from '../../src/model/shape.ts';
import { tinyShape } from './tiny-shape.ts';

/** The fields of Llama 3.2 1B's config.json that matter. */
const llama32 = {
  architectures: ['LlamaForCausalLM'],
  attention_bias: false,
  bos_token_id: 128000,
  eos_token_id: [128001, 128008, 128009],
  head_dim: 64,
  hidden_act: 'silu',
  hidden_size: 2048,
  intermediate_size: 8192,
  max_position_embeddings: 131072,
  mlp_bias: false,
  model_type: 'llama',
  num_attention_heads: 32,
  num_hidden_layers: 16,
  num_key_value_heads: 8,
  pretraining_tp: 1,
  rms_norm_eps: 1e-5,
  rope_scaling: {
    factor: 32,
    high_freq_factor: 4,
    low_freq_factor: 1,
    original_max_position_embeddings: 8192,
    rope_type: 'llama3',
  },
  rope_theta: 500000,
  tie_word_embeddings: true,
  vocab_size: 128256,
};

/** The same for Qwen2.5 0.5B. */
const qwen25 = {
  hidden_act: 'silu',
  hidden_size: 896,
  intermediate_size: 4864,
  max_position_embeddings: 32768,
  max_window_layers: 21,
  model_type: 'qwen2',
  num_attention_heads: 14,
  num_hidden_layers: 24,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1000000,
  sliding_window: 32768,
  tie_word_embeddings: true,
  use_sliding_window: false,
  vocab_size: 151936,
};

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

test('parameters come in order, projections as (out, in)', () => {
  const shapes = parameterShapes(tiny);
  expect([...shapes.keys()].slice(0, 3)).toEqual([
    'model.embed_tokens.weight',
    'model.layers.0.input_layernorm.weight',
    'model.layers.0.self_attn.q_proj.weight',
  ]);
  expect([...shapes.keys()].slice(-2)).toEqual(['model.norm.weight', 'lm_head.weight']);
  expect(shapes.get('model.layers.1.self_attn.v_proj.weight')).toEqual([8, 16]);
  expect(shapes.get('model.layers.1.mlp.down_proj.weight')).toEqual([16, 24]);
  expect(shapes.size).toBe(1 + 2 * 9 + 2);
});

test('rotary frequencies fall from 1, and Llama 3 scaling divides only the slow ones', () => {
  expect([...ropeFrequencies(tiny)]).toEqual([1, 0.01]);
  const plain = ropeFrequencies({ ...parseShape(llama32, 'config.json'), ropeScaling: null });
  const scaled = ropeFrequencies(parseShape(llama32, 'config.json'));
  expect(scaled).toHaveLength(32);
  // Wavelength 2π·θ^(2i/64): below 8192/4 it stays, above 8192 it is stretched 32 times, between them lies a ramp.
  for (const [i, frequency] of plain.entries()) {
    const wavelength = (2 * Math.PI) / frequency;
    const ratio = frequency / scaled[i]!;
    if (wavelength < 2048) expect(ratio).toBe(1);
    else if (wavelength > 8192) expect(ratio).toBeCloseTo(32, 9);
    else {
      const smooth = (8192 / wavelength - 1) / 3;
      expect(scaled[i]! / frequency).toBeCloseTo((1 - smooth) / 32 + smooth, 9);
    }
  }
});

function caught(act: () => unknown): SteerError {
  try {
    act();
  } catch (error) {
    if (error instanceof SteerError) return error;
    throw error;
  }
  throw new Error('Expected a SteerError');
}
