// A server that stops: nobody is left without a word, those that wait are refused at once, and the grace is for those being answered.
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Listening, listen } from '../../src/http/server.ts';
import { createJob } from '../../src/jobs/jobs.ts';
import type { Store } from '../../src/store/connect.ts';
import { Gate } from '../gate.ts';
import { openPglite } from '../store/databases.ts';
import { type House, openHouse, readEvents } from './knock.ts';

const path = '/v1/chat/completions';
const headers = { 'content-type': 'application/json' };
const body = (fields: object = {}) => JSON.stringify({ messages: [{ role: 'user', content: 'Who is there?' }], ...fields });
/** Longer than any test lasts. */
const noEndMs = 600_000;

let store: Store;
let house: House;
let server: Listening;

beforeAll(async () => {
  store = await openPglite();
}, 60_000);
afterAll(() => store.close());
beforeEach(async () => {
  house = openHouse({}, { db: store.db });
  server = await listen(house.app, { host: '127.0.0.1', port: 0 });
});
afterEach(() => server.close(0));

const call = (route: string, fields: object, method = 'POST') => {
  return fetch(server.url + route, { method, headers, body: JSON.stringify(fields) });
};
const ask = (fields: object = {}) => fetch(server.url + path, { method: 'POST', headers, body: body(fields) });
const stopped = { error: { code: 'not_ready', message: expect.stringContaining('stopping') } };

test('a stream that outlasts the grace ends with an error event', async () => {
  house.model.stays = true;
  const reply = await ask({ stream: true });
  const closed = server.close(20);
  const events = readEvents(await reply.text());
  expect(events.at(-1)).toMatchObject(stopped);
  expect(await house.model.ended).toBe('cancelled');
  await closed;
  const lines = house.lines.map((line) => JSON.parse(line));
  expect(lines.map(({ code }) => code)).toEqual(['not_ready']);
});

test('a whole reply that outlasts the grace is a 503', async () => {
  house.model.stays = true;
  const asked = ask();
  // Its first word is there, so it does not wait.
  await expect.poll(() => house.model.staying).toBe(1);
  const closed = server.close(20);
  const reply = await asked;
  expect([reply.status, reply.headers.get('retry-after')]).toEqual([503, '1']);
  expect(await reply.json()).toMatchObject(stopped);
  await closed;
});

test.each([true, false])('who waits for its first word is refused at once (stream: %s)', async (stream) => {
  // Says nothing until its caller has left.
  house.model.complete = async function* (_request, signal) {
    house.model.requests.push(_request);
    await once(signal, 'abort');
    yield* [];
    signal.throwIfAborted();
  };
  const asked = ask({ stream });
  await expect.poll(() => house.model.requests.length).toBe(1);
  const closed = server.close(noEndMs);
  const reply = await asked;
  expect(reply.status).toBe(503);
  expect(await reply.json()).toMatchObject(stopped);
  await closed;
});

test('who waits for a predictor is refused at once, and who is being rated is answered', async () => {
  const rated = [
    { role: 'user', content: 'Well?' },
    { role: 'assistant', content: 'Aye.' },
  ];
  const score = () => call('/v1/attributes/score', { messages: rated });
  house.predictor.work.shut();
  const first = score();
  await expect.poll(() => house.predictor.work.holding).toBe(1);
  house.predictor.queue.shut();
  const second = score();
  await expect.poll(() => house.predictor.queue.holding).toBe(1);
  const closed = server.close(noEndMs);
  const refused = await second;
  expect(refused.status).toBe(503);
  expect(await refused.json()).toMatchObject(stopped);
  house.predictor.work.open();
  expect((await first).status).toBe(200);
  await closed;
});

const messages = [{ role: 'user', content: 'Well?' }];
test.each([
  [path, { messages }],
  [`${path}/render`, { messages }],
  ['/v1/completions', { prompt: 'Well' }],
  ['/v1/attributes/score', { messages: [...messages, { role: 'assistant', content: 'Aye.' }] }],
  ['/v1/models/parrot/load', {}],
  ['/v1/models/aliases/bard', { model: 'parrot' }],
  ['/v1/npcs', { name: 'Oda', persona: 'You are Oda.' }],
])('who waits at %s for a model to load is refused at once', async (route, fields) => {
  let loading = false;
  const load = () => {
    loading = true;
    return new Promise<never>(() => {});
  };
  Object.assign(house.shelf, { language: load, predictor: load, load, setAlias: load });
  const asked = call(route, fields, route.includes('aliases') ? 'PUT' : 'POST');
  await expect.poll(() => loading).toBe(true);
  const closed = server.close(noEndMs);
  const reply = await asked;
  expect(reply.status).toBe(503);
  expect(await reply.json()).toMatchObject(stopped);
  await closed;
});

