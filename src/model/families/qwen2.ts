// Qwen2 and Qwen2.5: biases on queries, keys and values.
import type { Family } from './family.ts';

export const qwen2: Family = {
  architecture: 'Qwen2ForCausalLM',
  traits: () => ({ modelType: 'qwen2', attentionBias: true }),
  fields: () => ({ sliding_window: null, use_sliding_window: false }),
};
