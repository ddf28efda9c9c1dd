// The outlier test on simulated raters: who does not read is found, who is harsh, mild or of a minority is left alone; and its claim on chance.
import { describe, expect, test } from 'vitest';
import { type JudgedRating, outlierDefaults, suspect } from '../../src/feedback/outliers.ts';
import { randomStream } from '../../src/random.ts';
import { toLevel } from './plant.ts';

const seed = 5;
const items = 60;
type Rule = (truth: number, random: () => number, item: number) => number;

function noise(random: () => number): number {
  return (random() + random() + random() - 1.5) * 1.6;
}

const honest: Rule = (truth, random) => toLevel(truth + noise(random));

/** `count` ratings under the rule, each beside three honest ones. */
function simulate(name: string, run: number, rule: Rule, count = items): JudgedRating[] {
  const random = randomStream('outliers', seed, name, run);
  return Array.from({ length: count }, (_, item) => {
    const truth = random() * 4;
    const others = Array.from({ length: 3 }, () => honest(truth, random, item));
    return { question: 'quality', value: rule(truth, random, item), others };
  });
}

function flaggedOf(name: string, rule: Rule, runs = 100): number {
  return Array.from({ length: runs }, (_, run) => suspect(simulate(name, run, rule))).filter(({ flagged }) => flagged).length;
}

describe('who does not read is flagged', () => {
  test.each<[string, Rule, number]>([
    ['any level', (_, random) => Math.floor(random() * 5), 80],
    ['either end', (_, random) => (random() < 0.5 ? 0 : 4), 80],
    ['the opposite', (truth, random, item) => 4 - honest(truth, random, item), 99],
    ['always the highest', () => 4, 99],
    ['always the lowest', () => 0, 99],
  ])('%s', (name, rule, least) => {
    expect(flaggedOf(name, rule), `seed ${seed}`).toBeGreaterThanOrEqual(least);
  });
});

describe('who sees it differently is not', () => {
  test.each<[string, Rule]>([
    ['honest', honest],
    ['harsh by a level and a half', (truth, random) => toLevel(truth - 1.5 + noise(random))],
    ['mild by a level and a half', (truth, random) => toLevel(truth + 1.5 + noise(random))],
    ['never far from the middle', (truth, random) => toLevel(2 + (truth - 2) / 2 + noise(random) / 2)],
    ['only the ends, by what was read', (truth, random) => (truth + noise(random) > 2 ? 4 : 0)],
    ['twice as noisy', (truth, random) => toLevel(truth + 2 * noise(random))],
    [
      'against all others on one reply in six',
      (truth, random, item) => (item % 6 === 0 ? 4 - honest(truth, random, item) : honest(truth, random, item)),
    ],
  ])('%s', (name, rule) => {
    expect(flaggedOf(name, rule), `seed ${seed}`).toBeLessThanOrEqual(5);
  });
});

test('an honest rater of the least attention there may be is flagged no more often than alpha, however long one looks', () => {
  const runs = 400;
  let flagged = 0;
  for (let run = 0; run < runs; run++) {
    const random = randomStream('least', seed, run);
    const careless = Array.from({ length: 40 }, () => random() < 1 / 3);
    const ratings = simulate('honest', run, honest, 200).map((rating, i) => {
      return careless[Math.floor(i / 5)] ? { ...rating, value: Math.floor(random() * 5) } : rating;
    });
    if (suspect(ratings).flagged) flagged++;
  }
  expect(flagged / runs, `seed ${seed}`).toBeLessThanOrEqual(outlierDefaults.alpha);
});

test('fewer than five ratings, or ratings nobody else made, say nothing', () => {
  const worst = { question: 'quality', value: 4, others: [0, 0, 0, 0, 0, 0] };
  expect(suspect(Array<JudgedRating>(4).fill(worst))).toEqual({ evidence: 1, ratings: 4, flagged: false });
  expect(suspect(Array<JudgedRating>(50).fill({ ...worst, others: [0] }))).toEqual({ evidence: 1, ratings: 0, flagged: false });
  expect(suspect(Array<JudgedRating>(8).fill(worst)).flagged).toBe(true);
});

test('where all say the same, saying it too is no offence', () => {
  expect(suspect(Array<JudgedRating>(200).fill({ question: 'toxicity', value: 0, others: [0, 0, 0] })).evidence).toBe(1);
});

test('further questions dilute evidence and never multiply it', () => {
  const inverted = simulate('opposite', 0, (truth, random, item) => 4 - honest(truth, random, item));
  const alone = suspect(inverted);
  const silent = inverted.map(({ others }) => ({ question: 'humor', value: 0, others: others.map(() => 0) }));
  const both = suspect(inverted.flatMap((rating, i) => [rating, silent[i]!]));
  expect(both.evidence).toBeLessThan(alone.evidence);
  expect(both.evidence).toBeGreaterThan(alone.evidence / 3);
});
