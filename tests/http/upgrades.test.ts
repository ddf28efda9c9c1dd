// Requests to go on in another protocol, broken addresses and bodies that do not come whole: each is answered, and no connection outlives its answer
// for longer than any other.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { defaultPatience } from '../../src/http/patience.ts';
import { type Listening, listen } from '../../src/http/server.ts';
import { type House, openHouse } from './knock.ts';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close(0)));
});

async function serve(house: House, patience = defaultPatience): Promise<Listening> {
  const server = await listen(house.app, { host: '127.0.0.1', port: 0 }, patience);
  open.push(server);
  return server;
}

function dial({ url }: Listening): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

const h2c = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n';
const webSocket =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';
const socketPath = '/v1/npcs/a/sessions/b/socket';
const chat = JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }], max_tokens: 2 });
const chunked = `Transfer-Encoding: chunked\r\n\r\n${Buffer.byteLength(chat).toString(16)}\r\n${chat}\r\n0\r\n\r\n`;
const whole = `Content-Length: ${Buffer.byteLength(chat)}\r\n\r\n${chat}`;
const post = 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

/** Answers of known length, as they come. */
function answersOf(socket: Socket): { status: number; head: string; body: string }[] {
  const answers: { status: number; head: string; body: string }[] = [];
  let received = '';
  socket.on('data', (data) => {
    received += data;
    for (;;) {
      const [, head, status, length] = /^(HTTP\/1.1 (\d+) [\s\S]*?content-length: (\d+)[\s\S]*?\r\n)\r\n/i.exec(received) ?? [];
      if (head === undefined || received.length < head.length + 2 + Number(length)) return;
      const body = received.slice(head.length + 2).slice(0, Number(length));
      answers.push({ status: Number(status), head, body });
      received = received.slice(head.length + 2 + body.length);
    }
  });
  return answers;
}

