// A thousand callers who hang up at random moments: what they asked for ends, and nothing of them stays. Real sockets, a real engine thread.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type EventEmitter, once } from 'node:events';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { queryObjects } from 'node:v8';
import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createApp } from '../../src/http/app.ts';
import { createLog } from '../../src/http/log.ts';
import { type Listening, listen } from '../../src/http/server.ts';
import { randomStream } from '../../src/random.ts';
import { ModelRegistry } from '../../src/registry/model-registry.ts';
import type { Models } from '../../src/registry/models.ts';
import { writeSmallModel } from '../engine/models.ts';

const clients = 1_000;
const atOnce = 50;
/** By which what is kept after 1,000 may exceed what was after 500: an object of every second caller, or 4 KiB of each. Noise is a quarter of it. */
const mostGrowth = { objects: clients / 4, bytes: 2 ** 21 };
const contextLength = 256;
/** As many as one request may have replies: such a request runs alone or, where anything was left behind, not at all. */
const sequences = 8;

let home: string;
let registry: ModelRegistry;
let listening: Listening;
let server: Server;
let worker: Worker;
const begun = { requests: 0, calls: 0 };
const over = { requests: 0, calls: 0, cancelled: 0 };
const signals: WeakRef<AbortSignal>[] = [];
const warnings: string[] = [];

function noteRequest(message: unknown): void {
  const { request, server: serving } = message as { request: IncomingMessage; server: Server };
  server = serving;
  if (request.method === 'POST') begun.requests++;
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'steer-vanishing-'));
  const folder = await writeSmallModel(contextLength);
  await rename(folder, join(home, 'small'));
  registry = await ModelRegistry.open(home, { engine: { sequences, waiting: atOnce }, onBroken: () => {} });
  process.once('worker', (started: Worker) => {
    worker = started;
  });
  process.on('warning', ({ name, message }) => name === 'MaxListenersExceededWarning' && warnings.push(message));
  await registry.load('small');
  const write = (line: string) => {
    over.requests++;
    if (JSON.parse(line).code === 'cancelled') over.cancelled++;
  };
  const app = createApp({ models: watched(registry), config: readConfig({}), log: createLog('info', { write }) });
  subscribe('http.server.request.start', noteRequest);
  listening = await listen(app, { host: '127.0.0.1', port: 0 });
  await fetch(`${listening.url}/health/live`);
});
afterAll(async () => {
  unsubscribe('http.server.request.start', noteRequest);
  await listening.close(0);
  await registry.dispose();
  await rm(home, { recursive: true });
});

/** The models, with the calls of each counted. */
function watched(models: ModelRegistry): Models {
  const language: Models['language'] = async (id) => {
    const model = await models.language(id);
    return {
      ...model,
      async *complete(request, signal) {
        begun.calls++;
        signals.push(new WeakRef(signal));
        try {
          yield* model.complete(request, signal);
        } finally {
          over.calls++;
        }
      },
    };
  };
  return { list: () => models.list(), language } as Models;
}

