// Quantised matrices against their definition: every number is within half a step of what its code stands for, and products follow.
import { expect, it } from 'vitest';
import { quantise } from '../../src/model/quantise.ts';
import type { Bits } from '../../src/tensor/graph.ts';
import { emitOnnx } from '../../src/tensor/onnx.ts';
import { constant, gatherNBits, input, matmulNBits } from '../../src/tensor/primitives.ts';
import { Session } from '../../src/tensor/session.ts';
import { random } from '../tensor/cases.ts';

const sizes = [
  [5, 64],
  [3, 80],
  [7, 20],
] as const;
const bitsList: Bits[] = [8, 4];
const cases = bitsList.flatMap((bits) => sizes.map(([rows, columns]) => ({ bits, rows, columns })));

function matrix(rows: number, columns: number): Float32Array {
  const next = random(rows * columns);
  return Float32Array.from({ length: rows * columns }, (_, i) => (next() ** 3 - (i % 3 === 0 ? 0.6 : 0)) * 0.1);
}

/** Values and steps of the codes, (rows, columns). */
function meaning({ codes, scales, zeroPoints }: ReturnType<typeof quantise>, columns: number, bits: Bits) {
  const blocks = Math.ceil(columns / 32);
  const rows = scales.length / blocks;
  const half = (bytes: Uint8Array, i: number) => (bits === 8 ? bytes[i]! : (bytes[i >> 1]! >> (4 * (i & 1))) & 15);
  const each = (f: (code: number, zero: number, scale: number) => number) =>
    Array.from({ length: rows * columns }, (_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      const block = column >> 5;
      const zeros = zeroPoints?.subarray((row * zeroPoints.length) / rows);
      const code = half(codes, row * blocks * 32 + column);
      return f(code, zeros ? half(zeros, block) : 2 ** (bits - 1), scales[row * blocks + block]!);
    });
  return { values: each((code, zero, scale) => (code - zero) * scale), steps: each((_, __, scale) => Math.abs(scale)) };
}

it.each(cases)('$bits bits, $rows × $columns: every number within a step, nearly all within half', ({ bits, rows, columns }) => {
  const values = matrix(rows, columns);
  const { values: found, steps } = meaning(quantise(values, columns, bits), columns, bits);
  const errors = found.map((value, i) => Math.abs(value - values[i]!) / steps[i]!);
  expect(Math.max(...errors)).toBeLessThan(1);
  expect(errors.filter((error) => error < 0.5001).length / errors.length).toBeGreaterThan(0.9);
});

it.each(cases)(
  '$bits bits, $rows × $columns: the runtime reads the codes as they were meant',
  async ({ bits, rows, columns }) => {
    const quantised = quantise(matrix(rows, columns), columns, bits);
    const blocks = Math.ceil(columns / 32);
    const zeroPoints = quantised.zeroPoints && constant(quantised.zeroPoints, [rows, quantised.zeroPoints.length / rows]);
    const held = { bits, scales: constant(quantised.scales, [rows, blocks]), zeroPoints };
    const product = matmulNBits(input('x', 'float32', ['T', columns]), {
      ...held,
      codes: constant(quantised.codes, [rows, blocks, 4 * bits]),
    });
    const codes = constant(quantised.codes, [rows, quantised.codes.length / rows]);
    const row = gatherNBits({ ...held, codes }, input('ids', 'int64', [1]));
    const session = await Session.open(emitOnnx({ product, row }), { threads: 1 });
    const { values } = meaning(quantised, columns, bits);
    // Activations of 0 and one other magnitude a block lose nothing when rounded to 8 bits.
    const x = Float32Array.from({ length: columns }, (_, i) => [1, 0, -1, 0, 1][i % 5]!);
    const answer = await session.run({
      x: { data: x, shape: [1, columns] },
      ids: { data: BigInt64Array.of(1n), shape: [1] },
    });
    for (let n = 0; n < rows; n++) {
      const expected = x.reduce((total, value, k) => total + value * values[n * columns + k]!, 0);
      expect((answer.product!.data as Float32Array)[n]).toBeCloseTo(expected, 5);
    }
    for (let k = 0; k < columns; k++) {
      expect((answer.row!.data as Float32Array)[k]).toBeCloseTo(values[columns + k]!, 6);
    }
    await session.dispose();
  },
);

it.each(bitsList)('%i bits: a block of zeros stays zero, and what is not finite does not hide', (bits) => {
  const values = new Float32Array(96);
  values.fill(Number.NaN, 40, 41);
  values.fill(Number.POSITIVE_INFINITY, 70, 71);
  const { scales, ...rest } = quantise(values, 96, bits);
  expect([...scales]).toEqual([0, Number.NaN, Number.NaN].map((scale) => (scale === 0 ? expect.closeTo(0) : scale)));
  expect(
    meaning({ scales, ...rest }, 96, bits)
      .values.slice(0, 32)
      .every((value) => value === 0),
  ).toBe(true);
});
