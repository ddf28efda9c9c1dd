// Bytes as UTF-8 text, and text as lines, while they stream by. Holds no more than a chunk or a line.
import { SteerError } from '../errors.ts';

/** Longest line or record held in memory, in characters. */
export const maxRecordLength = 64 * 2 ** 20;

/** UTF-8 text of the bytes, without byte order mark. Throws `invalid_dataset`. */
export async function* decodeText(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let offset = 0;
  for await (const chunk of bytes) {
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
    const message = `expected UTF-8 text, found other bytes shortly after byte ${offset}; convert the file first`;
    throw new SteerError('invalid_dataset', message);
  }
}

/** Lines without their ends. Throws `invalid_dataset` with the number of one longer than maxRecordLength. */
export async function* readLines(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let pending = '';
  let line = 1;
  for await (const chunk of chunks) {
    const lines = chunk.split('\n');
    lines[0] = pending + lines[0];
    pending = lines.pop() ?? '';
    for (const text of lines) yield text.endsWith('\r') ? text.slice(0, -1) : text;
    line += lines.length;
    if (pending.length > maxRecordLength) throw tooLong(`line ${line}`);
  }
  if (pending !== '') yield pending;
}

export function tooLong(what: string): SteerError {
  const message = `${what} is longer than ${maxRecordLength / 2 ** 20} Mi characters; write one record per line`;
  return new SteerError('invalid_dataset', message);
}
