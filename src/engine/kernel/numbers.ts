// Arithmetic that several kernels share: sums, the exponential, the norm of a row, rounding a row to 16 bits. Four numbers at a time.
import { type Code, type Frame, f32, f32x4, i8x16, i16x8, i32, i32x4, type Local, v128 } from './wasm.ts';

/** Bytes of a vector. */
export const wide = 16;

/** The four lanes of a vector added, always in the same order. */
export function total(vector: Local): Code {
  const lane = (index: number) => f32x4.lane(vector.get, index);
  return f32.add(f32.add(lane(0), lane(1)), f32.add(lane(2), lane(3)));
}

/** The larger of numbers without a sign, by their bits: one instruction, and what is no number is larger than all others. */
export const larger = (a: Code, b: Code): Code => i32x4.maxS(a, b);

/** The largest of the lanes of a vector of numbers without a sign. */
export function largest(vector: Local): Code {
  const lane = (index: number) => f32x4.lane(vector.get, index);
  return f32.max(f32.max(lane(0), lane(1)), f32.max(lane(2), lane(3)));
}

/** Added to a number below 2^22 in size, it leaves the nearest whole number in the lowest bits. */
const magic = 1.5 * 2 ** 23;
const magicBits = 0x4b400000;

/** 2^f for |f| ≤ 1/2 within 8e-8 of itself, lowest power last: least squares of the relative error, weighted until it was even. */
const powerOfTwo = [1.3276438e-3, 9.675541e-3, 5.5507135e-2, 0.2402212, 0.69314694, 1.0000001];

/** Sets `into` to e^x; x is cut to -87 … 88. e^x = 2^(n + f), n whole: a polynomial for 2^f, and n added to its exponent. */
export function exponential(frame: Frame, into: Local, x: Code): Code {
  const [rest, shifted] = frame.locals('v128', 2) as [Local, Local];
  const { add, mul, sub, orLess, orMore } = f32x4;
  const polynomial = powerOfTwo
    .slice(1)
    .reduce((sum, term) => add(mul(sum, rest.get), f32x4.const(term)), f32x4.const(powerOfTwo[0]!));
  return [
    ...rest.set(mul(orLess(orMore(x, f32x4.const(-87)), f32x4.const(88)), f32x4.const(Math.LOG2E))),
    ...shifted.set(add(rest.get, f32x4.const(magic))),
    ...rest.set(sub(rest.get, sub(shifted.get, f32x4.const(magic)))),
    ...into.set(i32x4.add(polynomial, i32x4.shl(shifted.get, i32.const(23)))),
  ];
}

/** Sets all lanes of `into` to 1 / √(mean of squares + ε) of `columns` numbers from `from` on. Source: Zhang & Sennrich 2019. */
export function rootMeanSquare(frame: Frame, into: Local, from: Local, columns: number, epsilon: number): Code {
  const [sum, x, i] = [frame.local('v128'), frame.local('v128'), frame.local('i32')];
  const mean = f32.div(total(sum), f32.const(columns));
  return [
    ...sum.set(v128.zero),
    ...frame.each(
      i,
      i32.const(0),
      i32.const(4 * columns),
      wide,
      x.set(v128.load(i32.add(from.get, i.get))),
      sum.set(f32x4.add(sum.get, f32x4.mul(x.get, x.get))),
    ),
    ...into.set(f32x4.splat(f32.div(f32.const(1), f32.sqrt(f32.add(mean, f32.const(epsilon)))))),
  ];
}

/** Bits of a plane, and what is added to a number with a sign so that two planes hold it: x + 8192 = 128 · upper + lower. */
export const [planeBits, planesZero] = [7, 2 ** 13];

/** The largest number, with its sign, a rounded row of so many columns may hold: 14 bits, and no sum of its products with 8-bit weights overflows 32 bits. */
function mostOfRow(columns: number): number {
  return Math.min(planesZero - 1, Math.floor((2 ** 31 - 1) / (127 * columns)));
}

/**
 * Puts down the scale by which numbers become whole numbers up to `most`, and sets `steps` to its reciprocal. `extreme` holds their largest
 * magnitudes, lane by lane. A number that is none, or infinite, makes the scale so, and with it everything computed from them no number.
 */
export function scaleDown(frame: Frame, extreme: Local, most: Code, steps: Local, scaleTo: Code): Code {
  const peak = frame.local('f32');
  return [
    ...peak.set(largest(extreme)),
    ...f32.store(scaleTo, f32.div(peak.get, most)),
    ...steps.set(f32x4.splat(f32.div(most, f32.max(peak.get, f32.const(1e-30))))),
  ];
}

/** The whole numbers next to four numbers, and `zero` more. */
export function wholeNumbers(from: Code, steps: Local, zero = 0): Code {
  const shifted = f32x4.add(f32x4.mul(v128.load(from), steps.get), f32x4.const(magic));
  return i32x4.sub(shifted, i32x4.splat(i32.const(magicBits - zero)));
}

