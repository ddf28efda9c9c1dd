// What do the pictures of characters cost those who do not ask for them? Lists characters that came in pictures, begins sessions with one, and watches from
// outside how long the server answers nobody while a large picture, and one of a million chunks, is imported. `--server DIR` for another checkout.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { chunk, end, header, pixels, signature, text } from '../tests/npc/odd-card.ts';
import { median } from './results.ts';
import { type Serving, startServing } from './serving.ts';

const portraits = 24;
const looks = 9;
const largeBytes = 15_000_000;
const chunks = 1_000_000;
/** How long the server is watched with nothing to do, for the machine's own part in what is seen. */
const idleMs = 3_000;
const pollEveryMs = 2;

const card = JSON.stringify({
  ...{ spec: 'chara_card_v2', spec_version: '2.0' },
  data: { name: 'Marta', description: 'You are {{char}}, an innkeeper. Mood: cheerful.', first_mes: 'Welcome!', extensions: {} },
});

/** A picture with a card and other chunks between its pixels and its end. */
function picture(between: Buffer): Buffer {
  return Buffer.concat([signature, header, pixels, between, text('chara', Buffer.from(card).toString('base64')), end]);
}

async function ask(url: string, path: string, init: RequestInit = {}): Promise<{ id: string; data?: unknown[] }> {
  const reply = await fetch(url + path, init);
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return (await reply.json()) as { id: string; data?: unknown[] };
}

async function importCard(url: string, image: Buffer): Promise<string> {
  const init = { method: 'POST', headers: { 'content-type': 'image/png' }, body: new Uint8Array(image) };
  return (await ask(url, '/v1/npcs/import', init)).id;
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await act();
  return performance.now() - begun;
}

/** ms the act took, and the longest that somebody else waited for an answer meanwhile. */
async function watched(url: string, act: () => Promise<unknown>): Promise<{ ms: number; longestHoldMs: number }> {
  const watcher = new Worker(new URL(import.meta.url), { workerData: { watch: url } });
  await once(watcher, 'message');
  const ms = await timed(act);
  watcher.postMessage('stop');
  const [longest] = (await once(watcher, 'message')) as [number];
  await watcher.terminate();
  return { ms: Math.round(ms), longestHoldMs: Math.round(longest) };
}

/** Asks whether the server lives until told to stop, and tells how long the slowest answer took. On a thread of its own. */
async function watch(url: string): Promise<void> {
  let longest = 0;
  let stopped = false;
  parentPort!.once('message', () => {
    stopped = true;
  });
  // A connection of its own each time: a server that slept past its keep-alive time cuts off the one it had.
  const look = () => timed(async () => (await fetch(`${url}/health/live`, { headers: { connection: 'close' } })).text());
  for (let i = 0; i < 20; i++) await look();
  parentPort!.postMessage('watching');
  while (!stopped) {
    longest = Math.max(longest, await look());
    await sleep(pollEveryMs);
  }
  parentPort!.postMessage(longest);
}

async function play({ url, memoryMiB }: Serving, portraitBytes: number) {
  const ids: string[] = [];
  for (let i = 0; i < portraits; i++) ids.push(await importCard(url, picture(chunk('juNk', randomBytes(portraitBytes)))));
  const list = () => ask(url, '/v1/npcs?limit=100');
  const begin = () =>
    ask(url, `/v1/npcs/${ids[0]}/sessions`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ player_id: 'ann', player_name: 'Ann' }),
    });
  // The first of each loads what the others find.
  if ((await list()).data?.length !== portraits) throw new Error(`expected ${portraits} characters in the list`);
  await begin();
  const listing: number[] = [];
  const beginning: number[] = [];
  for (let i = 0; i < looks; i++) {
    listing.push(await timed(list));
    beginning.push(await timed(begin));
  }
  return {
    portraits,
    portraitBytes,
    listMs: Number(median(listing).toFixed(1)),
    sessionStartMs: Number(median(beginning).toFixed(1)),
    idle: await watched(url, () => sleep(idleMs)),
    importLarge: await watched(url, () => importCard(url, picture(chunk('juNk', randomBytes(largeBytes))))),
    importMillionChunks: await watched(url, () =>
      importCard(url, picture(Buffer.alloc(12 * chunks, chunk('juNk', Buffer.alloc(0))))),
    ),
    memoryMiB: Math.round(memoryMiB()),
  };
}

/** Prints the figures as JSON. `--portrait-bytes` of each picture that is listed. */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { server: { type: 'string', default: '.' }, 'portrait-bytes': { type: 'string', default: '500000' } },
  });
  const dataDir = await mkdtemp(join(tmpdir(), 'steer-portraits-'));
  const serving = await startServing(dataDir, undefined, 'models', values.server);
  try {
    process.stdout.write(`${JSON.stringify(await play(serving, Number(values['portrait-bytes'])), null, 2)}\n`);
  } finally {
    await serving.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

if (!isMainThread && workerData?.watch) await watch(workerData.watch);
