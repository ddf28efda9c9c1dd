// A session over a WebSocket on a real port, with the ws client and with the one browsers have.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Listening, listen } from '../../src/http/server.ts';
import { steeringVectors } from '../../src/model/vectors/kept-vectors.ts';
import type { Store } from '../../src/store/connect.ts';
import { npcs } from '../../src/store/npc-schema.ts';
import { giveVectors, numbersFor, openScratch } from '../model/vectors/vector-files.ts';
import { openPglite } from '../store/databases.ts';
import { writeTinyModel } from '../tiny-model.ts';
import { expectToFit, type House, openHouse } from './knock.ts';

const scratch = openScratch();
const key = 'server-key';
let store: Store;
let house: House;
let server: Listening;
let sid: string;
const sockets: WebSocket[] = [];

beforeAll(async () => {
  store = await openPglite();
}, 60_000);
afterAll(() => store.close());
beforeEach(async () => {
  await store.db.delete(npcs);
  house = openHouse(
    { STEER_API_KEY: key, ALLOWED_HOSTS: 'steer.lan', ALLOWED_ORIGINS: 'https://game.example' },
    { db: store.db },
  );
  server = await listen(house.app, { host: '127.0.0.1', port: 0 });
  const rules = [{ event: 'player.insulted', changes: { toxicity: 2 } }];
  await ask('/v1/npcs', { id: 'marta', name: 'Marta', persona: 'You are Marta.', rules });
  sid = (await ask('/v1/npcs/marta/sessions', { player_id: 'ann', seed: 1 })).id;
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await server.close(0);
});

async function ask(path: string, body: object) {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  const reply = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(reply.status).toBe(200);
  return (await reply.json()) as { id: string; token: string };
}

const address = (query = '') => `${server.url.replace('http', 'ws')}/v1/npcs/marta/sessions/${sid}/socket${query}`;

/** An open socket, and its messages one after the other. */
async function enter(query = '', headers: Record<string, string> = {}) {
  const socket = new WebSocket(address(query), { headers });
  sockets.push(socket);
  const heard: string[] = [];
  socket.on('message', (data) => heard.push(String(data)));
  await once(socket, 'open');
  const next = async () => {
    await expect.poll(() => heard.length).toBeGreaterThan(0);
    return JSON.parse(heard.shift()!);
  };
  return { socket, next, send: (message: object) => socket.send(JSON.stringify(message)) };
}

const asServer = { authorization: `Bearer ${key}` };
const token = async (fields: object = {}) => (await ask(`/v1/npcs/marta/sessions/${sid}/tokens`, fields)).token;

test('events, moods and lines, each answer with the ref of its message', async () => {
  const { next, send } = await enter('', asServer);
  send({ send: 'event', type: 'player.insulted', ref: 'a' });
  const { ref, ...mood } = await next();
  expect([ref, mood.attributes.toxicity.value]).toEqual(['a', 2]);
  expectToFit({ $ref: '#/components/schemas/NpcMood' }, mood, 'mood');
  send({ send: 'say', text: 'Hello', ref: 'b' });
  expect(await next()).toMatchObject({ object: 'npc.sentence', index: 0, ref: 'b' });
  const { ref: again, ...line } = await next();
  expect([again, line.steering.applied.toxicity]).toEqual(['b', 2]);
  expectToFit({ $ref: '#/components/schemas/NpcLine' }, line, 'line');
  send({ send: 'mood' });
  expect(await next()).toMatchObject({ object: 'npc.mood', entries: 3 });
});

test('a line is said under steering vectors, and one that is unknown is told', async () => {
  const folder = scratch('tiny');
  await writeTinyModel(folder, { kind: 'steered', name: 'parrot', layers: 3 });
  await giveVectors(folder, { happy: await numbersFor(folder, 1, 1) });
  Object.assign(house.model, { vectors: steeringVectors(folder, 'parrot') });
  const { next, send } = await enter('', asServer);
  send({ send: 'say', text: 'Hello', steering: { vectors: { hapy: 1 } }, ref: 'a' });
  expect(await next()).toMatchObject({ ref: 'a', error: { code: 'unknown_vector', param: 'steering.vectors.hapy' } });
  send({ send: 'say', text: 'Hello', steering: { vectors: { happy: 1 } } });
  expect(await next()).toMatchObject({ object: 'npc.sentence' });
  expect((await next()).steering.vectors).toEqual({ happy: 1 });
});

