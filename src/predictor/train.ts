// Starts the training process of a predictor and waits for it.
import { mkdir } from 'node:fs/promises';
import { privateFolder } from '../private-files.ts';
import { builtEntry } from '../tensor/built-entry.ts';
import { runTraining, type TrainingListener } from '../training/process.ts';
import type { PredictorOutcome, PredictorSpec } from './training-run.ts';

/** Trains in a child process; aborting stops it with its last checkpoint kept, and the same spec continues from there. */
export async function trainPredictor(
  spec: PredictorSpec,
  listener: TrainingListener,
  signal: AbortSignal,
): Promise<PredictorOutcome> {
  await mkdir(spec.runFolder, { recursive: true, mode: privateFolder });
  return runTraining(builtEntry(import.meta.url, './training-child.ts'), spec, listener, signal);
}
