// What web pages of elsewhere may ask: nothing, unless their origin is listed, and then what a player's token opens.
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { answerBy } from '../../src/http/answer.ts';
import { type Listening, listen } from '../../src/http/server.ts';
import { type House, knock, openHouse, post } from './knock.ts';

const chat = '/v1/chat/completions';
const session = '/v1/npcs/harl/sessions/x';
const body = { messages: [{ role: 'user', content: 'Hello' }] };
const json = { 'content-type': 'application/json' };
const key = { authorization: 'Bearer sk-1' };
const statusOf = async (house: House, headers: Record<string, string>, path = '/v1/models') => {
  return (await knock(house, path, { headers })).status;
};

describe('a host', () => {
  const bare = openHouse({ ALLOWED_HOSTS: 'steer.lan,192.168.0.4' });

  test.each([
    'localhost',
    'localhost:8080',
    'LOCALHOST.:8080',
    '127.0.0.1:9',
    '127.8.8.8',
    '[::1]:8080',
    'Steer.LAN',
    'steer.lan.:8080',
    '192.168.0.4:80',
  ])('this server is asked by: %s', async (host) => {
    expect(await statusOf(bare, { host })).toBe(200);
  });

  test.each([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    'steer.lan.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '[fd00::1]',
    'localhost@evil.example',
    'localhost#evil.example',
    '',
  ])('of elsewhere is refused without a key: %s', async (host) => {
    for (const [path, init] of [
      [chat, {}],
      ['/v1/models/parrot', {}],
      ['/', {}],
      ['/openapi.json', {}],
      ['/nowhere', {}],
      [chat, { method: 'POST', body: JSON.stringify(body) }],
    ] as const) {
      const { status, body } = await knock(bare, path, { ...init, headers: { ...json, host } });
      expect([status, body.error.code, body.error.param]).toEqual([403, 'forbidden', 'Host']);
    }
    expect(bare.model.requests).toEqual([]);
  });

  test('named in the address counts as well', async () => {
    const reply = await bare.app.request('http://evil.example/v1/models', { headers: { host: 'localhost' } });
    expect(reply.status).toBe(403);
  });

  test('is anything where a key guards the server, unless names are listed', async () => {
    const guarded = openHouse({ STEER_API_KEY: 'sk-1' });
    expect(await statusOf(guarded, { ...key, host: 'steer.example' })).toBe(200);
    const named = openHouse({ STEER_API_KEY: 'sk-1', ALLOWED_HOSTS: 'steer.example' });
    expect(await statusOf(named, { ...key, host: 'steer.example' })).toBe(200);
    expect(await statusOf(named, { ...key, host: 'localhost:8080' })).toBe(200);
    expect(await statusOf(named, { ...key, host: 'evil.example' })).toBe(403);
  });

  test('does not matter to health checks: a probe of a container names its address', async () => {
    const named = openHouse({ ALLOWED_HOSTS: 'steer.example' });
    for (const host of ['10.42.0.7:8080', 'evil.example']) {
      expect(await statusOf(named, { host, origin: 'https://evil.example' }, '/health/live')).toBe(200);
      expect(await statusOf(named, { host }, '/health/ready')).toBe(200);
    }
  });

  test('of a request from within is its own', async () => {
    const house = openHouse({ STEER_API_KEY: 'sk-1', ALLOWED_HOSTS: 'steer.example' });
    const { status } = await answerBy(house.app, 'sk-1')(chat, body, new AbortController().signal);
    expect(status).toBe(200);
  });
});

