import { describe, expect, test } from 'vitest';
import { randomStream } from '../src/random.ts';
import {
  areaUnderCurve,
  bootstrap,
  line,
  mean,
  partialPearson,
  pearson,
  quantile,
  ranks,
  spearman,
  variance,
} from '../src/statistics.ts';

const a = [1, 2, 2, 4, 7, 3.5];
const b = [2, 1, 3, 3, 9, 4];
const c = [1, 0, 2, 5, 3, 3];

describe('figures agree with numpy', () => {
  test('correlations', () => {
    expect(pearson(a, b)).toBeCloseTo(0.9167940080115423, 12);
    expect(spearman(a, b)).toBeCloseTo(0.7794117647058825, 12);
    expect(partialPearson(a, b, c)).toBeCloseTo(0.907651986214, 11);
  });

  test('places and spread', () => {
    expect([0.025, 0.3, 0.975].map((at) => quantile(a, at))).toEqual([1.125, 2, 6.625]);
    expect(variance(a)).toBeCloseTo(3.8125, 12);
    expect(ranks(a)).toEqual([1, 2.5, 2.5, 5, 6, 4]);
  });

  test('a line', () => {
    const { slope, intercept } = line(a, b);
    expect(slope).toBeCloseTo(1.2021857923497268, 12);
    expect(intercept).toBeCloseTo(-0.2404371584699453, 12);
  });
});

test('what never varies correlates with nothing', () => {
  expect([pearson([1, 1, 1], [1, 2, 3]), line([2, 2], [1, 3]).slope]).toEqual([0, 0]);
  expect([mean([]), areaUnderCurve([1, 1], [0, 1])]).toEqual([0, 0.5]);
});

describe('bootstrap', () => {
  const random = randomStream('numbers');
  const numbers = Array.from({ length: 400 }, () => random());
  const meanOf = (groups: readonly (readonly number[])[]) => ({ mean: mean(groups.flat()) });

  test('an interval is as wide as the standard error says', () => {
    const { mean: found } = bootstrap(
      numbers.map((value) => [value]),
      meanOf,
    );
    const error = Math.sqrt(variance(numbers) / numbers.length);
    expect(found.value).toBeCloseTo(mean(numbers), 12);
    expect((found.high - found.low) / (2 * 1.96 * error)).toBeGreaterThan(0.85);
    expect((found.high - found.low) / (2 * 1.96 * error)).toBeLessThan(1.15);
  });

  test('what hangs together is drawn together: copies make no interval narrower', () => {
    const copies = numbers.slice(0, 40).map((value) => Array.from({ length: 10 }, () => value));
    const together = bootstrap(copies, meanOf).mean;
    const apart = bootstrap(
      copies.flat().map((value) => [value]),
      meanOf,
    ).mean;
    expect((together.high - together.low) / (apart.high - apart.low)).toBeGreaterThan(2.5);
  });

  test('the same seed gives the same interval', () => {
    const groups = numbers.slice(0, 20).map((value) => [value]);
    expect(bootstrap(groups, meanOf, { seed: 3 })).toEqual(bootstrap(groups, meanOf, { seed: 3 }));
  });
});
