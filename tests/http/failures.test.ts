// Everything that goes wrong outside a route: broken bodies, wrong addresses, missing keys, faults of our own.
import { describe, expect, test } from 'vitest';
import { SteerError } from '../../src/errors.ts';
import { knock, openHouse, post } from './knock.ts';

const path = '/v1/chat/completions';
const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hello' }] });
const json = { 'content-type': 'application/json' };

describe('a body', () => {
  test.each(['{"messages":', '', 'null x', '\u0000'])('that is not JSON is invalid_json: %j', async (text) => {
    const answer = await knock(openHouse(), path, { method: 'POST', headers: json, body: text });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid_json']);
  });

  test.each(['null', '[]', '"messages"', '3'])('that is no object is invalid_request: %s', async (text) => {
    const answer = await knock(openHouse(), path, { method: 'POST', headers: json, body: text });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'invalid_request']);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'multipart/form-data; boundary=x'])(
    'of type %s is refused',
    async (type) => {
      const answer = await knock(openHouse(), path, { method: 'POST', headers: { 'content-type': type }, body });
      expect([answer.status, answer.body.error.code]).toEqual([415, 'unsupported_media_type']);
    },
  );

  test('of no type at all is refused, not taken for an empty one', async () => {
    const bytes = new TextEncoder().encode(body);
    const answer = await knock(openHouse(), path, { method: 'POST', body: bytes });
    expect([answer.status, answer.body.error.code]).toEqual([415, 'unsupported_media_type']);
    const none = await knock(openHouse(), path, { method: 'POST' });
    expect([none.status, none.body.error.param]).toEqual([400, 'messages']);
  });

  test('may name its charset', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    expect((await knock(openHouse(), path, { method: 'POST', headers, body })).status).toBe(200);
  });

  test('larger than the limit is a 413, with and without Content-Length', async () => {
    const house = openHouse({ MAX_BODY_BYTES: '2048' });
    const large = JSON.stringify({ messages: [{ role: 'user', content: 'x'.repeat(3000) }] });
    for (const headers of [json, { ...json, 'content-length': String(large.length) }]) {
      const answer = await knock(house, path, { method: 'POST', headers, body: large });
      expect([answer.status, answer.body.error.code]).toEqual([413, 'body_too_large']);
      expect(answer.body.error.message).toMatch(/2048/);
    }
    expect((await knock(house, path, { method: 'POST', headers: json, body })).status).toBe(200);
  });

  test('names the attribute __proto__ without harm', async () => {
    const text = `{"messages":[{"role":"user","content":"a"}],"attributes":{"__proto__":3,"constructor":2}}`;
    const answer = await knock(openHouse(), path, { method: 'POST', headers: json, body: text });
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([
      400,
      'invalid_request',
      'attributes.__proto__',
    ]);
    const { body: refused } = await post(openHouse(), path, {
      messages: [{ role: 'user', content: 'a' }],
      attributes: { constructor: 2 },
    });
    expect([refused.error.code, refused.error.param]).toEqual(['unknown_attribute', 'attributes.constructor']);
  });

  test.each([
    [path, `{"messages":[${'1,'.repeat(150_000)}1]}`],
    [`${path}/render`, `{"messages":[${'1,'.repeat(150_000)}1]}`],
    ['/v1/attributes/score', `{"messages":[${'1,'.repeat(150_000)}1]}`],
    ['/v1/completions', `{"prompt":[${'-1,'.repeat(200_000)}1]}`],
  ])('a list longer than any is checked is refused: %s', async (address, text) => {
    const answer = await knock(openHouse(), address, { method: 'POST', headers: json, body: text });
    expect([answer.status, answer.body.error.code, answer.body.error.message]).toEqual([
      400,
      'invalid_request',
      expect.stringContaining('lists of at most 100000 entries'),
    ]);
  });

  test('nested deeper than any reader goes is refused', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const texts = [
      [path, `{"messages":[{"role":"user","content":"a"}],"extra":${deep}}`],
      [path, `{"messages":[{"role":"user","content":"a"}],"guided_json":{"enum":${deep}}}`],
      ['/v1/batches', `{"input_file_id":"x","endpoint":"${path}","completion_window":"24h","extra":${deep}}`],
    ] as const;
    for (const [address, text] of texts) {
      const answer = await knock(openHouse(), address, {
        method: 'POST',
        headers: { ...json, 'idempotency-key': 'k' },
        body: text,
      });
      expect([answer.status, answer.body.error.code, answer.body.error.message]).toEqual([
        400,
        'invalid_request',
        expect.stringContaining('nested'),
      ]);
    }
  });
});

describe('an address', () => {
  test('nobody knows is a 404 in the same envelope', async () => {
    for (const address of ['/v0', '/v1', '/v1/chat', '/v1/models/a/b', '/v2/models', '/%0aforged']) {
      const answer = await knock(openHouse(), address);
      expect([answer.status, answer.body.error.code, answer.body.error.type]).toEqual([
        404,
        'not_found',
        'invalid_request_error',
      ]);
    }
  });

  test('asked with the wrong method is a 405 that names the right ones', async () => {
    for (const [method, address, allow] of [
      ['PUT', path, 'POST, GET'],
      ['DELETE', '/v1/models/parrot', 'GET'],
      ['OPTIONS', '/v1/models', 'GET'],
      ['PATCH', '/v1/models/aliases', 'GET'],
      ['PUT', '/v1/feedback/pairs', 'GET'],
      ['PUT', '/v1/raters/check', 'POST, GET'],
    ] as const) {
      const answer = await knock(openHouse(), address, { method });
      expect([answer.status, answer.body.error.code, answer.headers.get('allow')]).toEqual([405, 'method_not_allowed', allow]);
    }
  });
});

