// One file over the network: resumed where it broke, whole before it has its name, and of the hash it should have.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SteerError, writingTo } from '../errors.ts';
import { type Asking, ask, type Reply, reasonOf, sleep, stopIfAborted, Unreachable } from './requests.ts';

export interface RemoteFile {
  url: string;
  /** Where it comes to lie; until it is whole it lies beside that, as `.part`. */
  target: string;
  /** Null where the other side does not say beforehand. */
  bytes: number | null;
  sha256: string | null;
  token?: string | undefined;
  /** What a status means that brings no content. */
  refuse(reply: Reply): Promise<SteerError>;
}

/** Told how many bytes of the file are there. */
export type OnBytes = (bytes: number, total: number | null) => void;

/** A connection that broke so often in a row without a byte is given up. */
const mostCuts = 5;
const [firstPauseMs, longestPauseMs] = [1_000, 16_000];

/** The connection ended before the file did. */
class Cut extends Error {}

/** Fetches the file and answers its hash and size. Throws what `ask` throws, `refuse`, invalid_model for another hash, disk_full, or not_ready. */
export async function download(file: RemoteFile, asking: Asking, onBytes: OnBytes): Promise<{ sha256: string; bytes: number }> {
  const part = partOf(file.target);
  const resumed = (await sizeOf(part)) > 0;
  try {
    await fetchWhole(file, asking, onBytes);
    return await settle(file);
  } catch (error) {
    if (!(error instanceof WrongHash)) throw error;
    if (!resumed) throw error;
    // What was kept may have been of another file; once more from its beginning tells.
    asking.onNote(`${basename(file.target)}: what was kept does not fit the rest; fetching it from its beginning.`);
    await fetchWhole(file, asking, onBytes);
    return await settle(file);
  }
}

export function partOf(target: string): string {
  return `${target}.part`;
}

class WrongHash extends SteerError {}

/** Gives the part its name where it is what it should be; else removes it. Throws invalid_model. */
export async function settle({
  target,
  sha256,
  bytes,
}: Pick<RemoteFile, 'target' | 'sha256' | 'bytes'>): Promise<{ sha256: string; bytes: number }> {
  const part = partOf(target);
  const found = { sha256: await sha256Of(part), bytes: await sizeOf(part) };
  if ((sha256 !== null && found.sha256 !== sha256) || (bytes !== null && found.bytes !== bytes)) {
    await forget(part);
    const [expected, got] = sha256 === null ? [`${bytes} bytes`, found.bytes] : [`sha256 ${sha256}`, found.sha256];
    throw new WrongHash(
      'invalid_model',
      `${basename(target)}: expected ${expected}, found ${got}. It was damaged or replaced on the way; nothing of it is kept.`,
    );
  }
  await writingTo(dirname(target), async () => {
    const handle = await open(part, 'r+');
    await handle.sync().finally(() => handle.close());
  });
  await rename(part, target);
  await rm(etagOf(part), { force: true });
  return found;
}

async function fetchWhole(file: RemoteFile, asking: Asking, onBytes: OnBytes): Promise<void> {
  const part = partOf(file.target);
  for (let cuts = 0; ; ) {
    const had = await sizeOf(part);
    try {
      return await fetchRest(file, had, asking, onBytes);
    } catch (error) {
      stopIfAborted(asking.signal);
      const got = (await sizeOf(part)) > had;
      // Nobody there at the very first is told at once; someone may know another way.
      if (!(error instanceof Cut || (error instanceof Unreachable && cuts > 0))) throw error;
      cuts = got ? 1 : cuts + 1;
      if (cuts > mostCuts) throw broken(file, await sizeOf(part), error);
      const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (cuts - 1));
      asking.onNote(`${basename(file.target)}: the connection broke (${reasonOf(error)}); going on from there.`);
      await sleep(pauseMs, asking).catch(() => {});
      stopIfAborted(asking.signal);
    }
  }
}

