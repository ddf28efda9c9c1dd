// Kernels one at a time against the obvious way, on as many threads and in as many tasks as it may be asked for.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Crew } from '../../../src/engine/kernel/crew.ts';
import { compileKernels } from '../../../src/engine/kernel/kernels.ts';
import { Matrix } from '../../../src/engine/kernel/matrix.ts';
import { productName } from '../../../src/engine/kernel/product.ts';
import { randomStream } from '../../../src/random.ts';
import { tinyShape } from '../../model/tiny-shape.ts';

const shape = {
  ...tinyShape,
  vocabSize: 64,
  hiddenSize: 24,
  intermediateSize: 40,
  layers: 1,
  heads: 3,
  kvHeads: 3,
  headDim: 8,
  contextLength: 32,
};

const crews: Crew[] = [];
beforeAll(async () => {
  const kernels = await compileKernels(shape);
  for (const threads of [1, 2, 3]) crews.push(await Crew.open(kernels, threads));
});
afterAll(() => Promise.all(crews.map((crew) => crew.dispose())));

const random = randomStream(9);
const numbers = (count: number, size = 1) => Float32Array.from({ length: count }, () => size * (2 * random() - 1));

/** Each row as multiples of its largest number, a 32,767th of it or what keeps sums of `columns` products in 32 bits. */
function rounded(row: Float32Array): { whole: number[]; scale: number } {
  const most = Math.min(32_767, Math.floor((2 ** 31 - 1) / (127 * row.length)));
  const peak = Math.max(...row.map(Math.abs));
  const steps = Math.fround(most / peak);
  return { whole: [...row].map((x) => Math.round(Math.fround(x * steps))), scale: Math.fround(peak / most) };
}

