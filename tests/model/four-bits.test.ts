// Rounding to 4 bits: what lies on such a lattice stays, what does not comes closer than between its ends, and what is no number shows.
import { expect, it } from 'vitest';
import { fitFours, unpackFours } from '../../src/model/four-bits.ts';
import { randomStream } from '../../src/random.ts';

const random = randomStream(4);
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const squares = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);

it('leaves what 16 even steps hold', () => {
  for (const [scale, base] of [
    [0.25, -2],
    [0.013, 0.4],
    [0, 1.5],
  ] as const) {
    const values = Float32Array.from({ length: 64 }, (_, i) => scale * ((i * 7) % 16) + base);
    for (const [i, value] of unpackFours(fitFours(values)).entries()) expect(value).toBeCloseTo(values[i]!, 5);
  }
});

it('rounds closer than evenly between the ends', () => {
  const values = Float32Array.from({ length: 32 * 200 }, normal);
  const between = values.map((value, i) => {
    const block = values.subarray(i - (i % 32), i - (i % 32) + 32);
    const [low, high] = [Math.min(...block), Math.max(...block)];
    return low + (Math.round(((value - low) / (high - low)) * 15) * (high - low)) / 15;
  });
  expect(squares(values, unpackFours(fitFours(values)))).toBeLessThan(0.93 * squares(values, between));
});

it('shows what is no number in its block alone', () => {
  const values = new Float32Array(96).map((_, i) => i);
  values[40] = Number.NaN;
  values[70] = Number.POSITIVE_INFINITY;
  const { scales } = fitFours(values);
  expect([...scales].map(Number.isNaN)).toEqual([false, true, true]);
});
