// 8-bit weights times rows of 14 bits with one scale each: what is common to products added up in pairs and in fours, which give the same whole numbers.
import { groupBlockBytes, groupBytes, groupChannels, type Packing } from './packing.ts';
import { at } from './record.ts';
import type { Operands, Tile } from './tile.ts';
import { type Code, type Frame, f32x4, i32, jumpIf, type Local, loop, v128 } from './wasm.ts';

export abstract class Eights implements Tile {
  abstract readonly rows: readonly number[];
  readonly alone = 4;
  abstract readonly together: number;
  protected readonly packing: Packing;
  protected readonly groupBytes: number;
  protected readonly numbers: Local;
  protected readonly codes: Local;
  protected readonly weights: Local[];
  /** Numbers of a row for all channels. */
  protected readonly splat: Local;
  readonly #operands: Operands;
  readonly #totals: Local[];
  readonly #blockEnd: Local;
  readonly #end: Local;

  constructor(frame: Frame, packing: Packing, operands: Operands) {
    this.packing = packing;
    this.groupBytes = groupBytes(packing);
    this.#operands = operands;
    this.#totals = frame.locals('v128', 8);
    this.weights = frame.locals('v128', this.alone);
    this.splat = frame.local('v128');
    [this.numbers, this.codes, this.#blockEnd, this.#end] = frame.locals('i32', 4) as [Local, Local, Local, Local];
  }

  /** Sets the sums of a block to what they begin with, before its codes. */
  protected abstract begin(rows: number, groups: number): Code;
  /** Adds the products of one load of codes, and moves `numbers` and `codes` on. */
  protected abstract step(rows: number, groups: number): Code;
  /** The sum of one row and group, as a whole number for each channel. */
  protected abstract sum(index: number): Code;

  compute(rows: number, groups: number): { code: Code; results: Local[] } {
    const { x, scales, packed, row, group } = this.#operands;
    const { columns, block } = this.packing;
    const totals = this.#totals.slice(0, rows * groups);
    const { numbers, codes } = this;
    const end = this.#end;
    const tail = groupBlockBytes(this.packing) - groupChannels * block;
    const rowScale = (i: number) => {
      return v128.load32Splat(at(scales.get, i32.add(row.get, i32.const(Math.floor(i / groups))), i32.const(4)));
    };
    const scaled = (i: number) => f32x4.mul(f32x4.fromI32x4(this.sum(i)), this.#scale(i % groups));
    const start = [
      ...numbers.set(at(x.get, row.get, i32.const(2 * columns))),
      ...codes.set(at(packed.get, group.get, i32.const(this.groupBytes))),
    ];
    if (block === columns) {
      // No totals in hand while sums are added up: there is room for a second group.
      const finish = totals.flatMap((total, i) => total.set(f32x4.mul(scaled(i), rowScale(i))));
      return { code: [...start, ...this.#block(rows, groups), ...finish], results: totals };
    }
    const code = [
      ...start,
      ...end.set(i32.add(codes.get, i32.const(this.groupBytes))),
      ...totals.flatMap((total) => total.set(v128.zero)),
      ...loop(
        this.#block(rows, groups),
        ...totals.map((total, i) => total.set(f32x4.add(total.get, scaled(i)))),
        codes.set(i32.add(codes.get, i32.const(tail))),
        jumpIf(i32.ne(codes.get, end.get), 0),
      ),
      ...totals.flatMap((total, i) => total.set(f32x4.mul(total.get, rowScale(i)))),
    ];
    return { code, results: totals };
  }

  /**
   * The sums of one block; the columns are known, so that two pointers reach all rows and groups. Not unrolled: the compiler would load ahead what the
   * registers do not hold.
   */
  #block(rows: number, groups: number): Code {
    const [codes, end] = [this.codes, this.#blockEnd];
    return [
      ...end.set(i32.add(codes.get, i32.const(groupChannels * this.packing.block))),
      ...this.begin(rows, groups),
      ...loop(this.step(rows, groups), jumpIf(i32.ne(codes.get, end.get), 0)),
    ];
  }

  /** The scales of a group in hand, when the codes of the block are behind. */
  #scale(group: number): Code {
    return v128.load(this.codes.get, group * this.groupBytes);
  }
}
