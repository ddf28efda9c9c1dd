import { expect, test } from 'vitest';
import { type CurvePoint, obtainedAt, requestFor, rising } from '../../src/steerlm/calibration.ts';

const curve = (...obtained: number[]): CurvePoint[] =>
  obtained.map((value, requested) => ({ requested, obtained: value, replies: 10 }));

test('a curve that falls is levelled, weighted by how many replies it is from', () => {
  expect(rising(curve(0, 2, 1, 3)).map(({ obtained }) => obtained)).toEqual([0, 1.5, 1.5, 3]);
  const uneven = curve(0, 2, 1, 3).map((point, i) => (i === 1 ? { ...point, replies: 30 } : point));
  expect(rising(uneven)[1]!.obtained).toBeCloseTo(1.75, 12);
  expect(rising(curve(3, 2, 1, 0)).map(({ obtained }) => obtained)).toEqual([1.5, 1.5, 1.5, 1.5]);
});

test('what is asked for leads back to what was wanted', () => {
  const points = curve(0.5, 1, 2, 2.5, 3.5);
  for (const wanted of [0.5, 0.8, 1, 1.7, 2.4, 3, 3.5]) {
    const { requested, obtained } = requestFor(points, wanted);
    const left = Math.min(3, Math.floor(requested));
    const between = points[left]!.obtained + (requested - left) * (points[left + 1]!.obtained - points[left]!.obtained);
    expect(between).toBeCloseTo(wanted, 12);
    expect(obtained).toBe(wanted);
  }
});

test('what was never reached becomes the nearest end', () => {
  expect(requestFor(curve(0.5, 1, 2, 2.5, 3.5), 4)).toEqual({ requested: 4, obtained: 3.5 });
  expect(requestFor(curve(0.5, 1, 2, 2.5, 3.5), 0)).toEqual({ requested: 0, obtained: 0.5 });
});

test('where several requests give the same, the one nearest to what was wanted', () => {
  expect(requestFor(curve(0, 2, 2, 2, 4), 2).requested).toBe(2);
  expect(requestFor(curve(1, 1, 1, 1, 1), 3)).toEqual({ requested: 3, obtained: 1 });
});

test('the way there and back is the level wanted, or the nearest within reach', () => {
  const points = curve(0.5, 1.1, 2, 2.7, 3.3);
  for (const level of [0.5, 0.7, 1.3, 2.9, 3.3]) expect(obtainedAt(points, requestFor(points, level).requested)).toBe(level);
  expect([0, 4].map((level) => obtainedAt(points, requestFor(points, level).requested))).toEqual([0.5, 3.3]);
  // Asked for beyond what was measured.
  expect([-1, 9].map((requested) => obtainedAt(points, requested))).toEqual([0.5, 3.3]);
});
