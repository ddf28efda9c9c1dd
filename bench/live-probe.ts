// Asks a server again and again whether it lives, each time over a new connection, from a thread of its own: what else the bench does must not count
// as the server's delay.
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

export interface LiveProbe {
  /** Ends it and tells how long each answer took, ms, from the first knock to its last byte. */
  stop(): Promise<number[]>;
}

interface Asked {
  url: string;
  everyMs: number;
}

/** Knocks `everyMs` after the last answer, until it is stopped. */
export async function probeLive(url: string, everyMs: number): Promise<LiveProbe> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { url, everyMs } satisfies Asked });
  await once(worker, 'message');
  return {
    async stop() {
      worker.postMessage('stop');
      const [answers] = (await once(worker, 'message')) as [number[]];
      return answers;
    },
  };
}

function knock(url: string): Promise<number> {
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const asked = request(`${url}/health/live`, { agent: new Agent({ keepAlive: false }) }, (answer) => {
      answer.resume().on('end', () => resolve(performance.now() - begun));
    });
    asked.on('error', reject);
    asked.end();
  });
}

async function probe({ url, everyMs }: Asked): Promise<void> {
  const answers: number[] = [];
  let stopped = false;
  const port = parentPort!;
  port.once('message', () => (stopped = true));
  await knock(url);
  port.postMessage('probing');
  while (!stopped) {
    answers.push(await knock(url));
    await sleep(everyMs);
  }
  port.postMessage(answers);
}

if (!isMainThread && (workerData as Asked | null)?.everyMs !== undefined) await probe(workerData as Asked);