describe('an origin', () => {
  test.each([
    ['http://localhost:8080', 'localhost:8080'],
    ['http://127.0.0.1:8080', '127.0.0.1:8080'],
    ['http://[::1]:8080', '[::1]:8080'],
    ['http://steer.lan', 'Steer.LAN.'],
    ['http://steer.lan', 'steer.lan:80'],
    // A proxy that ends TLS.
    ['https://steer.lan', 'steer.lan'],
    ['https://steer.lan', 'steer.lan:443'],
  ])('of the server itself may ask: %s of %s', async (origin, host) => {
    const house = openHouse({ ALLOWED_HOSTS: 'steer.lan' });
    expect(await statusOf(house, { host, origin })).toBe(200);
    expect((await post(house, chat, body, { host, origin })).status).toBe(200);
  });

  const foreign = [
    'https://evil.example',
    'null',
    '',
    'http://localhost:9999',
    'http://localhost',
    'https://localhost',
    'http://127.0.0.1:8080',
    'http://localhost:8080.evil.example',
    'http://localhost:8080, https://evil.example',
    'file://',
    'localhost:8080',
  ];

  test.each(foreign)('of elsewhere is refused on every route, with a key and without: %j', async (origin) => {
    const host = 'localhost:8080';
    for (const [house, headers] of [
      [openHouse({ ALLOWED_ORIGINS: 'https://game.example' }), {}],
      [openHouse({ STEER_API_KEY: 'sk-1' }), key],
    ] as const) {
      for (const path of [chat, '/v1/models', '/', '/openapi.json', '/nowhere', `${session}/mood`]) {
        const { status, body } = await knock(house, path, { headers: { ...headers, host, origin } });
        expect([status, body.error.code, body.error.param]).toEqual([403, 'forbidden', 'Origin']);
      }
      for (const path of ['/v1/models/parrot/unload', '/v1/files', `/v1/datasets?name=x`, `${session}/tokens`]) {
        const { status } = await knock(house, path, { method: 'POST', headers: { ...headers, host, origin } });
        expect(status).toBe(403);
      }
      expect(house.shelf.unloaded.size).toBe(0);
      const preflight = { 'access-control-request-method': 'POST', host, origin };
      const reply = await house.app.request(`${session}/say`, { method: 'OPTIONS', headers: preflight });
      expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    }
  });

  test.each(['https://game.example', 'http://localhost:51115', 'http://localhost', 'null'])(
    'that is listed may ask: %s',
    async (origin) => {
      const house = openHouse({ ALLOWED_ORIGINS: 'https://game.example,http://localhost:*,null' });
      const { status, headers } = await knock(house, '/v1/models', { headers: { host: 'localhost:8080', origin } });
      expect([status, headers.get('access-control-allow-origin')]).toEqual([200, null]);
      expect((await post(house, chat, body, { host: 'localhost:8080', origin })).status).toBe(200);
    },
  );
});

