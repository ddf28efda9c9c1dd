// Bytes of a file or upload → text in chunks, unpacked when they are gzip. Holds no more than a chunk.
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { decodeText } from '../files/lines.ts';
import { unfit } from './formats/format.ts';

/** UTF-8 text of the bytes, without byte order mark. Gzip is told by its first bytes, not by a name. Throws `invalid_dataset`. */
export function readText(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  return decodeText(unpack(bytes));
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
