// A server of a bench's own: `steer serve` over the shipped models, on a free port of 127.0.0.1, with its memory watched.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

export interface Serving {
  url: string;
  /** Resident memory of the process, MiB. */
  memoryMiB(): number;
  stop(): Promise<void>;
}

/** Starts the server, that of another checkout where one is named, and waits until it is ready. Throws when it ends before. */
export async function startServing(
  dataDir: string,
  databaseUrl?: string,
  modelsDir = 'models',
  checkout = '.',
): Promise<Serving> {
  const { DATABASE_URL: _, STEER_API_KEY: __, ...rest } = process.env;
  const settings = { DATA_DIR: dataDir, MODELS_DIR: resolve(modelsDir), PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'info' };
  const child = spawn(process.execPath, [resolve(checkout, 'bin/steer.js'), 'serve'], {
    env: { ...rest, ...settings, ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const stop = async () => {
    if (child.exitCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await exited;
  };
  let url = '';
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as { msg: string; url?: string };
    url = said.url ?? url;
    if (said.msg === 'ready') break;
  }
  if (url === '') throw new Error('The server ended before it was ready.');
  child.stdout.resume();
  const memoryMiB = () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1]) / 1024;
  return { url, memoryMiB, stop };
}
