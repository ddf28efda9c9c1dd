// Bradley–Terry against closed forms and against strengths it has to find again; Elo by hand.
import { expect, test } from 'vitest';
import { bradleyTerry, type Contest, comparedGroups, elo, ratingsWithIntervals } from '../../src/feedback/bradley-terry.ts';
import { randomStream } from '../../src/random.ts';

const cell = (a: string, b: string, score: number, votes: number): Contest => ({ a, b, score, votes, weight: votes });

test('two models: the log of their odds, ties as half a win each', () => {
  const contests = [cell('x', 'y', 1, 6000), cell('x', 'y', 0, 2000), cell('x', 'y', 0.5, 2000)];
  const ratings = bradleyTerry(contests);
  // 7000 to 3000 wins; the prior takes less than a point.
  const gap = 400 * Math.log10(7 / 3);
  expect(Math.abs(ratings.get('x')! - ratings.get('y')! - gap)).toBeLessThan(0.5);
  expect((ratings.get('x')! + ratings.get('y')!) / 2).toBeCloseTo(1000, 9);
});

test('a model that never lost stays finite and first', () => {
  const ratings = bradleyTerry([cell('x', 'y', 1, 5)]);
  expect(ratings.get('x')!).toBeGreaterThan(1100);
  expect(ratings.get('x')!).toBeLessThan(2000);
});

test('finds simulated strengths again, and its intervals cover them', () => {
  const seed = 11;
  const random = randomStream('bradley-terry', seed);
  const truth = { a: 1200, b: 1080, c: 1000, d: 920, e: 800 };
  const models = Object.keys(truth) as (keyof typeof truth)[];
  const cells = new Map<string, Contest>();
  for (let i = 0; i < 6000; i++) {
    const [a, b] = [models[Math.floor(random() * 5)]!, models[Math.floor(random() * 5)]!];
    if (a === b) continue;
    const score = random() < 1 / (1 + 10 ** ((truth[b] - truth[a]) / 400)) ? 1 : 0;
    const held = cells.get(`${a}${b}${score}`) ?? { a, b, score, votes: 0, weight: 0 };
    cells.set(`${a}${b}${score}`, { ...held, votes: held.votes + 1, weight: held.weight + 1 });
  }
  const ratings = ratingsWithIntervals([...cells.values()], { rounds: 200, seed });
  for (const model of models) {
    const { rating, lower, upper } = ratings.get(model)!;
    expect(Math.abs(rating - truth[model]), `${model}, seed ${seed}`).toBeLessThan(25);
    expect(lower, `${model}, seed ${seed}`).toBeLessThan(rating);
    expect(upper, `${model}, seed ${seed}`).toBeGreaterThan(rating);
    expect(lower - 15 < truth[model] && truth[model] < upper + 15, `${model}, seed ${seed}`).toBe(true);
    // 2,000 votes a model: about ±11 points of standard error.
    expect(upper - lower, `${model}, seed ${seed}`).toBeGreaterThan(15);
    expect(upper - lower, `${model}, seed ${seed}`).toBeLessThan(80);
  }
  expect(ratingsWithIntervals([...cells.values()], { rounds: 200, seed })).toEqual(ratings);
});

test('models never compared fall into groups of their own', () => {
  const groups = comparedGroups([cell('a', 'b', 1, 1), cell('c', 'd', 1, 1), cell('d', 'e', 0, 1)]);
  expect(groups.map((group) => group.toSorted())).toEqual([
    ['a', 'b'],
    ['c', 'd', 'e'],
  ]);
});

test('Elo: a win among equals is worth half of K, the next one less', () => {
  const win = { a: 'x', b: 'y', score: 1, weight: 1 };
  expect(elo([win]).get('x')).toBe(1002);
  const second = 4 * (1 - 1 / (1 + 10 ** ((998 - 1002) / 400)));
  expect(elo([win, win]).get('x')).toBeCloseTo(1002 + second, 9);
  expect(elo([{ ...win, score: 0.5 }]).get('x')).toBe(1000);
});
