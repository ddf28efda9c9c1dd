// A model pulled: planned, fetched file by file into a folder that nobody takes for a model, checked, and given its name in one step.
import { copyFile, mkdir, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SteerError, writingTo } from '../errors.ts';
import { exists, readJson, writeJson } from '../model/formats/json-file.ts';
import { writeChosenSchema } from '../model/model-folder.ts';
import { writeSampling } from '../model/sampling-defaults.ts';
import { vectorsName } from '../model/vectors/kept-vectors.ts';
import { makePrivateFolder } from '../private-files.ts';
import { type Asked, nameFor } from './asked.ts';
import { cataloguedByHash } from './catalogue.ts';
import { partOf, sizeOf } from './download.ts';
import type { HubSettings } from './hub.ts';
import { keptOf } from './kept.ts';
import { type Plan, type PlannedFile, type SourceChoice, type Way, waysTo } from './plan.ts';
import { printable } from './printable.ts';
import { bytesIn, lockModel, makeFirstDefault, type PulledCard, readPulled, stagingOf, writePulled } from './pulled.ts';
import { canChat, checkShape } from './readable.ts';
import { type Asking, stopIfAborted, Unreachable } from './requests.ts';
import { tellThere } from './there.ts';

/** Where models lie, and how the hub is asked. */
export interface PullSettings {
  pulledDir: string;
  /** Names of models there are taken. */
  modelsDir: string;
  hub: HubSettings;
}

export interface PullOptions {
  name?: string | undefined;
  from?: SourceChoice | undefined;
  /** Name of the built-in schema whose attributes it is asked for; absent leaves what it came with, or `everyday`. */
  schema?: string | undefined;
  /** Fetches what is there already. */
  force?: boolean | undefined;
  signal: AbortSignal;
  onNote(text: string): void;
  /** Bytes of the whole model that are there; the total is null until every file has told its size. */
  onBytes(bytes: number, total: number | null): void;
  /** In place of a timer, and of what the disk says; for tests. */
  sleep?: Asking['sleep'];
  freeBytes?: ((folder: string) => Promise<number>) | undefined;
}

export interface Pulled {
  name: string;
  folder: string;
  bytes: number;
  licence: string | null;
  /** False where it was there already. */
  fetched: boolean;
  /** Whether one can talk with it. */
  chats: boolean;
  /** It is the default now, being the first that can chat. */
  becameDefault: boolean;
}

/** Left free for what else writes there, such as the embedded database. */
const reserveBytes = 2 ** 26;
const originName = 'origin.json';
/** Letters of a licence's name that are kept. */
const mostLicence = 200;

/**
 * Pulls what is asked for, or says that it is there. Throws what its source throws, `conflict` where the name is taken or another process pulls it,
 * `disk_full`, `invalid_model`, and `cancelled` with what was fetched kept.
 */
export async function pullModel(asked: Asked, settings: PullSettings, options: PullOptions): Promise<Pulled> {
  const { pulledDir, hub } = settings;
  // What strangers call their files and licences is no business of a terminal's.
  const onNote = (text: string) => options.onNote(printable(text));
  const { signal, sleep, from, force = false } = options;
  const name = nameFor(asked, options.name);
  const asking: Asking = { proxies: hub.proxies, signal, onNote, sleep };
  await refuseTaken(name, settings);
  const ways = waysTo(asked, from, hub, asking);
  makeRoom(pulledDir);
  const release = await lockModel(pulledDir, name);
  try {
    const folder = join(pulledDir, name);
    const known = await readPulled(folder);
    if (known === null || force) return await layByWays(name, known, ways, settings, { ...options, onNote });
    onNote(await tellThere(name, known, asked, hub, asking));
    const [bytes, chats] = [await bytesIn(folder), await canChat(folder)];
    return { name, folder, bytes, licence: known.licence, fetched: false, chats, becameDefault: false };
  } finally {
    release();
  }
}

async function refuseTaken(name: string, { pulledDir, modelsDir }: PullSettings): Promise<void> {
  const own = join(modelsDir, name);
  const folder = join(pulledDir, name);
  const taken = resolve(modelsDir) !== resolve(pulledDir) && (await exists(own)) ? own : null;
  const found = taken ?? ((await exists(folder)) && (await readPulled(folder)) === null ? folder : null);
  if (found === null) return;
  const message = `name: ${name} is the name of a model that was not pulled, in ${found}. Choose another with --name.`;
  throw new SteerError('conflict', message, { details: { param: 'name' } });
}

