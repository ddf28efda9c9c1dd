import { describe, expect, test } from 'vitest';
import { groupsOf } from '../../../src/evaluation/groups.ts';
import { predictBaselines } from '../../../src/evaluation/predictor/baselines.ts';
import { calibrationError, reliability } from '../../../src/evaluation/predictor/calibration.ts';
import { attributeFigures, type Judgement } from '../../../src/evaluation/predictor/figures.ts';
import type { RatedReply } from '../../../src/evaluation/predictor/rated-data.ts';
import { randomStream } from '../../../src/random.ts';
import type { Attribute } from '../../../src/steerlm/attributes.ts';

const scale = (levels: number): Attribute => {
  const names = Array.from({ length: levels }, (_, level) => `level ${level}`);
  return { name: 'colour', aliases: [], description: '', levels: names, default: null, cap: levels - 1 };
};

const rated = [0, 1, 2, 2, 3, 4, 1, 3, 4, 0, 2, 1.5];
const predicted = [0.4, 1.2, 1.8, 2.6, 2.4, 3.5, 0.7, 3.1, 2.9, 1.1, 1.6, 2.2];
const words = [3, 5, 9, 4, 12, 20, 6, 7, 15, 2, 8, 10];
const probability = [0.5, 0.62, 0.71, 0.44, 0.58, 0.83, 0.66, 0.91, 0.35, 0.47, 0.77, 0.52];
const confidence = [0.2, 0.35, 0.4, 0.15, 0.3, 0.6, 0.37, 0.8, 0.1, 0.18, 0.5, 0.22];
const level = [0, 1, 2, 3, 2, 4, 1, 3, 3, 1, 2, 2];

const judgements = rated.map(
  (rating, i): Judgement => ({
    rated: rating,
    predicted: predicted[i]!,
    level: level[i]!,
    probability: probability[i]!,
    confidence: confidence[i]!,
    words: words[i]!,
    prompt: `prompt ${Math.floor(i / 3)}`,
    group: Math.floor(i / 3),
    baselines: {},
  }),
);

test('figures agree with numpy', () => {
  const { figures, beats_baselines } = attributeFigures(judgements, scale(5), 1);
  const values = Object.entries(figures).map(([name, { value }]) => [name, value] as const);
  const expected: Record<string, number> = {
    mse: 0.365,
    rmse: Math.sqrt(0.365),
    mae: 0.5166666666666667,
    bias: 0,
    pearson: 0.9022024180128678,
    spearman: 0.9114392118164244,
    partial_pearson: 0.8289272772931425,
    kappa: 0.8823529411764706,
    accuracy: 8 / 12,
    within_one: 1,
    calibration_slope: 1.2399813244105515,
    calibration_error: 0.2633333333333333,
    confidence_auc: 0.9375,
    std_ratio: 0.7275935534285135,
    pairwise_accuracy: 9 / 12,
    auc: Number.NaN,
  };
  expect(values.map(([name]) => name).toSorted()).toEqual(Object.keys(expected).toSorted());
  for (const [name, value] of values) {
    if (Number.isNaN(expected[name])) expect(value, name).toBeNaN();
    else expect(value, name).toBeCloseTo(expected[name]!, 12);
  }
  expect(beats_baselines).toBeNull();
});

test('pairs are those of one prompt whose ratings differ', () => {
  const reply = (prompt: string, rating: number, said: number): Judgement => {
    return { ...judgements[0]!, prompt, group: 0, rated: rating, predicted: said };
  };
  // a: 0 < 1 right, 0 < 1 a tie, 1 = 1 no pair. b: wrong. Across prompts nothing counts.
  const all = [reply('a', 0, 1), reply('a', 1, 2), reply('a', 1, 1), reply('b', 3, 0), reply('b', 4, -1)];
  const { figures } = attributeFigures(all, scale(5), 1);
  expect(figures.pairwise_accuracy.value).toBeCloseTo(1.5 / 3, 12);
});

