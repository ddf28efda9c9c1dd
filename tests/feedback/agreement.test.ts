// Agreement figures against published and hand-computed ones.
import { describe, expect, test } from 'vitest';
import { intervalAlpha, rankCorrelation } from '../../src/feedback/agreement.ts';
import { quadraticKappa } from '../../src/statistics.ts';

/** Four observers, twelve units, gaps as null: Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example C. */
const observers = [
  [1, 2, 3, 3, 2, 1, 4, 1, 2, null, null, null],
  [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, null, 3],
  [null, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, null],
  [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, null],
];
const units = Array.from({ length: 12 }, (_, unit) =>
  observers.map((row) => row[unit]).filter((value): value is number => typeof value === 'number'),
);

/** The definition: weighted observed over weighted chance counts, every cell of the matrix. */
function kappaByMatrix(pairs: [number, number][], levels: number): number {
  let observed = 0;
  let chance = 0;
  for (let i = 0; i < levels; i++) {
    for (let j = 0; j < levels; j++) {
      const weight = (i - j) ** 2 / (levels - 1) ** 2;
      const both = pairs.filter(([a, b]) => a === i && b === j).length / pairs.length;
      const byChance =
        (pairs.filter(([a]) => a === i).length / pairs.length) * (pairs.filter(([, b]) => b === j).length / pairs.length);
      observed += weight * both;
      chance += weight * byChance;
    }
  }
  return 1 - observed / chance;
}

describe("Krippendorff's alpha", () => {
  test('is 0.849 on his own example', () => {
    expect(intervalAlpha(units)).toBeCloseTo(0.849, 3);
  });

  test('is 1 without disagreement, and below 0 where raters contradict each other', () => {
    expect(intervalAlpha([[1, 1], [3, 3, 3], [2]])).toBe(1);
    expect(
      intervalAlpha([
        [0, 4],
        [4, 0],
      ]),
    ).toBeCloseTo(-0.5, 12);
  });

  test('is unknown where nothing was rated twice or nothing varies', () => {
    expect([intervalAlpha([]), intervalAlpha([[1], [2]]), intervalAlpha([[2, 2]])]).toEqual([null, null, null]);
  });
});

describe('quadratic-weighted kappa', () => {
  test('is what the matrix of counts gives', () => {
    const pairs: [number, number][] = [
      [0, 0],
      [1, 2],
      [2, 2],
      [4, 3],
      [3, 3],
      [0, 2],
      [4, 4],
    ];
    expect(quadraticKappa(pairs)).toBeCloseTo(kappaByMatrix(pairs, 5), 12);
  });

  test('by hand: one of four a level off', () => {
    // Observed 1/4; chance: var 1.25 and 0.6875, means 1.5 and 1.75, so 1.25 + 0.6875 + 0.0625 = 2; 1 − 0.125.
    const pairs: [number, number][] = [
      [0, 1],
      [1, 1],
      [2, 2],
      [3, 3],
    ];
    expect(quadraticKappa(pairs)).toBeCloseTo(0.875, 12);
  });

  test('is unknown where nothing varies', () => {
    expect([quadraticKappa([]), quadraticKappa([[2, 2]])]).toEqual([null, null]);
  });
});

test("Spearman's correlation gives ties their mean rank", () => {
  // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: Pearson of those is 4.5 / √(4.5 · 5).
  const pairs: [number, number][] = [
    [1, 10],
    [2, 30],
    [2, 20],
    [9, 40],
  ];
  expect(rankCorrelation(pairs)).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  expect(
    rankCorrelation([
      [1, 1],
      [2, 1],
      [3, 1],
    ]),
  ).toBeNull();
});
