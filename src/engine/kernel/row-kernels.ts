// Kernels over rows of numbers that stand one under the other: from a token to its row of the table, norms, the gate. Sizes are those of one model.
import type { LlamaShape } from '../../model/shape.ts';
import { geluTerms } from '../../tensor/primitives.ts';
import { exponential, findExtreme, larger, rootMeanSquare, roundBlocks, roundPlanes, roundRow, wide } from './numbers.ts';
import { blockColumns, columnsTogether, groupBlockBytes, groupBytes, groupChannels, type Packing } from './packing.ts';
import { at, rowKernel, type Words } from './record.ts';
import { type Code, type Definition, type Frame, f32, f32x4, i32, jumpIf, type Local, loop, v128 } from './wasm.ts';

/** Bytes of one token among those of a run: its id, its position, where the addresses of its blocks of keys and values lie, the address of its sum of vectors. */
export const tokenBytes = 16;

/** words: rows, rows a task, tokens, packed table, out (rows, D). The table is packed as the product takes it, in 8 bits. */
export function embedRows({ hiddenSize: D, embeddingMultiplier }: LlamaShape, packing: Packing): Definition {
  return rowKernel('embed', (frame, words, row) => {
    const [id, from, to, k, block] = frame.locals('i32', 5) as [Local, Local, Local, Local, Local];
    const scale = frame.local('f32');
    const together = columnsTogether(packing);
    const element = (offset: number) => f32.mul(f32.fromS(i32.load8S(from.get, offset)), scale.get);
    const codeBytes = groupChannels * packing.block;
    const channel = i32.and(id.get, i32.const(3));
    const inBlock = i32.add(block.get, i32.mul(channel, i32.const(together)));
    const scalePlace = i32.add(block.get, i32.shl(channel, i32.const(2)));
    return [
      id.set(i32.load(at(words.word(2), row.get, i32.const(tokenBytes)))),
      block.set(at(words.word(3), i32.shrU(id.get, i32.const(2)), i32.const(groupBytes(packing)))),
      to.set(at(words.word(4), row.get, i32.const(4 * D))),
      loop(
        from.set(inBlock),
        scale.set(f32.load(scalePlace, codeBytes)),
        embeddingMultiplier === 1 ? [] : scale.set(f32.mul(scale.get, f32.const(embeddingMultiplier))),
        frame.each(
          k,
          i32.const(0),
          i32.const(packing.block),
          together,
          ...Array.from({ length: together }, (_, column) => f32.store(to.get, element(column), 4 * column)),
          from.set(i32.add(from.get, i32.const(groupChannels * together))),
          to.set(i32.add(to.get, i32.const(4 * together))),
        ),
        block.set(i32.add(block.get, i32.const(groupBlockBytes(packing)))),
        jumpIf(i32.ne(to.get, at(words.word(4), i32.add(row.get, i32.const(1)), i32.const(4 * D))), 0),
      ),
    ];
  });
}

/** words: rows, rows a task, x (rows, D), weight (D), y (rows, D), then rounded, its scales and sums. */
export function normRows({ hiddenSize: D, normEpsilon }: LlamaShape, rounding: Rounding): Definition {
  return rowKernel(roundingName('norm', rounding.bits), (frame, words, row) => {
    const [x, y, i] = frame.locals('i32', 3) as [Local, Local, Local];
    const [factor, value, extreme] = frame.locals('v128', 3) as [Local, Local, Local];
    const weight = v128.load(i32.add(words.word(3), i.get));
    return [
      x.set(at(words.word(2), row.get, i32.const(4 * D))),
      y.set(at(words.word(4), row.get, i32.const(4 * D))),
      rootMeanSquare(frame, factor, x, D, normEpsilon),
      extreme.set(v128.zero),
      frame.each(
        i,
        i32.const(0),
        i32.const(4 * D),
        wide,
        value.set(f32x4.mul(f32x4.mul(v128.load(i32.add(x.get, i.get)), factor.get), weight)),
        v128.store(i32.add(y.get, i.get), value.get),
        extreme.set(larger(extreme.get, f32x4.abs(value.get))),
      ),
      rounded(frame, rounding, { extreme, from: y, columns: D, row }, words, 5),
    ];
  });
}

/** Adds the norm of one row to another. words: rows, rows a task, x (rows, D), weight (D), what it is added to (rows, D). */
export function addNormRows({ hiddenSize: D, normEpsilon }: LlamaShape): Definition {
  return rowKernel('addNorm', (frame, words, row) => {
    const [x, to, i] = frame.locals('i32', 3) as [Local, Local, Local];
    const factor = frame.local('v128');
    const weight = v128.load(i32.add(words.word(3), i.get));
    const value = f32x4.mul(f32x4.mul(v128.load(i32.add(x.get, i.get)), factor.get), weight);
    const place = i32.add(to.get, i.get);
    return [
      x.set(at(words.word(2), row.get, i32.const(4 * D))),
      to.set(at(words.word(4), row.get, i32.const(4 * D))),
      rootMeanSquare(frame, factor, x, D, normEpsilon),
      frame.each(i, i32.const(0), i32.const(4 * D), wide, v128.store(place, f32x4.add(v128.load(place), value))),
    ];
  });
}

