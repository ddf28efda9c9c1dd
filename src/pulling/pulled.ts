// The card of a pulled model, pulled.json beside its files: where they came from, under which licence, and the hashes they had. And what is done with
// pulled models as folders: the default among them, and their removal.
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { pulledName } from '../model/file-digest.ts';
import { exists, readJson, writeJson } from '../model/formats/json-file.ts';
import { nearestName } from '../nearest-name.ts';
import { faultText } from '../shape-faults.ts';
import { lockFolder } from '../store/folder-lock.ts';

/** Where the pulled models of a data folder lie. */
export function pulledFolder(dataDir: string): string {
  // Whole: others are started with its parts as their own folder.
  return resolve(dataDir, 'models');
}

const defaultName = 'default';

const cardSchema = z.looseObject({
  format_version: z.literal(1),
  source: z.looseObject({
    from: z.enum(['hub', 'pip', 'file', 'folder', 'address']),
    repository: z.string().nullable(),
    /** Commit. */
    revision: z.string().nullable(),
    /** Whatever names it where that is no repository. */
    place: z.string().nullable(),
  }),
  licence: z.string().nullable(),
  files: z.array(z.object({ path: z.string(), bytes: z.number(), sha256: z.string() })).min(1),
  pulled_at: z.iso.datetime(),
});
export type PulledCard = z.output<typeof cardSchema>;

/** The card; null in a folder that was not pulled. Throws invalid_model for one that cannot be read. */
export async function readPulled(folder: string): Promise<PulledCard | null> {
  const path = join(folder, pulledName);
  if (!(await exists(path))) return null;
  const parsed = cardSchema.safeParse(await readJson(path));
  if (parsed.success) return parsed.data;
  throw new SteerError('invalid_model', `${path}: ${faultText(parsed.error, 'content')}.`);
}

export async function writePulled(folder: string, card: PulledCard): Promise<void> {
  await writeJson(join(folder, pulledName), card);
}

/** Makes the model the default where none was chosen among the pulled ones. Answers whether it did. */
export async function makeFirstDefault(pulledDir: string, name: string): Promise<boolean> {
  try {
    await writeFile(join(pulledDir, defaultName), `${name}\n`, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Where the files lie until they are a model: a leading dot keeps it from being seen as one. */
export function stagingOf(pulledDir: string, name: string): string {
  return join(pulledDir, `.${name}.partial`);
}

/** So that two processes never write one model. Throws conflict naming the other. */
export async function lockModel(pulledDir: string, name: string): Promise<() => void> {
  const locked = { code: 'conflict', what: `The model ${name}`, remedy: 'Wait until it is there.' } as const;
  return await lockFolder(join(pulledDir, `.${name}.lock`), locked);
}

/** Removes a pulled model, or what is there of a half-pulled one; answers the bytes that became free. Throws model_not_found or invalid_request. */
export async function removePulled(
  { pulledDir, modelsDir }: { pulledDir: string; modelsDir: string },
  name: string,
): Promise<number> {
  const folder = join(pulledDir, name);
  const staging = stagingOf(pulledDir, name);
  const isPlain = !/[/\\]|^\.|^default$/.test(name) && name !== '';
  const there = isPlain
    ? [(await exists(folder)) && folder, (await exists(staging)) && staging].filter((each) => each !== false)
    : [];
  if (there.length === 0) throw await notPulled(pulledDir, modelsDir, name);
  const release = await lockModel(pulledDir, name);
  try {
    const bytes = (await Promise.all(there.map(bytesIn))).reduce((sum, each) => sum + each, 0);
    const gone = join(pulledDir, `.${name}.removed`);
    // Gone at once for whoever looks, however long the files take.
    if (await exists(folder)) await rename(folder, gone);
    await forgetDefault(pulledDir, name);
    for (const each of [gone, staging]) await rm(each, { recursive: true, force: true });
    return bytes;
  } finally {
    release();
  }
}

async function notPulled(pulledDir: string, modelsDir: string, name: string): Promise<SteerError> {
  const own = join(modelsDir, name);
  if (!/[/\\]|^\.{0,2}$/.test(name) && (await exists(own))) {
    return new SteerError('invalid_request', `${name} was not pulled: it lies in ${own}. Delete that folder if it should go.`);
  }
  const pulled = (await readdir(pulledDir).catch(() => [])).filter((each) => !each.startsWith('.') && each !== defaultName);
  const near = nearestName(name, pulled);
  const known = pulled.length === 0 ? 'None is.' : `Pulled are ${pulled.join(', ')}.`;
  const message = `No pulled model is named ${JSON.stringify(name.slice(0, 128))}. ${near === undefined ? known : `Did you mean ${near}?`}`;
  return new SteerError('model_not_found', message);
}

async function forgetDefault(pulledDir: string, name: string): Promise<void> {
  const path = join(pulledDir, defaultName);
  const chosen = await readFile(path, 'utf8').catch(() => '');
  if (chosen.split('\n')[0]?.trim() === name) await rm(path, { force: true });
}

/** Bytes of the files in a folder. */
export async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const sizes = entries.filter((each) => each.isFile()).map((each) => stat(join(each.parentPath ?? each.path, each.name)));
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
}
