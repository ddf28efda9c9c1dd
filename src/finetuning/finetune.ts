// Starts a training process of this stage and waits for it.

import { builtEntry } from '../tensor/built-entry.ts';
import { runTraining, type TrainingListener } from '../training/process.ts';
import type { RunOutcome } from '../training/run.ts';
import type { Inspection, InspectionSpec } from './inspection.ts';
import type { TrainingSpec } from './training-spec.ts';

/** Trains in a child process; see runTraining. */
export function finetune(spec: TrainingSpec, listener: TrainingListener, signal: AbortSignal): Promise<RunOutcome> {
  return runTraining(builtEntry(import.meta.url, './training-child.ts'), spec, listener, signal);
}

/** Looks through the data of a run in a child process. */
export function inspectData(spec: InspectionSpec, onNote: (text: string) => void, signal: AbortSignal): Promise<Inspection> {
  const listener = { onMetrics: () => {}, onNote };
  return runTraining(builtEntry(import.meta.url, './training-child.ts'), spec, listener, signal);
}
