// Keeps an embedded database from filling its disk: when its log finds no room for a further segment of 16 MB, it never answers again and takes the
// process with it. What brings data is refused while there is still room for the small statements that tell so.
import { statfsSync } from 'node:fs';

/** Room for a few segments of the log. */
const reserveBytes = 64 * 2 ** 20;
/** Parameters of a statement that brings data; states, heartbeats and events of jobs are far below. */
const dataBytes = 4096;

/** Throws the failure of a full disk (53100) for a statement that brings data when there is hardly room left in `folder`. */
export function refuseWithoutRoom(folder: string, parameters: readonly unknown[] = []): void {
  const bytes = parameters.reduce<number>((sum, value) => sum + sizeOf(value), 0);
  if (bytes <= dataBytes || freeBytes(folder) >= reserveBytes) return;
  const message = `Less than ${reserveBytes / 2 ** 20} MB are free on the disk of ${folder}`;
  throw Object.assign(new Error(message), { code: '53100' });
}

function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  return value instanceof Uint8Array ? value.length : 8;
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
