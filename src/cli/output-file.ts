// Where a command writes: what is there already is replaced only when somebody says so.
import { stat } from 'node:fs/promises';
import { SteerError } from '../errors.ts';

/** Throws conflict where a file or folder is at `path`; what takes a stream, such as a pipe or a terminal, may be written to. `option` names the path. */
export async function refuseReplacing(path: string, force: boolean | undefined, option: string): Promise<void> {
  if (force) return;
  const there = await stat(path).catch(() => null);
  if (!there?.isFile() && !there?.isDirectory()) return;
  throw new SteerError('conflict', `There is something at ${path} already. Choose another ${option}, or replace it: --force.`);
}
