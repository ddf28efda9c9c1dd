// What the program keeps for itself (databases, runs, spools) is for its own user alone, whatever the umask: it holds what people wrote.
import { chmodSync, lstatSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Mode of a file. */
export const privateFile = 0o600;
/** Mode of a folder. */
export const privateFolder = 0o700;
/** What a mode keeps when group and others lose theirs. */
export const ownersShare = 0o700;

/** Makes the folder and those missing above it, and takes from others what they may do in it if it is there already. Throws as mkdir. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: privateFolder });
  closeToOthers(path);
}

/** Takes group's and others' rights from a file, or from a folder and all in it. Nothing happens where nothing is. Links are left alone. */
export function closeToOthers(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found || found.isSymbolicLink()) return;
  if ((found.mode & 0o777 & ~ownersShare) !== 0) unlessHindered(() => chmodSync(path, found.mode & ownersShare));
  if (!found.isDirectory()) return;
  for (const name of unlessHindered(() => readdirSync(path)) ?? []) closeToOthers(join(path, name));
}

/** Another user's file, one removed meanwhile, or a disk without modes: the folder above it still keeps others out. */
const hindrances = ['EPERM', 'EACCES', 'ENOENT', 'ENOTSUP', 'EROFS'];

function unlessHindered<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (hindrances.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}