describe('a browser asks first', () => {
  const house = openHouse({ STEER_API_KEY: 'sk-1', ALLOWED_ORIGINS: 'http://localhost:*' });
  const ask = (path: string, method: string) =>
    house.app.request(path, {
      method: 'OPTIONS',
      headers: {
        host: '127.0.0.1',
        origin: 'http://localhost:51115',
        'access-control-request-method': method,
        'access-control-request-headers': 'authorization,content-type',
      },
    });

  test.each([
    ['POST', `${session}/say`, 'POST'],
    ['POST', `${session}/cancel`, 'POST'],
    ['POST', `${session}/events`, 'POST'],
    ['POST', `${session}/feedback`, 'POST'],
    ['POST', `${session}/mood`, 'GET,POST'],
    ['GET', `${session}/mood`, 'GET,POST'],
    ['GET', session, 'GET'],
  ])('%s %s: it is told that it may', async (method, path, methods) => {
    const reply = await ask(path, method);
    expect([reply.status, await reply.text()]).toEqual([204, '']);
    expect(reply.headers.get('access-control-allow-origin')).toBe('http://localhost:51115');
    expect(reply.headers.get('access-control-allow-methods')).toBe(methods);
    expect(reply.headers.get('access-control-allow-headers')).toMatch(/authorization,content-type/);
    expect(reply.headers.get('access-control-allow-credentials')).toBeNull();
    expect(reply.headers.get('vary')).toMatch(/Origin/);
    expect(reply.headers.get('x-request-id')).toMatch(/^req_/);
  });

  test.each([
    ['DELETE', session],
    ['POST', `${session}/tokens`],
    ['POST', `${session}/constructor`],
    ['GET', '/v1/models'],
    ['POST', chat],
    ['GET', '/openapi.json'],
  ])('%s %s: it is told that it may not', async (method, path) => {
    const reply = await ask(path, method);
    expect([reply.status, reply.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  test('and reads the reply, a refusal as well', async () => {
    const headers = { ...json, host: '127.0.0.1', origin: 'http://localhost:51115', authorization: 'Bearer npct_x' };
    const reply = await house.app.request(`${session}/say`, { method: 'POST', headers, body: '{"text":"Hi"}' });
    expect(reply.status).toBe(401);
    expect(reply.headers.get('access-control-allow-origin')).toBe('http://localhost:51115');
    expect(reply.headers.get('access-control-expose-headers')).toMatch(/x-request-id/);
    expect(reply.headers.get('vary')).toMatch(/Origin/);
  });
});

describe('a form of a page', () => {
  const types = [
    'text/plain',
    'Text/Plain; charset=utf-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
  ];

  test.each(types)('is refused, also where its origin is allowed: %s', async (type) => {
    const house = openHouse({ ALLOWED_ORIGINS: 'https://game.example' });
    for (const origin of ['https://game.example', 'http://localhost:8080']) {
      for (const [method, path] of [
        ['POST', '/v1/models/parrot/unload'],
        ['POST', '/v1/datasets?name=x'],
        ['DELETE', '/v1/models/aliases/x'],
      ] as const) {
        const headers = { host: 'localhost:8080', origin, 'content-type': type };
        const init = { method, headers, ...(method === 'POST' ? { body: 'x' } : {}) };
        expect((await house.app.request(path, init)).status).toBe(415);
      }
    }
    expect(house.shelf.unloaded.size).toBe(0);
  });

  test('without a body is refused from an origin that may only play', async () => {
    const house = openHouse({ ALLOWED_ORIGINS: 'https://game.example' });
    for (const path of ['/v1/models/parrot/unload', `${session}/fork`, `${session}/warm`]) {
      const headers = { host: 'localhost:8080', origin: 'https://game.example' };
      expect((await house.app.request(path, { method: 'POST', headers })).status, path).toBe(403);
    }
    expect(house.shelf.unloaded.size).toBe(0);
  });

  test('is none of a program, nor of the page of this server where the browser says so', async () => {
    const house = openHouse();
    const form = { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } };
    expect((await house.app.request('/v1/models/parrot/unload', form)).status).toBe(200);
    const plain = { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '' };
    // Both reach the route, which has no database to store a file in.
    expect((await house.app.request('/v1/files', plain)).status).toBe(503);
    const own = { host: 'localhost:8080', origin: 'http://localhost:8080', 'sec-fetch-site': 'same-origin' };
    expect((await house.app.request('/v1/files', { ...plain, headers: { ...plain.headers, ...own } })).status).toBe(503);
  });
});

describe('on a port', () => {
  const open: Listening[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((server) => server.close(0)));
  });

  test.each(['127.0.0.1', '::1'])('%s: the page served there asks on, a name of elsewhere does not', async (host) => {
    const server = await listen(openHouse().app, { host, port: 0 });
    open.push(server);
    const { port } = new URL(server.url);
    const ask = async (headers: Record<string, string>): Promise<number | undefined> => {
      const asking = httpRequest({ host, port, path: '/v1/models', headers }).end();
      const [reply] = (await once(asking, 'response')) as [IncomingMessage];
      reply.resume();
      return reply.statusCode;
    };
    expect(await ask({})).toBe(200);
    expect(await ask({ origin: server.url })).toBe(200);
    expect(await ask({ origin: 'https://evil.example' })).toBe(403);
    expect(await ask({ host: `evil.example:${port}` })).toBe(403);
    expect(await ask({ host: `evil.example:${port}`, origin: `http://evil.example:${port}` })).toBe(403);
  });
});
