// What a server does with connections: closed where the caller asks for it, cut where it sends or reads too slowly, and left alone where it is only slow.
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Patience } from '../../src/http/patience.ts';
import { type Listening, listen } from '../../src/http/server.ts';
import { createJob } from '../../src/jobs/jobs.ts';
import type { Store } from '../../src/store/connect.ts';
import { openPglite } from '../store/databases.ts';
import { type House, openHouse } from './knock.ts';

const open: Listening[] = [];
const sockets: Socket[] = [];
let store: Store;
let house: House;

beforeAll(async () => {
  store = await openPglite();
}, 60_000);
afterAll(() => store.close());
beforeEach(() => {
  house = openHouse({}, { db: store.db });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(open.splice(0).map((server) => server.close(0)));
});

async function serve(patience?: Patience): Promise<string> {
  const server = await listen(house.app, { host: '127.0.0.1', port: 0 }, patience);
  open.push(server);
  return server.url;
}

async function dial(url: string): Promise<Socket> {
  const { port, hostname } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

/** Everything until the server closes the connection. */
async function untilClosed(socket: Socket): Promise<string> {
  let received = '';
  socket.on('data', (data) => (received += data));
  await once(socket, 'end');
  return received;
}

const json = (body: object) => {
  const text = JSON.stringify(body);
  return `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
};

const chat = { messages: [{ role: 'user', content: 'Good evening' }], max_tokens: 2, stream: true };
let say = '';
let file = '';
let job = '';

/** Every route that answers in pieces, and how its whole answer ends. */
const streams: [name: string, request: (version: string) => string, end: string][] = [
  ['a chat', (v) => `POST /v1/chat/completions HTTP/${v}\r\n~${json(chat)}`, 'data: [DONE]\n\n'],
  ['a raw text', (v) => `POST /v1/completions HTTP/${v}\r\n~${json({ prompt: 'Once', stream: true })}`, 'data: [DONE]\n\n'],
  ['a line', (v) => `POST ${say} HTTP/${v}\r\n~${json({ text: 'Good evening', stream: true })}`, 'data: [DONE]\n\n'],
  [
    'a line as JSON lines',
    (v) => `POST ${say} HTTP/${v}\r\nAccept: application/x-ndjson\r\n~${json({ text: 'Well', stream: true })}`,
    '}\n',
  ],
  ['events of a job', (v) => `GET ${job}/events?stream=true HTTP/${v}\r\n~\r\n`, 'data: [DONE]\n\n'],
  ['what a job could not do', (v) => `GET ${job}/errors HTTP/${v}\r\n~\r\n`, ''],
  ['a file', (v) => `GET /v1/files/${file}/content HTTP/${v}\r\n~\r\n`, 'so it ends'],
];

describe('replies in pieces', () => {
  beforeAll(async () => {
    const { app } = openHouse({}, { db: store.db });
    const post = async (path: string, body: object) => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
      return (await (await app.request(path, init)).json()) as { id: string };
    };
    const npc = await post('/v1/npcs', { name: 'Oda', persona: 'You are Oda, who mends nets.' });
    const session = await post(`/v1/npcs/${npc.id}/sessions`, { player_id: 'bo' });
    say = `/v1/npcs/${npc.id}/sessions/${session.id}/say`;
    const form = new FormData();
    form.append('purpose', 'batch');
    form.append('file', new File(['a file, and so it ends'], 'a.txt'));
    file = ((await (await app.request('/v1/files', { method: 'POST', body: form })).json()) as { id: string }).id;
    const { job: made } = await createJob(store.db, { kind: 'nobody', prefix: 'job_', input: {} });
    job = `/v1/jobs/${made.id}`;
    await app.request(`${job}/cancel`, { method: 'POST' });
  });

  test.each(streams)('%s: a caller that asks for it has its connection closed after the last piece', async (_, request, end) => {
    const socket = await dial(await serve());
    socket.write(request('1.1').replace('~', 'Host: localhost\r\nConnection: close\r\n'));
    const [head, ...rest] = (await untilClosed(socket)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1.1 200 /);
    expect(head).toMatch(/^connection: close$/im);
    // The last chunk is empty where there are chunks.
    expect(rest.join('\r\n\r\n').replace(/\r\n0\r\n\r\n$|\r\n0$/, '')).toMatch(new RegExp(`${literally(end)}\\s*(0\\s*)?$`));
  });

  test.each(streams)('%s: to HTTP/1.0 it comes without chunks', async (_, request, end) => {
    const socket = await dial(await serve());
    socket.write(request('1.0').replace('~', 'Connection: keep-alive\r\n'));
    const received = await Promise.race([untilClosed(socket), untilLength(socket)]);
    const at = received.indexOf('\r\n\r\n');
    expect(received.slice(0, at)).toMatch(/^HTTP\/1.1 200 /);
    expect(received.slice(0, at)).not.toMatch(/transfer-encoding/i);
    expect(received.slice(at + 4).endsWith(end)).toBe(true);
    expect(received.slice(at + 4)).not.toMatch(/^[0-9a-f]+\r\n/);
  });

  test('a caller that keeps its connection sends the next request on it', async () => {
    const socket = await dial(await serve());
    const ask = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n${json(chat)}`;
    let received = '';
    socket.on('data', (data) => (received += data));
    for (const count of [1, 2]) {
      socket.write(ask);
      await expect.poll(() => received.split('data: [DONE]').length - 1).toBe(count);
    }
    expect(received).not.toMatch(/^connection: close$/im);
  });
});