test('a line is broken off by a message, and by leaving', async () => {
  house.model.stays = true;
  const { socket, next, send } = await enter('', asServer);
  send({ send: 'say', text: 'Hello', ref: 'say' });
  await expect.poll(() => house.model.requests.length).toBe(1);
  send({ send: 'cancel', ref: 'cancel' });
  const answers = [await next(), await next()];
  expect(answers.find(({ ref }) => ref === 'cancel')).toMatchObject({ cancelled: true });
  expect(answers.find(({ ref }) => ref === 'say').error.code).toBe('cancelled');
  send({ send: 'say', text: 'Hello' });
  await expect.poll(() => house.model.requests.length).toBe(2);
  socket.close();
  expect(await house.model.ended).toBe('cancelled');
});

test('what is no message is answered with an error that names the field, and the socket stays open', async () => {
  const { socket, next, send } = await enter('', asServer);
  socket.send('{');
  expect((await next()).error.code).toBe('invalid_json');
  send({ send: 'shout', ref: 'x' });
  expect(await next()).toMatchObject({
    ref: 'x',
    error: { param: 'send', message: expect.stringContaining('say, event, mood, cancel') },
  });
  send({ send: 'say', text: '' });
  expect((await next()).error.param).toBe('text');
  send({ send: 'event', type: 'player.danced' });
  expect((await next()).error.param).toBe('type');
  send({ send: 'mood' });
  expect((await next()).object).toBe('npc.mood');
});

test('a token opens it, in the query where there are no headers, and allows no more than it says', async () => {
  const { next, send } = await enter(`?token=${await token()}`);
  send({ send: 'event', type: 'player.insulted' });
  expect((await next()).error).toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('allows: say, mood, feedback'),
  });
  send({ send: 'say', text: 'Hello', at: 1e12, interrupt: true });
  expect((await next()).error).toMatchObject({ code: 'forbidden', param: 'at' });
  send({ send: 'say', text: 'Hello' });
  expect((await next()).object).toBe('npc.sentence');
  expect(house.lines.join('')).not.toContain('npct_');
});

test('a token that runs out while the socket is open is told', async () => {
  const { next, send } = await enter(`?token=${await token()}`);
  send({ send: 'mood' });
  expect((await next()).object).toBe('npc.mood');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
  try {
    send({ send: 'mood' });
    expect((await next()).error?.code).toBe('invalid_api_key');
  } finally {
    vi.useRealTimers();
  }
});

/** The status of a refusal, which must be the error envelope that every other request would get. */
async function refused(headers: Record<string, string>, query = ''): Promise<number> {
  const socket = new WebSocket(address(query), { headers });
  socket.on('error', () => {});
  const [, reply] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
  expect(reply.headers).toMatchObject({
    'content-type': 'application/json',
    connection: 'close',
    'x-request-id': expect.stringMatching(/^req_/),
  });
  expectToFit({ $ref: '#/components/schemas/Error' }, await json(reply), 'refusal');
  return reply.statusCode!;
}

test.each([
  ['without a key', '', {}],
  ["with the server's key in the query", `?token=${key}`, {}],
  ['with a wrong token', '?token=npct_wrong', {}],
])('%s it does not open', async (_, query, headers) => {
  expect(await refused(headers, query)).toBe(401);
});

test('a page of another origin opens it where the origin is listed', async () => {
  const listed = 'https://game.example';
  expect(await refused({ ...asServer, origin: 'https://elsewhere.example' })).toBe(403);
  expect(await refused({ origin: 'https://elsewhere.example' }, `?token=${await token()}`)).toBe(403);
  expect(await refused({ ...asServer, host: 'elsewhere.example', origin: listed })).toBe(403);
  const own = await enter('', { ...asServer, origin: server.url });
  own.send({ send: 'mood' });
  expect((await own.next()).object).toBe('npc.mood');
  const other = await enter(`?token=${await token()}`, { origin: listed });
  other.send({ send: 'mood' });
  expect((await other.next()).object).toBe('npc.mood');
});

