// Files that lie on this machine already: of an earlier pull that was stopped, of another pulled model, in the cache of the hub's own tools.
import { constants } from 'node:fs';
import { copyFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isDiskFull } from '../errors.ts';
import { exists } from '../model/formats/json-file.ts';
import { partOf, settle, sha256Of, sizeOf } from './download.ts';
import { readPulled } from './pulled.ts';

interface Wanted {
  /** Where it comes to lie. */
  target: string;
  bytes: number | null;
  sha256: string | null;
}

type Found = { sha256: string; bytes: number };

/** A copy of the file that lies there; undefined where none does, it is another, or it cannot be read: then it is fetched. Throws disk_full. */
export async function copyKept(kept: string, wanted: Wanted): Promise<Found | undefined> {
  // Before a part of an earlier pull is written over.
  if (!(await stat(kept).catch(() => null))?.isFile()) return undefined;
  try {
    await copyFile(kept, partOf(wanted.target), constants.COPYFILE_FICLONE);
    return await settle(wanted);
  } catch (error) {
    if (isDiskFull(error)) throw error;
    return undefined;
  }
}

/** The file as an earlier pull of the same model left it, or another pulled model has it; undefined without either. */
export async function keptOf(pulledDir: string, wanted: Wanted, onNote: (text: string) => void): Promise<Found | undefined> {
  const { target, sha256 } = wanted;
  if (sha256 === null) return undefined;
  if ((await exists(target)) && (await sha256Of(target)) === sha256) return { sha256, bytes: await sizeOf(target) };
  for (const name of await readdir(pulledDir)) {
    if (name.startsWith('.')) continue;
    const folder = join(pulledDir, name);
    const card = await readPulled(folder).catch(() => null);
    const same = card?.files.find((file) => file.sha256 === sha256);
    const copied = same && (await copyKept(join(folder, same.path), wanted));
    if (!copied) continue;
    onNote(`${same.path} is copied from ${name}, which has the same file.`);
    return copied;
  }
  return undefined;
}
