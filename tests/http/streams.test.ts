// Streamed replies: chunk shapes, endings good and bad, and callers who go away.
import { expect, test } from 'vitest';
import { SteerError } from '../../src/errors.ts';
import { openHouse, post, readEvents } from './knock.ts';

const path = '/v1/chat/completions';
const ask = { messages: [{ role: 'user', content: 'Hello' }], seed: 7, stream: true };
const json = { 'content-type': 'application/json' };

test('a chat streams a role, its deltas, and steering with the finish reason', async () => {
  const { headers, body } = await post(openHouse(), path, { ...ask, attributes: { humor: 4 } });
  expect(headers.get('content-type')).toBe('text/event-stream');
  expect(headers.get('cache-control')).toBe('no-cache');
  const applied = { helpfulness: 4, humor: 4, toxicity: 0 };
  const applied_by = { helpfulness: 'label', humor: 'label', toxicity: 'label' };
  const choices = body.slice(0, -1).map((chunk: { choices: object[] }) => chunk.choices[0]);
  const rest = { index: 0, logprobs: null, finish_reason: null };
  expect(choices).toEqual([
    { ...rest, delta: { role: 'assistant', content: '', attributes: applied } },
    ...['word7', ' word7', ' word7', ' word7'].map((content) => ({ ...rest, delta: { content } })),
    { ...rest, delta: {}, finish_reason: 'stop', steering: { requested: { humor: 4 }, applied, applied_by } },
  ]);
  expect(body.at(-1)).toBe('[DONE]');
  const heads = body.slice(0, -1).map(({ choices: _, ...head }: { choices: unknown }) => head);
  for (const head of heads) expect(head).toEqual(heads[0]);
  expect(heads[0]).toMatchObject({ object: 'chat.completion.chunk', model: 'parrot', system_fingerprint: 'rev-1' });
});

test('include_usage adds a last chunk of counts alone, and null before it', async () => {
  const house = openHouse();
  for (const route of [path, '/v1/completions']) {
    const { body } = await post(house, route, { ...ask, prompt: 'Once', n: 2, stream_options: { include_usage: true } });
    const chunks = body.slice(0, -1);
    const prompt_tokens = house.model.requests.at(-1)?.prompt.length as number;
    const usage = { prompt_tokens, completion_tokens: 10, total_tokens: prompt_tokens + 10 };
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage });
    for (const chunk of chunks.slice(0, -1)) expect(chunk.usage).toBeNull();
  }
});

test('joined deltas equal the reply that is not streamed, for every choice', async () => {
  const house = openHouse();
  for (const extra of [{}, { max_tokens: 3 }, { stop: ['\n'] }]) {
    const whole = await post(house, path, { ...ask, ...extra, n: 3, stream: false });
    const { body } = await post(house, path, { ...ask, ...extra, n: 3 });
    const joined = ['', '', ''];
    for (const chunk of body.slice(0, -1)) joined[chunk.choices[0].index] += chunk.choices[0].delta.content ?? '';
    expect(joined).toEqual(whole.body.choices.map((choice: { message: { content: string } }) => choice.message.content));
  }
});

test('a newline inside the reply is passed on once more follows', async () => {
  const house = openHouse();
  house.model.complete = async function* () {
    const texts = ['a\n', '\n', '', 'b', '\n\n', '\n'];
    for (const text of texts) yield { kind: 'delta', index: 0, text };
    yield { kind: 'end', index: 0, text: texts.join(''), finishReason: 'stop', completionTokens: 6 };
  };
  const { body } = await post(house, path, ask);
  const joined = body
    .slice(0, -1)
    .map((chunk: { choices: { delta: { content?: string } }[] }) => chunk.choices[0]?.delta.content ?? '');
  expect(joined.join('')).toBe('a\n\nb\n\n');
});

test('measured attributes come with the last chunk of each choice', async () => {
  const { body } = await post(openHouse(), path, { ...ask, n: 2, steering: { measure: true } });
  const steerings = body.slice(0, -1).flatMap((chunk: { choices: { steering?: object }[] }) => chunk.choices[0]?.steering ?? []);
  expect(steerings).toHaveLength(2);
  for (const steering of steerings) expect(steering.measured.humor).toEqual({ value: 4, level: 4, confidence: 1 });
});

