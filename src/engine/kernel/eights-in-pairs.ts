// Products of 8-bit weights in pairs, which every processor has. A block holds its columns in pairs: c0k0 c0k1 c1k0 c1k1 c2k0 c2k1 c3k0 c3k1, c0k2 … so that
// eight weights and one pair of the row's numbers, four times over, give four channels a step each.
import { Eights } from './eights.ts';
import { groupChannels, type Packing } from './packing.ts';
import type { Operands } from './tile.ts';
import { type Code, type Frame, i32, i32x4, type Local, v128 } from './wasm.ts';

const pairBytes = 2 * groupChannels;

export class EightsInPairs extends Eights {
  readonly rows = [4, 2, 1];
  readonly together: number;
  readonly #sums: Local[];

  constructor(frame: Frame, packing: Packing, operands: Operands) {
    super(frame, packing, operands);
    this.together = packing.block === packing.columns ? 2 : 1;
    this.#sums = frame.locals('v128', 8);
  }

  protected begin(rows: number, groups: number): Code {
    return this.#sums.slice(0, rows * groups).flatMap((sum) => sum.set(v128.zero));
  }

  protected step(rows: number, groups: number): Code {
    const { numbers, codes, splat } = this;
    const weights = this.weights.slice(0, groups);
    return [
      ...weights.flatMap((weight, index) => weight.set(v128.load8x8S(codes.get, index * this.groupBytes))),
      ...Array.from({ length: rows }, (_, row) => [
        ...splat.set(v128.load32Splat(numbers.get, row * 2 * this.packing.columns)),
        ...weights.flatMap((weight, index) => {
          const sum = this.#sums[row * groups + index]!;
          return sum.set(i32x4.add(sum.get, i32x4.dotI16x8(splat.get, weight.get)));
        }),
      ]).flat(),
      ...numbers.set(i32.add(numbers.get, i32.const(4))),
      ...codes.set(i32.add(codes.get, i32.const(pairBytes))),
    ];
  }

  protected sum(index: number): Code {
    return this.#sums[index]!.get;
  }
}
