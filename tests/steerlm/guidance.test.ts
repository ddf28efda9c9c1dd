// The dial as arithmetic: weights sum to 1, the mean is what was asked, and neighbours are close.
import { expect, it } from 'vitest';
import { randomStream } from '../../src/random.ts';
import { betweenLevels, dial } from '../../src/steerlm/guidance.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';

it('whole levels need one label', () => {
  expect(betweenLevels({ humor: 3, verbosity: 0 })).toEqual([{ label: { humor: 3, verbosity: 0 }, weight: 1 }]);
  expect(betweenLevels({})).toEqual([{ label: {}, weight: 1 }]);
});

it('a value between two levels is a mixture of both', () => {
  expect(betweenLevels({ humor: 2.75, verbosity: 1 })).toEqual([
    { label: { humor: 2, verbosity: 1 }, weight: 0.25 },
    { label: { humor: 3, verbosity: 1 }, weight: 0.75 },
  ]);
});

it('any point is the weighted mean of at most one label more than it has values between levels', () => {
  const seed = 5;
  const random = randomStream(seed);
  for (let round = 0; round < 500; round++) {
    const names = ['a', 'b', 'c', 'd'].slice(0, 1 + Math.floor(random() * 4));
    const label = Object.fromEntries(names.map((name) => [name, random() < 0.3 ? 2 : random() * 4]));
    const corners = betweenLevels(label);
    const between = Object.values(label).filter((value) => !Number.isInteger(value)).length;
    expect(corners.length, `seed ${seed}`).toBeLessThanOrEqual(between + 1);
    expect(corners.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
    for (const name of names) {
      expect(corners.reduce((sum, corner) => sum + corner.weight * corner.label[name]!, 0)).toBeCloseTo(label[name]!, 12);
      for (const corner of corners) expect(Number.isInteger(corner.label[name])).toBe(true);
    }
    for (const { weight } of corners) expect(weight).toBeGreaterThan(0);
  }
});

it('strength pushes away from no label, or from the opposite one', () => {
  const label = { humor: 4, verbosity: 1 };
  expect(dial(gameCharacters, label)).toEqual([{ label, weight: 1 }]);
  expect(dial(gameCharacters, label, { strength: 2 })).toEqual([
    { label, weight: 2 },
    { label: {}, weight: -1 },
  ]);
  expect(dial(gameCharacters, label, { strength: 1.5, against: 'opposite' })).toEqual([
    { label, weight: 1.5 },
    { label: { humor: 0, verbosity: 4 }, weight: -0.5 },
  ]);
  expect(dial(gameCharacters, label, { strength: 0 })).toEqual([{ label: {}, weight: 1 }]);
  expect(dial(gameCharacters, { humor: 3.5 }, { strength: 2 })).toEqual([
    { label: { humor: 3 }, weight: 1 },
    { label: { humor: 4 }, weight: 1 },
    { label: {}, weight: -1 },
  ]);
});
