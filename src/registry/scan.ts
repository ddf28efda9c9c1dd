// What lies in the models folder: one entry per sub-folder that holds a model's files, or says where it runs (upstream.json), read anew only where they
// changed. Loads nothing.
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SteerError } from '../errors.ts';
import type { ChatForm } from '../generation/language-model.ts';
import { chatForm } from '../generation/model-text.ts';
import type { BadWordRules } from '../model/bad-words.ts';
import { ggufOf, isGguf } from '../model/formats/gguf-folder.ts';
import { exists } from '../model/formats/json-file.ts';
import type { Precision } from '../model/loaded-network.ts';
import { type ModelCard, readModelCard, readShape, upstreamFile } from '../model/model-folder.ts';
import { storedPrecision } from '../model/precision.ts';
import { readSampling } from '../model/sampling-defaults.ts';
import { readChatTemplate } from '../model/tokenizer/tokenizer.ts';
import { listVectors, type VectorCard, vectorsName } from '../model/vectors/kept-vectors.ts';
import { openWeights } from '../model/weights.ts';
import { headShapes } from '../predictor/graph.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Curves } from '../steerlm/calibration.ts';
import { everyday } from '../steerlm/schemas.ts';
import { chatSchema, defaultContext } from '../upstream/chat-dialect.ts';
import { isUpstream, readUpstreamSettings, type UpstreamSettings } from '../upstream/settings.ts';
import type { ModelKind } from './models.ts';

export interface Entry {
  id: string;
  kind: ModelKind;
  steered: boolean;
  folder: string;
  /** Unix seconds. */
  created: number;
  description: string | null;
  schema: AttributeSchema;
  chat: ChatForm | null;
  /** What its card keeps out of replies; of a model that runs here alone. */
  badWords: BadWordRules | undefined;
  /** Steering vectors; absent where there are none, or none that can be read. */
  vectors?: readonly VectorCard[] | undefined;
  curves: Curves;
  contextLength: number;
  /** The precision of its weights where nobody asks for another. */
  stored: Precision;
  /** Name of the model it was trained from. */
  base: string | null;
  datasets: { name: string; hash: string }[];
  /** Changes when a file that the model is loaded from does. */
  stamp: string;
}

/** A sub-folder that looks like a model and is none, as it stood then. */
export interface Broken {
  folder: string;
  stamp: string;
  reason: string;
}

export interface Scan {
  entries: Entry[];
  broken: Broken[];
}

export const noAttributes: AttributeSchema = { name: 'none', version: 0, attributes: [] };

/** Where models are looked for. */
export interface ModelPlaces {
  modelsDir: string;
  /** Models that were pulled; the folder need not be there. */
  pulledDir?: string | undefined;
}

/** The models in both places, those unchanged since `before` taken from there. Throws invalid_model when there is no folder `modelsDir`. */
export async function scanModels({ modelsDir, pulledDir }: ModelPlaces, before: Scan): Promise<Scan> {
  const known = new Map(before.entries.map((entry) => [`${entry.folder} ${entry.stamp}`, entry]));
  const failed = new Map(before.broken.map((broken) => [`${broken.folder} ${broken.stamp}`, broken]));
  const scan: Scan = { entries: [], broken: [] };
  const pulled = pulledDir === undefined || resolve(pulledDir) === resolve(modelsDir) ? [] : await pulledFolders(pulledDir);
  for (const folder of [...(await modelFolders(modelsDir)), ...pulled]) {
    const stamp = await stampOf(folder);
    const [entry, broken] = [known.get(`${folder} ${stamp}`), failed.get(`${folder} ${stamp}`)];
    if (entry) scan.entries.push(await withVectors(entry));
    else if (broken) scan.broken.push(broken);
    else await readInto(scan, folder, stamp);
  }
  return scan;
}

async function readInto(scan: Scan, folder: string, stamp: string): Promise<void> {
  try {
    scan.entries.push(await withVectors({ ...(await readEntry(folder)), stamp }));
  } catch (error) {
    // Whatever is wrong with one folder, the others are served.
    const { message } = error as Error;
    scan.broken.push({ folder, stamp, reason: error instanceof SteerError ? message : `${folder} cannot be read: ${message}` });
  }
}

