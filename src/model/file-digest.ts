// The sha256 of a model's file. That of a pulled file was recorded by the pull, and serves for as long as nothing befell the file: hashing a large model
// takes longer than loading it.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { exists, readJson, unreadable } from './formats/json-file.ts';

/** Beside the files of a pulled model. */
export const pulledName = 'pulled.json';

const recordSchema = z.looseObject({
  files: z.array(z.looseObject({ path: z.string(), bytes: z.number(), sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
  pulled_at: z.iso.datetime(),
});

/** Small pieces take as long to hand over as to hash. */
const pieceBytes = 2 ** 20;

/** Throws invalid_model for a file that cannot be read. */
export async function fileDigest(folder: string, name: string): Promise<Buffer> {
  const recorded = await recordedDigest(folder, name);
  if (recorded) return recorded;
  const path = join(folder, name);
  const digest = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: pieceBytes }), digest).catch((cause) => {
    throw unreadable(path, cause);
  });
  return digest.digest();
}

/**
 * Undefined where none was recorded, or the file was touched since. That is known by the time of its last change of any kind, which nobody can set back:
 * another file of the same size and an older date, moved there, does not pass for it.
 */
async function recordedDigest(folder: string, name: string): Promise<Buffer | undefined> {
  const path = join(folder, pulledName);
  if (!(await exists(path))) return;
  const record = recordSchema.safeParse(await readJson(path).catch(() => undefined)).data;
  const file = record?.files.find((each) => each.path === name);
  const found = await stat(join(folder, name)).catch(() => undefined);
  if (!record || !file || !found) return;
  const untouched = found.size === file.bytes && found.ctimeMs < Date.parse(record.pulled_at);
  return untouched ? Buffer.from(file.sha256, 'hex') : undefined;
}
