// What the program keeps for itself (databases, runs, spools) is for its own user alone, whatever the umask: it holds what people wrote.
import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Mode of a file. */
export const privateFile = 0o600;
/** Mode of a folder. */
export const privateFolder = 0o700;
/** What a mode keeps when group and others lose theirs. */
export const ownersShare = 0o700;

/**
 * Makes the folder and those missing above it. Throws as mkdir. Node's own `recursive` never comes back where nothing can be made and the system
 * says that something is missing, as below /proc.
 */
export function makeFolder(path: string, mode?: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && isFolder(path)) return;
    const above = dirname(path);
    if (code !== 'ENOENT' || above === path || isFolder(above)) throw error;
    makeFolder(above, mode);
    makeFolder(path, mode);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Makes the folder and those missing above it, and takes from others what they may do in it if it is there already. Throws as mkdir. */
export function makePrivateFolder(path: string): void {
  makeFolder(path, privateFolder);
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
