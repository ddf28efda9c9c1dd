// Bytes from a slow place into a temporary file, so that reading them again waits for nobody: an import holds a transaction for as long
// as it reads, and on an embedded database that is the only connection.
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** Runs `use` with the path of a file that holds the bytes and is gone afterwards. Throws what reading the bytes throws. */
export async function spool<T>(bytes: AsyncIterable<Uint8Array>, use: (path: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'steer-spool-'));
  try {
    const path = join(folder, 'data');
    await pipeline(Readable.from(bytes, { objectMode: false }), createWriteStream(path));
    return await use(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
