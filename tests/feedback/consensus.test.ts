// The three closest ratings and their mean.
import { expect, test } from 'vitest';
import { consensusOf } from '../../src/feedback/consensus.ts';

const rated = (...values: number[]) => values.map((value) => ({ value, weight: 1 }));
const rules = { threeClosest: true, weighting: true };

test.each([
  { values: [4, 0, 3, 3], value: 10 / 3, spread: 1 },
  { values: [0, 0, 4, 4, 4], value: 4, spread: 0 },
  { values: [1, 4], value: 2.5, spread: 3 },
  // Three windows are equally wide; the one around the mean counts.
  { values: [0, 1, 2, 3, 4], value: 2, spread: 2 },
])('$values gives $value', ({ values, value, spread }) => {
  const consensus = consensusOf(rated(...values), rules);
  expect(consensus.value).toBeCloseTo(value, 12);
  expect(consensus.spread).toBe(spread);
});

test('without the rule all count', () => {
  expect(consensusOf(rated(4, 0, 3, 3), { ...rules, threeClosest: false })).toEqual({ value: 2.5, spread: 4 });
});

test('weights pull the mean, unless they are left aside', () => {
  const ratings = [
    { value: 0, weight: 1 },
    { value: 4, weight: 3 },
  ];
  expect(consensusOf(ratings, rules).value).toBe(3);
  expect(consensusOf(ratings, { ...rules, weighting: false }).value).toBe(2);
});
