// Rows of 16-bit numbers times a matrix of 8-bit weights. Sums of products are whole numbers and exact, so that a row's result is the same
// whatever rows are computed beside it, and on however many threads.
//
// Packed: channels (the rows of the weight) in groups of four, a group's columns in pairs: c0k0 c0k1 c1k0 c1k1 c2k0 c2k1 c3k0 c3k1, c0k2 …
// so that eight weights and one pair of the row's numbers, four times over, give four channels a step each.
import { at, kernel, least } from './record.ts';
import { type Code, type Definition, either, type Frame, f32x4, i32, i32x4, jumpIf, type Local, loop, v128 } from './wasm.ts';

/** Channels that lie together. */
export const groupChannels = 4;
interface Operands {
  x: Local;
  packed: Local;
  /** The first of the groups in hand. */
  group: Local;
  /** Scales of the rows. */
  rowScales: Local;
  scales: Local;
  initial: Local;
  initialStride: Local;
  out: Local;
  outStride: Local;
}

export function productName(columns: number): `product${number}` {
  return `product${columns}`;
}

/**
 * out[row, channel] = initial[row, channel] + Σ x[row, k] · weight[channel, k] · scale[channel] · rowScale[row], for weights of so many columns.
 * words: rows, x (rows, columns), rowScales (rows), packed weight, scales (4 · groups), groups, groups a task, initial, bytes between its rows
 * (0 for one that serves all), out, bytes between its rows.
 */
export function productKernel(columns: number): Definition {
  return kernel(productName(columns), (frame, words, task) => {
    const [rows, x, rowScales, packed, scales] = [0, 1, 2, 3, 4].map((index) => words.held(index)) as Five;
    const [initial, initialStride, out, outStride] = [7, 8, 9, 10].map((index) => words.held(index)) as Four;
    const [group, end] = frame.locals('i32', 2) as [Local, Local];
    const tile = new Tile(frame, columns, { x, packed, group, rowScales, scales, initial, initialStride, out, outStride });
    const start = i32.mul(task.get, words.word(6));
    /** All rows of a few groups, four rows at a time while there are as many. */
    const several = (groups: number): Code => [
      ...tile.row.set(i32.const(0)),
      ...frame.whileReaching(tile.row, 4, rows.get, tile.compute(4, groups)),
      ...frame.whileReaching(tile.row, 2, rows.get, tile.compute(2, groups)),
      ...frame.whileReaching(tile.row, 1, rows.get, tile.compute(1, groups)),
    ];
    return [
      group.set(start),
      end.set(least(frame, i32.add(start, words.word(6)), words.word(5))),
      either(
        i32.eq(rows.get, i32.const(1)),
        [...tile.row.set(i32.const(0)), ...frame.whileReaching(group, 4, end.get, tile.compute(1, 4))],
        frame.whileReaching(group, 2, end.get, several(2)),
      ),
      frame.whileReaching(group, 1, end.get, several(1)),
    ];
  });
}

type Four = [Local, Local, Local, Local];
type Five = [...Four, Local];

class Tile {
  /** The first of the rows in hand. */
  readonly row: Local;
  readonly #columns: number;
  readonly #operands: Operands;
  readonly #sums: Local[];
  readonly #weights: Local[];
  readonly #pair: Local;
  readonly #numbers: Local;
  readonly #codes: Local;
  readonly #end: Local;

  constructor(frame: Frame, columns: number, operands: Operands) {
    this.row = frame.local('i32');
    this.#columns = columns;
    this.#operands = operands;
    this.#sums = frame.locals('v128', 8);
    this.#weights = frame.locals('v128', 4);
    this.#pair = frame.local('v128');
    this.#numbers = frame.local('i32');
    this.#codes = frame.local('i32');
    this.#end = frame.local('i32');
  }

  /**
   * So many rows from `row` on times so many groups from `group` on; at most eight sums, which stay in registers. The columns are known, so that two
   * pointers reach all rows and groups. Not unrolled: the compiler would load ahead what the registers do not hold.
   */
  compute(rows: number, groups: number): Code {
    const { x, packed, group } = this.#operands;
    const columns = this.#columns;
    const sums = this.#sums.slice(0, rows * groups);
    const weights = this.#weights.slice(0, groups);
    const [numbers, codes, end, pair] = [this.#numbers, this.#codes, this.#end, this.#pair];
    return [
      ...numbers.set(at(x.get, this.row.get, i32.const(2 * columns))),
      ...codes.set(at(packed.get, group.get, i32.const(groupChannels * columns))),
      ...end.set(i32.add(codes.get, i32.const(groupChannels * columns))),
      ...sums.flatMap((sum) => sum.set(v128.zero)),
      ...loop(
        ...weights.map((weight, index) => weight.set(v128.load8x8S(codes.get, index * groupChannels * columns))),
        ...Array.from({ length: rows }, (_, row) => [
          ...pair.set(v128.load32Splat(numbers.get, row * 2 * columns)),
          ...weights.flatMap((weight, index) => {
            const sum = sums[row * groups + index]!;
            return sum.set(i32x4.add(sum.get, i32x4.dotI16x8(pair.get, weight.get)));
          }),
        ]),
        numbers.set(i32.add(numbers.get, i32.const(4))),
        codes.set(i32.add(codes.get, i32.const(2 * groupChannels))),
        jumpIf(i32.ne(codes.get, end.get), 0),
      ),
      ...sums.flatMap((sum, index) => this.#finish(sum, Math.floor(index / groups), index % groups)),
    ];
  }

  #finish(sum: Local, row: number, index: number): Code {
    const { group, rowScales, scales, initial, initialStride, out, outStride } = this.#operands;
    const ownRow = i32.add(this.row.get, i32.const(row));
    const bytes = i32.shl(i32.add(group.get, i32.const(index)), i32.const(4));
    const scale = f32x4.mul(v128.load(i32.add(scales.get, bytes)), v128.load32Splat(at(rowScales.get, ownRow, i32.const(4))));
    const first = v128.load(i32.add(at(initial.get, ownRow, initialStride.get), bytes));
    return v128.store(
      i32.add(at(out.get, ownRow, outStride.get), bytes),
      f32x4.add(first, f32x4.mul(f32x4.fromI32x4(sum.get), scale)),
    );
  }
}
