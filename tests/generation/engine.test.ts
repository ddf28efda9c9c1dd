// The engine without its thread, on a committed tiny model: when replies end, what they share and how requests take turns.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Decoder, openDecoder } from '../../src/generation/decoder.ts';
import { type GenerationEvent, type GenerationRequest, generate, type Vocabulary } from '../../src/generation/engine.ts';
import { readGolden } from './models.ts';

let decoder: Decoder;
let vocabulary: Vocabulary;
/** Tokens read by each run of the decoder. */
let runs: number[] = [];

beforeAll(async () => {
  const real = await openDecoder(await readGolden('gqa'), 1);
  vocabulary = { allowed: new Uint8Array(real.shape.vocabSize).fill(1), stopTokens: [] };
  decoder = {
    ...real,
    run(ids, cache) {
      runs.push(ids.length);
      return real.run(ids, cache);
    },
  };
});
afterAll(() => decoder.dispose());

interface Answered {
  tokens: number[][];
  finished: (string | undefined)[];
}

function requestOf(fields: Partial<GenerationRequest> = {}): GenerationRequest {
  const sampling = { temperature: 1, topP: 1, topK: 0, seed: 11 };
  const n = fields.n ?? 1;
  const ended = new Uint8Array(new SharedArrayBuffer(n));
  return { prompt: [4, 8, 15, 16, 23, 42], maxTokens: 12, n, ended, ...sampling, ...fields };
}

async function answer(
  request: GenerationRequest,
  { onEvent = () => {}, signal = new AbortController().signal, words = vocabulary } = {} as {
    onEvent?: (event: GenerationEvent) => void;
    signal?: AbortSignal;
    words?: Vocabulary;
  },
): Promise<Answered> {
  runs = [];
  const tokens: number[][] = Array.from({ length: request.n }, () => []);
  const finished = new Array<string | undefined>(request.n);
  const take = (event: GenerationEvent): void => {
    if ('token' in event) tokens[event.index]!.push(event.token);
    else finished[event.index] = event.finished;
    onEvent(event);
  };
  await generate(decoder, words, request, take, signal);
  return { tokens, finished };
}

it('reads the prompt once for n replies, and each is the one its seed gives alone', async () => {
  const together = await answer(requestOf({ n: 3 }));
  expect(runs).toEqual([6, ...new Array(33).fill(1)]);
  expect(together.finished).toEqual(['length', 'length', 'length']);
  for (const index of [0, 1, 2]) {
    const alone = await answer(requestOf({ seed: 11 + index }));
    expect(alone.tokens[0]).toEqual(together.tokens[index]);
  }
  expect(together.tokens[0]).not.toEqual(together.tokens[1]);
});

it('reads a long prompt in chunks of at most 128 tokens', async () => {
  await answer(requestOf({ prompt: Array.from({ length: 200 }, (_, i) => i % 64), maxTokens: 1 }));
  expect(runs).toEqual([128, 72]);
});

it('fills the context to its last token', async () => {
  const prompt = Array.from({ length: 250 }, (_, i) => i % 64);
  const { tokens, finished } = await answer(requestOf({ prompt, maxTokens: 6 }));
  expect(tokens[0]).toHaveLength(6);
  expect(finished).toEqual(['length']);
});

it('ends at a stop token, which it keeps to itself', async () => {
  const free = await answer(requestOf());
  const fifth = free.tokens[0]![5]!;
  const first = free.tokens[0]!.indexOf(fifth);
  const { tokens, finished } = await answer(requestOf(), { words: { ...vocabulary, stopTokens: [fifth] } });
  expect(tokens[0]).toEqual(free.tokens[0]!.slice(0, first));
  expect(finished).toEqual(['stop']);
});

it('picks none but allowed tokens', async () => {
  const allowed = new Uint8Array(vocabulary.allowed.length);
  allowed.fill(1, 30, 33);
  const { tokens } = await answer(requestOf({ n: 2, maxTokens: 20 }), { words: { ...vocabulary, allowed } });
  expect(new Set(tokens.flat())).toEqual(new Set([30, 31, 32]));
});

it('ends the one reply the caller has enough of', async () => {
  const free = await answer(requestOf({ n: 2 }));
  const request = requestOf({ n: 2 });
  const { tokens, finished } = await answer(request, {
    onEvent: (event) => {
      if (event.index === 0) request.ended[0] = 1;
    },
  });
  expect(tokens).toEqual([free.tokens[0]!.slice(0, 1), free.tokens[1]]);
  expect(finished).toEqual(['stop', 'length']);
});

it('works no step more once aborted, while reading and while writing', async () => {
  for (const allowedRuns of [1, 5]) {
    const controller = new AbortController();
    const prompt = Array.from({ length: 200 }, (_, i) => i % 64);
    runs = [];
    const watched: Decoder = {
      ...decoder,
      async run(ids, cache) {
        const logits = await decoder.run(ids, cache);
        if (runs.length === allowedRuns) controller.abort();
        return logits;
      },
    };
    const working = generate(watched, vocabulary, requestOf({ prompt, n: 2, maxTokens: 50 }), () => {}, controller.signal);
    await expect(working).rejects.toMatchObject({ code: 'cancelled' });
    expect(runs).toHaveLength(allowedRuns);
  }
});

it('gives requests turns: a later, shorter one ends first and both say what they would alone', async () => {
  const order: string[] = [];
  const long = requestOf({ maxTokens: 60 });
  const short = requestOf({ maxTokens: 4, seed: 5 });
  const note = (name: string) => (event: GenerationEvent) => {
    if ('finished' in event) order.push(name);
  };
  const [first, second] = await Promise.all([answer(long, { onEvent: note('long') }), answer(short, { onEvent: note('short') })]);
  expect(order).toEqual(['short', 'long']);
  expect(first).toEqual(await answer(requestOf({ maxTokens: 60 })));
  expect(second).toEqual(await answer(requestOf({ maxTokens: 4, seed: 5 })));
});