function requestOf(random: () => number, stream: boolean): string {
  const fields = { stream, n: 1 + Math.floor(random() * 2), max_tokens: 150, ignore_eos: true };
  const chat = random() < 0.7;
  const steering = random() < 0.2 ? { steering: { strength: 2 } } : {};
  const asked = chat ? { messages: [{ role: 'user', content: 'Is the gate shut?' }], ...steering } : { prompt: 'The guard says' };
  const body = JSON.stringify({ ...asked, ...fields });
  const path = chat ? '/v1/chat/completions' : '/v1/completions';
  return `POST ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
}

/** Asks and hangs up: with the request half sent, before a byte has come, just after the head, or somewhere in the reply. */
async function vanish(random: () => number): Promise<void> {
  const manner = random();
  const request = requestOf(random, manner >= 0.5 || random() < 0.5);
  const socket = connect(Number(new URL(listening.url).port), '127.0.0.1');
  // A server that answers one who has left resets the connection.
  socket.on('error', () => {});
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  const ways = [() => socket.destroy(), () => socket.resetAndDestroy(), () => socket.end()];
  const leave = ways[Math.floor(random() * ways.length)]!;
  socket.write(manner < 0.1 ? request.slice(0, random() * request.length) : request);
  const enoughBytes = [Number.POSITIVE_INFINITY, 1, random() * 4_000][manner < 0.5 ? 0 : manner < 0.75 ? 1 : 2]!;
  socket.on('data', () => {
    if (socket.bytesRead >= enoughBytes) leave();
  });
  const timer = manner < 0.5 ? setTimeout(leave, random() * 30) : undefined;
  await closed;
  clearTimeout(timer);
}

async function crowd(seed: string): Promise<void> {
  let left = clients / 2;
  const queue = async (_: unknown, place: number) => {
    const random = randomStream(seed, place);
    while (left-- > 0) await vanish(random);
  };
  await Promise.all(Array.from({ length: atOnce }, queue));
  const connections = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)));
  const inHand = async () => [await connections(), begun.requests - over.requests, begun.calls - over.calls];
  await expect.poll(inHand, { timeout: 20_000, message: `connections, requests, calls after ${seed}` }).toEqual([0, 0, 0]);
}

const listenersOf = (emitter: EventEmitter) => emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]);
const listeners = () => [process, server, worker].map(listenersOf);

/** What this thread still holds on to: objects and bytes altogether, and signals of callers. */
async function kept(): Promise<{ objects: number; bytes: number; signals: number }> {
  // Counting collects garbage first; what is finalised then is garbage the next time.
  for (let i = 0; i < 3; i++) {
    queryObjects(Object);
    await sleep(20);
  }
  signals.splice(0, signals.length, ...signals.filter((signal) => signal.deref()));
  await sleep(0);
  const objects = queryObjects(Object) as number;
  const { heapUsed, external } = process.memoryUsage();
  return { objects, bytes: heapUsed + external, signals: signals.length };
}

/** On the engine's thread: replies in hand, or in a slot of its cache; lanes of that; calls that could still be aborted. */
async function keptByEngine(): Promise<Record<string, number>> {
  const { snapshot, nodes, strings } = JSON.parse(await text(await worker.getHeapSnapshot()));
  const { node_fields: fields, node_types: types } = snapshot.meta;
  const [type, name] = [fields.indexOf('type'), fields.indexOf('name')];
  const counts: Record<string, number> = { Reply: 0, Lanes: 0, AbortController: 0 };
  for (let at = 0; at < nodes.length; at += fields.length) {
    const of = strings[nodes[at + name]];
    if (types[0][nodes[at + type]] === 'object' && of in counts) counts[of]!++;
  }
  return counts;
}

test('they leave no call, no connection, no listener and no memory behind', async () => {
  const before = { listeners: listeners(), engine: await keptByEngine() };
  await crowd('first half');
  const half = await kept();
  await crowd('second half');
  // Some of what is finalised is garbage only a few collections later.
  const tooMuch = async () => {
    const whole = await kept();
    const grown = { objects: whole.objects - half.objects, bytes: whole.bytes - half.bytes };
    return [whole.signals > 0, grown.objects >= mostGrowth.objects, grown.bytes >= mostGrowth.bytes];
  };
  await expect.poll(tooMuch, { timeout: 20_000, message: 'signals, objects, bytes' }).toEqual([false, false, false]);
  // Half of them leave in the middle of a stream, the others after a time: when that is makes no difference here.
  expect(over.cancelled).toBeGreaterThan(clients / 4);
  expect({ listeners: listeners(), engine: await keptByEngine() }).toEqual(before);
  expect(warnings).toEqual([]);
}, 180_000);

test('afterwards one request gets the whole engine, and unloading waits for nobody', async () => {
  const asked = { prompt: [70], n: sequences, max_tokens: contextLength - 1, ignore_eos: true, stream: true };
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(asked) };
  // Again where the reply was over before it could be looked at.
  const look = async () => {
    const reply = await fetch(`${listening.url}/v1/completions`, init);
    const { Reply } = await keptByEngine();
    expect((await reply.text()).match(/"finish_reason":"length"/g)).toHaveLength(sequences);
    return Reply;
  };
  await expect.poll(look, { timeout: 20_000 }).toBe(sequences);
  const ended = once(worker, 'exit');
  registry.unload('small');
  await ended;
});
