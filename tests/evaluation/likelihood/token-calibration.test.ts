// Calibration of next-token guesses against counts by hand.
import { expect, it } from 'vitest';
import { type Guesses, noteGuesses, tokenCalibration } from '../../../src/evaluation/likelihood/token-calibration.ts';

const guesses = (probability: number[], right: number[]): Guesses => ({
  probability: Float32Array.from(probability),
  right: Uint8Array.from(right),
});

it('notes the likeliest token of each place, and whether it is the one that stands there', () => {
  const logs = Float32Array.from([0.2, 0.5, 0.3, 0.6, 0.1, 0.3].map(Math.log));
  const noted = guesses([9, 9, 9], [9, 9, 9]);
  noteGuesses(logs, [1, 2], noted, 1);
  expect([...noted.probability].map((p) => p.toFixed(3))).toEqual(['9.000', '0.500', '0.600']);
  expect([...noted.right]).toEqual([9, 1, 0]);
});

it('tells error, overconfidence and accuracy of either side, over all tokens', () => {
  // Four guesses at .75 of which three are right cost nothing; tuned, the same guesses say .95: .2 too sure each.
  const right = [1, 1, 1, 0];
  const reply = (group: string) => ({
    group,
    before: guesses([0.75, 0.75, 0.75, 0.75], right),
    after: guesses([0.95, 0.95, 0.95, 0.95], right),
  });
  const found = tokenCalibration([reply('a'), reply('b'), reply('c')], 1);
  expect(found.tokens).toBe(12);
  expect(found.before.error.value).toBeCloseTo(0, 6);
  expect(found.before.accuracy.value).toBeCloseTo(0.75, 6);
  expect(found.after.error.value).toBeCloseTo(0.2, 6);
  expect(found.after.overconfidence.value).toBeCloseTo(0.2, 6);
  expect(found.change.value).toBeCloseTo(0.2, 6);
  expect(found.change.low).toBeCloseTo(0.2, 6);
});

it('does not let a bin that is too sure pay for one that is not sure enough', () => {
  const mixed = guesses([0.95, 0.95, 0.15, 0.15], [1, 0, 1, 0]);
  const { before } = tokenCalibration([{ group: 'a', before: mixed, after: mixed }], 1);
  expect(before.overconfidence.value).toBeCloseTo(0.05, 6);
  expect(before.error.value).toBeCloseTo((0.9 + 0.7) / 4, 6);
});
