// The sampler against the same thing written slowly, against transformers, and against distributions computed by hand.
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { Sampler, type Sampling } from '../../src/engine/sampler.ts';
import { findBoundary, findTop } from '../../src/engine/selection.ts';
import { softmaxWeight } from '../../src/engine/softmax.ts';
import { randomStream } from '../../src/random.ts';

const plain: Sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };
const seed = 20_240_511;
const draws = 20_000;

/** Logits whose softmax is proportional to the weights. */
const logitsOf = (...weights: number[]): Float32Array => Float32Array.from(weights, Math.log);
const all = (logits: Float32Array): Uint8Array => new Uint8Array(logits.length).fill(1);

function pick(logits: Float32Array, sampling: Partial<Sampling>, allowed = all(logits), random = () => 0.5): number {
  return new Sampler(logits.length).pick(logits, allowed, { ...plain, ...sampling }, random);
}

/** How often each id is picked by `draws` numbers spread evenly over [0, 1). */
function countPicks(logits: Float32Array, sampling: Partial<Sampling>, allowed = all(logits)): number[] {
  const sampler = new Sampler(logits.length);
  const counts = new Array<number>(logits.length).fill(0);
  for (let i = 0; i < draws; i++) {
    const id = sampler.pick(logits, allowed, { ...plain, ...sampling }, () => (i + 0.5) / draws);
    counts[id]! += 1;
  }
  return counts;
}

/** Each id owns one stretch of [0, 1), so its count is its share of the numbers, give or take one; an id of share 0 was never picked. */
function expectShares(counts: number[], shares: readonly number[]): void {
  const total = shares.reduce((a, b) => a + b, 0);
  for (const [id, share] of shares.entries()) {
    if (share === 0) expect(counts[id], `id ${id}`).toBe(0);
    else expect(Math.abs(counts[id]! - (draws * share) / total), `id ${id}`).toBeLessThan(1.01);
  }
}

/** The sampler as its comments describe it: everything sorted, everything summed. */
function pickSlowly(
  logits: Float32Array,
  allowed: Uint8Array,
  { temperature, topK, topP, minP }: Sampling,
  uniform: number,
): number {
  const V = logits.length;
  const order = [...logits.keys()]
    .filter((id) => allowed[id] === 1 && logits[id]! > Number.NEGATIVE_INFINITY)
    .toSorted((a, b) => logits[b]! - logits[a]! || a - b);
  if (order.length === 0 || temperature === 0) return order[0] ?? -1;
  const weight = (id: number): number => {
    const exponent = (logits[id]! - logits[order[0]!]!) / temperature;
    return exponent < -64 ? 0 : Math.exp(exponent);
  };
  const mass = (ids: number[]): number => ids.reduce((sum, id) => sum + weight(id), 0);
  let kept = topK > 0 ? order.slice(0, topK) : order;
  const total = mass(kept);
  let size = topP < 1 ? 1 : kept.length;
  while (size < kept.length && mass(kept.slice(0, size)) < topP * total) size++;
  kept = kept.slice(0, size).filter((id) => weight(id) >= minP);
  if (topK === 0 || topK >= V) kept.sort((a, b) => a - b);
  const target = uniform * mass(kept);
  let reached = 0;
  for (const id of kept) {
    reached += weight(id);
    if (reached > target) return id;
  }
  throw new Error('Not reached');
}

it('picks what the slow way picks, for the same number', () => {
  const random = randomStream(seed, 'slow');
  const below = (limit: number): number => Math.floor(random() * limit);
  const oneOf = <T>(...choices: T[]): T => choices[below(choices.length)]!;
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const samplers = new Map<number, Sampler>();
  for (let round = 0; round < 6_000; round++) {
    const V = oneOf(1, 2, 3, 10, 40, 150, 300);
    const scale = oneOf(0.1, 1, 3, 30);
    const rounded = random() < 0.3;
    const never = random() < 0.2 ? random() : 0;
    const logits = Float32Array.from({ length: V }, () => {
      if (random() < never) return Number.NEGATIVE_INFINITY;
      return rounded ? Math.round(scale * normal()) : scale * normal();
    });
    const barred = oneOf(0, 0, 0.3, 0.9);
    const allowed = Uint8Array.from({ length: V }, () => Number(random() >= barred));
    const sampling: Sampling = {
      temperature: oneOf(0, 0.2, 0.7, 1, 1, 1.9, 1e-9),
      topK: oneOf(0, 0, 1, 2, 7, 40, V, V + 5),
      topP: oneOf(1, 1, random(), 0.9, 0),
      minP: oneOf(0, 0, 0.3 * random(), 1),
    };
    const uniform = oneOf(random(), random(), random(), 0, 1 - 2 ** -32);
    const sampler = samplers.get(V) ?? new Sampler(V);
    samplers.set(V, sampler);
    const before = logits.slice();
    const what = `seed ${seed}, round ${round}, V ${V}, ${JSON.stringify(sampling)}, number ${uniform}`;
    expect(
      sampler.pick(logits, allowed, sampling, () => uniform),
      what,
    ).toBe(pickSlowly(logits, allowed, sampling, uniform));
    expect(logits, what).toEqual(before);
  }
});

