import { expect, test } from 'vitest';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../../../src/model/formats/half-floats.ts';

const allBits = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
const formats = [
  { name: 'float16', from: fromFloat16, to: toFloat16, infinity: 0x7c00 },
  { name: 'bfloat16', from: fromBfloat16, to: toBfloat16, infinity: 0x7f80 },
];

test('known bit patterns', () => {
  expect([...fromFloat16(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x7c00))]).toEqual([
    1,
    -2,
    65_504,
    2 ** -24,
    2 ** -14,
    Infinity,
  ]);
  expect([...fromBfloat16(Uint16Array.of(0x3f80, 0xc000, 0x4049, 0xff80))]).toEqual([1, -2, 3.140625, -Infinity]);
  expect([...toFloat16(Float32Array.of(65_519, 65_520, 1e9, 2 ** -25, 2 ** -25 * 1.001))]).toEqual([
    0x7bff, 0x7c00, 0x7c00, 0, 1,
  ]);
});

test.each(formats)('every $name pattern survives the way to float32 and back', ({ from, to }) => {
  const values = from(allBits);
  const back = to(values);
  for (const [bits, value] of values.entries()) {
    if (Number.isNaN(value)) expect(Number.isNaN(from(back.slice(bits, bits + 1))[0])).toBe(true);
    else if (back[bits] !== bits) expect.unreachable(`${bits} came back as ${back[bits]}`);
  }
});

test.each(formats)('$name rounds to the nearest, ties to the even pattern', ({ from, to, infinity }) => {
  const values = from(allBits);
  // Between each pattern and the next: just under the middle, the middle, just above it. The numbers and their middles are exact in float64.
  for (let bits = 0; bits < infinity - 1; bits++) {
    const low = values[bits]!;
    const middle = Math.fround((low + values[bits + 1]!) / 2);
    const step = middle * 2 ** -23;
    const rounded = to(Float32Array.of(middle - step, middle, middle + step, -middle));
    const even = bits % 2 === 0 ? bits : bits + 1;
    // Float32 has room beside the middle only where it is a normal number.
    const expected = middle > 2 ** -125 ? [bits, even, bits + 1] : [rounded[0], even, rounded[2]];
    if (
      rounded[0] !== expected[0] ||
      rounded[1] !== expected[1] ||
      rounded[2] !== expected[2] ||
      rounded[3] !== (even | 0x8000)
    ) {
      expect.unreachable(`around ${middle} after pattern ${bits}: got ${[...rounded]}, expected ${expected}`);
    }
  }
});
