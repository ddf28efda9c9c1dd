// The sampler against distributions computed by hand, by drawing often enough to tell them apart.
import { expect, it } from 'vitest';
import { type Sampling, sampleToken } from '../../src/generation/sampler.ts';
import { randomStream } from '../../src/random.ts';

const plain: Sampling = { temperature: 1, topP: 1, topK: 0 };
const seed = 20_240_511;
const draws = 20_000;

/** Logits whose softmax is proportional to the weights. */
const logitsOf = (...weights: number[]): Float32Array => Float32Array.from(weights, Math.log);
const all = (logits: Float32Array): Uint8Array => new Uint8Array(logits.length).fill(1);

function drawMany(logits: Float32Array, sampling: Partial<Sampling>, allowed = all(logits)): number[] {
  const random = randomStream(seed);
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < draws; i++) counts[sampleToken(logits, { ...plain, ...sampling }, allowed, random)]! += 1;
  return counts;
}

/** Pearson's statistic against the shares; ids of share 0 must never have been drawn. Five degrees of freedom exceed 25.7 once in 10,000. */
function expectShares(counts: number[], shares: number[]): void {
  const total = shares.reduce((a, b) => a + b, 0);
  let statistic = 0;
  for (const [id, share] of shares.entries()) {
    const expected = (draws * share) / total;
    if (share === 0) expect(counts[id], `id ${id}`).toBe(0);
    else statistic += (counts[id]! - expected) ** 2 / expected;
  }
  expect(statistic, `seed ${seed}: ${counts}`).toBeLessThan(25.7);
}

const weights = [5, 1, 20, 10, 4, 10];

it.each<[string, Partial<Sampling>, number[]]>([
  ['everything at temperature 1', {}, weights],
  ['temperature 2 takes the square root', { temperature: 2 }, weights.map(Math.sqrt)],
  ['temperature 0.5 squares', { temperature: 0.5 }, weights.map((w) => w * w)],
  ['top_k keeps the likeliest', { topK: 3 }, [0, 0, 20, 10, 0, 10]],
  ['top_k breaks ties by the lower id', { topK: 2 }, [0, 0, 20, 10, 0, 0]],
  ['top_k above the vocabulary keeps all', { topK: 99 }, weights],
  ['top_p keeps the token that crosses it', { topP: 0.7 }, [0, 0, 20, 10, 0, 10]],
  ['top_p reached exactly keeps no more', { topP: 0.4 }, [0, 0, 20, 0, 0, 0]],
  ['top_p just above keeps one more', { topP: 0.4001 }, [0, 0, 20, 10, 0, 0]],
  ['top_p 0 keeps the likeliest', { topP: 0 }, [0, 0, 20, 0, 0, 0]],
  ['top_p counts within top_k: 20 of 40 is half', { topK: 3, topP: 0.5 }, [0, 0, 20, 0, 0, 0]],
  ['top_p looks at the tempered shares', { temperature: 0.5, topP: 0.6 }, [0, 0, 400, 0, 0, 0]],
])('%s', (_, sampling, shares) => {
  expectShares(drawMany(logitsOf(...weights), sampling), shares);
});

it('top_p met exactly by equals keeps the lower ids and no more', () => {
  expectShares(drawMany(new Float32Array(8), { topP: 0.25 }), [1, 1, 0, 0, 0, 0, 0, 0]);
});

it('keeps the nucleus a full sort would keep', () => {
  const random = randomStream(seed, 'nucleus');
  for (let round = 0; round < 300; round++) {
    const logits = Float32Array.from({ length: 50 }, () => 8 * (random() - random()));
    const topP = random();
    const order = [...logits.keys()].toSorted((a, b) => logits[b]! - logits[a]!);
    const total = order.reduce((sum, id) => sum + Math.exp(logits[id]!), 0);
    let reached = 0;
    const last = order.find((id) => {
      reached += Math.exp(logits[id]!);
      return reached >= topP * total;
    });
    expect(
      sampleToken(logits, { ...plain, topP }, all(logits), () => 1 - 2 ** -32),
      `seed ${seed}, round ${round}`,
    ).toBe(last);
  }
});

it('never picks what the mask forbids, however likely', () => {
  const allowed = Uint8Array.of(1, 1, 0, 1, 1, 1);
  expectShares(drawMany(logitsOf(...weights), {}, allowed), [5, 1, 0, 10, 4, 10]);
  expectShares(drawMany(logitsOf(...weights), { topK: 2 }, allowed), [0, 0, 0, 10, 0, 10]);
  expect(sampleToken(logitsOf(...weights), { ...plain, temperature: 0 }, allowed, () => 0)).toBe(3);
});

it('never picks a score that is no finite number', () => {
  const logits = Float32Array.of(Number.NaN, 1, Number.NEGATIVE_INFINITY, 1, Number.POSITIVE_INFINITY, 1 + Math.log(2));
  for (const sampling of [{}, { topK: 5 }, { topP: 0.999 }]) expectShares(drawMany(logits, sampling), [0, 1, 0, 1, 0, 2]);
  expect(sampleToken(logits, { ...plain, temperature: 0 }, all(logits), () => 0)).toBe(5);
});

it('temperature 0 picks the likeliest, the lowest id among equals', () => {
  const greedy = { ...plain, temperature: 0 };
  expect(sampleToken(Float32Array.of(1, 3, 2, 3), greedy, new Uint8Array(4).fill(1), () => 0.99)).toBe(1);
});

it('holds at scores and temperatures that overflow an exponential', () => {
  const logits = Float32Array.of(1e30, -1e30, 1e30);
  expectShares(drawMany(logits, {}), [1, 0, 1]);
  expectShares(drawMany(logits, { temperature: 1e-30 }), [1, 0, 1]);
  expectShares(drawMany(Float32Array.of(-500, -600, -500), { topP: 0.9 }), [1, 0, 1]);
});

it('stays within the kept ids at both ends of the random numbers', () => {
  const logits = logitsOf(...weights);
  for (const uniform of [0, 1 - 2 ** -32, 1 - 2 ** -53]) {
    expect([2, 3, 5]).toContain(sampleToken(logits, { ...plain, topK: 3 }, all(logits), () => uniform));
  }
});

it('does not fall through to an id of no weight when the random number is almost 1', () => {
  const random = randomStream(seed, 'weights');
  for (let round = 0; round < 300; round++) {
    const logits = Float32Array.from({ length: 50 }, random);
    logits[49] = -1e9;
    expect(
      sampleToken(logits, plain, all(logits), () => 1 - 2 ** -53),
      `seed ${seed}, round ${round}`,
    ).not.toBe(49);
  }
});

it('says so when no token can be picked', () => {
  const broken = new Float32Array(4).fill(Number.NaN);
  expect(() => sampleToken(broken, plain, all(broken), () => 0)).toThrow('Expected a finite score for some token, found none.');
});