test('a refusal before the first token has its status; one after it is a single error event', async () => {
  const house = openHouse();
  const error = new SteerError('overloaded', 'Expected at most 8 waiting, found 9.', { details: { retryAfterS: 2.2 } });
  house.model.failure = { afterEvents: 0, error };
  const early = await post(house, path, ask);
  expect([early.status, early.headers.get('retry-after'), early.body.error.type]).toEqual([429, '3', 'rate_limit_error']);
  house.model.failure = { afterEvents: 2, error };
  const late = await post(house, path, ask);
  expect(late.status).toBe(200);
  expect(late.body).toHaveLength(4);
  expect(late.body.at(-1)).toEqual({
    error: { message: 'Expected at most 8 waiting, found 9.', type: 'rate_limit_error', param: null, code: 'overloaded' },
  });
});

test('an unforeseen failure in a stream keeps its message to the log', async () => {
  const house = openHouse();
  house.model.failure = { afterEvents: 2, error: new Error('secret detail') };
  const { body } = await post(house, path, ask);
  expect(body.at(-1).error.code).toBe('internal_error');
  expect(JSON.stringify(body)).not.toContain('secret');
  expect(house.lines.join('')).toContain('secret detail');
});

test('a reply that cannot be measured breaks off its stream and lets go of the engine', async () => {
  const house = openHouse();
  house.predictor.score = async () => {
    throw new SteerError('overloaded', 'Too many wait.');
  };
  const { body } = await post(house, path, { ...ask, n: 2, steering: { measure: true } });
  expect(body.at(-1).error.code).toBe('overloaded');
  expect(await house.model.ended).toBe('left');
});

test('an engine that leaves a reply out is a failure, not a short answer', async () => {
  const house = openHouse();
  house.model.complete = async function* () {
    yield { kind: 'delta', index: 0, text: 'a' };
  };
  expect((await post(house, path, ask)).body.at(-1).error.code).toBe('internal_error');
  expect((await post(house, path, { ...ask, stream: false })).status).toBe(500);
});

test('raw completions stream their text untrimmed', async () => {
  const { body } = await post(openHouse(), '/v1/completions', { prompt: 'Once', seed: 1, stream: true });
  const texts = body.slice(0, -1).map((chunk: { choices: { text: string }[] }) => chunk.choices[0]?.text);
  expect(texts).toEqual(['word1', ' word1', ' word1', ' word1', '\n', '']);
  expect(body.at(-2)).toMatchObject({
    object: 'text_completion',
    choices: [{ index: 0, logprobs: null, finish_reason: 'stop' }],
  });
});

test('leaving a stream stops the engine; reading it to the end does not abort', async () => {
  const house = openHouse();
  house.model.stays = true;
  const reply = await house.app.request(path, { method: 'POST', headers: json, body: JSON.stringify(ask) });
  const reader = (reply.body as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  await reader.cancel();
  expect(await house.model.ended).toBe('cancelled');
  expect(house.model.signal?.aborted).toBe(true);

  house.model.stays = false;
  const read = await house.app.request(path, { method: 'POST', headers: json, body: JSON.stringify(ask) });
  expect(readEvents(await read.text()).at(-1)).toBe('[DONE]');
  expect(await house.model.ended).toBe('finished');
  expect(house.model.signal?.aborted).toBe(false);
});

test('an aborted request ends a reply that is not streamed, and only that one', async () => {
  const house = openHouse();
  house.model.stays = true;
  const leaving = new AbortController();
  const body = JSON.stringify({ ...ask, stream: false });
  const left = house.app.request(
    new Request(`http://localhost${path}`, { method: 'POST', headers: json, body, signal: leaving.signal }),
  );
  await expect.poll(() => house.model.requests.length).toBe(1);
  const { ended } = house.model;
  Object.assign(house.model, { stays: false, replyWords: 3 });
  const stayed = post(house, path, { ...ask, stream: false });
  await expect.poll(() => house.model.requests.length).toBe(2);
  leaving.abort();
  expect((await left).status).toBe(499);
  expect(await ended).toBe('cancelled');
  expect((await stayed).body.choices[0].message.content).toBe('word7 word7 word7');
});