describe.each([1, 2, 3])('on %s threads', (threads) => {
  const crew = () => crews[threads - 1]!;

  it.each([
    [1, 5, 24],
    [1, 64, 40],
    [2, 17, 24],
    [3, 8, 40],
    [4, 33, 24],
    [7, 6, 24],
    [13, 21, 40],
  ])('multiplies %s rows with %s channels of %s columns, in tasks of any size', (rows, channels, columns) => {
    const [weights, x] = [numbers(channels * columns, 3), numbers(rows * columns)];
    const matrix = new Matrix(crew(), channels, columns);
    matrix.fill(crew(), weights.slice(0, columns * 2));
    matrix.fill(crew(), weights.slice(columns * 2));
    const wide = matrix.groups * 4;
    const [numbersAt, scalesAt] = [crew().allocate(2 * rows * columns), crew().allocate(4 * rows)];
    const [first, out] = [crew().allocate(4 * rows * wide), crew().allocate(4 * rows * wide)];
    const initial = numbers(rows * wide);
    crew()
      .floats(first, rows * wide)
      .set(initial);
    const whole = new Int16Array(crew().memory.buffer, numbersAt, rows * columns);
    const parts = Array.from({ length: rows }, (_, row) => rounded(x.subarray(row * columns, (row + 1) * columns)));
    for (const [row, part] of parts.entries()) {
      whole.set(part.whole, row * columns);
      crew().floats(scalesAt, rows)[row] = part.scale;
    }
    const answers = [1, 3, matrix.groups].map((each) => {
      crew().begin();
      const operands = [rows, numbersAt, scalesAt, matrix.packed, matrix.scales, matrix.groups, each];
      crew().add(productName(columns), Math.ceil(matrix.groups / each), ...operands, first, 4 * wide, out, 4 * wide);
      crew().run();
      return crew()
        .floats(out, rows * wide)
        .slice();
    });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    for (let row = 0; row < rows; row++) {
      for (let channel = 0; channel < channels; channel++) {
        const own = weights.subarray(channel * columns, (channel + 1) * columns);
        const exact = own.reduce((sum, w, k) => sum + w * x[row * columns + k]!, initial[row * wide + channel]!);
        // Half a 127th of the largest weight a column, at most.
        const most = (columns * Math.max(...own.map(Math.abs))) / 127 / 2;
        expect(Math.abs(answers[0]![row * wide + channel]! - exact), `row ${row}, channel ${channel}`).toBeLessThan(most);
        const codes = own.map((w) => Math.round((w * 127) / Math.max(...own.map(Math.abs))));
        const sum = codes.reduce((total, code, k) => total + code * parts[row]!.whole[k]!, 0);
        const scale = Math.fround(Math.fround(Math.max(...own.map(Math.abs)) / 127) * parts[row]!.scale);
        const expected = Math.fround(initial[row * wide + channel]! + Math.fround(sum * scale));
        expect(answers[0]![row * wide + channel]!).toBeCloseTo(expected, 5);
      }
    }
  });

  it('norms rows, gates rows and rounds them as they are', () => {
    const { hiddenSize: D, intermediateSize: F, normEpsilon } = shape;
    const rows = 5;
    const [x, weight, both] = [numbers(rows * D, 4), numbers(D), numbers(rows * 2 * F, 20)];
    // Beyond what an exponential holds, either way.
    both.set([-300, 300, -88, 88], 0);
    const at = { x: 4 * rows * D, weight: 4 * D, y: 4 * rows * D, both: 8 * rows * F, whole: 2 * rows * F, scales: 4 * rows };
    const place = Object.fromEntries(Object.entries(at).map(([name, bytes]) => [name, crew().allocate(bytes)])) as typeof at;
    crew().floats(place.x, x.length).set(x);
    crew().floats(place.weight, D).set(weight);
    crew().floats(place.both, both.length).set(both);
    const read = (columns: number) => {
      const whole = new Int16Array(crew().memory.buffer, place.whole, rows * columns);
      const scales = crew().floats(place.scales, rows);
      return Array.from(whole, (code, i) => code * scales[Math.floor(i / columns)]!);
    };

    crew().begin();
    crew().add('norm', 3, rows, 2, place.x, place.weight, place.y, place.whole, place.scales);
    crew().run();
    const normed = Array.from({ length: rows * D }, (_, i) => {
      const row = x.subarray(Math.floor(i / D) * D, (Math.floor(i / D) + 1) * D);
      return (x[i]! * weight[i % D]!) / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / D + normEpsilon);
    });
    expectClose([...crew().floats(place.y, rows * D)], normed, 1e-6);
    expectClose(read(D), normed, 1e-4);

    crew().begin();
    crew().add('gate', 3, rows, 2, place.both, place.whole, place.scales);
    crew().run();
    const gated = Array.from({ length: rows * F }, (_, i) => {
      const [row, column] = [Math.floor(i / F), i % F];
      const [gate, up] = [both[row * 2 * F + column]!, both[row * 2 * F + F + column]!];
      return (gate / (1 + Math.exp(-gate))) * up;
    });
    const products = Array.from({ length: rows }, (_, row) => [...crew().floats(place.both + 8 * row * F, F)]).flat();
    expectClose(products, gated, 1e-6);
    expectClose(read(F), gated, 1e-4);
  });
});

/** Within a share of the largest. */
function expectClose(found: number[], expected: number[], share: number): void {
  expect(found.length).toBe(expected.length);
  const most = share * Math.max(...expected.map(Math.abs));
  for (const [i, value] of expected.entries()) expect(Math.abs(found[i]! - value), `number ${i}`).toBeLessThanOrEqual(most);
}

it('refuses more memory than addresses reach, and goes on', async () => {
  const crew = await Crew.open(await compileKernels(shape), 1);
  expect(() => crew.allocate(2 ** 32)).toThrow(/room/);
  const place = crew.allocate(2 ** 20);
  crew.floats(place, 4).set([1, 2, 3, 4]);
  expect([...crew.floats(place, 4)]).toEqual([1, 2, 3, 4]);
  await crew.dispose();
});
