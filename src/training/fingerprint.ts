// Tells one training run from another: what its curve follows from, as a hash that every checkpoint carries.
import { createHash } from 'node:crypto';
import type { TrainingSettings } from './training-settings.ts';
import type { TrainingTask } from './training-task.ts';

/** Of everything the curve follows from: not how long the run is, how often it is looked at or saved, or what computes. */
export function fingerprintOf({ identity }: Pick<TrainingTask, 'identity'>, settings: TrainingSettings): string {
  const { epochs, steps, minutes, checkpointEvery, checkpointSeconds, keepCheckpoints, threads, provider, ...rest } = settings;
  const { evaluateEvery, heldOutReplies, ...decisive } = rest;
  // Where a run may end early, the held-out data decides when.
  const looks = settings.patience === undefined ? {} : { evaluateEvery, heldOutReplies };
  return createHash('sha256')
    .update(JSON.stringify(sorted([identity, { ...decisive, ...looks }])))
    .digest('hex');
}

/** The same value with the keys of every object in one order: a database may have kept them in another. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