it.each([
  ['flat', 0.01],
  ['peaked', 4],
])('and in a large vocabulary, %s', (_, scale) => {
  const random = randomStream(seed, 'large');
  const V = 3000;
  const sampler = new Sampler(V);
  for (let round = 0; round < 4; round++) {
    const logits = Float32Array.from({ length: V }, () => scale * (random() + random() + random()));
    for (const sampling of [{}, { topP: 0.9 }, { topK: 40, topP: 0.9 }, { topK: 2000 }, { minP: 0.1, topP: 0.99 }]) {
      const uniform = random();
      const full = { ...plain, ...sampling };
      expect(sampler.pick(logits, all(logits), full, () => uniform)).toBe(pickSlowly(logits, all(logits), full, uniform));
    }
  }
});

interface Golden {
  banned: number[];
  cases: Record<
    string,
    { temperature?: number; top_k?: number; top_p?: number; min_p?: number; penalised: (number | null)[]; chances: number[] }
  >;
}
const golden: Golden = JSON.parse(await readFile(new URL('../golden/sampling.json', import.meta.url), 'utf8'));
const cuts = Object.entries(golden.cases).filter(([, fields]) => !('min_tokens' in fields));

it.each(cuts)('gives each token the chance transformers gives it: %s', (_, { penalised, chances, temperature = 1, ...cut }) => {
  const scores = Float32Array.from(penalised, (score) => score ?? 99);
  const allowed = Uint8Array.from(penalised, (score) => Number(score !== null));
  const sampling = { temperature, topK: cut.top_k ?? 0, topP: cut.top_p ?? 1, minP: cut.min_p ?? 0 };
  expectShares(countPicks(scores, sampling, allowed), chances);
});

const weights = [5, 1, 20, 10, 4, 10];

it.each<[string, Partial<Sampling>, number[]]>([
  ['everything at temperature 1', {}, weights],
  ['temperature 2 takes the square root', { temperature: 2 }, weights.map(Math.sqrt)],
  ['temperature 0.5 squares', { temperature: 0.5 }, weights.map((w) => w * w)],
  ['top_k keeps the likeliest', { topK: 3 }, [0, 0, 20, 10, 0, 10]],
  ['top_k breaks ties by the lower id', { topK: 2 }, [0, 0, 20, 10, 0, 0]],
  ['top_k 1 keeps one', { topK: 1, temperature: 9 }, [0, 0, 20, 0, 0, 0]],
  ['top_k above the vocabulary keeps all', { topK: 99 }, weights],
  ['top_p keeps the token that crosses it', { topP: 0.7 }, [0, 0, 20, 10, 0, 10]],
  ['top_p reached exactly keeps no more', { topP: 0.4 }, [0, 0, 20, 0, 0, 0]],
  ['top_p just above keeps one more', { topP: 0.4001 }, [0, 0, 20, 10, 0, 0]],
  ['top_p 0 keeps the likeliest', { topP: 0 }, [0, 0, 20, 0, 0, 0]],
  ['top_p counts within top_k: 20 of 40 is half', { topK: 3, topP: 0.5 }, [0, 0, 20, 0, 0, 0]],
  ['top_p looks at the tempered shares', { temperature: 0.5, topP: 0.6 }, [0, 0, 400, 0, 0, 0]],
  ['min_p keeps what has that share of the likeliest', { minP: 0.21 }, [5, 0, 20, 10, 0, 10]],
  ['min_p looks at the tempered shares', { temperature: 0.5, minP: 0.21 }, [0, 0, 400, 100, 0, 100]],
  ['min_p within top_k', { topK: 5, minP: 0.22 }, [5, 0, 20, 10, 0, 10]],
  ['min_p 1 keeps the likeliest', { minP: 1 }, [0, 0, 20, 0, 0, 0]],
  ['top_p counts what min_p drops', { topP: 0.95, minP: 0.3 }, [0, 0, 20, 10, 0, 10]],
])('%s', (_, sampling, shares) => {
  expectShares(countPicks(logitsOf(...weights), sampling), shares);
});

it('top_p met exactly by equals keeps the lower ids and no more', () => {
  expectShares(countPicks(new Float32Array(8), { topP: 0.25 }), [1, 1, 0, 0, 0, 0, 0, 0]);
  expectShares(countPicks(new Float32Array(8), { topK: 4, topP: 0.5 }), [1, 1, 0, 0, 0, 0, 0, 0]);
  const many = countPicks(new Float32Array(64), { topP: 0.25 });
  expectShares(
    many,
    Array.from({ length: 64 }, (_, id) => Number(id < 16)),
  );
});

