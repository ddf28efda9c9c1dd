// The batch the training benches share: random tokens in whole rows, each to be told from those before it. What the tokens are costs nothing.
import { int64, type MicroBatch } from '../src/llama/batches.ts';
import { randomStream } from '../src/random.ts';

/** B rows of T tokens below `vocabSize`, as nextTokenObjective(shape, network, B, T) takes them. */
export function randomBatch(vocabSize: number, B: number, T: number): MicroBatch {
  const random = randomStream(1);
  const ids = Array.from({ length: B * T }, () => Math.floor(random() * vocabSize));
  const feeds = {
    ids: int64(ids, [B, T]),
    segments: int64(new Int32Array(B * T), [B, T]),
    targets: int64([...ids.slice(1), 0], [B * T]),
    weights: { data: new Float32Array(B * T).fill(1), shape: [B * T] },
  };
  return { feeds, weight: B * T, tokens: B * T };
}
