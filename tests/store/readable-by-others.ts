// Files and folders that somebody besides their owner may use.
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Paths with their modes, the folder itself among them. */
export function readableByOthers(path: string): string[] {
  const found = lstatSync(path);
  const own = (found.mode & 0o077) === 0 ? [] : [`${path} ${(found.mode & 0o777).toString(8)}`];
  return found.isDirectory() ? [...own, ...readdirSync(path).flatMap((name) => readableByOthers(join(path, name)))] : own;
}

export function fileCount(folder: string): number {
  return readdirSync(folder, { recursive: true }).length;
}
