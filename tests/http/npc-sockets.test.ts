// Sockets end with what opened them: the token, the session, and whoever is at the other end.
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { type Listening, listen } from '../../src/http/server.ts';
import type { Store } from '../../src/store/connect.ts';
import { npcs } from '../../src/store/npc-schema.ts';
import { openPglite } from '../store/databases.ts';
import { openHouse } from './knock.ts';

let store: Store;
let sid: string;
const servers: Listening[] = [];
const sockets: WebSocket[] = [];

beforeAll(async () => {
  store = await openPglite();
}, 60_000);
afterAll(() => store.close());
beforeEach(async () => {
  await store.db.delete(npcs);
});
afterEach(async () => {
  vi.useRealTimers();
  for (const socket of sockets.splice(0)) socket.terminate();
  for (const server of servers.splice(0)) await server.close(0);
});

/** A server of the one database; the first makes the session too. `hears` tells whether it is given notices. */
async function serve(hears = true): Promise<Listening> {
  const { app } = openHouse({}, hears ? { db: store.db, listen: store.listen } : { db: store.db });
  const server = await listen(app, { host: '127.0.0.1', port: 0 });
  servers.push(server);
  if (servers.length > 1) return server;
  await ask(server, 'POST', '', { id: 'marta', name: 'Marta', persona: 'You are Marta.' });
  sid = (await ask(server, 'POST', '/marta/sessions', { player_id: 'ann' })).id;
  return server;
}

async function ask(server: Listening, method: string, path: string, body?: object) {
  const content = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const reply = await fetch(`${server.url}/v1/npcs${path}`, { method, ...content });
  expect(reply.status).toBe(200);
  return (await reply.json()) as { id: string; token: string };
}

/** An open socket, and the code and reason it is closed with. */
async function enter(server: Listening, query = '', options: object = {}) {
  const address = `${server.url.replace('http', 'ws')}/v1/npcs/marta/sessions/${sid}/socket${query}`;
  const socket = new WebSocket(address, options);
  sockets.push(socket);
  const closed = once(socket, 'close').then(([code, reason]) => [code, String(reason)] as const);
  await once(socket, 'open');
  return { socket, closed };
}

/** Everything that was sent before has been taken in by the server. */
async function settle(socket: WebSocket): Promise<void> {
  const answer = once(socket, 'message');
  socket.send('{"send": "mood"}');
  await answer;
}

test('a socket ends when its token runs out, and others take the places of those that ended', async () => {
  const server = await serve();
  const { token } = await ask(server, 'POST', `/marta/sessions/${sid}/tokens`, { expires_in_s: 600 });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const open = await Promise.all(Array.from({ length: 16 }, () => enter(server, `?token=${token}`)));
  await Promise.all(open.map(({ socket }) => settle(socket)));
  // They say no goodbye.
  for (const { socket } of open.slice(1)) socket.pause();
  vi.advanceTimersByTime(600_000);
  expect(await open[0]!.closed).toEqual([1008, expect.stringMatching(/token has run out/)]);
  const others = await Promise.all(Array.from({ length: 16 }, () => enter(server)));
  expect(others).toHaveLength(16);
});

test('of many sockets that are asked for at once, no more than a session may have stay open', async () => {
  const server = await serve();
  const asked = Array.from({ length: 48 }, () => {
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/v1/npcs/marta/sessions/${sid}/socket`);
    sockets.push(socket);
    socket.on('error', () => {});
    return socket;
  });
  const isIn = ({ readyState }: WebSocket) => readyState === WebSocket.OPEN;
  await expect.poll(() => asked.filter(({ readyState }) => readyState === WebSocket.CLOSED).length).toBe(48 - 16);
  const inside = asked.filter(isIn);
  await Promise.all(inside.map(settle));
  expect(inside.filter(isIn)).toHaveLength(16);
});

test.each(['DELETE of the session', 'DELETE of the character'])('a socket of any server ends at a %s', async (what) => {
  const [first, second] = [await serve(), await serve()];
  const open = [await enter(first), await enter(second)];
  await ask(first, 'DELETE', what.endsWith('session') ? `/marta/sessions/${sid}` : '/marta');
  for (const { closed } of open) expect(await closed).toEqual([1008, 'The session is ended.']);
});

test('a socket of a server that no notice reached ends at its next message, which is answered', async () => {
  const [first, deaf] = [await serve(), await serve(false)];
  const { socket, closed } = await enter(deaf);
  await settle(socket);
  await ask(first, 'DELETE', `/marta/sessions/${sid}`);
  const answer = once(socket, 'message');
  socket.send('{"send": "mood"}');
  expect(JSON.parse(String((await answer)[0])).error.code).toBe('not_found');
  expect(await closed).toEqual([1008, 'The session is ended.']);
});

test('a socket whose other end answers no ping is ended at the next; one that does stays', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  const server = await serve();
  const [lively, silent] = [await enter(server), await enter(server, '', { autoPong: false })];
  for (let round = 0; round < 2; round++) {
    const pinged = once(lively.socket, 'ping');
    vi.advanceTimersByTime(30_000);
    await pinged;
    await settle(lively.socket);
  }
  expect((await silent.closed)[0]).toBe(1006);
  expect(lively.socket.readyState).toBe(WebSocket.OPEN);
});
