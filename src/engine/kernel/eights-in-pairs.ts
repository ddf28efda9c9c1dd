// 8-bit weights times rows of 14 bits with one scale each, as 16. A block holds its columns in pairs: c0k0 c0k1 c1k0 c1k1 c2k0 c2k1 c3k0 c3k1, c0k2 … so that
// eight weights and one pair of the row's numbers, four times over, give four channels a step each. Behind them the four scales.
import { groupBlockBytes, groupBytes, groupChannels, type Packing } from './packing.ts';
import { at } from './record.ts';
import type { Operands, Tile } from './tile.ts';
import { type Code, type Frame, f32x4, i32, i32x4, jumpIf, type Local, loop, v128 } from './wasm.ts';

const pairBytes = 2 * groupChannels;

export class EightsInPairs implements Tile {
  readonly rows = [4, 2, 1];
  readonly alone = 4;
  readonly together: number;
  readonly #packing: Packing;
  readonly #operands: Operands;
  readonly #groupBytes: number;
  readonly #sums: Local[];
  readonly #totals: Local[];
  readonly #weights: Local[];
  readonly #pair: Local;
  readonly #numbers: Local;
  readonly #codes: Local;
  readonly #blockEnd: Local;
  readonly #end: Local;

  constructor(frame: Frame, packing: Packing, operands: Operands) {
    // Sums of whole rows leave registers for a second group; sums of blocks need them for the totals.
    this.together = packing.block === packing.columns ? 2 : 1;
    this.#packing = packing;
    this.#operands = operands;
    this.#groupBytes = groupBytes(packing);
    this.#sums = frame.locals('v128', 8);
    this.#totals = frame.locals('v128', 8);
    this.#weights = frame.locals('v128', 4);
    this.#pair = frame.local('v128');
    [this.#numbers, this.#codes, this.#blockEnd, this.#end] = frame.locals('i32', 4) as [Local, Local, Local, Local];
  }

  compute(rows: number, groups: number): { code: Code; results: Local[] } {
    const { x, scales, row } = this.#operands;
    const { columns, block } = this.#packing;
    const [sums, totals] = [this.#sums.slice(0, rows * groups), this.#totals.slice(0, rows * groups)];
    const [numbers, codes, end] = [this.#numbers, this.#codes, this.#end];
    const tail = groupBlockBytes(this.#packing) - groupChannels * block;
    const rowScale = (index: number) => v128.load32Splat(at(scales.get, i32.add(row.get, i32.const(index)), i32.const(4)));
    const start = [
      ...numbers.set(at(x.get, row.get, i32.const(2 * columns))),
      ...codes.set(at(this.#operands.packed.get, this.#operands.group.get, i32.const(this.#groupBytes))),
    ];
    if (block === columns) {
      const finish = totals.flatMap((total, i) => {
        const products = f32x4.mul(f32x4.fromI32x4(sums[i]!.get), this.#scale(i % groups));
        return total.set(f32x4.mul(products, rowScale(Math.floor(i / groups))));
      });
      return { code: [...start, ...this.#block(rows, groups), ...finish], results: totals };
    }
    const code = [
      ...start,
      ...end.set(i32.add(codes.get, i32.const(this.#groupBytes))),
      ...totals.flatMap((total) => total.set(v128.zero)),
      ...loop(
        this.#block(rows, groups),
        ...totals.map((total, i) => {
          return total.set(f32x4.add(total.get, f32x4.mul(f32x4.fromI32x4(sums[i]!.get), this.#scale(i % groups))));
        }),
        codes.set(i32.add(codes.get, i32.const(tail))),
        jumpIf(i32.ne(codes.get, end.get), 0),
      ),
      ...totals.flatMap((total, i) => total.set(f32x4.mul(total.get, rowScale(Math.floor(i / groups))))),
    ];
    return { code, results: totals };
  }

  /**
   * The sums of one block; the columns are known, so that two pointers reach all rows and groups. Not unrolled: the compiler would load ahead what the
   * registers do not hold.
   */
  #block(rows: number, groups: number): Code {
    const { columns, block } = this.#packing;
    const sums = this.#sums.slice(0, rows * groups);
    const weights = this.#weights.slice(0, groups);
    const [numbers, codes, end, pair] = [this.#numbers, this.#codes, this.#blockEnd, this.#pair];
    return [
      ...end.set(i32.add(codes.get, i32.const(groupChannels * block))),
      ...sums.flatMap((sum) => sum.set(v128.zero)),
      ...loop(
        ...weights.map((weight, index) => weight.set(v128.load8x8S(codes.get, index * this.#groupBytes))),
        ...Array.from({ length: rows }, (_, row) => [
          ...pair.set(v128.load32Splat(numbers.get, row * 2 * columns)),
          ...weights.flatMap((weight, index) => {
            const sum = sums[row * groups + index]!;
            return sum.set(i32x4.add(sum.get, i32x4.dotI16x8(pair.get, weight.get)));
          }),
        ]),
        numbers.set(i32.add(numbers.get, i32.const(4))),
        codes.set(i32.add(codes.get, i32.const(pairBytes))),
        jumpIf(i32.ne(codes.get, end.get), 0),
      ),
    ];
  }

  /** The scales of a group in hand, when the codes of the block are behind. */
  #scale(group: number): Code {
    return v128.load(this.#codes.get, group * this.#groupBytes);
  }
}
