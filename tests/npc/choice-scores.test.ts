// How likely each choice was, by what a model tells of the tokens it picked and passed over.
import { expect, test } from 'vitest';
import { choiceScores } from '../../src/npc/choice-scores.ts';

const spellings = ['n', 'none', 'no', 'pour', 'd', 'ne', 'é'.slice(0, 1)];
const bytesOf = (token: number) => (token < 0 ? Uint8Array.of(0xc3) : new TextEncoder().encode(spellings[token]!));
const at = (token: number, shares: Record<number, number>) => ({
  token,
  logprob: Math.log(shares[token]!),
  top: Object.entries(shares).map(([id, share]) => ({ token: Number(id), logprob: Math.log(share) })),
});
const likely = (choices: string[], picked: ReturnType<typeof at>[]) =>
  choiceScores(choices, picked, bytesOf).map((score) => Number(Math.exp(score).toFixed(3)));

test('what is passed over goes to those that it begins, and the rest to the one written', () => {
  expect(likely(['none', 'pour'], [at(3, { 3: 0.7, 1: 0.2, 0: 0.1 })])).toEqual([0.3, 0.7]);
  // none and nod part at their third letter.
  expect(likely(['none', 'nod', 'pour'], [at(2, { 2: 0.8, 3: 0.2 }), at(5, { 5: 0.75, 4: 0.25 })])).toEqual([0.6, 0.2, 0.2]);
  expect(likely(['none', 'nod', 'pour'], [at(3, { 3: 0.5, 0: 0.5 })])).toEqual([0.25, 0.25, 0.5]);
});

test('a name that was cut, a token of half a character, and what was never told', () => {
  expect(likely(['none', 'nod'], [at(0, { 0: 1 })])).toEqual([0.5, 0.5]);
  expect(likely(['état', 'none'], [at(1, { 1: 0.5, [-1]: 0.5 })])).toEqual([0.5, 0.5]);
  expect(choiceScores(['none', 'pour'], [at(1, { 1: 1 })], bytesOf)[1]).toBeCloseTo(Math.log(1e-9));
});
