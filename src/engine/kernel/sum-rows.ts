// Steering vectors: each row of a run may have a sum of its own, which is added to what a layer gives.
import type { LlamaShape } from '../../model/shape.ts';
import { wide } from './numbers.ts';
import { at, rowKernel } from './record.ts';
import { tokenBytes } from './row-kernels.ts';
import { type Definition, f32x4, i32, type Local, v128, when } from './wasm.ts';

/** words: rows, rows a task, tokens, x (rows, D), bytes of a sum before the layer's row. A row without a sum is left alone. */
export function addSumRows({ hiddenSize: D }: Pick<LlamaShape, 'hiddenSize'>): Definition {
  return rowKernel('addSum', (frame, words, row) => {
    const [sum, x, i] = frame.locals('i32', 3) as [Local, Local, Local];
    const place = i32.add(x.get, i.get);
    const added = f32x4.add(v128.load(place), v128.load(i32.add(sum.get, i.get)));
    return [
      sum.set(i32.load(at(words.word(2), row.get, i32.const(tokenBytes)), 12)),
      when(
        sum.get,
        sum.set(i32.add(sum.get, words.word(4))),
        x.set(at(words.word(3), row.get, i32.const(4 * D))),
        frame.each(i, i32.const(0), i32.const(4 * D), wide, v128.store(place, added)),
      ),
    ];
  });
}
