// The program's own command line, run as a person would; what it reports goes to its files, what it says of its progress to the terminal.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Throws when the command fails. */
export async function steer(args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, ['bin/steer.js', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`steer ${args.slice(0, 2).join(' ')} ended with ${code}`);
}
