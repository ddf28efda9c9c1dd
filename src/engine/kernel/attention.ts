// Attention over the keys and values of each row's sequence: a task takes some heads of one row.
import { type LlamaShape, windowTokens } from '../../model/shape.ts';
import { FoursAttention } from './attention-fours.ts';
import { PairsAttention } from './attention-pairs.ts';
import type { Lie } from './cache-block.ts';
import { at, kernel, least } from './record.ts';
import { tokenBytes } from './row-kernels.ts';
import { type Definition, i32, type Local } from './wasm.ts';

type Four = [Local, Local, Local, Local];

/**
 * softmax(q Kᵀ) V over the tokens of a row's sequence up to the row's own. words: rows, tasks a row, tokens, q k v (rows, (H + 2 K) d), the
 * layer's offset in a block, out (rows, H d), what each thread works in, its bytes, and where some layers are windowed the tokens that this one sees.
 */
export function attendRows(shape: LlamaShape, lie: Lie): Definition {
  const { heads: H, kvHeads: K, headDim: d } = shape;
  return kernel('attend', (frame, words, task, thread) => {
    const [token, row, kvHead, lastHead] = frame.locals('i32', 4) as Four;
    const [head, shared, q, out] = frame.locals('i32', 4) as Four;
    const [length, work] = frame.locals('i32', 2) as [Local, Local];
    const parts = words.word(1);
    const part = i32.remU(task.get, parts);
    const sharing = i32.const(H / K);
    const first = windowTokens(shape) === null ? undefined : frame.local('i32');
    const places = { token, length, first, kvHead, work, q, out, offset: words.word(4) };
    const attention = lie === 'fours' ? new FoursAttention(frame, shape, places) : new PairsAttention(frame, shape, places);
    return [
      row.set(i32.divU(task.get, parts)),
      token.set(at(words.word(2), row.get, i32.const(tokenBytes))),
      length.set(i32.add(i32.load(token.get, 4), i32.const(1))),
      first ? first.set(i32.sub(length.get, least(frame, length.get, words.word(8)))) : [],
      work.set(at(words.word(6), thread.get, words.word(7))),
      lastHead.set(i32.divU(i32.mul(i32.add(part, i32.const(1)), i32.const(K)), parts)),
      frame.each(
        kvHead,
        i32.divU(i32.mul(part, i32.const(K)), parts),
        lastHead.get,
        1,
        frame.each(
          shared,
          i32.const(0),
          sharing,
          attention.together,
          head.set(i32.add(i32.mul(kvHead.get, sharing), shared.get)),
          q.set(i32.add(at(words.word(3), row.get, i32.const(4 * (H + 2 * K) * d)), i32.mul(head.get, i32.const(4 * d)))),
          out.set(i32.add(at(words.word(5), row.get, i32.const(4 * H * d)), i32.mul(head.get, i32.const(4 * d)))),
          attention.attend(),
        ),
      ),
    ];
  });
}
