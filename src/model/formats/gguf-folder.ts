// A model's folder that holds one GGUF file and no config.json: what the files of Hugging Face's layout would say there, out of the file's header.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SteerError } from '../../errors.ts';
import { configOf, samplingOf } from './gguf-config.ts';
import { type GgufHeader, readGgufHeader } from './gguf-header.ts';
import { readStretches } from './gguf-tensors.ts';
import { ggufSettings, ggufTokenizerJson } from './gguf-vocabulary.ts';
import { exists, readJson } from './json-file.ts';

/** A leading dot marks a file that is still being written. */
export const isGguf = (name: string) => /\.gguf$/i.test(name) && !name.startsWith('.');
const isSplit = (name: string) => /-\d{5}-of-\d{5}\.gguf$/i.test(name);

/** The GGUF file that is the model of the folder; undefined where it is one of Hugging Face's layout, or none. Throws invalid_model for several. */
export async function ggufOf(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => [] as string[]);
  const [name, ...others] = names.includes('config.json') ? [] : names.filter(isGguf).sort();
  if (name === undefined) return;
  if (others.length > 0) {
    const found = [name, ...others].slice(0, 5).join(', ');
    throw new SteerError(
      'invalid_model',
      `Expected one .gguf file in ${folder}, found ${others.length + 1}: ${found}. Give each a folder of its own.`,
    );
  }
  const path = join(folder, name);
  if (!isSplit(name)) return path;
  throw new SteerError(
    'invalid_model',
    `${path} is one part of a model in several files. Merge them with llama-gguf-split --merge.`,
  );
}

/** Headers are some kilobytes each, and a model is looked at several times while it is loaded. */
const mostKept = 16;
const kept = new Map<string, { stamp: string; header: Promise<GgufHeader> }>();

/** The header of a file, parsed once for as long as the file does not change. Throws invalid_model in one clear line. */
export async function ggufHeader(path: string): Promise<GgufHeader> {
  const { size, mtimeMs, ino } = await stat(path).catch(() => ({ size: 0, mtimeMs: 0, ino: 0 }));
  const stamp = `${size} ${mtimeMs} ${ino}`;
  const known = kept.get(path);
  kept.delete(path);
  const entry = known?.stamp === stamp ? known : { stamp, header: readGgufHeader(path) };
  kept.set(path, entry);
  const [oldest] = kept.keys();
  if (kept.size > mostKept) kept.delete(oldest!);
  try {
    return await entry.header;
  } catch (cause) {
    if (kept.get(path) === entry) kept.delete(path);
    throw cause;
  }
}

/** What each file of the layout would hold; undefined where there would be none. */
const contents: Record<string, (header: GgufHeader) => Promise<unknown>> = {
  'config.json': async (header) => configOf(header, await readStretches(header)),
  'generation_config.json': async (header) => samplingOf(header),
  'tokenizer.json': ggufTokenizerJson,
  'tokenizer_config.json': ggufSettings,
  'steerlm.json': async (header) => cardOf(header),
};
/** Beside a GGUF file these would contradict it; any other file of the folder goes before what the GGUF file says. */
const ownAlone = ['config.json', 'tokenizer.json'];

export interface ModelFile {
  /** For messages. */
  path: string;
  content: unknown;
}

/** A JSON file of a model's folder, or what its GGUF file says in its place; undefined where neither says anything. Throws invalid_model. */
export async function readModelFile(folder: string, name: string): Promise<ModelFile | undefined> {
  const gguf = await ggufOf(folder);
  const path = join(folder, name);
  if (!(gguf && ownAlone.includes(name)) && (await exists(path))) return { path, content: await readJson(path) };
  if (gguf === undefined) return;
  const content = await contents[name]?.(await ggufHeader(gguf));
  return content === undefined ? undefined : { path: gguf, content };
}

/** The same of a file that the folder must have. */
export async function requireModelFile(folder: string, name: string): Promise<ModelFile> {
  const path = join(folder, name);
  return (await readModelFile(folder, name)) ?? { path, content: await readJson(path) };
}

/** The card of a model that this program exported. */
function cardOf({ path, values }: GgufHeader): unknown {
  const text = values.get('steerlm.card');
  if (text === undefined) return;
  try {
    return JSON.parse(String(text));
  } catch (cause) {
    throw new SteerError('invalid_model', `${path}: steerlm.card is not valid JSON. Export the model again.`, { cause });
  }
}
