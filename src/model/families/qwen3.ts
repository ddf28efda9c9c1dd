// Qwen3: norms on queries and keys.
import type { Family } from './family.ts';

export const qwen3: Family = {
  architecture: 'Qwen3ForCausalLM',
  defaults: { head_dim: 128 },
  traits: () => ({ modelType: 'qwen3', queryKeyNorm: true }),
  fields: () => ({ sliding_window: null, use_sliding_window: false }),
};
