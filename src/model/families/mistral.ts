// Mistral, whose window has to cover its context.
import type { Family } from './family.ts';

export const mistral: Family = {
  architecture: 'MistralForCausalLM',
  traits: () => ({ modelType: 'mistral' }),
  fields: () => ({ sliding_window: null, use_sliding_window: false }),
};
