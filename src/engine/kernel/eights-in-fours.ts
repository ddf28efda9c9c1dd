// Products of 8-bit weights in fours, of a row in two planes of bytes: x + 8192 = 128 · upper + lower, so that Σ w x = 128 · (Σ w upper − 64 Σ w) + Σ w lower,
// the whole number that pairs give. 16 bytes at a time hold four columns of four channels.
import { Eights } from './eights.ts';
import { planeBits } from './numbers.ts';
import { groupChannels, type Packing, sumBytes } from './packing.ts';
import { plusFours } from './relaxed.ts';
import type { Operands } from './tile.ts';
import { type Code, type Frame, i32, i32x4, type Local, v128 } from './wasm.ts';

const stepColumns = 4;

export class EightsInFours extends Eights {
  readonly rows = [2, 1];
  readonly together = 2;
  readonly #uppers: Local[];
  readonly #lowers: Local[];

  constructor(frame: Frame, packing: Packing, operands: Operands) {
    super(frame, packing, operands);
    this.#uppers = frame.locals('v128', 4);
    this.#lowers = frame.locals('v128', 4);
  }

  protected begin(rows: number, groups: number): Code {
    return [
      ...this.#uppers.slice(0, rows * groups).flatMap((sum, i) => sum.set(this.#sums(i % groups))),
      ...this.#lowers.slice(0, rows * groups).flatMap((sum) => sum.set(v128.zero)),
    ];
  }

  protected step(rows: number, groups: number): Code {
    const { columns } = this.packing;
    const { numbers, codes, splat } = this;
    const weights = this.weights.slice(0, groups);
    const plusPlane = (sums: readonly Local[], row: number, offset: number) => [
      ...splat.set(v128.load32Splat(numbers.get, 2 * columns * row + offset)),
      ...weights.flatMap((weight, group) => {
        const sum = sums[row * groups + group]!;
        return sum.set(plusFours(sum.get, weight.get, splat.get));
      }),
    ];
    return [
      ...weights.flatMap((weight, group) => weight.set(v128.load(codes.get, group * this.groupBytes))),
      ...Array.from({ length: rows }, (_, row) => [
        ...plusPlane(this.#uppers, row, 0),
        ...plusPlane(this.#lowers, row, columns),
      ]).flat(),
      ...numbers.set(i32.add(numbers.get, i32.const(stepColumns))),
      ...codes.set(i32.add(codes.get, i32.const(stepColumns * groupChannels))),
    ];
  }

  protected sum(index: number): Code {
    return i32x4.add(i32x4.shl(this.#uppers[index]!.get, i32.const(planeBits)), this.#lowers[index]!.get);
  }

  /** −64 Σ w of a group in hand, before the codes of its block. */
  #sums(group: number): Code {
    const place = group * this.groupBytes + groupChannels * this.packing.block + 16;
    const load = sumBytes(this.packing) === 2 ? v128.load16x4S : v128.load;
    return i32x4.shl(load(this.codes.get, place), i32.const(planeBits - 1));
  }
}
