// Bytes of a file or upload → text in chunks, unpacked when they are gzip. Holds no more than a chunk.
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SteerError } from '../errors.ts';
import { decodeText, untilAborted } from '../files/lines.ts';
import { headLength, refuseForeign } from './foreign-bytes.ts';
import { unfit } from './formats/format.ts';

export interface TextOptions {
  /** Most bytes that gzip data may unpack to; any number when absent. */
  unpackedBytes?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * UTF-8 text of the bytes, without byte order mark. Gzip is told by its first bytes, not by a name.
 * Throws `invalid_dataset`, `body_too_large` for gzip data beyond its limit, or `cancelled`; reading stops there.
 */
export function readText(bytes: AsyncIterable<Uint8Array>, { unpackedBytes, signal }: TextOptions = {}): AsyncGenerator<string> {
  return decodeText(untilAborted(signal, unpack(bytes, unpackedBytes ?? Number.POSITIVE_INFINITY)));
}

async function* unpack(bytes: AsyncIterable<Uint8Array>, limit: number): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (head.length < headLength) {
    const { done, value } = await iterator.next();
    if (done) break;
    head = Buffer.concat([head, value]);
  }
  const all = chain([head], iterator);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    refuseForeign(head);
    yield* all;
    return;
  }
  // A fault in the source is passed on to the reader of the unpacked side, and a reader that stops closes the source.
  const source = Readable.from(all, { objectMode: false });
  const gunzip = createGunzip();
  source.on('error', (error) => gunzip.destroy(error));
  try {
    let length = 0;
    let first = true;
    for await (const chunk of source.pipe(gunzip) as AsyncIterable<Uint8Array>) {
      if (first) refuseForeign(chunk);
      first = false;
      length += chunk.length;
      if (length > limit) throw tooMuch(limit);
      yield chunk;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_')) throw unfit(`the gzip data is damaged or cut short`);
    throw error;
  } finally {
    source.destroy();
  }
}

function tooMuch(limit: number): SteerError {
  const message = `Expected at most ${limit} bytes once unpacked, the gzip data holds more. Send it in parts, or raise MAX_UNPACKED_BYTES.`;
  return new SteerError('body_too_large', message);
}

/** What was taken from the iterator, then all it still has. */
export async function* chain<T>(taken: Iterable<T>, rest: AsyncIterator<T>): AsyncGenerator<T> {
  try {
    yield* taken;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
