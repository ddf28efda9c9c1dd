// A socket beside a lock, on which its owner listens. The kernel closes it with the process, so that another container on the same machine sees
// that the owner died without seeing its processes. Only on Linux, and only where the disk can hold sockets; without one, silence has to do.
import { closeSync, openSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { basename, dirname } from 'node:path';
import { closeToOthers } from '../private-files.ts';

/** Shows the sign until the returned function is called or the process ends. */
export function showSign(lockFile: string): () => void {
  if (process.platform !== 'linux') return () => {};
  const file = signOf(lockFile);
  const folder = openSync(dirname(file), 'r');
  rmSync(file, { force: true });
  const server = createServer((socket) => void socket.destroy()).unref();
  server.on('error', () => {});
  server.listen(shortPath(folder, file));
  closeToOthers(file);
  return () => {
    server.close();
    rmSync(file, { force: true });
    closeSync(folder);
  };
}

/** Whether the owner shows its sign, left it behind when it died, or none can be seen. On another machine every sign looks left behind. */
export async function askSign(lockFile: string): Promise<'shown' | 'left behind' | 'none'> {
  if (process.platform !== 'linux') return 'none';
  const file = signOf(lockFile);
  const folder = openSync(dirname(file), 'r');
  const socket = connect(shortPath(folder, file));
  const answer = new Promise<'shown' | 'left behind' | 'none'>((resolve) => {
    socket.once('connect', () => resolve('shown'));
    // A full queue is the sign of somebody who is busy.
    const meanings: Record<string, 'shown' | 'left behind'> = { ECONNREFUSED: 'left behind', EAGAIN: 'shown' };
    socket.once('error', ({ code }: NodeJS.ErrnoException) => resolve(meanings[code ?? ''] ?? 'none'));
  });
  return await answer.finally(() => {
    socket.destroy();
    closeSync(folder);
  });
}

function signOf(lockFile: string): string {
  return `${lockFile}.alive`;
}

/** The address of a socket holds about a hundred bytes, which the path of a folder may exceed. */
function shortPath(folder: number, file: string): string {
  return `/proc/self/fd/${folder}/${basename(file)}`;
}