function broken({ target, bytes }: RemoteFile, had: number, cause: Error): SteerError {
  const of = bytes === null ? '' : ` of ${bytes}`;
  const message = `${basename(target)}: the connection broke again and again (${reasonOf(cause)}). ${had}${of} bytes are kept; the same command goes on from there.`;
  return new SteerError('not_ready', message, { cause });
}

async function fetchRest(file: RemoteFile, had: number, asking: Asking, onBytes: OnBytes): Promise<void> {
  const { url, token, target, bytes } = file;
  const part = partOf(target);
  if (bytes !== null && had === bytes && bytes > 0) return;
  if (bytes !== null && had > bytes) return await startAnew(file, asking, onBytes);
  const etag = had > 0 ? (await readFile(etagOf(part), 'utf8').catch(() => '')).trim() : '';
  const range = had > 0 ? { range: `bytes=${had}-`, ...(etag === '' ? {} : { 'if-range': etag }) } : {};
  const reply = await ask(url, { headers: range, token }, asking);
  if (reply.statusCode === 416) {
    await reply.body.dump().catch(() => {});
    return await startAnew(file, asking, onBytes);
  }
  if (reply.statusCode !== 200 && reply.statusCode !== 206) throw await file.refuse(reply);
  const begin = beginOf(reply);
  if (begin > had) {
    await reply.body.dump().catch(() => {});
    return await startAnew(file, asking, onBytes);
  }
  await writingTo(dirname(target), async () => {
    if (had > begin) await truncate(part, begin);
    // A weak mark says alike, not equal byte for byte.
    const mark = String(reply.headers.etag ?? '');
    if (/^"[\x21\x23-\x7e]*"$/.test(mark)) await writeFile(etagOf(part), mark);
    else await rm(etagOf(part), { force: true });
    await receive(reply.body, part, begin, bytes ?? lengthOf(reply, begin), asking.signal, onBytes);
  });
}

async function startAnew(file: RemoteFile, asking: Asking, onBytes: OnBytes): Promise<void> {
  await forget(partOf(file.target));
  return await fetchRest(file, 0, asking, onBytes);
}

/** Appends the body to the part; every byte that was told is written. Throws Cut where the body ends early, and what writing throws. */
async function receive(
  body: Readable,
  part: string,
  begin: number,
  total: number | null,
  signal: AbortSignal,
  onBytes: OnBytes,
): Promise<void> {
  const file = await open(part, begin > 0 ? 'a' : 'w');
  let at = begin;
  try {
    for await (const chunk of piecesOf(body, signal)) {
      at += chunk.length;
      if (total !== null && at > total) {
        throw new SteerError(
          'invalid_model',
          `${basename(part, '.part')} is longer than the ${total} bytes it was said to have.`,
        );
      }
      await file.writeFile(chunk);
      onBytes(at, total);
    }
  } finally {
    await file.close();
  }
  if (total !== null && at < total) throw new Cut(`the other side ended after ${at} of ${total} bytes`);
}

async function* piecesOf(body: Readable, signal: AbortSignal): AsyncGenerator<Buffer> {
  const pieces = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await pieces.next().catch((cause) => {
        stopIfAborted(signal);
        throw new Cut('the connection broke', { cause });
      });
      if (next.done) return;
      yield next.value;
    }
  } finally {
    body.destroy();
  }
}

/** Where the content begins: at 0 where the other side sends all of it. */
function beginOf({ statusCode, headers }: Reply): number {
  const [, begin] = /^bytes (\d+)-/.exec(String(headers['content-range'] ?? '')) ?? [];
  return statusCode === 206 ? Number(begin ?? Number.MAX_SAFE_INTEGER) : 0;
}

function lengthOf({ headers }: Reply, begin: number): number | null {
  const length = headers['content-length'];
  return typeof length === 'string' && /^\d{1,15}$/.test(length) ? begin + Number(length) : null;
}

function etagOf(part: string): string {
  return `${part}.etag`;
}

async function forget(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(etagOf(part), { force: true });
}

export async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0;
}

export async function sha256Of(path: string): Promise<string> {
  const digest = createHash('sha256');
  await pipeline(createReadStream(path), digest);
  return digest.digest('hex');
}
