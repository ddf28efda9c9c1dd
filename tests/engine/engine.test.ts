// The engine without its thread: whatever is served beside it, a request gets what it gets alone.
import { describe, expect, it } from 'vitest';
import type { Decoder, DecoderInput } from '../../src/engine/onnx/decoder.ts';
import type { Branch } from '../../src/engine/request.ts';
import { randomStream } from '../../src/random.ts';
import { alone, answer, engineWith, longPrompt, prompt, real, requestOf, runs, vocabulary } from './tiny-engine.ts';

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
  runs.length = 0;
  const shared = await answer(engine, requestOf({ prompt: [...persona, 3, 4, 5], maxTokens: 30 }));
  expect(runs.slice(0, 2)).toEqual([
    [1, 11],
    [1, 1],
  ]);
  expect(shared).toEqual(await alone({ prompt: [...persona, 3, 4, 5], maxTokens: 30 }, { prefixBytes: 0 }));
  runs.length = 0;
  const other = [59, ...persona.slice(1), 3];
  expect(await answer(engine, requestOf({ prompt: other }))).toEqual(await alone({ prompt: other }, { prefixBytes: 0 }));
});

it('holds the beginnings of prompts within their bound, oldest first to go', async () => {
  const chunkBytes = 64 * 2 * 2 * 2 * 8 * 4;
  const engine = engineWith({ prefixBytes: 3 * chunkBytes });
  for (let from = 0; from < 6; from++) await answer(engine, requestOf({ prompt: longPrompt(65, from), maxTokens: 1 }));
  expect(engine.load.prefixBytes).toBe(3 * chunkBytes);
  runs.length = 0;
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

  it('a phase under the same prompts goes on without reading them again', async () => {
    const plain = await alone({ temperature: 0 });
    const phase = { branches: [{ prompt, weight: 1 }] };
    expect(await alone({ phases: [{ ...phase, until: { tokens: 4 } }, phase], temperature: 0 })).toEqual(plain);
    expect(runs).toEqual([[1, 6], ...new Array(11).fill([1, 1])]);
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
