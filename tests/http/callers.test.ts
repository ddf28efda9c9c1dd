// Whose turn a request takes: what engines are told of who asks, over every route that asks one.
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { WebSocket } from 'ws';
import { answerBy } from '../../src/http/answer.ts';
import { networkOf } from '../../src/http/caller.ts';
import { listen } from '../../src/http/server.ts';
import type { Store } from '../../src/store/connect.ts';
import { npcs } from '../../src/store/npc-schema.ts';
import { openPglite } from '../store/databases.ts';
import { type House, openHouse } from './knock.ts';

const key = 'server-key';
const messages = [{ role: 'user', content: 'Hello' }];
const rated = [...messages, { role: 'assistant', content: 'Good day' }];

let store: Store;
beforeAll(async () => {
  store = await openPglite();
}, 60_000);
afterAll(() => store.close());
beforeEach(() => store.db.delete(npcs));

/** Asks as a connection from `address` would. */
async function ask(house: House, path: string, body: object, { address = '10.0.0.1', bearer = '' } = {}) {
  const headers = { 'content-type': 'application/json', ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }) };
  const reply = await house.app.request(path, { method: 'POST', headers, body: JSON.stringify(body) }, { address });
  const answer = (await reply.json()) as { id: string; token: string };
  expect(reply.status, JSON.stringify(answer)).toBe(200);
  return answer;
}

const callersOf = (house: House) => house.model.requests.splice(0).map(({ caller }) => caller);

test('addresses are told apart; whoever shows a key nobody asks for is an address too', async () => {
  const house = openHouse();
  await ask(house, '/v1/chat/completions', { messages });
  await ask(house, '/v1/completions', { prompt: 'Hello' }, { address: '10.0.0.2' });
  await ask(house, '/v1/chat/completions', { messages }, { bearer: 'made-up' });
  expect(callersOf(house)).toEqual(['address 10.0.0.1', 'address 10.0.0.2', 'address 10.0.0.1']);
});

test('predictors are told as well, for scores and for what a reply is measured by', async () => {
  const house = openHouse();
  await ask(house, '/v1/attributes/score', { messages: rated });
  await ask(house, '/v1/chat/completions', { messages, steering: { best_of: 2 } }, { address: '10.0.0.2' });
  await ask(house, '/v1/chat/completions', { messages, steering: { measure: true } }, { address: '10.0.0.3' });
  expect(house.predictor.callers).toEqual(['address 10.0.0.1', 'address 10.0.0.2', 'address 10.0.0.3']);
});

test('who holds the key, players by their tokens, and batches', async () => {
  const house = openHouse({ STEER_API_KEY: key }, { db: store.db });
  const asServer = { bearer: key };
  await ask(house, '/v1/npcs', { id: 'marta', name: 'Marta', persona: 'You are Marta.' }, asServer);
  const sessions: { id: string; bearer: string }[] = [];
  for (const player of ['ann', 'ben']) {
    const { id } = await ask(house, '/v1/npcs/marta/sessions', { player_id: player }, asServer);
    const { token } = await ask(house, `/v1/npcs/marta/sessions/${id}/tokens`, {}, asServer);
    sessions.push({ id, bearer: token });
  }
  for (const { id, bearer } of sessions) await ask(house, `/v1/npcs/marta/sessions/${id}/say`, { text: 'Hi' }, { bearer });
  const { id } = sessions[0]!;
  await ask(house, `/v1/npcs/marta/sessions/${id}/say`, { text: 'Hi' }, asServer);
  await ask(house, `/v1/npcs/marta/sessions/${id}/warm`, {}, asServer);
  expect(callersOf(house)).toEqual([...sessions.map((session) => `player ${session.id}`), 'key 10.0.0.1', 'key 10.0.0.1']);
  await answerBy(house.app, key)('/v1/chat/completions', { messages }, new AbortController().signal);
  expect(house.model.requests.map(({ caller, priority }) => [caller, priority])).toEqual([['batches', 'batch']]);
});

test('on a real port the connection tells, over a socket too', async () => {
  const house = openHouse({}, { db: store.db });
  const server = await listen(house.app, { host: '127.0.0.1', port: 0 });
  const content = JSON.stringify({ messages });
  for (const localAddress of ['127.0.0.1', '127.0.0.2']) {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': '10.9.9.9' };
    const asked = httpRequest(`${server.url}/v1/chat/completions`, { method: 'POST', localAddress, headers });
    const status = new Promise((resolve, reject) => {
      asked.on('response', (reply) => reply.resume().on('end', () => resolve(reply.statusCode)));
      asked.on('error', reject);
    });
    asked.end(content);
    expect(await status).toBe(200);
  }
  await ask(house, '/v1/npcs', { id: 'marta', name: 'Marta', persona: 'You are Marta.' });
  const { id } = await ask(house, '/v1/npcs/marta/sessions', { player_id: 'ann' });
  const address = `${server.url.replace('http', 'ws')}/v1/npcs/marta/sessions/${id}/socket`;
  const socket = new WebSocket(address, { localAddress: '127.0.0.3' });
  socket.on('open', () => socket.send(JSON.stringify({ send: 'say', text: 'Hi' })));
  await expect.poll(() => house.model.requests.length).toBe(3);
  socket.terminate();
  await server.close(0);
  expect(callersOf(house)).toEqual(['address 127.0.0.1', 'address 127.0.0.2', 'address 127.0.0.3']);
});

describe('an address as one caller has it', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:db8::9', '2001:db8:0:0::/64'],
    ['2001:0DB8:0:0::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s', (address, caller) => {
    expect(networkOf(address)).toBe(caller);
  });
});
