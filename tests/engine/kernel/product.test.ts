// Kernels one at a time against the obvious way, on as many threads and in as many tasks as it may be asked for.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Crew } from '../../../src/engine/kernel/crew.ts';
import { compileKernels } from '../../../src/engine/kernel/kernels.ts';
import { Matrix } from '../../../src/engine/kernel/matrix.ts';
import { type Packing, productName } from '../../../src/engine/kernel/packing.ts';
import { foursAreFaster } from '../../../src/engine/kernel/relaxed.ts';
import { fitFours, unpackFours } from '../../../src/model/four-bits.ts';
import { randomStream } from '../../../src/random.ts';
import { tinyShape } from '../../model/tiny-shape.ts';

const shape = {
  ...tinyShape,
  vocabSize: 64,
  hiddenSize: 64,
  intermediateSize: 96,
  layers: 1,
  heads: 3,
  kvHeads: 3,
  headDim: 8,
  contextLength: 32,
};

/** Rows of 8 bits with a scale for all or for each block, and of 4 bits. */
type Plain = Omit<Packing, 'inFours'>;
const packings: Record<string, Plain> = {
  'whole rows of 8 bits': { bits: 8, columns: 40, block: 40 },
  'blocks of 8 bits': { bits: 8, columns: 96, block: 32 },
  'blocks of 4 bits': { bits: 4, columns: 96, block: 32 },
};

const crews: Crew[] = [];
/** By threads. Node 20 has products in fours wrong, and is never asked for them. */
const inFours = [foursAreFaster(), false, Number(process.versions.node.split('.')[0]) >= 24];
const table: Plain = { bits: 8, columns: 64, block: 32 };
const four: Plain = { bits: 4, columns: 64, block: 32 };
beforeAll(async () => {
  for (const [index, way] of inFours.entries()) {
    const [first, ...matrices] = [table, four, ...Object.values(packings)].map((packing) => ({ ...packing, inFours: way }));
    crews.push(await Crew.open(await compileKernels(shape, { table: first!, matrices }), index + 1));
  }
});
afterAll(() => Promise.all(crews.map((crew) => crew.dispose())));

const random = randomStream(9);
const numbers = (count: number, size = 1) => Float32Array.from({ length: count }, () => size * (2 * random() - 1));

/** Stretches of a row as multiples of a `most`th of their largest number. */
function rounded(row: Float32Array, most: number, stretch = row.length): { whole: number[]; scales: number[] } {
  const [whole, scales]: [number[], number[]] = [[], []];
  for (let start = 0; start < row.length; start += stretch) {
    const part = row.subarray(start, start + stretch);
    const peak = Math.max(...part.map(Math.abs));
    const steps = Math.fround(most / peak);
    whole.push(...[...part].map((x) => Math.round(Math.fround(x * steps))));
    scales.push(Math.fround(peak / most));
  }
  return { whole, scales };
}

/** The largest 14-bit number with which sums of a row's products stay within 32 bits. */
const mostOf = (columns: number) => Math.min(8191, Math.floor((2 ** 31 - 1) / (127 * columns)));

/** What rounded rows are in memory: their numbers, scales and sums. */
function putRounded(
  crew: Crew,
  x: Float32Array,
  rows: number,
  { bits, columns, inFours: planes }: Packing,
): { at: number[]; stands: number[] } {
  const blocks = bits === 4 ? columns / 32 : 1;
  const at = [2 * rows * columns, 4 * rows * blocks, 4 * rows * blocks].map((bytes) => crew.allocate(bytes)) as [
    number,
    number,
    number,
  ];
  const whole =
    bits === 4
      ? new Int8Array(crew.memory.buffer, at[0], rows * columns)
      : new Int16Array(crew.memory.buffer, at[0], rows * columns);
  const stands: number[] = [];
  for (let row = 0; row < rows; row++) {
    const part = rounded(x.subarray(row * columns, (row + 1) * columns), bits === 4 ? 127 : mostOf(columns), columns / blocks);
    if (bits === 8 && planes) putPlanes(whole, row, part.whole);
    else whole.set(part.whole, row * columns);
    crew.floats(at[1], rows * blocks).set(part.scales, row * blocks);
    for (let block = 0; block < blocks; block++) {
      const own = part.whole.slice((block * columns) / blocks, ((block + 1) * columns) / blocks);
      crew.floats(at[2], rows * blocks)[row * blocks + block] = own.reduce((sum, value) => sum + value, 0) * part.scales[block]!;
    }
    stands.push(...part.whole.map((value, k) => value * part.scales[Math.floor((k * blocks) / columns)]!));
  }
  return { at, stands };
}

