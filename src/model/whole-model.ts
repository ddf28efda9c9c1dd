// A whole model in memory.
import type { GroundRecord } from './ground.ts';
import type { Adapter } from './lora.ts';
import type { ModelCard } from './model-folder.ts';
import type { SamplingDefaults } from './sampling-defaults.ts';
import type { LlamaShape } from './shape.ts';
import type { Tokenizer } from './tokenizer/tokenizer.ts';

export interface Model {
  shape: LlamaShape;
  tokenizer: Tokenizer;
  card: ModelCard;
  /** How its replies are best drawn. */
  sampling?: SamplingDefaults | undefined;
  /** Every parameter of the shape and the extra ones, float32. */
  values: Map<string, Float32Array>;
  /** Merged into the values already; written beside them for those who keep the base model. */
  adapter?: Adapter | undefined;
  /** Of a predictor: what tells text unlike its training. */
  ground?: GroundRecord | null | undefined;
}
