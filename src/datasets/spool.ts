// Bytes from a slow place, or rows that take long to work out, into a temporary file, so that reading them again waits for nobody: whoever stores
// them holds a transaction for as long as it reads, and on an embedded database that is the only connection.
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { writingTo } from '../errors.ts';
import { decodeText, readLines } from '../files/lines.ts';
import { jsonLine } from '../json-line.ts';
import { privateFile } from '../private-files.ts';

/** Runs `use` with the path of a file that holds the bytes and is gone afterwards. Throws what reading the bytes throws, or `disk_full`. */
export async function spool<T>(bytes: AsyncIterable<Uint8Array>, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'steer-spool-'));
  try {
    const path = join(folder, 'data');
    await writingTo(tmpdir(), () =>
      pipeline(Readable.from(bytes, { objectMode: false }), createWriteStream(path, { mode: privateFile })),
    );
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs `use` with a way to walk through the rows from a temporary file, as often as it likes; JSON is all that is kept of them. */
export async function spoolRows<Row extends object, T>(
  rows: AsyncIterable<Row>,
  use: (read: () => AsyncGenerator<Row>) => Promise<T>,
): Promise<T> {
  return await spool(toLines(rows), (path) => use(() => fromLines<Row>(path)));
}

async function* toLines(rows: AsyncIterable<object>): AsyncGenerator<Uint8Array> {
  for await (const row of rows) yield Buffer.from(`${jsonLine(row)}\n`);
}

async function* fromLines<Row>(path: string): AsyncGenerator<Row> {
  for await (const line of readLines(decodeText(createReadStream(path)))) yield JSON.parse(line) as Row;
}
