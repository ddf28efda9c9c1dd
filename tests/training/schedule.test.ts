// Learning rates over the cycles of a run, how long a run is, and how much of the held-out data is read.
import { expect, test } from 'vitest';
import { drawHeldOut } from '../../src/training/held-out.ts';
import { cyclesTo, epochsFor, intervalOf, learningRateAt } from '../../src/training/schedule.ts';
import { settingsOf } from '../../src/training/training-settings.ts';

const rates = { learningRate: 1, floor: 0.1, warmup: 0.1 };
const rateOf = (cycles: { from: number; to: number }[], steps: number[]) =>
  steps.map((step) => learningRateAt(rates, cycles, step));

test('one cycle rises over its share and falls to the floor', () => {
  const [first, tenth, middle, last] = rateOf([{ from: 0, to: 100 }], [1, 10, 55, 100]);
  expect([first, tenth, last]).toEqual([0.1, 1, expect.closeTo(0.1, 10)]);
  expect(middle).toBeCloseTo(0.55, 10);
});

test('a further cycle rises from the rate the one before had come to, however early that was', () => {
  const cut = [
    { from: 0, to: 100 },
    { from: 55, to: 105 },
  ];
  const [before, first, top, last] = rateOf(cut, [55, 56, 60, 105]);
  expect(before).toBeCloseTo(0.55, 10);
  expect(first).toBeCloseTo(0.55 + 0.45 / 5, 10);
  expect([top, last]).toEqual([expect.closeTo(1, 10), expect.closeTo(0.1, 10)]);
});

test('a run keeps its plan, or goes on to a further end, or is refused', () => {
  const cycles = [{ from: 0, to: 100 }];
  expect(cyclesTo(100, { step: 0, cycles: [] })).toEqual(cycles);
  expect(cyclesTo(100, { step: 100, cycles })).toEqual(cycles);
  expect(cyclesTo(150, { step: 60, cycles })).toEqual([...cycles, { from: 60, to: 150 }]);
  expect(() => cyclesTo(60, { step: 60, cycles })).toThrow('has made 60 of 100 steps already and cannot end at 60');
});

test('little data is read more often, and looks are spread over a run', () => {
  expect([epochsFor(1000), epochsFor(100), epochsFor(10)]).toEqual([2, 3, 8]);
  expect([intervalOf('auto', 95, 10), intervalOf('auto', 3, 10), intervalOf(7, 95, 10)]).toEqual([10, 1, 7]);
});

test('adapters learn at their own rate, unless somebody says otherwise', () => {
  const rate = (more: object) => settingsOf('predictor', { accumulation: 1, seed: 0, ...more }).learningRate;
  expect([rate({}), rate({ loraRank: 8 }), rate({ loraRank: 8, learningRate: 0.5 })]).toEqual([3e-4, 1e-3, 0.5]);
});

test('no more replies are read of the held-out data than asked for, always the same ones, in their order', () => {
  const samples = Array.from({ length: 100 }, (_, i) => ({ i, replies: (i % 3) + 1 }));
  const drawn = drawHeldOut(samples, 50, ({ replies }) => replies);
  expect(drawn.reduce((sum, { replies }) => sum + replies, 0)).toBe(50);
  expect(drawn).toEqual(drawHeldOut(samples, 50, ({ replies }) => replies));
  expect(drawn.map(({ i }) => i)).toEqual(drawn.map(({ i }) => i).toSorted((a, b) => a - b));
  // From all over, not from the beginning.
  expect(drawn.filter(({ i }) => i >= 50).length).toBeGreaterThan(5);
  expect(drawHeldOut(samples, 1000)).toEqual(samples);
});
