// 4-bit weights times rows of 8 bits with a scale for each block of 32, as llama.cpp multiplies Q4_1 by Q8_1. Of a block, 16 bytes at a time hold for
// four channels four columns in the low halves and the four 16 columns later in the high ones; behind these 64 bytes the four scales and the four bases.
//
// Σ x (scale · code + base) = scale · x's scale · Σ codes + base · x's sum. A sum of codes stays within 16 bits: 8 times 2 · 15 · 127 = 30,480.
import { blockColumns, groupBlockBytes, groupBytes, type Packing } from './packing.ts';
import { at } from './record.ts';
import { plusFours, plusPairs } from './relaxed.ts';
import type { Operands, Tile } from './tile.ts';
import { type Code, type Frame, f32x4, i8x16, i16x8, i32, i32x4, jumpIf, type Local, loop, v128 } from './wasm.ts';

/** Bytes of a block's codes, and of those that are read at a time: four channels of four columns, twice. */
const codeBytes = 64;
const stepBytes = 16;

export class Fours implements Tile {
  readonly alone = 1;
  readonly together = 1;
  readonly #packing: Packing;
  readonly #inFours: boolean;
  readonly #operands: Operands;
  readonly #sums: Local[];
  readonly #totals: Local[];
  readonly #codes: Local;
  readonly #low: Local;
  readonly #high: Local;
  readonly #mask: Local;
  readonly #pointers: [Local, Local, Local, Local, Local, Local];

  /** `inFours`: sums over fours of codes, in 32 bits, rather than over pairs in 16. */
  constructor(frame: Frame, packing: Packing, operands: Operands, inFours: boolean) {
    this.#packing = packing;
    this.#inFours = inFours;
    this.#operands = operands;
    this.#sums = frame.locals('v128', 4);
    this.#totals = frame.locals('v128', 4);
    [this.#codes, this.#low, this.#high, this.#mask] = frame.locals('v128', 4) as [Local, Local, Local, Local];
    this.#pointers = frame.locals('i32', 6) as [Local, Local, Local, Local, Local, Local];
  }

  compute(rows: number): { code: Code; results: Local[] } {
    const { x, scales, sums: sumsOf, packed, group, row } = this.#operands;
    const { columns } = this.#packing;
    const [sums, totals] = [this.#sums.slice(0, rows), this.#totals.slice(0, rows)];
    const [numbers, scale, sum, place, end] = this.#pointers;
    const blockScaleBytes = (4 * columns) / blockColumns;
    const [scalesOf, basesOf] = [v128.load(place.get), v128.load(place.get, 16)];
    const code = [
      ...this.#mask.set(i8x16.splat(i32.const(15))),
      ...numbers.set(at(x.get, row.get, i32.const(columns))),
      ...scale.set(at(scales.get, row.get, i32.const(blockScaleBytes))),
      ...sum.set(at(sumsOf.get, row.get, i32.const(blockScaleBytes))),
      ...place.set(at(packed.get, group.get, i32.const(groupBytes(this.#packing)))),
      ...end.set(i32.add(place.get, i32.const(groupBytes(this.#packing)))),
      ...totals.flatMap((total) => total.set(v128.zero)),
      ...loop(
        this.#block(sums),
        this.#low.set(scalesOf),
        this.#high.set(basesOf),
        ...totals.map((total, index) => {
          const step = f32x4.mul(this.#low.get, v128.load32Splat(scale.get, index * blockScaleBytes));
          const products = f32x4.mul(
            f32x4.fromI32x4(this.#inFours ? sums[index]!.get : i32x4.addPairsI16x8(sums[index]!.get)),
            step,
          );
          const bases = f32x4.mul(this.#high.get, v128.load32Splat(sum.get, index * blockScaleBytes));
          return total.set(f32x4.add(f32x4.add(total.get, products), bases));
        }),
        numbers.set(i32.add(numbers.get, i32.const(blockColumns / 2))),
        scale.set(i32.add(scale.get, i32.const(4))),
        sum.set(i32.add(sum.get, i32.const(4))),
        place.set(i32.add(place.get, i32.const(groupBlockBytes(this.#packing) - codeBytes))),
        jumpIf(i32.ne(place.get, end.get), 0),
      ),
    ];
    return { code, results: totals };
  }

  /** A loop of four: unrolled, the compiler would load ahead what the registers do not hold. */
  #block(sums: readonly Local[]): Code {
    const { columns } = this.#packing;
    const [numbers, , , place, , end] = this.#pointers;
    const plus = this.#inFours ? plusFours : plusPairs;
    return [
      ...end.set(i32.add(place.get, i32.const(codeBytes))),
      ...sums.flatMap((sum) => sum.set(v128.zero)),
      ...loop(
        this.#codes.set(v128.load(place.get)),
        this.#low.set(v128.and(this.#codes.get, this.#mask.get)),
        this.#high.set(v128.and(i16x8.shrU(this.#codes.get, i32.const(4)), this.#mask.get)),
        ...sums.map((sum, row) => {
          const lower = plus(sum.get, v128.load32Splat(numbers.get, row * columns), this.#low.get);
          const upper = v128.load32Splat(numbers.get, row * columns + blockColumns / 2);
          return sum.set(plus(lower, upper, this.#high.get));
        }),
        numbers.set(i32.add(numbers.get, i32.const(4))),
        place.set(i32.add(place.get, i32.const(stepBytes))),
        jumpIf(i32.ne(place.get, end.get), 0),
      ),
    ];
  }
}
