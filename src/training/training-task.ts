// What the training loop is given and what it tells: a task, figures of every step, checkpoints and the result.

import type { Network } from '../model/forward.ts';
import type { LlamaShape } from '../model/shape.ts';
import type { Tensor } from '../tensor/session.ts';
import type { BatchSource } from './batches.ts';
import type { Objective } from './objective.ts';
import type { Cycle } from './schedule.ts';
import type { Parameters } from './state.ts';

/** What is trained: a shape, its parameters (with those a task adds, such as a head), a loss and data. */
export interface TrainingTask {
  shape: LlamaShape;
  parameters: Parameters;
  objective(network: Network): Objective;
  training: BatchSource;
  validation: BatchSource | null;
  /** Identifies data and task, so that a checkpoint of another run is not taken up. The order of an object's keys says nothing. */
  identity: unknown;
  /** Told of each checkpoint that is on disk, and of the one a run goes on from; the run waits for it. */
  onCheckpoint?(saved: SavedCheckpoint): Promise<void>;
  /** Told in one line what is being done where that takes a while. */
  onNote?(text: string): void;
  /** Told when steps that are undone begin to be timed, and when that is over. */
  onTiming?(timing: boolean): void;
}

/** How far a run is. */
export interface Progress {
  step: number;
  steps: number;
  cycles: readonly Cycle[];
  tokens: number;
  evalLoss: number | null;
}

export interface SavedCheckpoint extends Progress {
  /** Loss of the step's update; null for a checkpoint found from before. */
  loss: number | null;
  /** found: the run goes on from it; schedule: it was due; clock: so that little is lost; stop: the run was asked to; end: it was the last step. */
  reason: 'found' | 'schedule' | 'clock' | 'stop' | 'end';
  /** Every parameter of the task, adapters merged. */
  values(): Map<string, Float32Array>;
}

/** Named as TRL names them. */
export interface Metrics {
  step: number;
  steps: number;
  epoch: number;
  loss: number;
  grad_norm: number;
  learning_rate: number;
  num_tokens: number;
  tokens_per_second: number;
  eval_loss?: number;
}

export interface TrainingResult extends Progress {
  /** Every parameter of the task, adapters merged. */
  values: Map<string, Float32Array>;
  /** The adapters by themselves; null without. */
  adapters: Map<string, Float32Array> | null;
  /** Ended before its last step; the last checkpoint is kept. */
  stopped: boolean;
  /** What these values find in each micro-batch of the held-out data, where the objective tells. Null without such data or when stopped. */
  readings: Tensor[] | null;
}