async function layByWays(
  name: string,
  known: PulledCard | null,
  ways: readonly Way[],
  settings: PullSettings,
  options: PullOptions,
): Promise<Pulled> {
  for (const [i, way] of ways.entries()) {
    try {
      const plan = await way.plan();
      options.onNote(describe(name, plan));
      // Another way leads to the same file under the same licence.
      if (i === 0 && plan.licence !== null) options.onNote(describeLicence(plan));
      return await lay(name, known, plan, settings, options);
    } catch (error) {
      const next = ways[i + 1];
      if (!(error instanceof Unreachable)) throw error;
      if (next === undefined) throw unreachable(error);
      options.onNote(`${error.message} Taking the same file out of ${next.called}.`);
    }
  }
  throw new SteerError('internal_error', `There is no way to ${name}.`);
}

function unreachable(cause: Unreachable): SteerError {
  const advice = 'Check the connection, HTTPS_PROXY and HF_ENDPOINT. What was fetched is kept.';
  return new SteerError('not_ready', `${cause.message} ${advice}`, { cause });
}

function makeRoom(pulledDir: string): void {
  try {
    makePrivateFolder(pulledDir);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new SteerError('invalid_config', `The folder ${pulledDir} cannot be made (${code}). Set DATA_DIR to one that can.`, {
      cause,
    });
  }
}

/** Fetches what the plan says and puts it in its place. */
async function lay(
  name: string,
  known: PulledCard | null,
  plan: Plan,
  { pulledDir }: PullSettings,
  options: PullOptions,
): Promise<Pulled> {
  const folder = join(pulledDir, name);
  const staging = stagingOf(pulledDir, name);
  const { source } = plan;
  await writingTo(pulledDir, () => openStaging(staging, source, options.onNote));
  await checkRoom(staging, plan, options);
  const files = await writingTo(pulledDir, () => fetchAll(staging, known, plan, options));
  stopIfAborted(options.signal);
  const catalogued = cataloguedByHash(files);
  const told = plan.licence ?? catalogued?.licence ?? null;
  const licence = told === null ? null : printable(told).slice(0, mostLicence);
  if (options.schema !== undefined) await writingTo(pulledDir, () => writeChosenSchema(staging, name, options.schema!));
  if (catalogued?.sampling) await writingTo(pulledDir, () => writeSampling(staging, catalogued.sampling!, undefined));
  const chats = await checkReadable(staging, name);
  await writingTo(pulledDir, async () => {
    await writePulled(staging, { format_version: 1, source, licence, files, pulled_at: new Date().toISOString() });
    await rm(join(staging, originName), { force: true });
    await takePlace(staging, folder, join(pulledDir, `.${name}.removed`));
  });
  const becameDefault = chats && (await makeFirstDefault(pulledDir, name));
  return { name, folder, bytes: await bytesIn(folder), licence, fetched: true, chats, becameDefault };
}

function describe(name: string, { source, files }: Plan): string {
  const bytes = totalOf(files);
  const size = bytes === null ? '' : `, ${Math.ceil(bytes / 1e6)} MB`;
  const what = files.length === 1 ? files[0]!.name : `${files.length} files`;
  const from = source.from === 'hub' ? `${source.repository} @ ${source.revision?.slice(0, 12)}` : source.place;
  return `${name}: ${what} from ${from}${size}`;
}

function describeLicence({ licence, page, gated }: Plan): string {
  const accepted = gated ? ', which the account of your token accepted' : '';
  return `Its licence is ${licence}${accepted}${page === null ? '' : `: ${page}`}`;
}

function totalOf(files: readonly PlannedFile[]): number | null {
  return files.reduce<number | null>((sum, { bytes }) => (sum === null || bytes === null ? null : sum + bytes), 0);
}

