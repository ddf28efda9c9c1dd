// Runs the Python peers of a bench in fresh processes; a machine without them is told how to get them, and the bench shows our figures alone.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';

/** Of the peers' virtual environment. */
export const python = '.venv/bin/python';

/** Whether the peers are installed; says how to when not. */
export function peersInstalled(): boolean {
  if (existsSync(python)) return true;
  process.stdout.write('No peers: python3 -m venv .venv && .venv/bin/pip install -r bench/peers/requirements.txt\n');
  return false;
}

/** Whether the environment has a module. */
export async function hasPythonPeer(module: string): Promise<boolean> {
  const asked = promisify(execFile)(python, [
    '-c',
    `import importlib.util, sys; sys.exit(importlib.util.find_spec('${module}') is None)`,
  ]);
  return asked.then(
    () => true,
    () => false,
  );
}

/** The JSON line a script in bench/peers prints last. */
export async function runPeer<Answer>(script: string, args: string[]): Promise<Answer> {
  const { stdout } = await promisify(execFile)(python, [`bench/peers/${script}`, ...args], { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Answer;
}

/** The JSON line another bench module of ours prints last when run alone with `args`; a fresh process each time. */
export async function runOurs<Answer>(module: string, args: string[]): Promise<Answer> {
  const { stdout } = await promisify(execFile)(process.execPath, [`dist/bench/${module}.js`, ...args], { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout.trim().split('\n').at(-1)!) as Answer;
}
