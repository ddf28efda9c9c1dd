// The figures of steering against models that are made up, so that what must come out is known, and against numbers worked out by hand.
import { describe, expect, test } from 'vitest';
import { intervalText } from '../../../src/evaluation/report/report-text.ts';
import { followingOf, kendall } from '../../../src/evaluation/steering/figures.ts';
import { gridOf, missOf } from '../../../src/evaluation/steering/grid-figures.ts';
import { labelSlopes, leakageOf } from '../../../src/evaluation/steering/leakage.ts';
import type { GridReply, SweepReply } from '../../../src/evaluation/steering/observations.ts';
import { holm, permutationP } from '../../../src/evaluation/steering/permutation.ts';
import { randomStream } from '../../../src/random.ts';
import { mean } from '../../../src/statistics.ts';
import type { Label } from '../../../src/steerlm/attributes.ts';

const levels = [0, 1, 2, 3, 4];

/** Normal noise. */
function normal(...keys: (string | number)[]): () => number {
  const random = randomStream('noise', ...keys);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A sweep of every attribute, `obtained` telling what a reply to a prompt is. */
function sweep(
  attributes: string[],
  prompts: number,
  obtained: (attribute: string, level: number, prompt: number) => Label,
  seeds = 2,
): SweepReply[] {
  return Array.from({ length: prompts }, (_, prompt) =>
    attributes.flatMap((attribute) =>
      Array.from({ length: seeds }, () => levels)
        .flat()
        .map((requested) => ({
          prompt,
          attribute,
          requested,
          obtained: obtained(attribute, requested, prompt),
          text: 'x '.repeat(requested + 1),
          unfinished: false,
        })),
    ),
  ).flat();
}

const around = (value: number, { low, high }: { low: number; high: number }) => low <= value && value <= high;

describe('following', () => {
  test('a model made of a line and noise gives its slope back, and the share of prompts that go the other way', () => {
    const noise = normal(1);
    const replies = sweep(['wit'], 40, (_, level, prompt) => ({
      wit: prompt % 4 === 0 ? 3 - 0.4 * level : 0.5 + 0.8 * level + 0.1 * noise(),
    }));
    const { figures, curve } = followingOf('wit', replies, { draws: 300 });
    expect(figures.gain.value).toBeCloseTo(0.75 * 0.8 - 0.25 * 0.4, 1);
    expect(around(0.5, figures.gain)).toBe(true);
    expect(figures.anti_steerable.value).toBe(0.25);
    expect(figures.range.value).toBeCloseTo(4 * figures.gain.value, 1);
    expect(figures.monotone.value).toBe(1);
    expect(curve.map(({ requested, replies }) => [requested, replies])).toEqual(levels.map((level) => [level, 80]));
    expect(curve[4]!.obtained.value).toBeCloseTo(0.75 * 3.7 + 0.25 * 1.4, 1);
    expect(curve.map(({ words }) => words)).toEqual([1, 2, 3, 4, 5]);
    expect(figures.within_spearman.low).toBeLessThan(figures.within_spearman.value);
  });

  test('within-prompt order is not disturbed by prompts that differ, where order over all replies is', () => {
    const { figures } = followingOf(
      'wit',
      sweep(['wit'], 30, (_, level, prompt) => ({ wit: 0.05 * level + prompt }), 1),
      { draws: 50 },
    );
    expect(figures.within_spearman.value).toBeCloseTo(1, 10);
    expect(figures.within_kendall.value).toBeCloseTo(1, 10);
    expect(figures.pooled_spearman.value).toBeLessThan(0.1);
  });

  test('what never varies counts 0, and is as far off as guessing the middle', () => {
    const { figures } = followingOf(
      'wit',
      sweep(['wit'], 8, () => ({ wit: 1 })),
      { draws: 50 },
    );
    expect(figures).toMatchObject({
      within_spearman: { value: 0, low: 0, high: 0 },
      gain: { value: 0 },
      range: { value: 0 },
      anti_steerable: { value: 0 },
    });
    expect(figures.mae.value).toBeCloseTo(mean([1, 0, 1, 2, 3]), 10);
    expect(figures.mae_calibrated.value).toBeCloseTo(mean([2, 1, 0, 1, 2]), 10);
    expect(figures.range_sd.value).toBeNaN();
  });

  test('a line between obtained and requested takes every distance away, fitted on other prompts', () => {
    const straight = followingOf(
      'wit',
      sweep(['wit'], 6, (_, level) => ({ wit: 3 - 0.5 * level })),
      { draws: 20 },
    );
    expect(straight.figures.mae.value).toBeGreaterThan(1);
    expect(straight.figures.mae_calibrated.value).toBeCloseTo(0, 10);
    // Prompts in turn on two lines: each half is calibrated by the other's and ends up off.
    const apart = followingOf(
      'wit',
      sweep(['wit'], 6, (_, level, prompt) => ({ wit: level + (prompt % 2 === 0 ? 0 : 1) })),
      { draws: 20 },
    );
    expect(apart.figures.mae_calibrated.value).toBeCloseTo(1, 10);
  });

  test('standard deviations are those among replies of one level', () => {
    const replies = sweep(['wit'], 2, (_, level, prompt) => ({ wit: level + (prompt === 0 ? 0.5 : -0.5) }));
    expect(followingOf('wit', replies, { draws: 20 }).figures.range_sd.value).toBeCloseTo(8, 10);
  });

  test('monotone is the share of neighbouring means that do not fall', () => {
    const bumpy = [0, 1, 0.5, 0.5, 2];
    const { figures } = followingOf(
      'wit',
      sweep(['wit'], 4, (_, level) => ({ wit: bumpy[level]! })),
      { draws: 20 },
    );
    expect(figures.monotone.value).toBe(0.75);
  });

  test('tau-b by hand', () => {
    expect(kendall([0, 1, 2, 2], [1, 2, 2, 3])).toBeCloseTo(0.8, 12);
    expect(kendall([0, 1, 2], [2, 1, 0])).toBe(-1);
    expect(kendall([0, 1, 2], [1, 1, 1])).toBe(0);
  });
});

describe('a model that follows nothing', () => {
  const noise = normal(2);
  const shuffled = sweep(['wit', 'length'], 40, () => ({ wit: 2 + noise(), length: 2 + noise() }));

  test('comes out at 0 within its intervals', () => {
    for (const name of ['wit', 'length']) {
      const { figures } = followingOf(name, shuffled, { draws: 300 });
      expect(around(0, figures.within_spearman)).toBe(true);
      expect(Math.abs(figures.within_spearman.value)).toBeLessThan(0.1);
      expect(around(0, figures.gain)).toBe(true);
      expect(around(0.5, { low: figures.anti_steerable.low - 0.05, high: figures.anti_steerable.high + 0.05 })).toBe(true);
    }
  });

  test('is no surprise to the permutation test, as one that follows is', () => {
    const steered = sweep(['wit'], 10, (_, level) => ({ wit: level + noise() }));
    expect(permutationP('wit', shuffled, { draws: 200 })).toBeGreaterThan(0.05);
    expect(permutationP('wit', steered, { draws: 199 })).toBe(1 / 200);
    expect(
      permutationP(
        'wit',
        sweep(['wit'], 5, () => ({ wit: 1 })),
        { draws: 50 },
      ),
    ).toBe(1);
  });

  test('gets small p-values as often as chance has it', () => {
    const values = Array.from({ length: 60 }, (_, i) => {
      const own = normal('p', i);
      return permutationP(
        'wit',
        sweep(['wit'], 6, () => ({ wit: own() }), 1),
        { draws: 99, seed: i },
      );
    });
    const small = values.filter((p) => p <= 0.1).length;
    expect(small).toBeLessThan(16);
    expect(mean(values)).toBeGreaterThan(0.35);
    expect(mean(values)).toBeLessThan(0.65);
  });
});

test('p-values are adjusted step by step (Holm), never out of order and never above 1', () => {
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  for (const [i, value] of [0.03, 0.06, 0.06, 0.02].entries()) expect(adjusted[i]).toBeCloseTo(value, 12);
  expect(holm([0.6, 0.9])).toEqual([1, 1]);
});

describe('leakage', () => {
  const replies = sweep(['a', 'b'], 6, (attribute, level) =>
    attribute === 'a' ? { a: level, b: 2 + 0.1 * level } : { a: 1 + 0.4 * level, b: 0.5 * level },
  );

  test('rows are obtained, columns requested, and sizes are told in the diagonal', () => {
    const { matrix, rms, max, excess } = leakageOf(['a', 'b'], replies, { draws: 20 });
    const expected = [
      [1, 0.4],
      [0.1, 0.5],
    ];
    for (const [j, row] of matrix.entries()) {
      for (const [k, { value }] of row.entries()) expect(value).toBeCloseTo(expected[j]![k]!, 10);
    }
    expect(rms.value).toBeCloseTo(Math.sqrt((0.4 ** 2 + 0.1 ** 2) / 2) / Math.sqrt((1 + 0.5 ** 2) / 2), 10);
    expect(max.value).toBeCloseTo(0.4 / Math.sqrt((1 + 0.5 ** 2) / 2), 10);
    expect(excess).toBeNull();
  });

  test('what the labels of the data explain is not in excess', () => {
    const data = [
      [1, 0.5],
      [0.3, 1],
    ];
    // Asked for b, a may move 0.5 · 0.5 and moves 0.4; asked for a, b may move 0.3 and moves 0.1.
    const { excess } = leakageOf(['a', 'b'], replies, { data, draws: 20 });
    expect(excess!.rms.value).toBeCloseTo(Math.sqrt(0.15 ** 2 / 2) / Math.sqrt((1 + 0.5 ** 2) / 2), 10);
    expect(excess!.max.value).toBeCloseTo(0.15 / Math.sqrt((1 + 0.5 ** 2) / 2), 10);
  });

  test('intervals hold the leakage a noisy model was made with', () => {
    const noise = normal(3);
    const noisy = sweep(['a', 'b'], 40, (attribute, level) =>
      attribute === 'a' ? { a: 0.9 * level + noise(), b: -0.3 * level + noise() } : { a: noise(), b: 0.6 * level + noise() },
    );
    const { matrix } = leakageOf(['a', 'b'], noisy, { draws: 300 });
    expect([around(0.9, matrix[0]![0]!), around(-0.3, matrix[1]![0]!)]).toEqual([true, true]);
    expect([around(0, matrix[0]![1]!), around(0.6, matrix[1]![1]!)]).toEqual([true, true]);
    expect(around(0, matrix[1]![0]!)).toBe(false);
  });

  test('of a model that leaks nothing, what is seen is what chance shows', () => {
    const noise = normal(4);
    const clean = sweep(['a', 'b', 'c', 'd'], 40, (attribute, level) => {
      return Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, noise() + (name === attribute ? level : 0)]));
    });
    const { rms, chance } = leakageOf(['a', 'b', 'c', 'd'], clean, { draws: 300 });
    expect(chance).toBeGreaterThan(0.02);
    expect(rms.value / chance).toBeGreaterThan(0.5);
    expect(rms.value / chance).toBeLessThan(1.7);
  });

  test('slopes of labels need enough of them, and pass over those that lack one', () => {
    const labels = Array.from({ length: 40 }, (_, i): Label => ({ a: i % 5, b: 4 - 0.5 * (i % 5) }));
    const slopes = labelSlopes(['a', 'b'], [...labels, { a: 100 }])!;
    expect(slopes[1]![0]).toBeCloseTo(-0.5, 10);
    expect(slopes[0]![1]).toBeCloseTo(-2, 10);
    expect(labelSlopes(['a', 'b'], labels.slice(0, 20))).toBeNull();
  });

  test('of a model that follows next to nothing no share is told', () => {
    const deaf = sweep(['a', 'b'], 6, (attribute, level) => ({ a: 1 + 1e-5 * level, b: attribute === 'a' ? 0.3 * level : 2 }));
    const { matrix, rms, max, chance } = leakageOf(['a', 'b'], deaf, { draws: 20 });
    expect(matrix[1]![0]!.value).toBeCloseTo(0.3, 10);
    expect([rms.value, max.value, chance]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
    expect(intervalText(rms)).toBe('–');
  });

  test('an attribute alone has nothing to leak to', () => {
    expect(leakageOf(['a'], replies, { draws: 10 }).rms.value).toBe(0);
  });
});

