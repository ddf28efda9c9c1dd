// Kernels over rows of numbers that stand one under the other: from a token to its row of the table, norms, the gate. Sizes are those of one model.
import type { LlamaShape } from '../../model/shape.ts';
import { geluTerms } from '../../tensor/primitives.ts';
import { exponential, findExtreme, larger, rootMeanSquare, roundRow, wide } from './numbers.ts';
import { at, rowKernel } from './record.ts';
import { type Code, type Definition, type Frame, f32, f32x4, i32, type Local, v128 } from './wasm.ts';

/** Bytes of one token among those of a run: its id, its position, where the addresses of its blocks of keys and values lie, the address of its sum of vectors. */
export const tokenBytes = 16;

/** words: rows, rows a task, tokens, packed table, its scales, out (rows, D). The table is packed as the product takes it. */
export function embedRows({ hiddenSize: D, embeddingMultiplier }: LlamaShape): Definition {
  return rowKernel('embed', (frame, words, row) => {
    const [id, from, to, k, scale] = [...frame.locals('i32', 4), frame.local('f32')] as [Local, Local, Local, Local, Local];
    const element = (offset: number) => f32.mul(f32.fromS(i32.load8S(from.get, offset)), scale.get);
    return [
      id.set(i32.load(at(words.word(2), row.get, i32.const(tokenBytes)))),
      scale.set(f32.load(at(words.word(4), id.get, i32.const(4)))),
      embeddingMultiplier === 1 ? [] : scale.set(f32.mul(scale.get, f32.const(embeddingMultiplier))),
      from.set(at(words.word(3), i32.shrU(id.get, i32.const(2)), i32.const(4 * D))),
      from.set(i32.add(from.get, i32.shl(i32.and(id.get, i32.const(3)), i32.const(1)))),
      to.set(at(words.word(5), row.get, i32.const(4 * D))),
      frame.each(
        k,
        i32.const(0),
        i32.const(D),
        2,
        f32.store(to.get, element(0)),
        f32.store(to.get, element(1), 4),
        from.set(i32.add(from.get, i32.const(8))),
        to.set(i32.add(to.get, i32.const(8))),
      ),
    ];
  });
}

/** words: rows, rows a task, x (rows, D), weight (D), y (rows, D), rounded (rows, D) and its scales (rows). */
export function normRows({ hiddenSize: D, normEpsilon }: LlamaShape): Definition {
  return rowKernel('norm', (frame, words, row) => {
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
      rounded(frame, extreme, y, D, words.word(5), words.word(6), row),
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

/** silu(gate) · up, or gelu. words: rows, rows a task, gate and up side by side (rows, 2 F), the product in place of the gate, rounded and its scales. */
export function gateRows({ intermediateSize: F, activation }: LlamaShape): Definition {
  return rowKernel('gate', (frame, words, row) => {
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
      rounded(frame, extreme, both, F, words.word(3), words.word(4), row),
    ];
  });
}

/** gelu(x) is x · σ of this. */
function geluExponent(x: Code): Code {
  const { slope, cubic } = geluTerms;
  const inner = f32x4.add(f32x4.mul(f32x4.mul(x, x), f32x4.const(2 * slope * cubic)), f32x4.const(2 * slope));
  return f32x4.mul(x, inner);
}

/** words: rows, rows a task, x (rows, columns), rounded and its scales. */
export function roundRows({ heads, headDim }: LlamaShape): Definition {
  const columns = heads * headDim;
  return rowKernel('round', (frame, words, row) => {
    const [x, extreme] = [frame.local('i32'), frame.local('v128')];
    return [
      x.set(at(words.word(2), row.get, i32.const(4 * columns))),
      findExtreme(frame, extreme, x, columns),
      rounded(frame, extreme, x, columns, words.word(3), words.word(4), row),
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

function rounded(frame: Frame, extreme: Local, from: Local, columns: number, base: Code, scales: Code, row: Local): Code {
  const to = frame.local('i32');
  return [
    ...to.set(at(base, row.get, i32.const(2 * columns))),
    ...roundRow(frame, extreme, from, columns, to, at(scales, row.get, i32.const(4))),
  ];
}