/** silu(gate) · up, or gelu. words: rows, rows a task, gate and up side by side (rows, 2 F), the product in place of the gate, then rounded, its scales and sums. */
export function gateRows({ intermediateSize: F, activation }: LlamaShape, rounding: Rounding): Definition {
  return rowKernel(roundingName('gate', rounding.bits), (frame, words, row) => {
    const [both, i] = frame.locals('i32', 2) as [Local, Local];
    const [gate, value, extreme] = frame.locals('v128', 3) as [Local, Local, Local];
    const place = i32.add(both.get, i.get);
    return [
      both.set(at(words.word(2), row.get, i32.const(8 * F))),
      extreme.set(v128.zero),
      frame.each(
        i,
        i32.const(0),
        i32.const(4 * F),
        wide,
        gate.set(v128.load(place)),
        exponential(frame, value, f32x4.neg(activation === 'silu' ? gate.get : geluExponent(gate.get))),
        value.set(f32x4.div(f32x4.mul(gate.get, v128.load(place, 4 * F)), f32x4.add(value.get, f32x4.const(1)))),
        v128.store(place, value.get),
        extreme.set(larger(extreme.get, f32x4.abs(value.get))),
      ),
      rounded(frame, rounding, { extreme, from: both, columns: F, row }, words, 3),
    ];
  });
}

/** gelu(x) is x · σ of this. */
function geluExponent(x: Code): Code {
  const { slope, cubic } = geluTerms;
  const inner = f32x4.add(f32x4.mul(f32x4.mul(x, x), f32x4.const(2 * slope * cubic)), f32x4.const(2 * slope));
  return f32x4.mul(x, inner);
}

/** words: rows, rows a task, x (rows, columns), then rounded, its scales and sums. */
export function roundRows({ heads, headDim }: LlamaShape, rounding: Rounding): Definition {
  const columns = heads * headDim;
  return rowKernel(roundingName('round', rounding.bits), (frame, words, row) => {
    const [x, extreme] = [frame.local('i32'), frame.local('v128')];
    return [
      x.set(at(words.word(2), row.get, i32.const(4 * columns))),
      rounding.bits === 8 ? findExtreme(frame, extreme, x, columns) : [],
      rounded(frame, rounding, { extreme, from: x, columns, row }, words, 3),
    ];
  });
}

/** Brings rows together at the beginning, in place. words: rows, rows a task (all), which (rows) in rising order, table, columns of the table. */
export function pickRows(): Definition {
  return rowKernel('pick', (frame, words, row) => {
    const [from, to, i] = frame.locals('i32', 3) as [Local, Local, Local];
    const bytes = i32.shl(words.word(4), i32.const(2));
    return [
      from.set(at(words.word(3), i32.load(at(words.word(2), row.get, i32.const(4))), bytes)),
      to.set(at(words.word(3), row.get, bytes)),
      frame.each(i, i32.const(0), bytes, wide, v128.store(i32.add(to.get, i.get), v128.load(i32.add(from.get, i.get)))),
    ];
  });
}

/** What rows are rounded for: weights of 8 bits take rows of 14 bits with one scale, those of 4 bits rows of 8 bits with a scale and a sum for each 32. */
export type Bits = 8 | 4;

export interface Rounding {
  bits: Bits;
  /** With 8 bits: as two planes of bytes rather than as 16 bits. */
  inFours: boolean;
}

export function roundingName<Name extends 'norm' | 'gate' | 'round'>(name: Name, bits: Bits): `${Name}${Bits}` {
  return `${name}${bits}`;
}

interface Unrounded {
  /** The largest magnitudes, lane by lane, for rows with one scale. */
  extreme: Local;
  from: Local;
  columns: number;
  row: Local;
}

/** Rounds a row to where the words from `first` on say: the rounded rows, their scales, the sums of their blocks. */
function rounded(
  frame: Frame,
  { bits, inFours }: Rounding,
  { extreme, from, columns, row }: Unrounded,
  words: Words,
  first: number,
): Code {
  const [to, scale] = frame.locals('i32', 2) as [Local, Local];
  const [base, scales, sums] = [0, 1, 2].map((index) => words.word(first + index)) as [Code, Code, Code];
  if (bits === 8) {
    const start = to.set(at(base, row.get, i32.const(2 * columns)));
    const round = inFours ? roundPlanes : roundRow;
    return [...start, ...round(frame, extreme, from, columns, to, at(scales, row.get, i32.const(4)))];
  }
  return [
    ...to.set(at(base, row.get, i32.const(columns))),
    ...scale.set(at(scales, row.get, i32.const((4 * columns) / blockColumns))),
    ...roundBlocks(frame, from, columns, to, scale, i32.sub(sums, scales)),
  ];
}
