// Batches of whole rows for training benches, each token to be told from those before it. What the tokens are costs nothing.

import { randomStream } from '../src/random.ts';
import { int64 } from '../src/tensor/int64.ts';
import type { MicroBatch } from '../src/training/batches.ts';

/** B rows of T tokens below `vocabSize`. */
export function randomBatch(vocabSize: number, B: number, T: number): MicroBatch {
  const random = randomStream(1);
  const ids = Array.from({ length: B * T }, () => Math.floor(random() * vocabSize));
  return wholeRows(ids, B, T);
}

/** The ids (B·T) as nextTokenObjective(shape, network, B, T) takes them, each row one segment. */
export function wholeRows(ids: readonly number[], B: number, T: number): MicroBatch {
  const feeds = {
    ids: int64(ids, [B, T]),
    segments: int64(new Int32Array(B * T), [B, T]),
    targets: int64([...ids.slice(1), 0], [B * T]),
    weights: { data: new Float32Array(B * T).fill(1), shape: [B * T] },
  };
  return { feeds, weight: B * T, tokens: B * T };
}