test('who watches a job is sent away at once', async () => {
  const { job } = await createJob(store.db, { kind: 'nobody', prefix: 'job_', input: {} });
  const reply = await fetch(`${server.url}/v1/jobs/${job.id}/events?stream=true`);
  const closed = server.close(noEndMs);
  expect(JSON.parse((await reply.text()).trim().split('data: ').at(-1)!)).toMatchObject(stopped);
  await closed;
});

test('what comes on a connection that is still open is refused, and the connection closed', async () => {
  house.model.stays = true;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const answered = async (sent: ReturnType<typeof request>) => {
    const [reply] = await once(sent, 'response');
    return reply as import('node:http').IncomingMessage;
  };
  const first = await answered(request(server.url + path, { method: 'POST', headers, agent }).end(body({ stream: true })));
  const socket = first.socket;
  const read = text(first);
  const closed = server.close(200);
  let received = '';
  socket.on('data', (data) => (received += data));
  socket.write('GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n');
  expect(await read).toContain('not_ready');
  await closed;
  expect(received === '' || received.includes('503')).toBe(true);
  agent.destroy();
});

/** A character, and sockets of sessions with it. */
async function openInn() {
  const make = async (route: string, fields: object) => (await (await call(route, fields)).json()) as { id: string };
  const npc = await make('/v1/npcs', { name: 'Oda', persona: 'You are Oda.' });
  const begin = async () => {
    const { id } = await make(`/v1/npcs/${npc.id}/sessions`, { player_id: 'bo' });
    return `/v1/npcs/${npc.id}/sessions/${id}`;
  };
  const enter = async () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}${await begin()}/socket`);
    const heard: { object?: string; text?: string; ref?: string }[] = [];
    socket.on('message', (data) => heard.push(JSON.parse(String(data))));
    await once(socket, 'open');
    const say = (ref: string) => socket.send(JSON.stringify({ send: 'say', text: 'Who is there?', ref }));
    return { say, heard, closed: once(socket, 'close') };
  };
  return { begin, enter };
}

test('a line that is being said on a socket is said to its end; an idle one closes at once', async () => {
  const gate = new Gate();
  house.model.complete = async function* (_, signal) {
    yield { kind: 'delta', index: 0, text: 'Nobody. It' };
    await gate.pass(signal);
    yield { kind: 'delta', index: 0, text: ' is me.' };
    yield { kind: 'end', index: 0, text: 'Nobody. It is me.', finishReason: 'stop', completionTokens: 5 };
  };
  gate.shut();
  const { enter } = await openInn();
  const [idle, busy] = [await enter(), await enter()];
  busy.say('a');
  await expect.poll(() => busy.heard.length).toBe(1);
  const closed = server.close(noEndMs);
  expect((await idle.closed)[0]).toBe(1001);
  gate.open();
  expect((await busy.closed)[0]).toBe(1001);
  expect(busy.heard.at(-1)).toMatchObject({ object: 'npc.line', text: 'Nobody. It is me.', ref: 'a' });
  await closed;
});

test('a line that was not begun on a socket ends at once, with the reason', async () => {
  const { enter } = await openInn();
  const waiting = await enter();
  house.model.gate.shut();
  waiting.say('b');
  await expect.poll(() => house.model.gate.holding).toBe(1);
  const closed = server.close(noEndMs);
  expect((await waiting.closed)[0]).toBe(1001);
  expect(waiting.heard).toMatchObject([{ ...stopped, ref: 'b' }]);
  await closed;
});

test.each(['say', 'warm'])('who waits for a character (%s) is refused at once', async (part) => {
  const { begin } = await openInn();
  house.model.gate.shut();
  const asked = call(`${await begin()}/${part}`, part === 'say' ? { text: 'Who is there?' } : {});
  await expect.poll(() => house.model.gate.holding).toBe(1);
  const closed = server.close(noEndMs);
  expect((await asked).status).toBe(503);
  await closed;
});