test('an unknown session does not open, and neither does a plain request', async () => {
  sid = 'npcs_nobody';
  expect(await refused(asServer)).toBe(404);
  sid = (await ask('/v1/npcs/marta/sessions', { player_id: 'ann' })).id;
  const plain = await fetch(address().replace('ws', 'http'), { headers: asServer });
  expect([plain.status, ((await plain.json()) as { error: { message: string } }).error.message]).toEqual([
    400,
    expect.stringContaining('Upgrade'),
  ]);
});

test('messages are answered one after the other, in their order', async () => {
  const { next, send } = await enter('', asServer);
  send({ send: 'say', text: 'Hello', ref: '0' });
  for (let i = 1; i < 20; i++) send({ send: 'event', type: 'player.insulted', ref: `${i}` });
  expect((await next()).object).toBe('npc.sentence');
  expect((await next()).object).toBe('npc.line');
  const moods = [];
  for (let i = 1; i < 20; i++) moods.push(await next());
  expect(moods.map(({ ref }) => ref)).toEqual(Array.from({ length: 19 }, (_, i) => `${i + 1}`));
  expect(moods.map(({ entries }) => entries)).toEqual(Array.from({ length: 19 }, (_, i) => i + 3));
});

test('a line that may break off the one being said does not wait for its end', async () => {
  house.model.stays = true;
  const { next, send } = await enter('', asServer);
  send({ send: 'say', text: 'Hello', ref: 'first' });
  await expect.poll(() => house.model.requests.length).toBe(1);
  house.model.stays = false;
  send({ send: 'say', text: 'Wait!', ref: 'second', interrupt: true });
  expect(await next()).toMatchObject({ ref: 'first', error: { code: 'cancelled' } });
  expect((await next()).ref).toBe('second');
});

/** Whether a further socket opens. */
async function opens(): Promise<'open' | 'no'> {
  const socket = new WebSocket(address(), { headers: asServer });
  socket.on('error', () => {});
  const state = await Promise.race([
    once(socket, 'open').then(() => 'open' as const),
    once(socket, 'unexpected-response').then(() => 'no' as const),
  ]);
  socket.terminate();
  return state;
}

test('a session has so many sockets, and one more when one has closed', async () => {
  const first = await enter('', asServer);
  for (let i = 1; i < 16; i++) await enter('', asServer);
  expect(await refused(asServer)).toBe(429);
  first.socket.close();
  await once(first.socket, 'close');
  await expect.poll(opens).toBe('open');
});

test('a client that reads nothing gives its place in a full session to the next one', async () => {
  house.model.complete = async function* () {
    // A sentence longer than what is held between the two ends of a connection.
    yield { kind: 'delta', index: 0, text: `${'x'.repeat(2 ** 23)}. And` };
  };
  const { socket, send } = await enter('', asServer);
  socket.pause();
  send({ send: 'say', text: 'Hello' });
  for (let i = 1; i < 16; i++) await enter('', asServer);
  await expect.poll(opens, { timeout: 30_000 }).toBe('open');
  expect(house.lines.some((line) => line.includes('its client read nothing'))).toBe(true);
});

test('a flood closes the socket with a reason, and holds nobody up', async () => {
  const { socket } = await enter(`?token=${await token()}`);
  const closed = once(socket, 'close');
  const message = JSON.stringify({ send: 'mood' });
  for (let i = 0; i < 12_500; i++) socket.send(message);
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([1008, expect.stringContaining('64 messages')]);
  expect((await fetch(`${server.url}/health/live`)).status).toBe(200);
});

test.each(['x'.repeat(65), 'constructor', '%00'])(
  'a session called %s does not open, and is no fault of the server',
  async (id) => {
    sid = id;
    expect(await refused(asServer)).toBe(id === 'constructor' ? 404 : 400);
  },
);

test('a server that stops says so', async () => {
  const { socket } = await enter('', asServer);
  const closed = once(socket, 'close');
  await server.close(1_000);
  expect((await closed)[0]).toBe(1001);
});
