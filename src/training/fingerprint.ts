// Tells one training run from another: what its curve follows from, as a hash that every checkpoint carries.
import { createHash } from 'node:crypto';
import type { TrainingSettings } from './training-settings.ts';
import type { TrainingTask } from './training-task.ts';

/** What a run's curve follows from, as JSON. */
export type Decisive = Record<string, unknown>;

/** Of everything the curve follows from. */
export function fingerprintOf(task: Pick<TrainingTask, 'identity'>, settings: TrainingSettings): string {
  const { identity, ...rest } = decisiveOf(task, settings);
  return createHash('sha256')
    .update(JSON.stringify(sorted([identity, rest])))
    .digest('hex');
}

/** Everything the curve follows from: not how long the run is, how often it is looked at or saved, or what computes. */
export function decisiveOf({ identity }: Pick<TrainingTask, 'identity'>, settings: TrainingSettings): Decisive {
  const { epochs, steps, minutes, checkpointEvery, checkpointSeconds, keepCheckpoints, threads, provider, ...rest } = settings;
  const { evaluateEvery, heldOutReplies, ...decisive } = rest;
  // Where a run may end early, the held-out data decides when.
  const looks = settings.patience === undefined ? {} : { evaluateEvery, heldOutReplies };
  return { identity, ...decisive, ...looks };
}

/** Settings and data that differ, each with what it is and what it was where that is short: `learning rate 0.01 instead of 0.001`. */
export function differencesOf(now: Decisive, before: Decisive): string[] {
  const [is, was] = [named(now), named(before)];
  return Object.keys({ ...was, ...is }).flatMap((name) => {
    if (is[name] === was[name]) return [];
    const told = `${wordsOf(name)} ${is[name] ?? 'none'} instead of ${was[name] ?? 'none'}`;
    return [told.length > longestTold ? wordsOf(name) : told];
  });
}

/** Characters told of a difference; what is longer, such as schemas, is only named. */
const longestTold = 80;

/** Each value as JSON, those of the identity beside the settings. */
function named({ identity, ...settings }: Decisive): Record<string, string | undefined> {
  const all = { ...(identity as object), ...settings };
  return Object.fromEntries(Object.entries(all).map(([name, value]) => [name, JSON.stringify(sorted(value))]));
}

function wordsOf(name: string): string {
  if (name === 'B') return 'batch rows';
  return name === 'T' ? 'row tokens' : name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** The same value with the keys of every object in one order: a database may have kept them in another. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
