import { expect, test } from 'vitest';
import { nearestName } from '../src/nearest-name.ts';

const known = ['humor', 'verbosity', 'toxicity', 'formality', 'strength'];

test.each([
  ['humr', 'humor'],
  ['Humor', 'humor'],
  ['verbocity', 'verbosity'],
  ['verbose', 'verbosity'],
  ['toxic', 'toxicity'],
  ['strenght', 'strength'],
  ['warmth', undefined],
  ['brevity', undefined],
  ['kindness', undefined],
  ['', undefined],
])('%j is near to %j', (name, near) => {
  expect(nearestName(name, known)).toBe(near);
});

test('of several the nearest, of none nothing', () => {
  expect(nearestName('rumour', ['humor', 'humour'])).toBe('humour');
  expect(nearestName('humor', [])).toBeUndefined();
});