/** They come and go while the model stays loaded. */
async function withVectors(entry: Entry): Promise<Entry> {
  const vectors = await listVectors(entry.folder).catch(() => []);
  return { ...entry, vectors: vectors.length === 0 ? undefined : vectors };
}

async function pulledFolders(pulledDir: string): Promise<string[]> {
  return (await exists(pulledDir)) ? await modelFolders(pulledDir) : [];
}

async function modelFolders(modelsDir: string): Promise<string[]> {
  const entries = await readdir(modelsDir, { withFileTypes: true }).catch((cause) => {
    const message = `Cannot read the models folder ${modelsDir} (${cause.code}). Set MODELS_DIR to a folder of models.`;
    throw new SteerError('invalid_model', message, { cause });
  });
  const folders: string[] = [];
  for (const entry of entries) {
    // A leading dot marks a model that is still being written.
    if (entry.name.startsWith('.') || !(entry.isDirectory() || entry.isSymbolicLink())) continue;
    const folder = join(modelsDir, entry.name);
    const names = await readdir(folder).catch(() => []);
    if (names.some((name) => name === 'config.json' || name === upstreamFile || isGguf(name))) folders.push(folder);
  }
  return folders.sort();
}

/** Size and time of every file a model is read from. */
async function stampOf(folder: string): Promise<string> {
  const isRead = (name: string) => name !== vectorsName && /\.(json|jinja|safetensors|gguf)$/.test(name);
  const names = (await readdir(folder).catch(() => [])).filter(isRead).sort();
  const marks: string[] = [];
  for (const name of names) {
    const found = await stat(join(folder, name)).catch(() => null);
    marks.push(found ? `${name} ${found.size} ${found.mtimeMs} ${found.ino}` : name);
  }
  return marks.join('/');
}

/** What a folder says of its model; loads nothing. Throws invalid_model where it is none. */
export async function readEntry(folder: string): Promise<Omit<Entry, 'stamp'>> {
  const card = await readModelCard(folder);
  const { kind } = card;
  const upstream = (await isUpstream(folder)) ? await readUpstream(folder, kind) : undefined;
  const byMessages = upstream?.protocol === 'chat';
  const read = byMessages ? readByMessages(card, upstream) : await readFiles(folder, card, upstream !== undefined);
  const marker = join(folder, byMessages ? upstreamFile : 'config.json');
  const made = card.createdAt ? Date.parse(card.createdAt) : (await stat((await ggufOf(folder)) ?? marker)).mtimeMs;
  return {
    id: card.name,
    kind: kind === 'predictor' ? 'predictor' : 'language',
    steered: kind === 'steered',
    folder,
    created: Math.floor(made / 1000),
    description: card.description,
    ...read,
    badWords: upstream ? undefined : card.badWords,
    curves: card.measured?.steering?.curves ?? {},
    base: card.baseModel?.name ?? null,
    datasets: card.datasets,
  };
}

type Read = Pick<Entry, 'schema' | 'chat' | 'contextLength' | 'stored'>;

/** Of a model whose upstream lays prompts out: nothing else of it lies here. */
function readByMessages(card: ModelCard, { contextLength = defaultContext }: UpstreamSettings): Read {
  return { schema: chatSchema(card), chat: 'messages', contextLength, stored: 'fp32' };
}

async function readFiles(folder: string, card: ModelCard, elsewhere: boolean): Promise<Read> {
  if (elsewhere && !(await exists(join(folder, 'config.json'))) && (await ggufOf(folder)) === undefined) {
    const message = `Expected config.json and tokenizer.json, or a .gguf file, in ${folder}, beside ${upstreamFile}, or "protocol": "chat" in it; found none of them.`;
    throw new SteerError('invalid_model', message);
  }
  const { kind, attributeSchema } = card;
  const shape = await readShape(folder);
  const heads = kind === 'predictor' && attributeSchema ? headShapes(attributeSchema, shape) : undefined;
  const stored = elsewhere ? 'fp32' : await checkWeights(folder, shape, heads);
  if (kind !== 'predictor') await readSampling(folder);
  const chat = kind === 'predictor' ? null : chatForm(card, { chatTemplate: await readChatTemplate(folder) });
  const schema = attributeSchema ?? (chat === 'template' ? everyday : noAttributes);
  return { schema, chat, contextLength: shape.contextLength, stored };
}

