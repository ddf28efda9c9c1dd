// How long after `npm start` does the first token arrive, with nothing of the program in memory?
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { applyLoad } from './load.ts';
import { chatBody, chatPath } from './load-prompts.ts';

const mostMs = 60_000;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Seconds from starting the process to the first token of a streamed reply. Throws when none comes. */
export async function coldStartS(dataDir: string): Promise<number> {
  const port = await freePort();
  const { DATABASE_URL: _, STEER_API_KEY: __, ...rest } = process.env;
  const started = performance.now();
  const child = spawn('npm', ['start', '--silent'], {
    env: { ...rest, DATA_DIR: dataDir, PORT: `${port}`, HOST: '127.0.0.1', LOG_LEVEL: 'error' },
    stdio: 'inherit',
    // npm, its shell and the server end together.
    detached: true,
  });
  const exited = once(child, 'exit');
  try {
    const body = () => chatBody('default', { messages: [{ role: 'user', content: 'Hello!' }], outputTokens: 4 });
    while (performance.now() - started < mostMs) {
      const began = performance.now();
      const { samples } = await applyLoad({
        endpoint: { url: `http://127.0.0.1:${port}` },
        path: chatPath,
        requests: 1,
        streams: 1,
        seed: 0,
        body,
      });
      const [sample] = samples;
      if (sample?.error === undefined) return (began - started + sample!.ttftMs) / 1000;
      await sleep(10);
    }
    throw new Error(`No token came within ${mostMs} ms.`);
  } finally {
    process.kill(-child.pid!, 'SIGTERM');
    await exited;
  }
}
