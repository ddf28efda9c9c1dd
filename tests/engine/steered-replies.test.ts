// Replies under steering vectors, with the kernels and with the runtime: each token is read under the sum that counts for it, and no reply depends on
// whether others are steered.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import type { Branch, GenerationRequest, Phase } from '../../src/engine/request.ts';
import type { VectorSum } from '../../src/engine/vector-sums.ts';
import { randomStream } from '../../src/random.ts';
import { exactModel } from './kernel/models.ts';
import { openHostPath, openKernelPath, type SteeredPath, vectorSum } from './steered-paths.ts';
import { answer, longPrompt, requestOf } from './tiny-engine.ts';

const under = (prompt: number[], sum?: VectorSum, until?: Phase['until']): Phase => ({
  branches: [{ prompt, weight: 1 }],
  vectorSum: sum,
  until,
});
const greedy = { temperature: 0, maxTokens: 14 };

const paths = { kernels: openKernelPath, runtime: openHostPath };

describe.each(Object.entries(paths))('%s', (_, open) => {
  let path: SteeredPath;
  let sums: [VectorSum, VectorSum];
  beforeAll(async () => {
    path = await open(await exactModel('qwen2'));
    sums = [vectorSum(path.shape, 0, 1), vectorSum(path.shape, 1, 1)];
  });
  afterAll(() => path.dispose());

  const write = async (fields: Parameters<typeof requestOf>[0], engine: Engine = path.engine()) =>
    (await answer(engine, requestOf({ ...greedy, ...fields }))).tokens;

  /** The reply of a schedule by tokens, with everything read anew for each token: the slow, obvious way. */
  async function obvious(phases: Phase[], all = false): Promise<number[]> {
    const said: number[] = [];
    const ends = phases.map(({ until }) => (until && 'tokens' in until ? until.tokens : greedy.maxTokens));
    const phaseAt = (written: number) => phases[ends.findIndex((end) => written < end)]!;
    while (said.length < greedy.maxTokens) {
      const { branches } = phaseAt(said.length);
      const mixed = new Float32Array(path.shape.vocabSize);
      for (const { prompt, weight } of branches) {
        // Token i of the reply is read when i + 1 are written, and the prompt's last one when none is.
        const own = [...prompt.keys()].map((i) => (all || i === prompt.length - 1 ? phases[0]!.vectorSum : undefined));
        const later = said.map((_, i) => phaseAt(i + 1).vectorSum);
        const scores = await path.read([...prompt, ...said], [...own, ...later]);
        for (const [id, score] of scores.entries()) mixed[id]! += weight * score;
      }
      said.push(mixed.indexOf(Math.max(...mixed)));
    }
    return said;
  }

  it('reads each token under the sum that counts for it, from the last one of the prompt on', async () => {
    const [prompt, other] = [longPrompt(20), longPrompt(71, 3)];
    const [happy, calm] = sums;
    const plain = await write({ phases: [under(prompt)] });
    const cases: Phase[][] = [
      [under(prompt, happy)],
      [under(other, calm)],
      [under(prompt, happy, { tokens: 4 }), under(prompt, calm)],
      [under(prompt, happy, { tokens: 4 }), under(other, calm)],
      [under(prompt, undefined, { tokens: 3 }), under(prompt, calm, { tokens: 7 }), under(other)],
      [under(prompt, happy, { tokens: 1 }), under(other, undefined, { tokens: 2 }), under(prompt, calm)],
    ];
    for (const [i, phases] of cases.entries()) {
      const tokens = await write({ phases });
      expect(tokens, `case ${i}`).toEqual([await obvious(phases)]);
      expect(tokens, `case ${i}`).not.toEqual(plain);
      const all = await write({ phases, vectorTokens: 'all' });
      expect(all, `case ${i}, all tokens`).toEqual([await obvious(phases, true)]);
    }
  });

  it('adds the same sum in every branch of a mixture', async () => {
    const branches: Branch[] = [
      { prompt: longPrompt(9), weight: 1.6 },
      { prompt: longPrompt(30, 2), weight: -0.6 },
    ];
    const phases = [{ branches, vectorSum: sums[0] }];
    expect(await write({ phases })).toEqual([await obvious(phases)]);
  });

  it('changes the sum with the token that ends a sentence', async () => {
    const prompt = longPrompt(20);
    const [tokens] = await write({ phases: [under(prompt, sums[0], { sentences: 1 }), under(prompt, sums[1])] });
    const ended = tokens!.findIndex((id) => id % 5 === 2) + 1;
    expect(ended).toBeGreaterThan(0);
    expect(tokens).toEqual(await obvious([under(prompt, sums[0], { tokens: ended }), under(prompt, sums[1])]));
  });

  it('gives forty steered and plain requests, come at random times, each what it gets alone', async () => {
    const seed = 31;
    const random = randomStream(seed);
    const below = (limit: number) => Math.floor(random() * limit);
    const some = () => longPrompt(1 + below(140), below(3));
    const sum = () => (random() < 0.6 ? sums[below(2)] : undefined);
    const requests = Array.from({ length: 40 }, (_, i): Partial<GenerationRequest> => {
      const last = under(some(), sum());
      const phases =
        random() < 0.4
          ? [under(random() < 0.5 ? some() : last.branches[0]!.prompt, sum(), { tokens: 1 + below(5) }), last]
          : [last];
      if (random() < 0.2) for (const phase of phases) phase.branches.push({ prompt: some(), weight: 0.3 });
      const shape = phases.every(({ branches }) => branches.length === 1) ? {} : { topK: 5 };
      const drawing = { n: 1 + below(3), maxTokens: 1 + below(20), seed: i, temperature: random() < 0.5 ? 0 : 1, ...shape };
      return { ...drawing, phases, vectorTokens: random() < 0.3 ? 'all' : 'reply' };
    });
    const engine = path.engine();
    const together = await Promise.all(
      requests.map(async (fields, i) => {
        for (let turn = 0; turn < i * 2; turn++) await new Promise((resolve) => setImmediate(resolve));
        return await write(fields, engine);
      }),
    );
    expect(engine.load).toMatchObject({ running: 0, waiting: 0, cacheBytes: 0 });
    for (const [i, fields] of requests.entries()) {
      expect(await write(fields, path.engine({ prefixBytes: 0 })), `seed ${seed}, request ${i}`).toEqual(together[i]);
    }
  });

  it('keeps nothing that was read under vectors for others, and reads what is kept plain', async () => {
    const prompt = longPrompt(128);
    const plain = await write({ phases: [under(prompt)] });
    for (const vectorTokens of ['reply', 'all'] as const) {
      const engine = path.engine();
      const steered = await write({ phases: [under(prompt, sums[0])], vectorTokens }, engine);
      // The first chunk is plain where only the reply is steered, the second holds the token that is steered first.
      const { prefixBytes } = engine.load;
      expect(await write({ phases: [under([...prompt, 1])] }, engine)).toEqual(await write({ phases: [under([...prompt, 1])] }));
      expect(engine.load.prefixBytes).toBeGreaterThan(prefixBytes);
      expect(prefixBytes > 0).toBe(vectorTokens === 'reply');
      expect(await write({ phases: [under(prompt)] }, engine)).toEqual(plain);
      expect(await write({ phases: [under(prompt, sums[0])], vectorTokens }, engine)).toEqual(steered);
      expect(steered).not.toEqual(plain);
    }
  });

  it('refuses a sum of another size', async () => {
    const phases = [under(longPrompt(5), new Float32Array(3))];
    await expect(write({ phases })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/^Expected a sum of steering vectors of 64 numbers, .* got 3\.$/),
    });
  });
});
