// Can one player's token hold up a server? A flood of small messages on the socket of a session, from a client that reads its answers and from one that
// never does. Meanwhile a new connection asks /health/live: how long does it wait at worst, and by how much does the server's memory grow?
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { probeLive } from './live-probe.ts';
import { type Serving, startServing } from './serving.ts';

const message = JSON.stringify({ send: 'mood' });
const messages = 12_500;
const probeEveryMs = 20;
const memoryEveryMs = 100;
/** A scene ends when the server has closed the socket, when all answers are there, or after so long. */
const mostSceneMs = 60_000;

interface Figures {
  scene: string;
  /** Worst and median wait for /health/live, ms. */
  worstLiveMs: number;
  medianLiveMs: number;
  memoryGrowthMB: number;
  answers: number;
  /** Code and reason with which the server closed the socket; null where it did not. */
  closed: { code: number; reason: string } | null;
  seconds: number;
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { server: { type: 'string', default: '.' } } });
  const found: Figures[] = [];
  for (const scene of [
    { name: 'a client that reads', reads: true, rounds: 1 },
    { name: 'a client that never reads', reads: false, rounds: 4 },
  ]) {
    found.push(await play(values.server, scene));
  }
  process.stdout.write(`${JSON.stringify({ server: values.server, scenes: found }, null, 2)}\n`);
}

async function play(server: string, scene: { name: string; reads: boolean; rounds: number }): Promise<Figures> {
  const dataDir = await mkdtemp(join(tmpdir(), 'steer-sockets-'));
  const serving = await startServing(dataDir, undefined, 'models', server);
  try {
    return await flood(serving, await openSession(serving.url), scene);
  } finally {
    await serving.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Address of the socket of a fresh session, with a player's token. */
async function openSession(url: string): Promise<string> {
  const call = async (path: string, body: object) => {
    const headers = { 'content-type': 'application/json' };
    const reply = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return (await reply.json()) as { id: string; token: string };
  };
  const { id } = await call('/v1/npcs', { name: 'Marta', persona: 'You are Marta, who keeps an inn.' });
  const { id: sid } = await call(`/v1/npcs/${id}/sessions`, { player_id: 'ann', player_name: 'Ann' });
  const { token } = await call(`/v1/npcs/${id}/sessions/${sid}/tokens`, {});
  return `${url.replace('http', 'ws')}/v1/npcs/${id}/sessions/${sid}/socket?token=${token}`;
}

async function flood(
  serving: Serving,
  address: string,
  { name, reads, rounds }: { name: string; reads: boolean; rounds: number },
) {
  const socket = new WebSocket(address);
  let answers = 0;
  let closed: Figures['closed'] = null;
  socket.on('message', () => answers++);
  socket.on('close', (code, reason) => (closed = { code, reason: String(reason) }));
  socket.on('error', () => {});
  await once(socket, 'open');
  socket.send(message);
  await once(socket, 'message');
  const probe = await probeLive(serving.url, probeEveryMs);
  await sleep(1_000);
  const atFirst = serving.memoryMiB();
  let most = atFirst;
  const watch = setInterval(() => (most = Math.max(most, serving.memoryMiB())), memoryEveryMs);
  const begun = performance.now();
  if (!reads) socket.pause();
  for (let i = 0; i < messages * rounds; i++) socket.send(message);
  const over = () => closed !== null || (reads && answers > messages * rounds);
  while (!over() && performance.now() - begun < (reads ? mostSceneMs : mostSceneMs / 2)) await sleep(probeEveryMs);
  if (!reads) socket.resume();
  await sleep(1_000);
  clearInterval(watch);
  const live = (await probe.stop()).sort((a, b) => a - b);
  socket.terminate();
  return {
    scene: name,
    worstLiveMs: Math.round(live.at(-1)!),
    medianLiveMs: Math.round(live[live.length >> 1]!),
    memoryGrowthMB: Math.round(((most - atFirst) * 2 ** 20) / 1e6),
    answers,
    closed,
    seconds: Math.round((performance.now() - begun) / 100) / 10,
  };
}