/** Reads the heads of the weight files only; that is where a broken download shows. */
async function checkWeights(...[folder, shape, heads]: Parameters<typeof openWeights>): Promise<Precision> {
  const weights = await openWeights(folder, shape, heads);
  await weights.close();
  return storedPrecision(weights, shape);
}

async function readUpstream(folder: string, kind: string): Promise<UpstreamSettings> {
  const settings = await readUpstreamSettings(folder);
  if (kind !== 'predictor') return settings;
  const message = `Expected a language model in ${folder}, since it has ${upstreamFile}; found a predictor, which runs here only.`;
  throw new SteerError('invalid_model', message);
}

/** One model a name: of several the one whose folder is called so, else the first; the others are broken. */
export function withoutTwins({ entries, broken }: Scan): Scan {
  const homes = new Map<string, Entry>();
  const twins: Broken[] = [];
  const atHome = ({ id, folder }: Entry) => basename(folder) === id;
  for (const entry of entries.toSorted((a, b) => Number(atHome(b)) - Number(atHome(a)))) {
    const { id, folder, stamp } = entry;
    const twin = homes.get(id);
    if (twin) twins.push({ folder, stamp, reason: `Its name ${id} is that of ${twin.folder} already.` });
    else homes.set(id, entry);
  }
  return { entries: entries.filter((entry) => homes.get(entry.id) === entry), broken: [...broken, ...twins] };
}

/**
 * Names that files called `default` choose, the strongest first: what somebody wrote into MODELS_DIR, then the first model that was pulled, then what
 * the program came with, which is there before anybody chose.
 */
export async function chosenDefaults({ modelsDir, pulledDir }: ModelPlaces): Promise<string[]> {
  const own = await chosenIn(modelsDir);
  const pulled = pulledDir === undefined ? null : await chosenIn(pulledDir);
  const ranked = isShipped(modelsDir) ? [pulled, own] : [own, pulled];
  return ranked.filter((name) => name !== null);
}

/** First line of the file; null without one. */
async function chosenIn(folder: string): Promise<string | null> {
  const text = await readFile(join(folder, 'default'), 'utf8').catch(() => null);
  return text?.split('\n')[0]?.trim() || null;
}

/** Whether the folder is that of the models the program comes with. */
function isShipped(modelsDir: string): boolean {
  let root = import.meta.dirname;
  while (!existsSync(join(root, 'package.json')) && root !== dirname(root)) root = dirname(root);
  return resolve(modelsDir) === join(root, 'models');
}

const madeByJob = /^ft:/;

/**
 * Language models first, the default before all others: the one its alias names, else the first there is of those
 * `chosenDefaults` names. Then steered ones before
 * bases, in the order of the folders. What jobs make stands behind, so that a finished job never moves the default by itself, and a
 * checkpoint, which may be gone soon, last.
 */
export function inOrder(entries: Entry[], alias: string | undefined, chosen: readonly string[]): Entry[] {
  const languages = entries.filter(({ kind }) => kind === 'language');
  const named = (name: string) => languages.find(({ id, folder }) => [id, basename(folder)].includes(name));
  const first = languages.find(({ id }) => id === alias) ?? chosen.map(named).find((entry) => entry !== undefined);
  const isDefault = ({ id }: Entry) => id === first?.id;
  const rank = (entry: Entry): number => {
    if (entry.kind === 'predictor') return 3;
    if (isDefault(entry)) return 0;
    if (madeByJob.test(entry.id)) return entry.id.includes(':ckpt-step-') ? 2.5 : 1.5;
    return entry.steered ? 1 : entry.chat === null ? 2 : 1.2;
  };
  return entries.toSorted((a, b) => rank(a) - rank(b));
}
