// The fields that matter of config.json of models people have, one of each kind.
import { SteerError } from '../../src/errors.ts';

/** The fields of Llama 3.2 1B's config.json that matter. */
export const llama32 = {
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
export const qwen25 = {
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

/** Gemma 3 270M's, with six layers. */
export const gemma3 = {
  _sliding_window_pattern: 6,
  attn_logit_softcapping: null,
  final_logit_softcapping: null,
  head_dim: 256,
  hidden_activation: 'gelu_pytorch_tanh',
  hidden_size: 640,
  intermediate_size: 2048,
  layer_types: [...new Array<string>(5).fill('sliding_attention'), 'full_attention'],
  max_position_embeddings: 32768,
  model_type: 'gemma3_text',
  num_attention_heads: 4,
  num_hidden_layers: 6,
  num_key_value_heads: 1,
  query_pre_attn_scalar: 256,
  rms_norm_eps: 1e-6,
  rope_local_base_freq: 10000,
  rope_scaling: null,
  rope_theta: 1000000,
  sliding_window: 512,
  use_bidirectional_attention: false,
  vocab_size: 262144,
};

/** A Granite 4 without experts and state spaces. */
export const granite4 = {
  attention_bias: false,
  attention_multiplier: 0.015625,
  embedding_multiplier: 12,
  hidden_act: 'silu',
  hidden_size: 1024,
  intermediate_size: 2048,
  layer_types: ['attention', 'attention'],
  logits_scaling: 4,
  max_position_embeddings: 32768,
  model_type: 'granitemoehybrid',
  normalization_function: 'rmsnorm',
  num_attention_heads: 16,
  num_hidden_layers: 2,
  num_key_value_heads: 4,
  num_local_experts: 0,
  position_embedding_type: 'rope',
  residual_multiplier: 0.246,
  rms_norm_eps: 1e-5,
  rope_theta: 10000000,
  shared_intermediate_size: 2000,
  tie_word_embeddings: true,
  vocab_size: 100352,
};

/** A small SmolLM3. */
export const smollm3 = {
  hidden_act: 'silu',
  hidden_size: 2048,
  intermediate_size: 11008,
  max_position_embeddings: 65536,
  mlp_bias: false,
  model_type: 'smollm3',
  no_rope_layer_interval: 4,
  num_attention_heads: 16,
  num_hidden_layers: 8,
  num_key_value_heads: 4,
  rms_norm_eps: 1e-6,
  sliding_window: null,
  use_sliding_window: false,
  vocab_size: 128256,
};

/** The error that `act` throws. */
export function caught(act: () => unknown): SteerError {
  try {
    act();
  } catch (error) {
    if (error instanceof SteerError) return error;
    throw error;
  }
  throw new Error('Expected a SteerError');
}
