// Where a command writes: what is there already is replaced only when somebody says so.
import { lstat } from 'node:fs/promises';
import { SteerError } from '../errors.ts';

/**
 * Throws conflict where something is at `path`. What is written appears under its name when it is whole, in the place of what was there: a device, a
 * pipe or a link would be gone, so these are refused also where a file may be replaced. `option` names the path.
 */
export async function refuseReplacing(path: string, force: boolean | undefined, option: string): Promise<void> {
  const there = await lstat(path).catch(() => null);
  if (!there) return;
  if (!there.isFile() && !there.isDirectory())
    throw new SteerError(
      'conflict',
      `${path} is neither a file nor a folder, and would be replaced by one. Choose another ${option}.`,
    );
  if (force) return;
  throw new SteerError('conflict', `There is something at ${path} already. Choose another ${option}, or replace it: --force.`);
}
