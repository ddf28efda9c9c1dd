// Checkpoints of a training run: trained parameters, moments, and where in the data the run stands. Written whole or not at all.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SteerError, writingTo } from '../errors.ts';
import { openTensorFile, writeTensorFile } from '../model/formats/safetensors.ts';
import { privateFile, privateFolder } from '../private-files.ts';
import { slots } from '../tensor/adamw.ts';
import type { Tensor } from '../tensor/session.ts';
import { differencesOf } from './fingerprint.ts';
import type { TrainingState } from './state.ts';

const positionSchema = z.object({
  /** Updates made. */
  step: z.number().int(),
  /** Next micro-batch. The order of an epoch follows from the run's seed and the epoch, so these two are the state of the randomness. */
  epoch: z.number().int(),
  index: z.number().int(),
  /** Tokens read. */
  tokens: z.number(),
  bestLoss: z.number().nullable(),
  /** Newest held-out loss, and how many looks at it in a row brought no better one. */
  evalLoss: z.number().nullable().default(null),
  stale: z.number().int().default(0),
  /** How long the run was meant to be, and became. */
  cycles: z.array(z.object({ from: z.number().int(), to: z.number().int() })).default([]),
  /** Settings the run was started with; another run's checkpoint is refused. */
  fingerprint: z.string(),
  /** The same in words, to tell what differs; checkpoints of older versions have none. */
  decisive: z.record(z.string(), z.unknown()).optional(),
});
export type Position = z.infer<typeof positionSchema>;

/** Which run a checkpoint is to be of. */
type Run = Pick<Position, 'fingerprint' | 'decisive'>;

const folderName = /^step-(\d+)$/;

function stateShapes(state: TrainingState): Map<string, number[]> {
  return new Map(
    [...state.trained].flatMap(([name, shape]) =>
      [name, slots.first(name), slots.second(name)].map((slot): [string, number[]] => [slot, shape]),
    ),
  );
}

/** Saves `folder/step-N` and removes all but the newest `keep`. */
export async function saveCheckpoint(folder: string, state: TrainingState, position: Position, keep: number): Promise<string> {
  const final = join(folder, `step-${String(position.step).padStart(8, '0')}`);
  const partial = `${final}.partial`;
  try {
    await rm(partial, { recursive: true, force: true });
    await writingTo(folder, () => writeState(partial, state, position));
    await rm(final, { recursive: true, force: true });
    await rename(partial, final);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
  const old = (await listCheckpoints(folder)).slice(0, -keep);
  // What a killed process left half-written goes as well.
  const torn = (await readdir(folder)).filter((name) => name.startsWith('step-') && name.endsWith('.partial'));
  for (const name of [...old, ...torn]) await rm(join(folder, name), { recursive: true, force: true });
  return final;
}

async function writeState(folder: string, state: TrainingState, position: Position): Promise<void> {
  await mkdir(folder, { recursive: true, mode: privateFolder });
  await state.settle();
  const shapes = stateShapes(state);
  const tensors = [...shapes.keys()].map((name): [string, Float32Array] => [name, state.value(name)]);
  await writeTensorFile(join(folder, 'state.safetensors'), shapes, tensors, 'F32');
  await writeFile(join(folder, 'position.json'), `${JSON.stringify(position, null, 2)}\n`, { mode: privateFile });
}

/** Names of the whole checkpoints in a folder, oldest first. */
export async function listCheckpoints(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => folderName.test(name)).sort();
}

/** The step a checkpoint of that name was saved after. */
export function stepOf(name: string): number {
  return Number(folderName.exec(name)?.[1]);
}

/** Where the newest checkpoint stands; null when there is none. Throws conflict when it belongs to a run with other settings, saying which. */
export async function readPosition(folder: string, { fingerprint, decisive = {} }: Run): Promise<Position | null> {
  const newest = (await listCheckpoints(folder)).at(-1);
  if (!newest) return null;
  const at = join(folder, newest);
  const position = positionSchema.parse(JSON.parse(await readFile(join(at, 'position.json'), 'utf8')));
  if (position.fingerprint === fingerprint) return position;
  const differing = position.decisive ? differencesOf(decisive, position.decisive) : [];
  const which = differing.length > 0 ? `: ${differing.join(', ')}` : '';
  throw new SteerError(
    'conflict',
    `The checkpoint ${at} belongs to a run with other settings or data${which}. Resume with the same ones, or choose another run folder.`,
  );
}

/** Loads the newest checkpoint into `state`; null when there is none. Throws what readPosition throws. */
export async function loadCheckpoint(folder: string, state: TrainingState, run: Run): Promise<Position | null> {
  const position = await readPosition(folder, run);
  if (!position) return null;
  const at = join(folder, (await listCheckpoints(folder)).at(-1)!);
  const file = await openTensorFile(join(at, 'state.safetensors'));
  try {
    const tensors = new Map<string, Tensor>();
    for (const [name, shape] of stateShapes(state)) tensors.set(name, { data: await file.read(name), shape });
    state.restore(tensors);
  } finally {
    await file.close();
  }
  return position;
}