describe('an upgrade to anything but a socket', () => {
  test.each([
    ['h2c', `GET /v1/models HTTP/1.1\r\nHost: localhost\r\n${h2c}\r\n`, 200],
    ['h2c with a body', post + h2c + whole, 200],
    ['h2c with a body in chunks', post + h2c + chunked, 200],
    ['TLS', 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2\r\n\r\n', 200],
    ['websocket where none is', `GET /v1/models HTTP/1.1\r\nHost: localhost\r\n${webSocket}\r\n`, 200],
    ['websocket where nothing is', `GET /nowhere HTTP/1.1\r\nHost: localhost\r\n${webSocket}\r\n`, 404],
    ['websocket with a body', post + webSocket + whole, 200],
    ['websocket by POST', `POST ${socketPath} HTTP/1.1\r\nHost: localhost\r\n${webSocket}\r\n`, 405],
    ['websocket in other letters', `GET /v1/npcs/a/sessions/b/sock%65t HTTP/1.1\r\nHost: localhost\r\n${webSocket}\r\n`, 503],
  ])('is ignored, and the connection kept: %s', async (_, request, status) => {
    const house = openHouse();
    const socket = dial(await serve(house));
    const answers = answersOf(socket);
    for (const count of [1, 2]) {
      socket.write(request);
      await expect.poll(() => answers.length).toBe(count);
    }
    expect(answers.map((answer) => answer.status)).toEqual([status, status]);
    if (status === 200) expect(answers.map(({ head }) => /^connection: keep-alive/im.test(head))).toEqual([true, true]);
  });

  test('closes the connection where that is asked for', async () => {
    const socket = dial(await serve(openHouse()));
    socket.write('GET /v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*connection: close[\s\S]*"parrot"/i);
  });

  test.each([
    ['the key', { STEER_API_KEY: 'sk-1' }, '', 401],
    ['Host', {}, 'Host: evil.example\r\n', 403],
    ['Origin', {}, 'Host: localhost\r\nOrigin: https://evil.example\r\n', 403],
  ])('leaves nothing unchecked: %s', async (_, settings, lines, status) => {
    const house = openHouse(settings as Record<string, string>);
    const server = await serve(house);
    for (const upgrade of [h2c, webSocket]) {
      const socket = dial(server);
      const answers = answersOf(socket);
      socket.write(`GET /v1/models HTTP/1.1\r\n${lines || 'Host: localhost\r\n'}${upgrade}\r\n`);
      await expect.poll(() => answers[0]?.status).toBe(status);
    }
  });

  test('is waited for no longer than any other request', async () => {
    const server = await serve(openHouse(), { stallMs: 50, leastBodyBytes: 512 });
    const slow = dial(server);
    slow.write(`${post}${h2c}Content-Length: 100000\r\n\r\n{`);
    expect(await text(slow)).toMatch(/^HTTP\/1.1 408 /);
  });
});

test('a server that closes waits for no connection that was to be upgraded', async () => {
  const server = await serve(openHouse());
  const asked = [
    `GET /v1/models HTTP/1.1\r\nHost: localhost\r\n${h2c}\r\n`,
    `${post}${h2c}Content-Length: 100000\r\n\r\n{`,
    `GET ${socketPath} HTTP/1.1\r\nHost: localhost\r\n${webSocket}\r\n`,
    `GET ${socketPath} HTTP/1.1\r\nHost: a b/c\r\n${webSocket}\r\n`,
    `CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n${h2c}\r\n`,
  ].map((request) => {
    const socket = dial(server);
    socket.write(request);
    return socket;
  });
  const closed = asked.map((socket) => new Promise((resolve) => socket.resume().once('close', resolve)));
  await Promise.all(asked.map((socket) => socket.connecting && once(socket, 'connect')));
  await server.close(0);
  await Promise.all(closed);
});

describe('a host that is no address', () => {
  test.each([
    '127.999.1.1',
    '127.0.0.256',
    '1.2.3.4.5',
    '1.2.3.08',
    'xn--a',
    '127.0.0.1:99999',
    '[::1',
    'localhost:80:80',
    '%00',
    'a b/c',
    'a@localhost',
  ])('is refused, whatever is asked: %s', async (host) => {
    const house = openHouse();
    const server = await serve(house);
    for (const path of ['/v1/models', '/health/live', '/', socketPath]) {
      for (const upgrade of ['', h2c, webSocket]) {
        const socket = dial(server);
        socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${upgrade}\r\n`);
        const told = await text(socket);
        expect(told).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
        expect(told).toMatch(/^connection: close$/im);
        expect(told).toMatch(/"code":"invalid_request"/);
      }
    }
    expect(house.lines.filter((line) => JSON.parse(line).level >= 50)).toEqual([]);
  });
});

describe('a body that has not come whole by the answer', () => {
  const long = 'x'.repeat(3_000_000);

  test.each([
    ['too large', `${post}Content-Length: ${long.length}\r\n\r\n`, 413, {}],
    ['without a key', `${post}Content-Length: ${long.length}\r\n\r\n`, 401, { STEER_API_KEY: 'sk-1' }],
    ['packed', `${post}Content-Encoding: br\r\nContent-Length: ${long.length}\r\n\r\n`, 415, {}],
    ['of a GET', `GET /v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${long.length}\r\n\r\n`, 200, {}],
  ])('closes the connection, which the answer says: %s', async (_, head, status, settings) => {
    const socket = dial(await serve(openHouse(settings as Record<string, string>)));
    socket.write(head);
    socket.write(long.slice(1));
    const told = await text(socket);
    expect(told).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(told).toMatch(/^connection: close$/im);
    expect(told).not.toMatch(/^connection: keep-alive$/im);
  });

  test('is taken before the connection closes, so that the answer can be read', async () => {
    const socket = dial(await serve(openHouse()));
    const answers = answersOf(socket);
    socket.write(`${post}Content-Length: ${long.length}\r\n\r\n`);
    await expect.poll(() => answers[0]?.status).toBe(413);
    // All of it goes out without an error, after the answer came.
    await new Promise<void>((resolve, reject) => socket.write(long, (error) => (error ? reject(error) : resolve())));
    await once(socket, 'end');
  });

  test('a small one that was refused unread has come whole, and the connection is kept', async () => {
    const socket = dial(await serve(openHouse({ STEER_API_KEY: 'sk-1' })));
    const answers = answersOf(socket);
    for (const count of [1, 2]) {
      socket.write(post + whole);
      await expect.poll(() => answers.length).toBe(count);
    }
    expect(answers[1]!.head).toMatch(/^connection: keep-alive$/im);
  });
});
