// The official OpenAI client, over a real port, needs to be told nothing but the address.
import OpenAI, { type APIError } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SteerError } from '../../src/errors.ts';
import { type Listening, listen } from '../../src/http/server.ts';
import { openPglite } from '../store/databases.ts';
import { knock, openHouse } from './knock.ts';

const house = openHouse({ STEER_API_KEY: 'sk-steer' });
let server: Listening;
let client: OpenAI;
const messages = [{ role: 'user' as const, content: 'Hello' }];
/** Our fields are unknown to the client's types, not to its wire. */
const steered = { attributes: { humor: 4 } } as object;

beforeAll(async () => {
  server = await listen(house.app, { host: '127.0.0.1', port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'sk-steer', maxRetries: 0 });
});
afterAll(() => server.close(0));

describe('chat', () => {
  test('whole, with steering beside the message', async () => {
    const reply = await client.chat.completions.create({ model: 'default', messages, seed: 5, ...steered });
    expect(reply.choices[0]?.message.content).toBe('word5 word5 word5 word5');
    expect(reply.choices[0]).toMatchObject({ steering: { applied: { humor: 4 } }, message: { attributes: { humor: 4 } } });
    expect(reply.usage?.completion_tokens).toBe(5);
    expect(reply._request_id).toMatch(/^req_/);
  });

  test('streamed by hand, with usage', async () => {
    const options = { stream: true as const, stream_options: { include_usage: true } };
    const stream = await client.chat.completions.create({ model: 'parrot', messages, seed: 5, ...options });
    let text = '';
    let tokens = 0;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      tokens = chunk.usage?.completion_tokens ?? tokens;
    }
    expect([text, tokens]).toEqual(['word5 word5 word5 word5', 5]);
  });

  test('streamed and gathered by the client, steering kept', async () => {
    const stream = client.chat.completions.stream({ model: 'default', messages, seed: 5, n: 2, ...steered });
    const reply = await stream.finalChatCompletion();
    expect(reply.choices.map(({ message }) => message.content)).toEqual(['word5 word5 word5 word5', 'word6 word6 word6 word6']);
    expect(reply.choices[1]).toMatchObject({
      finish_reason: 'stop',
      message: { role: 'assistant', attributes: { humor: 4 } },
      steering: { requested: { humor: 4 } },
    });
  });

  test('left halfway stops the engine', async () => {
    house.model.stays = true;
    const stream = await client.chat.completions.create({ model: 'default', messages, max_tokens: 400, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    expect(await house.model.ended).toBe('cancelled');
    house.model.stays = false;
  });

  test('broken off in the middle throws the error of the stream', async () => {
    house.model.failure = { afterEvents: 2, error: new SteerError('overloaded', 'Too many wait.') };
    const read = async () => {
      const stream = await client.chat.completions.create({ model: 'default', messages, stream: true });
      for await (const _ of stream);
    };
    await expect(read()).rejects.toMatchObject({ code: 'overloaded', message: expect.stringContaining('Too many wait.') });
    house.model.failure = undefined;
  });
});

test('stored completions, found by their metadata', async () => {
  const store = await openPglite();
  const keeping = openHouse({}, { db: store.db });
  const other = await listen(keeping.app, { host: '127.0.0.1', port: 0 });
  try {
    const kept = new OpenAI({ baseURL: `${other.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const say = async (metadata: Record<string, string>) =>
      (await kept.chat.completions.create({ model: 'default', messages, metadata })).id;
    const [tea, cake] = [await say({ topic: 'tea', 'odd ]key': '"é"' }), await say({ topic: 'cake' })];
    const find = async (metadata: Record<string, string>) => {
      const found: string[] = [];
      for await (const { id } of kept.chat.completions.list({ metadata, limit: 1 })) found.push(id);
      return found;
    };
    expect(await find({ topic: 'tea' })).toEqual([tea]);
    expect(await find({ topic: 'tea', 'odd ]key': '"é"' })).toEqual([tea]);
    expect(await find({ topic: 'cake' })).toEqual([cake]);
    expect(await find({ topic: 'tea', constructor: 'x' })).toEqual([]);
    expect(await find({})).toEqual([tea, cake]);
    const { status, body } = await knock(keeping, `/v1/chat/completions?metadata[topic]=${'x'.repeat(513)}`);
    expect([status, body.error.param]).toEqual([400, 'metadata.topic']);
  } finally {
    await other.close(0);
    await store.close();
  }
}, 60_000);

test('raw completions', async () => {
  const reply = await client.completions.create({ model: 'default', prompt: 'Once', seed: 2, max_tokens: 2 });
  expect(reply.choices[0]).toMatchObject({ text: 'word2 word2', finish_reason: 'length' });
});

test('models, listed and by name', async () => {
  const ids = [];
  for await (const model of client.models.list()) ids.push(model.id);
  expect(ids).toEqual(['parrot', 'counter']);
  expect((await client.models.retrieve('default')).id).toBe('parrot');
});

describe('errors come as the client names them', () => {
  const failing = (call: Promise<unknown>) =>
    call.then(
      () => {
        throw new Error('expected a failure');
      },
      (error: APIError) => error,
    );

  test('a wrong key', async () => {
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'sk-other', maxRetries: 0 });
    const error = await failing(stranger.models.retrieve('default'));
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key', type: 'authentication_error' });
  });

  test('an unknown model', async () => {
    const error = await failing(client.chat.completions.create({ model: 'gpt-99', messages }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: 'model_not_found', param: 'model' });
    expect(error.requestID).toMatch(/^req_/);
  });

  test('a bad field', async () => {
    const error = await failing(client.chat.completions.create({ model: 'default', messages, temperature: 9 }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: 'invalid_request', param: 'temperature' });
  });

  test('an overloaded engine, retried when Retry-After says', async () => {
    house.model.failure = {
      afterEvents: 0,
      error: new SteerError('overloaded', 'Too many wait.', { details: { retryAfterS: 1 } }),
    };
    const before = house.model.requests.length;
    const patient = client.withOptions({ maxRetries: 1 });
    const error = await failing(patient.chat.completions.create({ model: 'default', messages }));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(house.model.requests.length - before).toBe(2);
    house.model.failure = undefined;
  });
});