describe('targets', () => {
  const reply = (prompt: number, target: Label, obtained: Label): GridReply => {
    return { prompt, target, obtained, text: '', unfinished: false };
  };

  test('half the way and as far aside, by hand', () => {
    const miss = missOf([0, 0], [1, 0], [0.5, 0.5]);
    expect(miss).toMatchObject({ before: 1, miscalibration: 0.5 });
    expect(miss.left).toBeCloseTo(Math.SQRT1_2, 12);
    expect(miss.orthogonality).toBeCloseTo(Math.SQRT1_2, 12);
  });

  test('beyond the target on a slanted way, by hand', () => {
    const miss = missOf([0.25, 0.25], [0.55, 0.65], [0.85, 1.05]);
    expect(miss.before).toBeCloseTo(0.5, 12);
    expect(miss.left).toBeCloseTo(0.5, 12);
    expect(miss.miscalibration).toBeCloseTo(1, 12);
    expect(miss.orthogonality).toBeCloseTo(0, 6);
  });

  test('scales count by their length, and prompts from what they obtain unasked', () => {
    const origins = new Map([[7, { a: 0, b: 0 }]]);
    const found = gridOf({ a: 4, b: 2 }, [reply(7, { a: 4, b: 0 }, { a: 2, b: 1 })], origins, { draws: 10 })!;
    expect(found.steering_error.value).toBeCloseTo(Math.SQRT1_2, 12);
    expect(found.miscalibration.value).toBeCloseTo(0.5, 12);
    expect(found.steerability.value).toBeCloseTo(1 - Math.SQRT1_2, 12);
  });

  test('replies that did not move have no direction, and count in the error all the same', () => {
    const origins = new Map([[0, { a: 1 }]]);
    const found = gridOf({ a: 4 }, [reply(0, { a: 3 }, { a: 1 }), reply(0, { a: 1 }, { a: 1 })], origins)!;
    expect(found.steering_error.value).toBeCloseTo(0.25, 12);
    expect(found.miscalibration.value).toBeCloseTo(1, 12);
    expect(found.orthogonality.value).toBeNaN();
    expect(found.steerability.value).toBeCloseTo(0, 12);
    expect(gridOf({ a: 4 }, [], origins)).toBeNull();
  });
});
