// Rows of whole numbers times a matrix of weights (packing.ts). Sums of products within a block are whole numbers and exact, and blocks are added in
// one order, so that a row's result is the same whatever rows are computed beside it, and on however many threads.
import { EightsInFours } from './eights-in-fours.ts';
import { EightsInPairs } from './eights-in-pairs.ts';
import { Fours } from './fours.ts';
import { type Packing, productName } from './packing.ts';
import { at, kernel, least } from './record.ts';
import type { Operands, Tile } from './tile.ts';
import { type Code, type Definition, either, type Frame, f32x4, i32, type Local, v128 } from './wasm.ts';

/**
 * out[row, channel] = initial[row, channel] + Σ x[row, k] · weight[channel, k].
 * words: rows, x (rows, columns), its scales, the sums of its blocks, packed weight, groups, groups a task, initial, bytes between its rows (0 for one
 * that serves all), out, bytes between its rows.
 */
export function productKernel(packing: Packing): Definition {
  return kernel(productName(packing), (frame, words, task) => {
    const rows = words.held(0);
    const [x, scales, sums, packed] = [1, 2, 3, 4].map((index) => words.held(index)) as Four;
    const [group, end, row] = frame.locals('i32', 3) as [Local, Local, Local];
    const operands = { x, scales, sums, packed, group, row };
    const tile = tileFor(frame, packing, operands);
    const results = { initial: words.held(7), initialStride: words.held(8), out: words.held(9), outStride: words.held(10) };
    const tileOf = (count: number, groups: number): Code => {
      const { code, results: values } = tile.compute(count, groups);
      return [...code, ...values.flatMap((value, i) => store(operands, results, Math.floor(i / groups), i % groups, value))];
    };
    const start = i32.mul(task.get, words.word(6));
    /** All rows of a few groups, several rows at a time while there are as many. */
    const several = (groups: number): Code => [
      ...row.set(i32.const(0)),
      ...tile.rows.flatMap((count) => frame.whileReaching(row, count, rows.get, tileOf(count, groups))),
    ];
    return [
      group.set(start),
      end.set(least(frame, i32.add(start, words.word(6)), words.word(5))),
      either(
        i32.eq(rows.get, i32.const(1)),
        [...row.set(i32.const(0)), ...frame.whileReaching(group, tile.alone, end.get, tileOf(1, tile.alone))],
        tile.together > 1 ? frame.whileReaching(group, tile.together, end.get, several(tile.together)) : [],
      ),
      frame.whileReaching(group, 1, end.get, several(1)),
    ];
  });
}

function tileFor(frame: Frame, packing: Packing, operands: Operands): Tile {
  if (packing.bits === 4) return new Fours(frame, packing, operands);
  return packing.inFours ? new EightsInFours(frame, packing, operands) : new EightsInPairs(frame, packing, operands);
}

type Four = [Local, Local, Local, Local];

interface Results {
  initial: Local;
  initialStride: Local;
  out: Local;
  outStride: Local;
}

function store({ row, group }: Operands, results: Results, rowOf: number, groupOf: number, value: Local): Code {
  const { initial, initialStride, out, outStride } = results;
  const ownRow = i32.add(row.get, i32.const(rowOf));
  const bytes = i32.shl(i32.add(group.get, i32.const(groupOf)), i32.const(4));
  const first = v128.load(i32.add(at(initial.get, ownRow, initialStride.get), bytes));
  return v128.store(i32.add(at(out.get, ownRow, outStride.get), bytes), f32x4.add(first, value.get));
}
