// 8-bit weights times rows of 14 bits with one scale each, as two planes of bytes: x + 8192 = 128 · upper + lower, so that Σ w x = 128 · (Σ w upper − 64 Σ w) +
// Σ w lower, the whole number that pairs give. 16 bytes at a time hold four columns of four channels.
import { planeBits } from './numbers.ts';
import { groupBlockBytes, groupBytes, groupChannels, type Packing, sumBytes } from './packing.ts';
import { at } from './record.ts';
import { plusFours } from './relaxed.ts';
import type { Operands, Tile } from './tile.ts';
import { type Code, type Frame, f32x4, i32, i32x4, jumpIf, type Local, loop, v128 } from './wasm.ts';

const stepColumns = 4;
const stepBytes = stepColumns * groupChannels;

export class EightsInFours implements Tile {
  readonly rows = [2, 1];
  readonly alone = 4;
  readonly together = 2;
  readonly #packing: Packing;
  readonly #operands: Operands;
  readonly #groupBytes: number;
  readonly #uppers: Local[];
  readonly #lowers: Local[];
  readonly #totals: Local[];
  readonly #weights: Local[];
  readonly #four: Local;
  readonly #numbers: Local;
  readonly #codes: Local;
  readonly #blockEnd: Local;
  readonly #end: Local;

  constructor(frame: Frame, packing: Packing, operands: Operands) {
    this.#packing = packing;
    this.#operands = operands;
    this.#groupBytes = groupBytes(packing);
    [this.#uppers, this.#lowers, this.#totals, this.#weights] = [4, 4, 4, 4].map((count) => frame.locals('v128', count)) as [
      Local[],
      Local[],
      Local[],
      Local[],
    ];
    this.#four = frame.local('v128');
    [this.#numbers, this.#codes, this.#blockEnd, this.#end] = frame.locals('i32', 4) as [Local, Local, Local, Local];
  }

  compute(rows: number, groups: number): { code: Code; results: Local[] } {
    const { x, scales, packed, row, group } = this.#operands;
    const { columns, block } = this.#packing;
    const totals = this.#totals.slice(0, rows * groups);
    const [numbers, codes, end] = [this.#numbers, this.#codes, this.#end];
    const tail = groupBlockBytes(this.#packing) - groupChannels * block;
    const rowScale = (index: number) => v128.load32Splat(at(scales.get, i32.add(row.get, i32.const(index)), i32.const(4)));
    const code = [
      ...numbers.set(at(x.get, row.get, i32.const(2 * columns))),
      ...codes.set(at(packed.get, group.get, i32.const(this.#groupBytes))),
      ...end.set(i32.add(codes.get, i32.const(this.#groupBytes))),
      ...totals.flatMap((total) => total.set(v128.zero)),
      ...loop(
        this.#block(rows, groups),
        ...totals.map((total, i) => {
          return total.set(
            f32x4.add(total.get, f32x4.mul(this.#whole(i), v128.load(codes.get, (i % groups) * this.#groupBytes))),
          );
        }),
        codes.set(i32.add(codes.get, i32.const(tail))),
        jumpIf(i32.ne(codes.get, end.get), 0),
      ),
      ...totals.flatMap((total, i) => total.set(f32x4.mul(total.get, rowScale(Math.floor(i / groups))))),
    ];
    return { code, results: totals };
  }

  /** The sums of one block. Not unrolled: the compiler would load ahead what the registers do not hold. */
  #block(rows: number, groups: number): Code {
    const { columns, block } = this.#packing;
    const weights = this.#weights.slice(0, groups);
    const [numbers, codes, end] = [this.#numbers, this.#codes, this.#blockEnd];
    const plusPlane = (sums: readonly Local[], row: number, offset: number) => [
      ...this.#four.set(v128.load32Splat(numbers.get, 2 * columns * row + offset)),
      ...weights.flatMap((weight, group) => {
        const sum = sums[row * groups + group]!;
        return sum.set(plusFours(sum.get, weight.get, this.#four.get));
      }),
    ];
    return [
      ...end.set(i32.add(codes.get, i32.const(groupChannels * block))),
      ...this.#uppers.slice(0, rows * groups).flatMap((sum, i) => sum.set(this.#sums(i % groups))),
      ...this.#lowers.slice(0, rows * groups).flatMap((sum) => sum.set(v128.zero)),
      ...loop(
        ...weights.map((weight, group) => weight.set(v128.load(codes.get, group * this.#groupBytes))),
        ...Array.from({ length: rows }, (_, row) => [
          ...plusPlane(this.#uppers, row, 0),
          ...plusPlane(this.#lowers, row, columns),
        ]),
        numbers.set(i32.add(numbers.get, i32.const(stepColumns))),
        codes.set(i32.add(codes.get, i32.const(stepBytes))),
        jumpIf(i32.ne(codes.get, end.get), 0),
      ),
    ];
  }

  /** −64 Σ w of a group in hand, before the codes of its block. */
  #sums(group: number): Code {
    const place = group * this.#groupBytes + groupChannels * this.#packing.block + 16;
    const load = sumBytes(this.#packing) === 2 ? v128.load16x4S : v128.load;
    return i32x4.shl(load(this.#codes.get, place), i32.const(planeBits - 1));
  }

  #whole(i: number): Code {
    return f32x4.fromI32x4(i32x4.add(i32x4.shl(this.#uppers[i]!.get, i32.const(planeBits)), this.#lowers[i]!.get));
  }
}
