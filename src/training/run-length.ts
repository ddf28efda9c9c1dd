// How many updates a run makes, from passes over the data, a number, or minutes.
import { performance } from 'node:perf_hooks';
import { SteerError } from '../errors.ts';
import { takeBatches } from './batches.ts';
import { stepsIn, type Timed } from './pace.ts';
import { stoppedWhileTiming } from './process.ts';
import { epochsFor } from './schedule.ts';
import { type Parameters, startingSlots, type TrainingState } from './state.ts';
import type { TrainingSettings } from './training-settings.ts';
import type { TrainingTask } from './training-task.ts';

interface Opened {
  runFolder: string;
  fingerprint: string;
  state: TrainingState;
  parameters: Parameters;
  signal: AbortSignal;
}

/** Updates of the whole run; null where they follow from minutes. Throws invalid_dataset without data. */
export function plannedSteps(
  { training }: TrainingTask,
  { accumulation, epochs, minutes, steps }: TrainingSettings,
): number | null {
  const batches = training.size(0);
  if (batches === 0)
    throw new SteerError('invalid_dataset', 'The training data is empty: expected at least one sample in the train split.');
  if (steps !== null) return steps;
  if (minutes !== undefined) return null;
  const wanted = epochs === 'auto' ? epochsFor(Math.ceil(batches / accumulation)) : epochs;
  return Math.ceil((wanted * batches) / accumulation);
}

/** Updates of the whole run. Where they follow from minutes, `state` may have made some; it is put back to its start. */
export async function stepsOf(task: TrainingTask, settings: TrainingSettings, opened: Opened): Promise<number> {
  const { minutes, evaluateEvery } = settings;
  const { runFolder, fingerprint } = opened;
  return (
    plannedSteps(task, settings) ??
    (await stepsIn(minutes!, { runFolder, fingerprint, evaluateEvery }, timedBy(task, settings, opened)))
  );
}

function timedBy({ training, validation, onNote, onTiming }: TrainingTask, settings: TrainingSettings, opened: Opened): Timed {
  const { state, parameters, signal } = opened;
  const position = { epoch: 0, index: 0 };
  let made = 0;
  return {
    onNote: (text) => onNote?.(text),
    onTiming: (timing) => onTiming?.(timing),
    async step() {
      if (signal.aborted) throw stoppedWhileTiming();
      await state.update(takeBatches(training, position, settings.accumulation), settings.learningRate, ++made);
    },
    undo: () => state.restore(startingSlots(parameters, state.trained)),
    async lookSeconds() {
      if (!validation) return 0;
      const batch = validation.fetch(0, 0);
      await state.evaluate(batch);
      const started = performance.now();
      await state.evaluate(batch);
      return (validation.size(0) * (performance.now() - started)) / 1000;
    },
  };
}