/** Keeps what an earlier pull left there if it was of the same source; else begins anew. */
async function openStaging(
  staging: string,
  { repository, revision, place, from }: PulledCard['source'],
  onNote: (text: string) => void,
) {
  const origin = JSON.stringify(repository === null ? [from, place] : [repository, revision]);
  const path = join(staging, originName);
  if (await exists(staging)) {
    const before = await readJson(path).catch(() => null);
    if (JSON.stringify(before) === origin) return;
    onNote('What an earlier pull left is of another source or revision; beginning anew.');
    await rm(staging, { recursive: true, force: true });
  }
  await mkdir(staging);
  await writeJson(path, JSON.parse(origin));
}

async function checkRoom(staging: string, { files, besideBytes }: Plan, { freeBytes = freeOn }: PullOptions): Promise<void> {
  let missing = besideBytes + reserveBytes;
  for (const { name, bytes } of files) {
    const target = join(staging, name);
    missing += Math.max(0, (bytes ?? 0) - (await sizeOf(target)) - (await sizeOf(partOf(target))));
  }
  const free = await freeBytes(staging);
  if (free >= missing) return;
  const megabytes = (bytes: number) => `${Math.ceil(bytes / 1e6)} MB`;
  throw new SteerError(
    'disk_full',
    `Expected ${megabytes(missing)} free on the disk of ${staging}, found ${megabytes(free)}. Make room, then run the same command.`,
  );
}

async function freeOn(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** Fetches the files that are not there yet, one after another, small ones first; each has its name only when it is whole. */
async function fetchAll(
  staging: string,
  known: PulledCard | null,
  plan: Plan,
  options: PullOptions,
): Promise<PulledCard['files']> {
  const done: PulledCard['files'] = [];
  const total = totalOf(plan.files);
  for (const file of plan.files) {
    stopIfAborted(options.signal);
    const before = done.reduce((sum, { bytes }) => sum + bytes, 0);
    const onBytes = (bytes: number, ownTotal: number | null) =>
      options.onBytes(before + bytes, plan.files.length === 1 ? (total ?? ownTotal) : total);
    const target = join(staging, file.name);
    const kept = options.force ? undefined : await keptOf(dirname(staging), { ...file, target }, options.onNote);
    const found = kept ?? (await file.fetch(target, onBytes));
    checkPinned(file.name, found.sha256, known, plan);
    done.push({ path: file.name, ...found });
    options.onBytes(before + found.bytes, total);
    await checkShape(staging, file.name).catch((error) => refuseUnreadable(error, staging));
  }
  return done;
}

/** One commit has one content: what it was when it was first pulled stands on the card. */
function checkPinned(name: string, sha256: string, known: PulledCard | null, { source }: Plan): void {
  if (known === null || source.revision === null) return;
  if (known.source.repository !== source.repository || known.source.revision !== source.revision) return;
  const pinned = known.files.find(({ path }) => path === name);
  if (pinned === undefined || pinned.sha256 === sha256) return;
  const message = `${name} has the sha256 ${sha256}; when ${source.repository} @ ${source.revision} was first pulled it had ${pinned.sha256}. Somebody changed it; the model there is kept.`;
  throw new SteerError('invalid_model', message);
}

async function checkReadable(staging: string, name: string): Promise<boolean> {
  try {
    return await canChat(staging);
  } catch (error) {
    return await refuseUnreadable(error, staging, name);
  }
}

/** What cannot be read here is of no use however often it is fetched. */
async function refuseUnreadable(error: unknown, staging: string, name = 'It'): Promise<never> {
  await rm(staging, { recursive: true, force: true });
  if (!(error instanceof SteerError)) throw error;
  const reason = error.message.replaceAll(`${staging}/`, '').replaceAll(staging, 'its folder');
  throw new SteerError(error.code, `${name} is not a model that is read here, and nothing of it is kept: ${reason}`, {
    cause: error,
  });
}

async function takePlace(staging: string, folder: string, old: string): Promise<void> {
  await rm(old, { recursive: true, force: true });
  // They are somebody's own and no part of what is fetched; where it became another model, they are refused when asked for.
  if (await exists(join(folder, vectorsName))) await copyFile(join(folder, vectorsName), join(staging, vectorsName));
  if (await exists(folder)) await rename(folder, old);
  await rename(staging, folder);
  await rm(old, { recursive: true, force: true });
}
