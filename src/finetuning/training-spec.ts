// What the training process of this stage is asked to do, by method. Plain data, since it crosses to another process.

import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { RunSpec } from '../training/recipe.ts';
import type { LabelDropout } from './label-dropout.ts';

/** Size of a model made from scratch. */
export interface NewModel {
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  kvHeads: number;
  contextLength: number;
  /** Whether some heads start as induction heads, which takes Qwen2's biases; see initialWeights. */
  inductionHeads?: boolean;
}

export type PretrainingSpec = RunSpec & {
  method: 'pretrain';
  start: { create: NewModel } | { continue: string };
  /** Of conversations, only replies are trained; every token when absent. */
  repliesOnly?: boolean;
};
export type SteeringSpec = RunSpec & { method: 'steered'; base: string; schema: AttributeSchema; dropout: LabelDropout };
/** Plain fine-tuning: the same tokens count, and no label is read. */
export type SupervisedSpec = RunSpec & { method: 'supervised'; base: string };
export type TrainingSpec = PretrainingSpec | SteeringSpec | SupervisedSpec;
