// 4-bit weights times rows of 8 bits with a scale for each block of 32, as llama.cpp multiplies Q4_1 by Q8_1. Of a block, 16 bytes at a time hold for
// four channels four columns in the low halves and the four 16 columns later in the high ones; behind these 64 bytes the four scales and the four bases.
//
// Sums are taken over fours of codes, in 32 bits, or over pairs, in 16.
// Σ x (scale · code + base) = scale · x's scale · Σ codes + base · x's sum. A sum of codes stays within 16 bits: 8 times 2 · 15 · 127 = 30,480.
import { wide } from './numbers.ts';
import { blockColumns, groupBlockBytes, groupBytes, type Packing } from './packing.ts';
import { at } from './record.ts';
import { plusFours, plusPairs } from './relaxed.ts';
import type { Operands, Tile } from './tile.ts';
import { type Code, type Frame, f32x4, i8x16, i16x8, i32, i32x4, jumpIf, type Local, loop, v128 } from './wasm.ts';

/** Bytes of a block's codes, and of those that are read at a time: four channels of four columns, twice. */
const codeBytes = 64;
const stepBytes = 16;

export class Fours implements Tile {
  readonly rows = [4, 2, 1];
  readonly alone = 1;
  readonly together: number;
  readonly #packing: Packing;
  readonly #operands: Operands;
  readonly #sums: Local[];
  readonly #totals: Local[];
  readonly #codes: Local;
  readonly #lows: Local[];
  readonly #highs: Local[];
  readonly #ofRow: [Local, Local];
  readonly #mask: Local;
  readonly #pointers: [Local, Local, Local, Local, Local, Local];

  constructor(frame: Frame, packing: Packing, operands: Operands) {
    // Where a product adds itself there is a register less in use, and room for a second group.
    this.together = packing.inFours ? 2 : 1;
    this.#packing = packing;
    this.#operands = operands;
    this.#sums = frame.locals('v128', 8);
    this.#totals = frame.locals('v128', 8);
    this.#lows = frame.locals('v128', 2);
    this.#highs = frame.locals('v128', 2);
    this.#ofRow = frame.locals('v128', 2) as [Local, Local];
    [this.#codes, this.#mask] = frame.locals('v128', 2) as [Local, Local];
    this.#pointers = frame.locals('i32', 6) as [Local, Local, Local, Local, Local, Local];
  }

  compute(rows: number, groups: number): { code: Code; results: Local[] } {
    const { x, scales, sums: sumsOf, packed, group, row } = this.#operands;
    const { columns } = this.#packing;
    const totals = this.#totals.slice(0, rows * groups);
    const [numbers, scale, sum, place, end] = this.#pointers;
    const blockScaleBytes = (4 * columns) / blockColumns;
    const bytes = groupBytes(this.#packing);
    const code = [
      ...this.#mask.set(i8x16.splat(i32.const(15))),
      ...numbers.set(at(x.get, row.get, i32.const(columns))),
      ...scale.set(at(scales.get, row.get, i32.const(blockScaleBytes))),
      ...sum.set(at(sumsOf.get, row.get, i32.const(blockScaleBytes))),
      ...place.set(at(packed.get, group.get, i32.const(bytes))),
      ...end.set(i32.add(place.get, i32.const(bytes))),
      ...totals.flatMap((total) => total.set(v128.zero)),
      ...loop(
        this.#block(rows, groups),
        ...Array.from({ length: rows }, (_, index) => this.#addBlock(index, groups, index * blockScaleBytes)),
        numbers.set(i32.add(numbers.get, i32.const(blockColumns / 2))),
        scale.set(i32.add(scale.get, i32.const(4))),
        sum.set(i32.add(sum.get, i32.const(4))),
        place.set(i32.add(place.get, i32.const(groupBlockBytes(this.#packing) - codeBytes))),
        jumpIf(i32.ne(place.get, end.get), 0),
      ),
    ];
    return { code, results: totals };
  }

  /** Adds the block behind to the totals of one row, whose scale and sum stand so many bytes from those of the first. */
  #addBlock(row: number, groups: number, bytes: number): Code {
    const [, scale, sum, place] = this.#pointers;
    const [scaleOfRow, sumOfRow] = this.#ofRow;
    const ofGroup = Array.from({ length: groups }, (_, group) => {
      const [found, total] = [this.#sums[row * groups + group]!, this.#totals[row * groups + group]!];
      const codes = f32x4.fromI32x4(this.#packing.inFours ? found.get : i32x4.addPairsI16x8(found.get));
      const [scales, bases] = [0, wide].map((offset) => v128.load(place.get, group * groupBytes(this.#packing) + offset));
      const products = f32x4.timesPlus(codes, f32x4.mul(scales!, scaleOfRow.get), total.get);
      return total.set(f32x4.timesPlus(bases!, sumOfRow.get, products));
    });
    return [
      ...scaleOfRow.set(v128.load32Splat(scale.get, bytes)),
      ...sumOfRow.set(v128.load32Splat(sum.get, bytes)),
      ...ofGroup.flat(),
    ];
  }

  /** A loop of four: unrolled, the compiler would load ahead what the registers do not hold. */
  #block(rows: number, groups: number): Code {
    const { columns } = this.#packing;
    const sums = this.#sums.slice(0, rows * groups);
    const [lows, highs] = [this.#lows.slice(0, groups), this.#highs.slice(0, groups)];
    const [numbers, , , place, , end] = this.#pointers;
    const [fourOfRow] = this.#ofRow;
    const plus = this.#packing.inFours ? plusFours : plusPairs;
    const plusHalf = (row: number, halves: readonly Local[], offset: number) => [
      ...fourOfRow.set(v128.load32Splat(numbers.get, row * columns + offset)),
      ...halves.flatMap((half, group) => {
        const sum = sums[row * groups + group]!;
        return sum.set(plus(sum.get, fourOfRow.get, half.get));
      }),
    ];
    return [
      ...end.set(i32.add(place.get, i32.const(codeBytes))),
      ...sums.flatMap((sum) => sum.set(v128.zero)),
      ...loop(
        ...lows.map((low, group) => [
          ...this.#codes.set(v128.load(place.get, group * groupBytes(this.#packing))),
          ...low.set(v128.and(this.#codes.get, this.#mask.get)),
          ...highs[group]!.set(v128.and(i16x8.shrU(this.#codes.get, i32.const(4)), this.#mask.get)),
        ]),
        ...Array.from({ length: rows }, (_, row) => [...plusHalf(row, lows, 0), ...plusHalf(row, highs, blockColumns / 2)]),
        numbers.set(i32.add(numbers.get, i32.const(4))),
        place.set(i32.add(place.get, i32.const(stepBytes))),
        jumpIf(i32.ne(place.get, end.get), 0),
      ),
    ];
  }
}