/** The upper and the lower plane of numbers in 14 bits without a sign. */
export const upperPlane = (numbers: Code) => i32x4.shrU(numbers, i32.const(planeBits));
export const lowerPlane = (numbers: Code) => v128.and(numbers, i32x4.splat(i32.const(2 ** planeBits - 1)));

/** Rounds `columns` numbers from `from` on to 14 bits, in 16, at `to`, and puts their scale down. `extreme` as scaleDown has it. */
export function roundRow(frame: Frame, extreme: Local, from: Local, columns: number, to: Local, scaleTo: Code): Code {
  const [i, steps, four] = [frame.local('i32'), ...frame.locals('v128', 2)] as [Local, Local, Local];
  return [
    ...scaleDown(frame, extreme, f32.const(mostOfRow(columns)), steps, scaleTo),
    ...frame.each(
      i,
      i32.const(0),
      i32.const(columns),
      4,
      four.set(wholeNumbers(i32.add(from.get, i32.shl(i.get, i32.const(2))), steps)),
      v128.store64(i32.add(to.get, i32.shl(i.get, i32.const(1))), i16x8.narrowI32x4S(four.get, four.get)),
    ),
  ];
}

/** The same in two planes of bytes, the upper one first: a multiple of eight numbers. */
export function roundPlanes(frame: Frame, extreme: Local, from: Local, columns: number, to: Local, scaleTo: Code): Code {
  const i = frame.local('i32');
  const [steps, ...fours] = frame.locals('v128', 3) as [Local, Local, Local];
  const plane = (of: (four: Code) => Code) => {
    const [a, b] = fours.map((four) => of(four.get)) as [Code, Code];
    return i8x16.narrowI16x8S(i16x8.narrowI32x4S(a, b), v128.zero);
  };
  return [
    ...scaleDown(frame, extreme, f32.const(mostOfRow(columns)), steps, scaleTo),
    ...frame.each(
      i,
      i32.const(0),
      i32.const(columns),
      8,
      ...fours.map((four, index) => {
        const place = i32.add(i32.add(from.get, i32.shl(i.get, i32.const(2))), i32.const(wide * index));
        return four.set(wholeNumbers(place, steps, planesZero));
      }),
      v128.store64(i32.add(to.get, i.get), plane(upperPlane)),
      v128.store64(i32.add(to.get, i.get), plane(lowerPlane), columns),
    ),
  ];
}

/**
 * Rounds `columns` numbers from `from` on to 8 bits at `to`, in blocks of 32: of each block its scale at `scaleTo`, and there `sums` bytes further the sum of
 * its rounded numbers times the scale. `scaleTo` is moved on. A number that is none, or infinite, makes its block so.
 */
export function roundBlocks(frame: Frame, from: Local, columns: number, to: Local, scaleTo: Local, sums: Code): Code {
  const [i, place] = frame.locals('i32', 2) as [Local, Local];
  const [extreme, steps, total] = frame.locals('v128', 3) as [Local, Local, Local];
  const wholes = frame.locals('v128', 8);
  const sum = [0, 1, 2, 3].map((lane) => i32x4.lane(total.get, lane)).reduce((added, lane) => i32.add(added, lane));
  const pair = (first: number) => i16x8.narrowI32x4S(wholes[first]!.get, wholes[first + 1]!.get);
  const sixteen = (first: number) => i8x16.narrowI16x8S(pair(first), pair(first + 2));
  return frame.each(
    i,
    i32.const(0),
    i32.const(columns),
    32,
    place.set(i32.add(from.get, i32.shl(i.get, i32.const(2)))),
    extreme.set(f32x4.abs(v128.load(place.get))),
    ...[1, 2, 3, 4, 5, 6, 7].map((four) => extreme.set(larger(extreme.get, f32x4.abs(v128.load(place.get, wide * four))))),
    scaleDown(frame, extreme, f32.const(127), steps, scaleTo.get),
    ...wholes.map((whole, four) => whole.set(wholeNumbers(i32.add(place.get, i32.const(wide * four)), steps))),
    total.set(wholes.slice(1).reduce((added, whole) => i32x4.add(added, whole.get), wholes[0]!.get)),
    v128.store(i32.add(to.get, i.get), sixteen(0)),
    v128.store(i32.add(to.get, i.get), sixteen(4), wide),
    f32.store(i32.add(scaleTo.get, sums), f32.mul(f32.fromS(sum), f32.load(scaleTo.get))),
    scaleTo.set(i32.add(scaleTo.get, i32.const(4))),
  );
}

/** Sets `extreme` to the largest magnitudes of `columns` numbers from `from` on, lane by lane. */
export function findExtreme(frame: Frame, extreme: Local, from: Local, columns: number): Code {
  const i = frame.local('i32');
  const magnitude = f32x4.abs(v128.load(i32.add(from.get, i.get)));
  return [
    ...extreme.set(v128.zero),
    ...frame.each(i, i32.const(0), i32.const(4 * columns), wide, extreme.set(larger(extreme.get, magnitude))),
  ];
}
