// Llama: what every other family is told apart from.
import type { Family } from './family.ts';

export const llama: Family = {
  architecture: 'LlamaForCausalLM',
  traits: () => ({}),
  fields: () => ({ mlp_bias: false }),
};