describe('baselines', () => {
  const random = randomStream('judgements');
  const many = (leads: number) =>
    Array.from({ length: 300 }, (_, i): Judgement => {
      const rating = Math.floor(random() * 5);
      const noise = () => rating + 4 * (random() - 0.5);
      const said = noise();
      return {
        ...judgements[0]!,
        rated: rating,
        predicted: leads * rating + (1 - leads) * said,
        prompt: String(i),
        group: i,
        baselines: { mean: 2, length: random(), ngrams: leads === 0 ? noise() : random() },
      };
    });

  test('a better predictor beats them, and one as good as words does not', () => {
    const [better, alike] = [attributeFigures(many(1), scale(5), 1), attributeFigures(many(0), scale(5), 1)];
    expect([better.beats_baselines, alike.beats_baselines]).toEqual([true, false]);
    expect(alike.baselines.ngrams!.spearman_ahead.low).toBeLessThan(0);
    expect(better.baselines.mean).toMatchObject({
      spearman: { value: 0 },
      spearman_ahead: { value: better.figures.spearman.value },
    });
  });

  const reply = (count: number, rating: number): RatedReply => {
    const text = Array.from({ length: count }, () => 'word').join(' ');
    const conversation = { system: '', turns: [{ role: 'assistant' as const, content: text }] };
    return { conversation, label: { colour: rating }, text, words: count, prompt: text, group: 0 };
  };

  test('length is a shrunk line over the logarithm, the mean is the mean', () => {
    const fitted = Array.from({ length: 40 }, (_, i) => reply(1 + i, Math.log1p(1 + i)));
    const said = predictBaselines(scale(5), { fitted, judged: [reply(1, 0), reply(40, 0)] })!;
    const centre = fitted.reduce((sum, { words: count }) => sum + Math.log1p(count), 0) / 40;
    expect(said.mean[0]).toBeCloseTo(centre, 12);
    expect(said.length[0]).toBeCloseTo(centre + (40 / 41) * (Math.log(2) - centre), 12);
    expect(said.length[1]).toBeCloseTo(centre + (40 / 41) * (Math.log(41) - centre), 12);
    expect(predictBaselines(scale(5), { fitted: fitted.slice(0, 9), judged: [reply(1, 0)] })).toBeNull();
  });

  test('words tell what they went with', () => {
    const say = (text: string, rating: number) => ({ ...reply(2, rating), text });
    const fitted = Array.from({ length: 60 }, (_, i) => (i % 2 ? say(`kind words ${i}`, 0) : say(`you clod ${i}`, 4)));
    const { ngrams } = predictBaselines(scale(5), { fitted, judged: [say('kind words indeed', 0), say('oh you clod', 0)] })!;
    expect(ngrams[0]).toBeLessThan(1);
    expect(ngrams[1]).toBeGreaterThan(3);
  });
});

describe('where a figure has no meaning it is none', () => {
  const none = (change: Partial<Judgement>, levels = 5) => {
    const { figures } = attributeFigures(
      judgements.map((each) => ({ ...each, ...change })),
      scale(levels),
      1,
    );
    return Object.entries(figures).flatMap(([name, { value }]) => (Number.isNaN(value) ? [name] : []));
  };

  test('ratings that are all the same rank nothing', () => {
    expect(none({ rated: 2 })).toEqual(
      expect.arrayContaining(['spearman', 'pearson', 'partial_pearson', 'std_ratio', 'pairwise_accuracy']),
    );
  });

  test('a predictor that says one thing has no slope, and correlates with nothing', () => {
    expect(none({ predicted: 2 })).toContain('calibration_slope');
    const { figures } = attributeFigures(
      judgements.map((each) => ({ ...each, predicted: 2 })),
      scale(5),
      1,
    );
    expect(figures.spearman).toEqual({ value: 0, low: 0, high: 0 });
  });

  test('two levels have an area under the curve, and everything is within one', () => {
    const binary = judgements.map((each) => ({ ...each, rated: each.rated > 1.5 ? 1 : 0 }));
    const { figures } = attributeFigures(binary, scale(2), 1);
    // Every pair of a 1 and a 0 in order but those of the predictions 1.6 and 1.8 with 2.2.
    expect(figures.auc.value).toBeCloseTo(1 - 2 / 35, 12);
    expect(figures.within_one.value).toBeNaN();
  });
});

test('intervals are those of prompts, and wider the more hangs together', () => {
  const random = randomStream('clusters');
  const all = Array.from({ length: 200 }, (_, i): Judgement => {
    const mood = randomStream('mood', Math.floor(i / 20))();
    return { ...judgements[0]!, rated: 4 * random(), predicted: 4 * mood, prompt: String(i), group: i };
  });
  const width = (grouped: Judgement[]) => {
    const { bias } = attributeFigures(grouped, scale(5), 1).figures;
    return bias.high - bias.low;
  };
  const together = all.map((each, i) => ({ ...each, group: Math.floor(i / 20) }));
  expect(width(together)).toBeGreaterThan(2 * width(all));
});

describe('calibration', () => {
  test('probabilities that hold have no error, and boasting has', () => {
    expect(calibrationError([0.75, 0.75, 0.75, 0.75], [1, 1, 1, 0])).toBeCloseTo(0, 12);
    expect(calibrationError([1, 1, 0.55, 0.55], [0, 0, 1, 0])).toBeCloseTo(0.5 * 1 + 0.5 * 0.05, 12);
  });

  test('bins hold equally many replies, in order of what is predicted', () => {
    const pairs = Array.from({ length: 100 }, (_, i) => ({ predicted: (i * 37) % 100, rated: 2 * ((i * 37) % 100) }));
    const points = reliability(pairs);
    expect(points.map(({ n }) => n)).toEqual(Array(10).fill(10));
    expect(points[0]).toEqual({ predicted: 4.5, rated: 9, n: 10 });
    expect(reliability(pairs.slice(0, 7))).toHaveLength(1);
  });
});

test('what shares a key, directly or through others, is one group', () => {
  expect(
    groupsOf([
      ['a', '1'],
      ['b', '2'],
      ['c', '1'],
      ['d', '3'],
      ['c', '2'],
      ['d', '4'],
    ]),
  ).toEqual([0, 0, 0, 1, 0, 1]);
});
