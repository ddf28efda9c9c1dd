// Starts a training process of this stage and waits for it.
import { mkdir } from 'node:fs/promises';
import { privateFolder } from '../private-files.ts';
import { builtEntry } from '../tensor/built-entry.ts';
import { runTraining, type TrainingListener } from '../training/process.ts';
import type { Inspection, InspectionSpec } from './inspection.ts';
import type { TrainingOutcome, TrainingSpec } from './training-run.ts';

/** Trains in a child process; aborting stops it with its last checkpoint kept, and the same spec continues from there. */
export async function finetune(spec: TrainingSpec, listener: TrainingListener, signal: AbortSignal): Promise<TrainingOutcome> {
  await mkdir(spec.runFolder, { recursive: true, mode: privateFolder });
  return runTraining(builtEntry(import.meta.url, './training-child.ts'), spec, listener, signal);
}

/** Looks through the data of a run in a child process. */
export function inspectData(spec: InspectionSpec, onNote: (text: string) => void, signal: AbortSignal): Promise<Inspection> {
  const listener = { onMetrics: () => {}, onNote };
  return runTraining(builtEntry(import.meta.url, './training-child.ts'), spec, listener, signal);
}