it('never picks what the mask forbids, however likely', () => {
  const allowed = Uint8Array.of(1, 1, 0, 1, 1, 1);
  expectShares(countPicks(logitsOf(...weights), {}, allowed), [5, 1, 0, 10, 4, 10]);
  expectShares(countPicks(logitsOf(...weights), { topK: 2 }, allowed), [0, 0, 0, 10, 0, 10]);
  expectShares(countPicks(logitsOf(...weights), { minP: 0.45 }, allowed), [5, 0, 0, 10, 0, 10]);
  expect(pick(logitsOf(...weights), { temperature: 0 }, allowed)).toBe(3);
});

const everyWay: Partial<Sampling>[] = [
  {},
  { temperature: 0 },
  { topK: 2 },
  { topK: 1 },
  { topP: 0.9 },
  { topP: 0 },
  { minP: 0.1 },
];

it.each(everyWay)('ends where a score is no number, wherever it stands: %j', (sampling) => {
  for (const broken of [Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const place of [0, 3, 5]) {
      const logits = logitsOf(...weights);
      logits[place] = broken;
      expect(() => pick(logits, sampling), `${broken} at ${place}`).toThrow(
        `Expected a finite score for token ${place}, found ${broken}. Are the weights sound?`,
      );
      const allowed = all(logits);
      allowed[place] = 0;
      expect(pick(logits, sampling, allowed)).not.toBe(place);
    }
  }
});

it.each(everyWay)('never picks a score of -Infinity, and tells when nothing else is left: %j', (sampling) => {
  const never = Number.NEGATIVE_INFINITY;
  const logits = Float32Array.of(never, 1, never, 1, never, 2);
  const counts = countPicks(logits, sampling);
  expect([counts[0], counts[2], counts[4]]).toEqual([0, 0, 0]);
  expect(pick(new Float32Array(6).fill(never), sampling)).toBe(-1);
  expect(pick(logits, sampling, new Uint8Array(6))).toBe(-1);
});

it('temperature 0 picks the likeliest, the lowest id among equals, and draws no number', () => {
  const none = () => {
    throw new Error('No number is needed');
  };
  expect(pick(Float32Array.of(1, 3, 2, 3), { temperature: 0 }, new Uint8Array(4).fill(1), none)).toBe(1);
});

it('holds at scores and temperatures that overflow an exponential', () => {
  const logits = Float32Array.of(1e30, -1e30, 1e30);
  for (const temperature of [1, 1e-30, 5e-324]) expectShares(countPicks(logits, { temperature }), [1, 0, 1]);
  expectShares(countPicks(Float32Array.of(-500, -600, -500), { topP: 0.9 }), [1, 0, 1]);
});

it('stays within the kept ids at both ends of the random numbers', () => {
  for (const uniform of [0, 1 - 2 ** -32, 1 - 2 ** -53]) {
    for (const sampling of [{ topK: 3 }, { topP: 0.7 }, { minP: 0.5 }]) {
      expect([2, 3, 5]).toContain(pick(logitsOf(...weights), sampling, undefined, () => uniform));
    }
  }
});

it('does not fall through to an id of no weight when the random number is almost 1, nor at 0', () => {
  const random = randomStream(seed, 'weights');
  for (let round = 0; round < 300; round++) {
    const logits = Float32Array.from({ length: 50 }, random);
    logits[0] = -1e9;
    logits[49] = -1e9;
    for (const uniform of [0, 1 - 2 ** -53]) {
      for (const sampling of [{}, { topK: 49 }, { topP: 0.999 }]) {
        expect([0, 49], `seed ${seed}, round ${round}`).not.toContain(pick(logits, sampling, undefined, () => uniform));
      }
    }
  }
});

it('selects as a sort would, whatever the order', () => {
  const random = randomStream(seed, 'selection');
  for (const order of ['rising', 'falling', 'random', 'equal'] as const) {
    const scores = Float32Array.from({ length: 200 }, (_, i) => ({ rising: i, falling: -i, random: random(), equal: 1 })[order]);
    const sorted = [...scores.keys()].toSorted((a, b) => scores[b]! - scores[a]! || a - b);
    const ids = new Int32Array(200);
    for (const count of [1, 2, 39, 199, 200]) {
      expect(findTop(scores, all(scores), count, ids)).toBe(count);
      expect([...ids.subarray(0, count)], `${order}, ${count}`).toEqual(sorted.slice(0, count));
    }
    const ones = new Float64Array(200).fill(1);
    for (const mass of [0.5, 1, 2, 100, 199.5, 200]) {
      const shuffled = Int32Array.from(sorted.toSorted((a, b) => ((a * 7919) % 211) - ((b * 7919) % 211)));
      expect(findBoundary(scores, ones, shuffled, 200, mass), `${order}, ${mass}`).toBe(sorted[Math.ceil(mass) - 1]);
    }
  }
});

it('weighs as the exponential does', () => {
  const random = randomStream(seed, 'softmax');
  for (let round = 0; round < 20_000; round++) {
    const x = -63.9 * random();
    expect(Math.abs(softmaxWeight(x) / Math.exp(x) - 1)).toBeLessThan(3e-13);
  }
  expect([0, -0, -64, -1e300, Number.NEGATIVE_INFINITY].map(softmaxWeight)).toEqual([1, 1, 0, 0, 0]);
});
