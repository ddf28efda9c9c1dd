// The file of a lock: it appears with its whole text or not at all, and only where none is.
import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { privateFile } from '../private-files.ts';

/** The text of the lock; null where there is none, empty where it cannot be read. */
export function readLock(lockFile: string): string | null {
  try {
    return readFileSync(lockFile, 'utf8');
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '') ? null : '';
  }
}

/** Whether the lock is made; false where one is already. */
export function createLock(lockFile: string, text: string): boolean {
  return withAside(lockFile, text, (aside) => {
    try {
      linkSync(aside, lockFile);
      return true;
    } catch (error) {
      return codeOf(error) === 'EEXIST' ? false : createInPlace(lockFile, text);
    }
  });
}

/** Puts another lock in the place of one. */
export function replaceLock(lockFile: string, text: string): void {
  withAside(lockFile, text, (aside) => renameSync(aside, lockFile));
}

/** Removes the lock if it still has that text. */
export function removeLock(lockFile: string, text: string): void {
  if (readLock(lockFile) === text) rmSync(lockFile, { force: true });
}

/** For a disk without hard links. Whoever looks between making and filling finds no text. Who was replaced in between reads another one. */
function createInPlace(lockFile: string, text: string): boolean {
  try {
    writeFileSync(lockFile, text, { flag: 'wx', mode: privateFile, flush: true });
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  return readLock(lockFile) === text;
}

function withAside<T>(lockFile: string, text: string, use: (aside: string) => T): T {
  const aside = `${lockFile}.${randomUUID()}`;
  try {
    // On the disk before it has its name: a lock without text would be waited for after a power cut.
    writeFileSync(aside, text, { mode: privateFile, flush: true });
    return use(aside);
  } finally {
    rmSync(aside, { force: true });
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
