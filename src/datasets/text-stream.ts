// Bytes of a file or upload → text in chunks, unpacked when they are gzip, and text → lines. Holds no more than a chunk or a line.
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { unfit } from './formats/format.ts';

/** Longest line or array element held in memory, in characters. */
export const maxRecordLength = 64 * 2 ** 20;

/** UTF-8 text of the bytes, without byte order mark. Gzip is told by its first bytes, not by a name. Throws `invalid_dataset`. */
export async function* readText(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let offset = 0;
  for await (const chunk of unpack(bytes)) {
    yield decode(() => decoder.decode(chunk, { stream: true }), offset);
    offset += chunk.length;
  }
  const rest = decode(() => decoder.decode(), offset);
  if (rest !== '') yield rest;
}

function decode(run: () => string, offset: number): string {
  try {
    return run();
  } catch {
    throw unfit(`expected UTF-8 text, found other bytes shortly after byte ${offset}; convert the file first`);
  }
}

async function* unpack(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (head.length < 2) {
    const { done, value } = await iterator.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  const all = chain(head, iterator);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* all;
    return;
  }
  // A fault in the source is passed on to the reader of the unpacked side, and a reader that stops closes the source.
  const source = Readable.from(all, { objectMode: false });
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  try {
    yield* source.pipe(gunzip);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw unfit(`the gzip data is damaged or cut short`);
    throw error;
  } finally {
    source.destroy();
  }
}

/** `head`, then all the iterator still has. */
export async function* chain<T>(head: T, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** Lines without their ends. Throws `invalid_dataset` for one longer than maxRecordLength. */
export async function* readLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let pending = '';
  for await (const chunk of chunks) {
    const lines = chunk.split('\n');
    lines[0] = pending + lines[0];
    pending = lines.pop() ?? '';
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    if (pending.length > maxRecordLength) throw tooLong('a line');
  }
  if (pending !== '') yield pending;
}

export function tooLong(what: string) {
  return unfit(`${what} is longer than ${maxRecordLength / 2 ** 20} Mi characters; write one record per line`);
}
