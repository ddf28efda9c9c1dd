// Starts the training process of a predictor and waits for it.

import { builtEntry } from '../tensor/built-entry.ts';
import { runTraining, type TrainingListener } from '../training/process.ts';
import type { PredictorOutcome, PredictorSpec } from './training-run.ts';

/** Trains in a child process; see runTraining. */
export function trainPredictor(spec: PredictorSpec, listener: TrainingListener, signal: AbortSignal): Promise<PredictorOutcome> {
  return runTraining(builtEntry(import.meta.url, './training-child.ts'), spec, listener, signal);
}
