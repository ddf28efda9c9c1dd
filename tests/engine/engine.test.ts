// The engine without its thread, on a committed tiny model: whatever is served beside it, a request gets what it gets alone.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine, type EngineOptions, engineDefaults } from '../../src/engine/engine.ts';
import { type Decoder, type DecoderInput, openDecoder } from '../../src/engine/onnx/decoder.ts';
import { HostRunner } from '../../src/engine/onnx/runner.ts';
import {
  type Branch,
  type GenerationEvent,
  type GenerationRequest,
  onePrompt,
  type Vocabulary,
} from '../../src/engine/request.ts';
import { randomStream } from '../../src/random.ts';
import { readGolden } from './models.ts';

let real: Decoder;
let vocabulary: Vocabulary;
/** [lanes, tokens of each] of each run of the decoder. */
let runs: [number, number][] = [];

beforeAll(async () => {
  real = await openDecoder(await readGolden('gqa'), { threads: 1, precision: 'fp32' });
  const none = new Uint8Array(real.shape.vocabSize);
  vocabulary = { allowed: none.map(() => 1), stopTokens: [], endsSentence: none };
});
afterAll(() => real.dispose());

const counting = (): Decoder => ({
  ...real,
  run(input) {
    runs.push([input.computed.length, input.ids.length / input.computed.length]);
    return real.run(input);
  },
});

function engineWith({
  decoder = counting(),
  words = vocabulary,
  ...options
}: Partial<EngineOptions> & { decoder?: Decoder; words?: Vocabulary } = {}) {
  runs = [];
  const settings = { ...engineDefaults, ...options };
  return new Engine(new HostRunner(decoder, settings.prefixBytes), words, settings);
}

const prompt = [4, 8, 15, 16, 23, 42];
const longPrompt = (length: number, from = 0) => Array.from({ length }, (_, i) => (from + i * 7) % 60);

function requestOf({ prompt: own, ...fields }: Partial<GenerationRequest> & { prompt?: number[] } = {}): GenerationRequest {
  const n = fields.n ?? 1;
  return {
    ...{ phases: onePrompt(own ?? prompt), maxTokens: 12, n, seed: 11, priority: 'interactive' },
    ...{ temperature: 1, topP: 1, topK: 0, ended: new Uint8Array(new SharedArrayBuffer(n)) },
    ...fields,
  };
}

interface Answered {
  tokens: number[][];
  finished: (string | undefined)[];
}

async function answer(
  engine: Engine,
  request: GenerationRequest,
  onEvent: (event: GenerationEvent) => void = () => {},
  signal = new AbortController().signal,
): Promise<Answered> {
  const tokens: number[][] = Array.from({ length: request.n }, () => []);
  const finished = new Array<string | undefined>(request.n);
  const take = (event: GenerationEvent): void => {
    expect(finished[event.index]).toBeUndefined();
    if ('token' in event) tokens[event.index]!.push(event.token);
    else finished[event.index] = event.finished;
    onEvent(event);
  };
  await engine.generate(request, take, signal);
  return { tokens, finished };
}

const alone = (fields: Parameters<typeof requestOf>[0] = {}, options: Parameters<typeof engineWith>[0] = {}) =>
  answer(engineWith(options), requestOf(fields));

it('reads the prompt once for n replies, writes them side by side, and each is the one its seed gives alone', async () => {
  const together = await alone({ n: 3 });
  expect(runs).toEqual([[1, 6], ...new Array(11).fill([3, 1])]);
  expect(together.finished).toEqual(['length', 'length', 'length']);
  for (const index of [0, 1, 2]) expect((await alone({ seed: 11 + index })).tokens[0]).toEqual(together.tokens[index]);
  expect(together.tokens[0]).not.toEqual(together.tokens[1]);
});