/** A row as two planes of bytes. */
function putPlanes({ buffer, byteOffset }: ArrayBufferView, row: number, whole: number[]): void {
  const planes = new Uint8Array(buffer, byteOffset + 2 * row * whole.length, 2 * whole.length);
  const shifted = whole.map((value) => value + 8192);
  planes.set(shifted.map((value) => value >> 7));
  planes.set(
    shifted.map((value) => value & 127),
    whole.length,
  );
}

/** The numbers that a matrix stands for. */
function packedNumbers(weights: Float32Array, { bits, columns, block }: Plain): number[] {
  if (bits === 4) return [...unpackFours(fitFours(weights))];
  return Array.from({ length: weights.length / columns }, (_, channel) => {
    const { whole, scales } = rounded(weights.subarray(channel * columns, (channel + 1) * columns), 127, block);
    return whole.map((value, k) => value * scales[Math.floor(k / block)]!);
  }).flat();
}

describe.each([1, 2, 3])('on %s threads', (threads) => {
  const crew = () => crews[threads - 1]!;

  describe.each(Object.keys(packings))('%s', (name) => {
    const packing = { ...packings[name]!, inFours: inFours[threads - 1]! };
    const { columns } = packing;

    it.each([
      [1, 5],
      [1, 64],
      [2, 17],
      [3, 8],
      [4, 33],
      [7, 6],
      [13, 21],
    ])('multiplies %s rows with %s channels, in tasks of any size', (rows, channels) => {
      const [weights, x] = [numbers(channels * columns, 3), numbers(rows * columns)];
      const matrix = new Matrix(crew(), channels, packing);
      // Blocks of 8 bits by their largest number, so that the test can tell what they stand for.
      matrix.fill(weights.slice(0, columns * 2), 1, true);
      matrix.fill(weights.slice(columns * 2), 1, true);
      const wide = matrix.groups * 4;
      const [first, out] = [crew().allocate(4 * rows * wide), crew().allocate(4 * rows * wide)];
      const initial = numbers(rows * wide);
      crew().floats(first, initial.length).set(initial);
      const { at, stands } = putRounded(crew(), x, rows, packing);
      const answers = [1, 3, matrix.groups].map((each) => {
        crew().begin();
        const operands = [rows, ...at, matrix.packed, matrix.groups, each];
        crew().add(productName(packing), Math.ceil(matrix.groups / each), ...operands, first, 4 * wide, out, 4 * wide);
        crew().run();
        return crew()
          .floats(out, rows * wide)
          .slice();
      });
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      const held = packedNumbers(weights, packing);
      for (let row = 0; row < rows; row++) {
        for (let channel = 0; channel < channels; channel++) {
          const products = Array.from({ length: columns }, (_, k) => held[channel * columns + k]! * stands[row * columns + k]!);
          const expected = products.reduce((sum, product) => sum + product, initial[row * wide + channel]!);
          expect(answers[0]![row * wide + channel]!, `row ${row}, channel ${channel}`).toBeCloseTo(expected, 4);
        }
      }
    });
  });

  it.each([8, 4] as const)('norms rows, gates rows and rounds them for weights of %s bits', (bits) => {
    const { hiddenSize: D, intermediateSize: F, normEpsilon } = shape;
    const rows = 5;
    const rounding = bits === 4 ? 0.5 / 127 : 1e-4;
    const [x, weight, both] = [numbers(rows * D, 4), numbers(D), numbers(rows * 2 * F, 20)];
    // Beyond what an exponential holds, either way.
    both.set([-300, 300, -88, 88], 0);
    const stretch = (columns: number) => (bits === 4 ? 32 : columns);
    const sizes = { x: 4 * rows * D, weight: 4 * D, y: 4 * rows * D, both: 8 * rows * F };
    const at = { ...sizes, whole: 2 * rows * F, scales: 4 * rows * F, sums: 4 * rows * F };
    const place = Object.fromEntries(Object.entries(at).map(([name, bytes]) => [name, crew().allocate(bytes)])) as typeof at;
    crew().floats(place.x, x.length).set(x);
    crew().floats(place.weight, D).set(weight);
    crew().floats(place.both, both.length).set(both);
    const joinPlanes = (some: number, columns: number) => {
      const planes = new Uint8Array(crew().memory.buffer, place.whole, 2 * some * columns);
      return Array.from({ length: some * columns }, (_, i) => {
        const at = i + columns * Math.floor(i / columns);
        return 128 * planes[at]! + planes[at + columns]! - 8192;
      });
    };
    const read = (columns: number) => {
      const buffer = crew().memory.buffer;
      const whole =
        bits === 4
          ? new Int8Array(buffer, place.whole, rows * columns)
          : inFours[threads - 1]
            ? joinPlanes(rows, columns)
            : new Int16Array(buffer, place.whole, rows * columns);
      const scales = crew().floats(place.scales, (rows * columns) / stretch(columns));
      const found = Array.from(whole, (code: number, i) => code * scales[Math.floor(i / stretch(columns))]!);
      if (bits === 4) {
        const sums = [...crew().floats(place.sums, scales.length)];
        expectClose(
          sums,
          sums.map((_, block) => found.slice(32 * block, 32 * block + 32).reduce((sum, value) => sum + value, 0)),
          1e-5,
        );
      }
      return found;
    };

    crew().begin();
    crew().add(`norm${bits}`, 3, rows, 2, place.x, place.weight, place.y, place.whole, place.scales, place.sums);
    crew().run();
    const normed = Array.from({ length: rows * D }, (_, i) => {
      const row = x.subarray(Math.floor(i / D) * D, (Math.floor(i / D) + 1) * D);
      return (x[i]! * weight[i % D]!) / Math.sqrt(row.reduce((sum, value) => sum + value * value, 0) / D + normEpsilon);
    });
    expectClose([...crew().floats(place.y, rows * D)], normed, 1e-6);
    expectClose(read(D), normed, rounding);

    crew().begin();
    crew().add(`gate${bits}`, 3, rows, 2, place.both, place.whole, place.scales, place.sums);
    crew().run();
    const gated = Array.from({ length: rows * F }, (_, i) => {
      const [row, column] = [Math.floor(i / F), i % F];
      const [gate, up] = [both[row * 2 * F + column]!, both[row * 2 * F + F + column]!];
      return (gate / (1 + Math.exp(-gate))) * up;
    });
    const products = Array.from({ length: rows }, (_, row) => [...crew().floats(place.both + 8 * row * F, F)]).flat();
    expectClose(products, gated, 1e-6);
    expectClose(read(F), gated, rounding);
  });
});

/** Within a share of the largest. */
function expectClose(found: number[], expected: number[], share: number): void {
  expect(found.length).toBe(expected.length);
  const most = share * Math.max(...expected.map(Math.abs));
  for (const [i, value] of expected.entries()) expect(Math.abs(found[i]! - value), `number ${i}`).toBeLessThanOrEqual(most);
}

it('refuses more memory than addresses reach, and goes on', async () => {
  const crew = await Crew.open(await compileKernels(shape, { table: { ...table, inFours: false }, matrices: [] }), 1);
  expect(() => crew.allocate(2 ** 32)).toThrow(/room/);
  const place = crew.allocate(2 ** 20);
  crew.floats(place, 4).set([1, 2, 3, 4]);
  expect([...crew.floats(place, 4)]).toEqual([1, 2, 3, 4]);
  await crew.dispose();
});
