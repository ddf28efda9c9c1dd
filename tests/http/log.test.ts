// One line per request, with nothing in it that a caller wrote but a method, an address and an id.
import { closeSync, existsSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createLog, describeError, openOutput } from '../../src/http/log.ts';
import { knock, openHouse, post } from './knock.ts';

const path = '/v1/chat/completions';

test('a line says method, path, status, duration and request id, and nothing of the talk', async () => {
  const house = openHouse();
  const messages = [{ role: 'user', content: 'private words' }];
  const { headers } = await post(house, `${path}?q=private`, { messages, user: 'private', metadata: { note: 'private' } });
  await post(house, path, { messages, stream: true });
  await post(house, path, { messages, attributes: { private: 1 } });
  await knock(house, path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"private' });
  expect(house.lines).toHaveLength(4);
  expect(house.lines.join('')).not.toMatch(/private|word\d/);
  const [plain, streamed, refused] = house.lines.map((line) => JSON.parse(line));
  const requestId = headers.get('x-request-id');
  expect(plain).toMatchObject({ level: 30, msg: 'request', method: 'POST', path, status: 200, requestId });
  expect(plain.durationMs).toBeGreaterThanOrEqual(0);
  expect(streamed).toMatchObject({ level: 30, status: 200 });
  expect(refused).toMatchObject({ level: 30, status: 400, code: 'unknown_attribute' });
});

test('a stream is logged when it ends, with what ended it', async () => {
  const house = openHouse();
  house.model.stays = true;
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'a' }], stream: true, max_tokens: 400 });
  const reply = await house.app.request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  expect(house.lines).toEqual([]);
  await reply.body?.cancel();
  await expect.poll(() => house.lines.length).toBe(1);
  const line = JSON.parse(house.lines[0] as string);
  expect(line).toMatchObject({ status: 200, code: 'cancelled' });
});

test('no address or method can forge a line or steer a terminal', async () => {
  const house = openHouse();
  await knock(house, '/v1/x%0a%7b%22level%22:50%7d%1b%5b2J\u009b31m\u2028');
  await knock(house, `/${'a'.repeat(5000)}`);
  const text = house.lines.join('');
  expect(text.split('\n')).toHaveLength(3);
  for (const line of house.lines) expect(line).toMatch(/^[\x20-\x7e]+\n$/);
  expect(text.length).toBeLessThan(1500);
});

test('health checks are only told at debug level', async () => {
  const house = openHouse();
  await knock(house, '/health/live');
  expect(JSON.parse(house.lines[0] as string).level).toBe(20);
});

test('the values of a failed query are not told', () => {
  const failed = Object.assign(new Error('Failed query: insert … params: private'), { params: ['private'], query: 'insert …' });
  failed.cause = new Error('connection lost');
  const described = describeError(new Error('cannot store', { cause: failed })) as { cause: { message: string } };
  expect(described.cause.message).toBe('connection lost');
  expect(JSON.stringify(described)).not.toContain('private');
});

test.skipIf(!existsSync('/dev/full'))('a log on a disk without room costs lines, not the process', async () => {
  const file = openSync('/dev/full', 'w');
  const log = createLog('info', openOutput(file));
  // An error nobody listens to would be an uncaught exception, which fails the run.
  for (let i = 0; i < 20; i++) {
    log.info('lost');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  closeSync(file);
});

test("the database's own words are told as the cause, without the values it quotes", () => {
  const own = Object.assign(new Error('invalid input syntax for type integer: "a private"word"'), {
    code: '22P02',
    params: ['private'],
  });
  for (const error of [own, Object.assign(new Error('Failed query: private', { cause: own }), { params: ['private'] })]) {
    const described = describeError(error);
    expect(described).toMatchObject({ type: 'Error', code: '22P02', message: 'invalid input syntax for type integer: "…"' });
    expect(JSON.stringify(described)).toMatch(/log\.test\.ts/);
    expect(JSON.stringify(described)).not.toContain('private');
  }
  const file = Object.assign(new Error('EPERM: not permitted, open "/data/x"'), { code: 'EPERM' });
  expect(describeError(file)).toMatchObject({ message: 'EPERM: not permitted, open "/data/x"' });
});
