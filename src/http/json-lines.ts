// JSON lines: one object per line, as long as there are any.

import { jsonLine } from '../json-line.ts';
import type { RequestContext } from './app-context.ts';
import { streamBytes } from './byte-stream.ts';

const pieceBytes = 64 * 2 ** 10;

/** Streams the rows as JSON lines, no faster than the caller reads. */
export function streamLines(c: RequestContext, rows: AsyncIterable<object>): Promise<Response> {
  return streamBytes(c, inPieces(rows), { 'content-type': 'application/jsonl; charset=utf-8' });
}

async function* inPieces(rows: AsyncIterable<object>): AsyncGenerator<Uint8Array> {
  let lines: string[] = [];
  let length = 0;
  for await (const row of rows) {
    const line = `${jsonLine(row)}\n`;
    lines.push(line);
    length += line.length;
    if (length < pieceBytes) continue;
    yield Buffer.from(lines.join(''));
    lines = [];
    length = 0;
  }
  if (lines.length > 0) yield Buffer.from(lines.join(''));
}