it('gives forty requests of every kind, come at random times, each what it gets alone', async () => {
  const seed = 77;
  const random = randomStream(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const some = (): number[] => longPrompt(1 + below(180), below(5));
  const requests = Array.from({ length: 40 }, (_, i) => {
    const branches: Branch[] =
      random() < 0.3
        ? [
            { prompt: some(), weight: 1.7 },
            { prompt: some(), weight: -0.7 },
          ]
        : [{ prompt: some(), weight: 1 }];
    const phases =
      random() < 0.2
        ? [{ branches: [{ prompt: some(), weight: 1 }], until: { tokens: 1 + below(9) } }, { branches }]
        : [{ branches }];
    return {
      phases,
      n: 1 + below(3),
      maxTokens: 1 + below(60),
      seed: i,
      temperature: random() < 0.3 ? 0 : 1,
      topK: below(3) * 10,
    };
  });
  const engine = engineWith({ sequences: 24, cacheBytes: 2 ** 20 });
  const together = await Promise.all(
    requests.map(async (fields, i) => {
      for (let turn = 0; turn < i * 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      return await answer(engine, requestOf(fields));
    }),
  );
  expect(Math.max(...runs.map(([lanes]) => lanes))).toBeGreaterThan(6);
  expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
  for (const [i, fields] of requests.entries()) {
    expect(together[i], `seed ${seed}, request ${i}`).toEqual(await alone(fields, { prefixBytes: 0 }));
  }
});

it('reads what a prompt shares with an earlier one only once, and says the same', async () => {
  const persona = longPrompt(200);
  const engine = engineWith();
  await answer(engine, requestOf({ prompt: [...persona, 1, 2], maxTokens: 1 }));
  expect(runs).toEqual([
    [1, 64],
    [1, 64],
    [1, 64],
    [1, 10],
  ]);
  runs = [];
  const shared = await answer(engine, requestOf({ prompt: [...persona, 3, 4, 5], maxTokens: 30 }));
  expect(runs.slice(0, 2)).toEqual([
    [1, 11],
    [1, 1],
  ]);
  expect(shared).toEqual(await alone({ prompt: [...persona, 3, 4, 5], maxTokens: 30 }, { prefixBytes: 0 }));
  runs = [];
  const other = [59, ...persona.slice(1), 3];
  expect(await answer(engine, requestOf({ prompt: other }))).toEqual(await alone({ prompt: other }, { prefixBytes: 0 }));
});

it('holds the beginnings of prompts within their bound, oldest first to go', async () => {
  const chunkBytes = 64 * 2 * 2 * 2 * 8 * 4;
  const engine = engineWith({ prefixBytes: 3 * chunkBytes });
  for (let from = 0; from < 6; from++) await answer(engine, requestOf({ prompt: longPrompt(65, from), maxTokens: 1 }));
  expect(engine.load.prefixBytes).toBe(3 * chunkBytes);
  runs = [];
  await answer(engine, requestOf({ prompt: longPrompt(65, 5), maxTokens: 1 }));
  await answer(engine, requestOf({ prompt: longPrompt(65, 0), maxTokens: 1 }));
  expect(runs).toEqual([
    [1, 1],
    [1, 64],
    [1, 1],
  ]);
});

it('fills the context to its last token', async () => {
  const { tokens, finished } = await alone({ prompt: longPrompt(250), maxTokens: 6 });
  expect(tokens[0]).toHaveLength(6);
  expect(finished).toEqual(['length']);
});

it('ends at a stop token, which it keeps to itself', async () => {
  const free = await alone();
  const fifth = free.tokens[0]![5]!;
  const first = free.tokens[0]!.indexOf(fifth);
  const { tokens, finished } = await alone({}, { words: { ...vocabulary, stopTokens: [fifth] } });
  expect(tokens[0]).toEqual(free.tokens[0]!.slice(0, first));
  expect(finished).toEqual(['stop']);
});

it('picks none but allowed tokens', async () => {
  const allowed = new Uint8Array(vocabulary.allowed.length).fill(1, 30, 33);
  const { tokens } = await alone({ n: 2, maxTokens: 20 }, { words: { ...vocabulary, allowed } });
  expect(new Set(tokens.flat())).toEqual(new Set([30, 31, 32]));
});

it('ends the one reply the caller has enough of', async () => {
  const free = await alone({ n: 2 });
  const request = requestOf({ n: 2 });
  const { tokens, finished } = await answer(engineWith(), request, ({ index }) => {
    if (index === 0) request.ended[0] = 1;
  });
  expect(tokens).toEqual([free.tokens[0]!.slice(0, 1), free.tokens[1]]);
  expect(finished).toEqual(['stop', 'length']);
});

describe('what a reply is mixed from', () => {
  /** Greedy continuation by the mixture of what each prompt alone would say, read anew for every token. */
  async function slowly(branches: Branch[], length: number): Promise<number[]> {
    const said: number[] = [];
    for (let i = 0; i < length; i++) {
      const rows = await Promise.all(branches.map(({ prompt }) => scoresAfter([...prompt, ...said])));
      const mixed = rows[0]!.map((_, id) => branches.reduce((sum, { weight }, b) => sum + weight * rows[b]![id]!, 0));
      said.push(mixed.indexOf(Math.max(...mixed)));
    }
    return said;
  }

  async function scoresAfter(ids: number[]): Promise<Float32Array> {
    let scores = new Float32Array();
    const spy: Decoder = {
      ...real,
      async run(input: DecoderInput) {
        const output = await real.run(input);
        scores = output.scores.slice();
        return output;
      },
    };
    await alone({ prompt: ids, maxTokens: 1 }, { decoder: spy });
    return scores;
  }

  it.each([
    ['guidance away from another prompt', [1.8, -0.8]],
    ['a value between two levels', [0.3, 0.7]],
    ['three prompts', [0.5, 1, -0.5]],
  ])('%s: the weighted sum of the scores of its prompts', async (_, weights) => {
    const branches = weights.map((weight, i) => ({ prompt: longPrompt(5 + 40 * i, i), weight }));
    const { tokens } = await alone({ phases: [{ branches }], temperature: 0, maxTokens: 15 });
    expect(tokens[0]).toEqual(await slowly(branches, 15));
  });

  it('weight 1 alone is the plain reply', async () => {
    const branches = [
      { prompt, weight: 1 },
      { prompt: longPrompt(9), weight: 0 },
    ];
    expect(await alone({ phases: [{ branches }] })).toEqual(await alone());
  });

  it('a phase after so many tokens goes on under its own prompts', async () => {
    const [first, then] = [[{ prompt, weight: 1 }], [{ prompt: longPrompt(30), weight: 1 }]];
    const phases = [{ branches: first, until: { tokens: 4 } }, { branches: then }];
    const { tokens } = await alone({ phases, temperature: 0, maxTokens: 12 });
    const beginning = await slowly(first, 4);
    const rest = await slowly([{ prompt: [...longPrompt(30), ...beginning], weight: 1 }], 8);
    expect(tokens[0]).toEqual([...beginning, ...rest]);
  });

  it('a phase after so many sentences ends with the token that ends the sentence; marks in a row end one', async () => {
    const free = (await alone({ maxTokens: 40 })).tokens[0]!;
    const endsSentence = new Uint8Array(vocabulary.allowed.length);
    endsSentence[free[5]!] = 1;
    const words = { ...vocabulary, endsSentence };
    const end = free.findIndex((token, i) => endsSentence[token] === 1 && endsSentence[free[i - 1] ?? -1] !== 1);
    const phases = [
      { branches: [{ prompt, weight: 1 }], until: { sentences: 1 } },
      { branches: [{ prompt: longPrompt(30), weight: 1 }] },
    ];
    const { tokens } = await alone({ phases, maxTokens: 40 }, { words });
    expect(tokens[0]!.slice(0, end + 1)).toEqual(free.slice(0, end + 1));
    expect(tokens[0]!.slice(end + 1)).not.toEqual(free.slice(end + 1));
  });
});

describe('bounds and faults', () => {
  const long = (fields: Parameters<typeof requestOf>[0] = {}) =>
    requestOf({ prompt: longPrompt(100), maxTokens: 100, ...fields });

  it('works no step more for a request once it is aborted, while reading and while writing', async () => {
    for (const allowedRuns of [1, 5]) {
      const controller = new AbortController();
      const decoder: Decoder = {
        ...real,
        async run(input) {
          runs.push([1, 1]);
          if (runs.length === allowedRuns) controller.abort();
          return await real.run(input);
        },
      };
      const engine = engineWith({ decoder });
      const working = answer(engine, long({ n: 2 }), () => {}, controller.signal);
      await expect(working).rejects.toMatchObject({ code: 'cancelled' });
      expect(runs).toHaveLength(allowedRuns);
      expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
    }
  });

  it('ends replies whose time is up with what there is, waiting ones too', async () => {
    const slow: Decoder = {
      ...real,
      async run(input) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        return await real.run(input);
      },
    };
    const engine = engineWith({ sequences: 1, decoder: slow });
    const marks: (boolean | undefined)[] = [];
    const note = (event: GenerationEvent) => {
      if ('finished' in event) marks.push(event.deadline);
    };
    const first = answer(engine, long({ maxMs: 25 }), note);
    const second = answer(engine, long({ maxMs: 5 }), note);
    const [one, two] = await Promise.all([first, second]);
    expect([one.finished, two.finished]).toEqual([['length'], ['length']]);
    expect(marks).toEqual([true, true]);
    expect(two.tokens[0]!.length).toBeLessThan(100);
    expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
  });

  it('refuses more than may wait, and what can never fit', async () => {
    const engine = engineWith({ sequences: 2, waiting: 1 });
    const mixed = { branches: [0.5, 0.25, 0.25].map((weight, i) => ({ prompt: longPrompt(5 + i), weight })) };
    await expect(answer(engine, requestOf({ phases: [mixed] }))).rejects.toMatchObject({ code: 'invalid_request' });
    const running = answer(engine, long({ n: 2 }));
    await new Promise((resolve) => setImmediate(resolve));
    const waiting = answer(engine, requestOf());
    await expect(answer(engine, requestOf())).rejects.toMatchObject({ code: 'overloaded', details: { retryAfterS: 1 } });
    await Promise.all([running, waiting]);
    const small = engineWith({ cacheBytes: 64 * 2 * 2 * 2 * 8 * 4 });
    await expect(answer(small, requestOf({ maxTokens: 59 }))).rejects.toMatchObject({ code: 'invalid_request' });
    expect((await answer(small, requestOf({ maxTokens: 58 }))).tokens[0]).toHaveLength(58);
  });

  it('a step that throws fails the requests in it and no others', async () => {
    const decoder: Decoder = {
      ...real,
      run(input) {
        if (input.lanes.slots === 128) throw new Error('out of memory');
        return real.run(input);
      },
    };
    const engine = engineWith({ decoder });
    const grows = answer(engine, requestOf({ maxTokens: 80 }));
    const stays = answer(engine, requestOf({ maxTokens: 40 }));
    await expect(grows).rejects.toMatchObject({ code: 'internal_error', message: expect.stringContaining('out of memory') });
    expect(await stays).toEqual(await alone({ maxTokens: 40 }));
    expect(engine.load).toMatchObject({ running: 0, cacheBytes: 0 });
    expect((await answer(engine, requestOf())).finished).toEqual(['length']);
  });

  it('scores that are no numbers end the request with an error, never with a token', async () => {
    let left = 4;
    const decoder: Decoder = {
      ...real,
      async run(input) {
        const output = await real.run(input);
        if (left-- === 0) output.scores.fill(Number.NaN, 0, output.scores.length / input.computed.length);
        return output;
      },
    };
    const engine = engineWith({ decoder });
    const tokens: number[] = [];
    const spoilt = answer(engine, requestOf({ maxTokens: 30 }), (event) => 'token' in event && tokens.push(event.token));
    const sound = answer(engine, requestOf({ maxTokens: 30, seed: 5 }));
    await expect(spoilt).rejects.toMatchObject({ code: 'internal_error' });
    expect(tokens).toEqual((await alone({ maxTokens: 30 })).tokens[0]!.slice(0, tokens.length));
    expect(await sound).toEqual(await alone({ maxTokens: 30, seed: 5 }));
  });

  it('a caller who fills every place lets another in at once, and nobody says anything else for it', async () => {
    const engine = engineWith({ sequences: 8, stepTokens: 64 });
    const heavy = Array.from({ length: 6 }, (_, i) => ({ caller: 'heavy', n: 8, seed: 20 * i, maxTokens: 90 }));
    const light = { caller: 'light', prompt: longPrompt(150), maxTokens: 4 };
    let tokens = 0;
    let before = 0;
    const count = () => void tokens++;
    const all = heavy.map((fields) => answer(engine, requestOf(fields), count));
    while (tokens < 100) await new Promise((resolve) => setImmediate(resolve));
    before = tokens;
    const asked = await answer(engine, requestOf(light));
    // Three chunks of its prompt and four tokens: each a step, in which each of the eight others writes one token, and one more to come in.
    expect(tokens - before).toBeLessThanOrEqual(8 * (3 + 4 + 1));
    expect(Math.max(...runs.map(([lanes]) => lanes))).toBe(8);
    expect(asked).toEqual(await alone(light));
    for (const [i, said] of (await Promise.all(all)).entries()) {
      const { tokens: own } = said;
      for (const index of [0, 7]) expect(own[index]).toEqual((await alone({ seed: 20 * i + index, maxTokens: 90 })).tokens[0]);
    }
    expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
  });

  it('replies that were not begun end with their time, and a caller who leaves takes them along', async () => {
    const engine = engineWith({ sequences: 2 });
    const late = answer(engine, requestOf({ n: 5, maxMs: 1, maxTokens: 200 }));
    expect((await late).finished).toEqual(new Array(5).fill('length'));
    const controller = new AbortController();
    const leaving = answer(engine, requestOf({ n: 5, maxTokens: 100 }), () => controller.abort(), controller.signal);
    await expect(leaving).rejects.toMatchObject({ code: 'cancelled' });
    expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
    expect((await answer(engine, requestOf({ n: 5 }))).tokens).toEqual((await alone({ n: 5 })).tokens);
  });

  it('people are served while a long prompt is read, and batch jobs after them', async () => {
    const engine = engineWith({ sequences: 2 });
    const order: string[] = [];
    const ask = (name: string, fields: Parameters<typeof requestOf>[0]) =>
      answer(engine, requestOf(fields)).then(() => order.push(name));
    await Promise.all([
      ask('long', { prompt: longPrompt(240), maxTokens: 10 }),
      ask('first', { maxTokens: 3 }),
      ask('batch', { priority: 'batch', maxTokens: 2 }),
      ask('second', { maxTokens: 2 }),
      ask('third', { maxTokens: 2 }),
    ]);
    expect(order.indexOf('first')).toBe(0);
    expect(order.indexOf('batch')).toBeGreaterThan(order.indexOf('third'));
  });

  it('a thousand callers that come and vanish leave nothing behind', async () => {
    const engine = engineWith({ waiting: 1000 });
    const random = randomStream(3);
    const gone = Array.from({ length: 1000 }, async (_, i) => {
      const controller = new AbortController();
      const working = answer(engine, long({ prompt: longPrompt(10 + (i % 100)) }), () => {}, controller.signal);
      setTimeout(() => controller.abort(), random() * 60);
      await working.catch(() => {});
    });
    await Promise.all(gone);
    expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
    expect(await answer(engine, requestOf())).toEqual(await alone());
  });
});