const literally = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** An answer of known length, after which HTTP/1.0 may keep the connection. */
async function untilLength(socket: Socket): Promise<string> {
  let received = '';
  return await new Promise((resolve) => {
    socket.on('data', (data) => {
      received += data;
      const at = received.indexOf('\r\n\r\n');
      const length = /^content-length: (\d+)$/im.exec(received.slice(0, at))?.[1];
      if (at > 0 && length !== undefined && received.length >= at + 4 + Number(length)) resolve(received);
    });
  });
}

test('who sends requests without waiting for answers has so many in hand, and no more', async () => {
  house.model.stays = true;
  const socket = await dial(await serve());
  const ask = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n${json({ ...chat, stream: false })}`;
  socket.write(ask.repeat(1_000));
  await expect.poll(() => house.model.requests.length).toBe(64);
  const received = untilClosed(socket);
  // Answers come in the order of requests: the refusal after those that were in hand, when these have ended.
  await open[0]!.close(0);
  expect(house.model.requests.length).toBe(64);
  expect((await received).match(/^HTTP\/1.1 \d+/gm)?.[0]).toBe('HTTP/1.1 503');
});

describe('callers without haste', () => {
  const impatient: Patience = { stallMs: 200, leastBodyBytes: 512 };

  test.each([
    ['application/json', /"error":\{.*"code":"request_timeout"/],
    ['application/problem+json', /"type":"urn:steer:problem:request_timeout".*"status":408/],
  ])('a body that does not go on is answered 408 as %s', async (accept, told) => {
    const socket = await dial(await serve(impatient));
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\n`);
    socket.write('Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"messages":');
    const trickle = setInterval(() => socket.write(' '), 20);
    const received = await untilClosed(socket);
    clearInterval(trickle);
    expect(received).toMatch(/^HTTP\/1.1 408 Request Timeout\r\n/);
    expect(received).toMatch(new RegExp(`^Content-Type: ${literally(accept)}$`, 'im'));
    expect(received).toMatch(/^Connection: close$/im);
    expect(received).toMatch(told);
    await expect.poll(() => house.lines.map((line) => JSON.parse(line).code)).toEqual(['request_timeout']);
  });

  test('a body that takes far longer but goes on is read to its end', async () => {
    let asked: IncomingMessage | undefined;
    const note = ({ request }: { request?: IncomingMessage }) => (asked = request);
    subscribe('http.server.request.start', note as ChannelListener);
    onTestFinished(() => void unsubscribe('http.server.request.start', note as ChannelListener));
    // The time the server waits passes when the test says so.
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const socket = await dial(await serve(impatient));
    const filler = 'x'.repeat(600);
    const text = JSON.stringify({ ...chat, user: filler.repeat(12) });
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n');
    socket.write(`Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n`);
    // Not polled, which would let the time pass.
    const until = async (holds: () => boolean) => {
      while (!holds()) await new Promise((resolve) => setImmediate(resolve));
    };
    await until(() => asked !== undefined);
    const received = () => asked!.socket.bytesRead;
    for (let at = 0; at < text.length; at += filler.length) {
      const part = text.slice(at, at + filler.length);
      const came = received() + part.length;
      socket.write(part);
      await until(() => received() === came);
      // The last part may be short of what must come in the time; then it is over.
      if (at + filler.length < text.length) vi.advanceTimersByTime(impatient.stallMs);
    }
    expect(await untilClosed(socket)).toContain('data: [DONE]');
  });

  test('headers that do not come are answered 408, and what is no HTTP is answered 400, in the form of every error', async () => {
    const url = await serve(impatient);
    const slow = await dial(url);
    slow.write('GET /v1/models HTTP/1.1\r\nHost: localhost\r\n');
    expect(await untilClosed(slow)).toMatch(/^HTTP\/1.1 408 [\s\S]*"code":"request_timeout"/);
    const odd = await dial(url);
    odd.write('HELLO\r\n\r\n');
    expect(await untilClosed(odd)).toMatch(/^HTTP\/1.1 400 [\s\S]*"code":"invalid_request"/);
  });

  test('a caller that reads nothing is let go, and what was written for it stops', async () => {
    let [told, over] = [0, false];
    house.model.complete = async function* (_, signal) {
      try {
        for (; !signal.aborted; told++) yield { kind: 'delta', index: 0, text: 'x'.repeat(10_000) };
        signal.throwIfAborted();
      } finally {
        over = true;
      }
    };
    const url = await serve(impatient);
    const socket = await dial(url);
    socket.pause();
    socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n${json(chat)}`);
    await expect.poll(() => over, { timeout: 10_000 }).toBe(true);
    // What the system holds for both ends of a connection is some megabytes; this process adds next to nothing.
    expect(told * 10_000).toBeLessThan(2 ** 25);
    await expect.poll(() => house.lines.map((line) => JSON.parse(line).code)).toEqual(['cancelled']);
  }, 20_000);

  test('a stream on which nothing is said for long stays open', async () => {
    const { job: made } = await createJob(store.db, { kind: 'nobody', prefix: 'job_', input: {} });
    const socket = await dial(await serve({ stallMs: 40, leastBodyBytes: 512 }));
    socket.write(`GET /v1/jobs/${made.id}/events?stream=true HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const received = untilClosed(socket);
    await new Promise((resolve) => setTimeout(resolve, 400));
    await house.app.request(`/v1/jobs/${made.id}/cancel`, { method: 'POST' });
    expect(await received).toContain('data: [DONE]');
  });
});