describe('the key', () => {
  const key = 'sk-steer-test';
  const house = openHouse({ STEER_API_KEY: key });

  test('opens every route', async () => {
    for (const scheme of ['Bearer', 'bearer']) {
      const { status } = await knock(house, '/v1/models', { headers: { authorization: `${scheme} ${key}` } });
      expect(status).toBe(200);
    }
  });

  test.each([undefined, key, 'Bearer', `Bearer ${key}x`, 'Bearer ', `Basic ${key}`, `Bearer ${key} ${key}`])(
    'is asked for: %s',
    async (given) => {
      const headers: Record<string, string> = given === undefined ? {} : { authorization: given };
      for (const address of ['/v1/models', '/v1/models/parrot', '/nowhere', '/healthy', '/v1/attributes', '//health/live']) {
        const answer = await knock(house, address, { headers });
        expect([answer.status, answer.body.error.code, answer.body.error.type]).toEqual([
          401,
          'invalid_api_key',
          'authentication_error',
        ]);
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
      }
      const posted = await knock(house, path, { method: 'POST', headers: { ...json, ...headers }, body: '{' });
      expect(posted.status).toBe(401);
    },
  );

  test('is not asked for by health checks, nor where the server has none', async () => {
    expect((await knock(house, '/health/live')).status).toBe(200);
    expect((await knock(house, '/health/ready')).status).toBe(200);
    expect((await knock(openHouse(), '/v1/models')).status).toBe(200);
  });

  test('of a caller is never told in a reply or a log', async () => {
    await knock(house, '/v1/models', { headers: { authorization: 'Bearer sk-wrong-one' } });
    expect(house.lines.join('')).not.toMatch(/sk-wrong-one|sk-steer-test/);
  });
});

describe('a reply', () => {
  test('echoes a sane request id and replaces any other', async () => {
    const house = openHouse();
    const ask = (id: string) => knock(house, '/v1/models', { headers: { 'x-request-id': id } });
    expect((await ask('abc-123_=')).headers.get('x-request-id')).toBe('abc-123_=');
    for (const id of ['a b', 'a"b', 'é', 'a'.repeat(129), '']) {
      expect((await ask(id)).headers.get('x-request-id')).toMatch(/^req_[0-9a-f]{32}$/);
    }
  });

  test('is problem+json where Accept asks for that first', async () => {
    const accept = async (value: string) =>
      (await knock(openHouse(), '/v1/models/nobody', { headers: { accept: value } })) as { body: object };
    expect((await accept('application/problem+json')).body).toEqual({
      type: 'urn:steer:problem:model_not_found',
      title: 'No model of that name is served',
      status: 404,
      detail: 'No model is named "nobody". Known: parrot, counter.',
      instance: expect.stringMatching(/^urn:steer:request:req_/),
      code: 'model_not_found',
      param: 'model',
    });
    expect((await accept('application/problem+json, application/json;q=0.5')).body).toHaveProperty('title');
    for (const other of ['application/json', '*/*', 'text/html', 'application/json, application/problem+json;q=0.5']) {
      expect((await accept(other)).body).toHaveProperty('error');
    }
  });

  test('of 500 hides its cause, foreseen or not, and logs it under the request id', async () => {
    for (const [error, code] of [
      [new Error('secret detail'), 'internal_error'],
      [new SteerError('invalid_model', 'secret detail of the model folder'), 'invalid_model'],
    ] as const) {
      const house = openHouse();
      house.model.failure = { afterEvents: 0, error };
      const answer = await post(house, path, { messages: [{ role: 'user', content: 'private words' }] });
      expect([answer.status, answer.body.error.code, answer.body.error.type]).toEqual([500, code, 'server_error']);
      const id = answer.headers.get('x-request-id') as string;
      expect(answer.body.error.message).toContain(id);
      expect(JSON.stringify(answer.body)).not.toContain('secret');
      const line = JSON.parse(house.lines.at(-1) as string);
      expect(line).toMatchObject({ level: 50, requestId: id, status: 500, code });
      expect(line.err.message).toContain('secret detail');
    }
  });

  test('of 429 says when to come back', async () => {
    const house = openHouse();
    const refusal = (details: object) => new SteerError('overloaded', 'Too many wait.', { details });
    house.model.failure = { afterEvents: 0, error: refusal({ retryAfterS: 7 }) };
    expect((await post(house, path, JSON.parse(body))).headers.get('retry-after')).toBe('7');
    house.model.failure.error = refusal({});
    const answer = await post(house, path, JSON.parse(body));
    expect([answer.status, answer.headers.get('retry-after'), answer.body.error.type]).toEqual([429, '1', 'rate_limit_error']);
  });
});
