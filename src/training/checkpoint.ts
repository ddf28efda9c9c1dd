// Checkpoints of a training run: trained parameters, moments, and where in the data the run stands. Written whole or not at all.
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SteerError, writingTo } from '../errors.ts';
import { readJson, writeJson } from '../model/formats/json-file.ts';
import { openTensorFile, writeTensorFile } from '../model/formats/safetensors.ts';
import { makeFolder, privateFolder } from '../private-files.ts';
import { faultText } from '../shape-faults.ts';
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

const positionName = 'position.json';
const stateName = 'state.safetensors';

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
    await syncFolder(folder);
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
  makeFolder(folder, privateFolder);
  await state.settle();
  const shapes = stateShapes(state);
  const tensors = [...shapes.keys()].map((name): [string, Float32Array] => [name, state.value(name)]);
  await writeTensorFile(join(folder, stateName), shapes, tensors, 'F32');
  await writeJson(join(folder, positionName), position);
  await syncFolder(folder);
}

/** Puts on disk which files the folder has: after a power cut a rename may be there without what was renamed. */
async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders, and keeps their order itself.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
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

/** Where the newest checkpoint stands that is not torn; null when there is none. Throws conflict when it belongs to a run with other settings, saying which. */
export async function readPosition(folder: string, run: Run): Promise<Position | null> {
  for (const name of (await listCheckpoints(folder)).reverse()) {
    const position = await unlessTorn(() => positionOf(join(folder, name), run));
    if (!(position instanceof SteerError)) return position;
  }
  return null;
}

/**
 * Loads the newest whole checkpoint into `state`; null when there is none at all. `onNote` is told of newer ones that are not whole: a machine that
 * lost power may leave such. Throws conflict when it belongs to a run with other settings, or when none is whole.
 */
export async function loadCheckpoint(
  folder: string,
  state: TrainingState,
  run: Run,
  onNote: (text: string) => void = () => {},
): Promise<Position | null> {
  const names = (await listCheckpoints(folder)).reverse();
  const torn: { name: string; reason: string }[] = [];
  for (const name of names) {
    const at = join(folder, name);
    const found = await unlessTorn(async () => ({ position: await positionOf(at, run), tensors: await readState(at, state) }));
    if (found instanceof SteerError) {
      torn.push({ name, reason: found.message });
      continue;
    }
    state.restore(found.tensors);
    for (const { name, reason } of torn) await setAside(folder, name, reason, onNote);
    return found.position;
  }
  if (torn.length === 0) return null;
  const message = `Expected a whole checkpoint in ${folder}, found none. The newest: ${torn[0]!.reason} Put back a copy of it, or start over.`;
  throw new SteerError('conflict', message);
}

/** What `read` gives, or why the checkpoint is not whole. */
async function unlessTorn<T>(read: () => Promise<T>): Promise<T | SteerError> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SteerError && error.code === 'invalid_model') return error;
    throw error;
  }
}

/** Throws invalid_model for one that is not whole, conflict for one of another run. */
async function positionOf(checkpoint: string, { fingerprint, decisive = {} }: Run): Promise<Position> {
  const path = join(checkpoint, positionName);
  const { data: position, error } = positionSchema.safeParse(await readJson(path));
  if (error) throw new SteerError('invalid_model', `${path}: ${faultText(error, 'the file')}.`);
  if (position.fingerprint === fingerprint) return position;
  const differing = position.decisive ? differencesOf(decisive, position.decisive) : [];
  const which = differing.length > 0 ? `: ${differing.join(', ')}` : '';
  throw new SteerError(
    'conflict',
    `The checkpoint ${checkpoint} belongs to a run with other settings or data${which}. Resume with the same ones, or choose another run folder.`,
  );
}

/** Throws invalid_model for one that is not whole. */
async function readState(checkpoint: string, state: TrainingState): Promise<Map<string, Tensor>> {
  const file = await openTensorFile(join(checkpoint, stateName));
  try {
    const tensors = new Map<string, Tensor>();
    for (const [name, shape] of stateShapes(state)) tensors.set(name, { data: await file.read(name), shape });
    return tensors;
  } finally {
    await file.close();
  }
}

/** So that it is not counted among those that are kept. The next save removes it. */
async function setAside(folder: string, name: string, reason: string, onNote: (text: string) => void): Promise<void> {
  onNote(`passing over the checkpoint ${name}, which is not whole: ${reason}`);
  await rename(join(folder, name), join(folder, `${name}.partial`));
}
