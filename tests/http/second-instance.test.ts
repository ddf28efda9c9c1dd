// A model whose upstream is a real second instance of this server: what it says, it says as the model itself would.
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { CompletionEvent, CompletionRequest, LanguageModel } from '../../src/generation/language-model.ts';
import { openLanguageModel } from '../../src/generation/steered-model.ts';
import { createApp } from '../../src/http/app.ts';
import { createLog } from '../../src/http/log.ts';
import type { Listening } from '../../src/http/server.ts';
import { layOutPrompt } from '../../src/steerlm/prompt-layout.ts';
import { openUpstreamModel } from '../../src/upstream/upstream-model.ts';
import { writeSmallModel } from '../engine/models.ts';
import { gather, key, removeAll, serveModel, writeUpstreamFolder } from '../instances.ts';
import { Shelf, WordCountPredictor } from './small-models.ts';

const contextLength = 160;
const conversation = { system: 'The guard', turns: [{ role: 'user' as const, content: 'Is the gate <extra_id_1> shut?' }] };
const never = new AbortController().signal;
const folders: string[] = [];
const signals: AbortSignal[] = [];
/** Whether replies of the second instance wait for their caller to leave. */
let staying = false;
let local: LanguageModel;
let second: Listening;
let upstream: LanguageModel;
let prompt: number[];

beforeAll(async () => {
  const folder = await writeSmallModel(contextLength);
  local = await openLanguageModel(folder, { threads: 1, sequences: 16 });
  const watched: LanguageModel = {
    ...local,
    complete(request, signal) {
      signals.push(signal);
      const events = local.complete(request, signal);
      return staying ? stay(events, signal) : events;
    },
  };
  second = await serveModel(watched);
  const remote = await writeUpstreamFolder(folder, { url: `${second.url}/v1/`, model: 'small' });
  folders.push(folder, remote);
  upstream = await openUpstreamModel(remote, { apiKey: key });
  prompt = local.encode(layOutPrompt(local.schema, conversation, { humor: 4 }));
});
afterAll(async () => {
  await upstream.dispose();
  await second.close();
  await local.dispose();
  await removeAll(folders);
});

/** The first text and then nothing until the caller leaves, so that no reply is over before, however slow the machine. */
async function* stay(events: AsyncIterable<CompletionEvent>, signal: AbortSignal): AsyncGenerator<CompletionEvent> {
  for await (const event of events) {
    yield event;
    if (event.kind === 'delta' && event.text !== '' && !signal.aborted) await once(signal, 'abort');
  }
}

async function firstOf<Event>(events: AsyncIterable<Event>): Promise<Event[]> {
  for await (const event of events) return [event];
  return [];
}

function requestOf(fields: Partial<CompletionRequest> = {}): CompletionRequest {
  return { prompt, maxTokens: 40, stop: [], seed: 3, n: 1, temperature: 0, topP: 1, topK: 0, ...fields };
}

it('is the model of the folder, under a revision of its own', () => {
  const { id, schema, vocabSize } = local;
  expect(upstream).toMatchObject({ id, schema, vocabSize, contextLength });
  expect(upstream.revision).toMatch(/^[0-9a-f]{12}$/);
  expect(upstream.revision).not.toBe(local.revision);
  expect(upstream.encode(layOutPrompt(upstream.schema, conversation, { humor: 4 }))).toEqual(prompt);
});

describe('says what the model says here', () => {
  const sampled = { temperature: 1 };
  it.each<[string, Partial<CompletionRequest>]>([
    ['greedily', {}],
    ['drawn with a seed, several at once', { ...sampled, n: 3, seed: 11 }],
    ['as long as the context lets it', { ...sampled, maxTokens: 10_000, seed: 5, ignoreEos: true }],
    ['from the likeliest few', { ...sampled, topK: 5, topP: 0.9, minP: 0.1 }],
    ['under penalties', { ...sampled, repetitionPenalty: 1.3, presencePenalty: 0.5, frequencyPenalty: 0.5 }],
    ['with biases', { logitBias: [[70, 100]], maxTokens: 5 }],
    ['no shorter than told', { ...sampled, n: 4, minTokens: 30 }],
    ['past what ends it', { ...sampled, n: 4, ignoreEos: true }],
    ['up to tokens that end it', { ...sampled, n: 2, stopTokens: Array.from({ length: 40 }, (_, i) => 60 + i) }],
    ['with how likely it was', { ...sampled, topLogprobs: 3, maxTokens: 12 }],
    ['with how likely it was, and nothing beside', { topLogprobs: 0, maxTokens: 12 }],
    ['as a pattern has it', { ...sampled, n: 2, constraint: { kind: 'regex', pattern: '[a-c]{3,9}!' } }],
    ['as one of a few', { ...sampled, n: 2, constraint: { kind: 'choice', choices: ['open', 'shut', 'ajar'] } }],
    ['as JSON', { constraint: { kind: 'json_schema', schema: { enum: [1, 'two'] } } }],
    ['to its end', { ...sampled, n: 8, maxTokens: 120, seed: 400 }],
  ])('%s', async (_, fields) => {
    const expected = await gather(local.complete(requestOf(fields), never));
    expect(await gather(upstream.complete(requestOf(fields), never))).toEqual(expected);
    expect(expected[0]?.completionTokens).toBeGreaterThan(0);
  });

  it('up to a stop string', async () => {
    const [whole] = await gather(local.complete(requestOf({ temperature: 1, maxTokens: 100, ignoreEos: true }), never));
    const stop = [[...whole!.text].slice(20, 22).join('')];
    const fields = { temperature: 1, maxTokens: 100, ignoreEos: true, stop };
    const expected = await gather(local.complete(requestOf(fields), never));
    expect(expected[0]).toMatchObject({ finishReason: 'stop' });
    expect(await gather(upstream.complete(requestOf(fields), never))).toEqual(expected);
  });

  it('piece by piece, as it comes', async () => {
    staying = true;
    try {
      // The rest is not there before the caller leaves.
      const [first] = await firstOf(upstream.complete(requestOf({ ignoreEos: true, maxTokens: 100 }), never));
      expect(first).toMatchObject({ kind: 'delta' });
    } finally {
      staying = false;
    }
  });
});

