// The scale of numbers in 8 bits: closer than by the largest number alone, and none where a number is none.
import { expect, it } from 'vitest';
import { codeOf, fittedScale, wholeScale } from '../../src/model/eight-bits.ts';
import { randomStream } from '../../src/random.ts';

const random = randomStream(8);

function squaredError(numbers: Float32Array, scaleOf: typeof wholeScale): number {
  let sum = 0;
  for (let start = 0; start < numbers.length; start += 32) {
    const [scale, steps] = scaleOf(numbers, start, start + 32);
    for (let k = start; k < start + 32; k++) sum += (numbers[k]! - scale * codeOf(numbers[k]!, steps)) ** 2;
  }
  return sum;
}

it('rounds closer than by the largest number alone', () => {
  const numbers = Float32Array.from({ length: 32 * 500 }, () => random() + random() + random() - 1.5);
  expect(squaredError(numbers, fittedScale)).toBeLessThan(0.9 * squaredError(numbers, wholeScale));
});

it('leaves what multiples of a 127th hold', () => {
  const numbers = Float32Array.from({ length: 32 }, (_, k) => 0.02 * ((k * 11) % 128));
  numbers[5] = -0.02 * 127;
  for (const scaleOf of [wholeScale, fittedScale]) expect(squaredError(numbers, scaleOf)).toBeLessThan(1e-12);
});

it('is none for what is no number, and nothing for zeros', () => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const numbers = new Float32Array(32).fill(1);
    numbers[9] = bad;
    for (const scaleOf of [wholeScale, fittedScale]) expect(scaleOf(numbers, 0, 32)[0]).toBeNaN();
  }
  expect(fittedScale(new Float32Array(32), 0, 32)).toEqual([0, 0]);
});