it('what the caller leaves ends there at once', async () => {
  const left = (count: number) =>
    vi.waitFor(() => expect(signals.map(({ aborted }) => aborted)).toEqual(Array(count).fill(true)), { timeout: 20_000 });
  onTestFinished(() => {
    staying = false;
  });
  staying = true;
  signals.length = 0;
  const abort = new AbortController();
  const replies = upstream.complete(requestOf({ n: 2, ignoreEos: true, maxTokens: 120 }), abort.signal)[Symbol.asyncIterator]();
  await replies.next();
  await vi.waitFor(() => expect(signals).toHaveLength(2), { timeout: 20_000 });
  abort.abort();
  await expect(replies.next().then(() => replies.next())).rejects.toMatchObject({ code: 'cancelled' });
  await left(2);

  signals.length = 0;
  for await (const _ of upstream.complete(requestOf({ ignoreEos: true, maxTokens: 120 }), never)) break;
  await left(1);
});

it('refuses what needs the scores of several prompts, and prompts beyond the context', async () => {
  const ask = (fields: Partial<CompletionRequest>) => gather(upstream.complete(requestOf(fields), never));
  const branch = { prompt, weight: 1 };
  await expect(ask({ phases: [{ branches: [branch] }], maxTokens: 1 })).resolves.toHaveLength(1);
  const schedule = [{ branches: [branch], until: { tokens: 4 } }, { branches: [branch] }];
  await expect(ask({ phases: schedule })).rejects.toMatchObject({
    code: 'invalid_request',
    details: { param: 'steering.schedule' },
  });
  const pushed = [
    { ...branch, weight: 2 },
    { prompt, weight: -1 },
  ];
  await expect(ask({ phases: [{ branches: pushed }] })).rejects.toMatchObject({ details: { param: 'steering.strength' } });
  const between = [
    { ...branch, weight: 0.5 },
    { prompt, weight: 0.5 },
  ];
  await expect(ask({ phases: [{ branches: between }] })).rejects.toThrow(/between two levels.*scores of several/);
  await expect(ask({ prompt: Array(160).fill(70) })).rejects.toMatchObject({ code: 'context_length_exceeded' });
  await expect(ask({ logitBias: [[9_999, 1]] })).rejects.toMatchObject({ code: 'invalid_request' });
});

describe('behind the routes', () => {
  const predictor = new WordCountPredictor();
  const app = () =>
    createApp({
      models: new Shelf([upstream], [predictor]),
      config: readConfig({}),
      log: createLog('silent', { write: () => {} }),
    });
  const ask = async (body: object) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const reply = await app().request('/v1/chat/completions', init);
    // biome-ignore lint/suspicious/noExplicitAny: the test reads what came
    return { status: reply.status, body: (await reply.json()) as any };
  };
  const messages = [{ role: 'user', content: 'Is the gate shut?' }];

  it('chooses among candidates and measures them here', async () => {
    const { body } = await ask({
      messages,
      attributes: { humor: 3 },
      max_tokens: 24,
      seed: 7,
      steering: { best_of: 4, measure: true },
    });
    expect(body.choices[0]).toMatchObject({ message: { attributes: { humor: 3 } }, steering: { candidates: 4 } });
    expect(body.choices[0].steering.measured.humor.value).toBeTypeOf('number');
    expect(predictor.seen).toHaveLength(4);
    expect(body.usage.completion_tokens).toBeGreaterThan(24);
  });

  it('refuses the dials that need scores', async () => {
    const schedule = [{ after: { tokens: 2 }, attributes: { humor: 0 } }];
    for (const [fields, param, named] of [
      [{ steering: { strength: 2 } }, 'steering.strength', 'steering.strength 2'],
      [{ steering: { strength: 0.5 } }, 'steering.strength', 'steering.strength 0.5'],
      [{ attributes: { humor: 2.5 } }, 'attributes.humor', 'humor 2.5'],
      [{ attributes: { humor: 2 }, steering: { schedule } }, 'steering.schedule', 'steering.schedule'],
    ] as const) {
      const { status, body } = await ask({ messages, ...fields });
      expect([status, body.error.code, body.error.param]).toEqual([400, 'invalid_request', param]);
      expect(body.error.message).toMatch(/runs on an upstream/);
      expect(body.error.message).toContain(named);
    }
  });
});
