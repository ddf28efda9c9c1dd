// What this program makes of a model's folder or of a model in memory: the scores after every token, in full precision.

import { causalBias, forwardTrunk, logits, rowPositions } from '../../src/model/forward.ts';
import { loadNetwork, type WeightSource } from '../../src/model/loaded-network.ts';
import { int64 } from '../../src/tensor/int64.ts';
import { emitOnnx } from '../../src/tensor/onnx.ts';
import { input } from '../../src/tensor/primitives.ts';
import { Session } from '../../src/tensor/session.ts';

/** Row-major (T, V). */
export async function scoresOf(source: WeightSource, ids: readonly number[]): Promise<Float32Array> {
  const loaded = await loadNetwork(source, 'fp32');
  const positions = rowPositions(1, ids.length);
  const tokens = { ids: input('ids', 'int64', [1, ids.length]), positions, bias: causalBias(positions) };
  const scores = logits(loaded.shape, loaded.network, forwardTrunk(loaded.shape, loaded.network, tokens).hidden);
  const session = await Session.open(emitOnnx({ scores }), { folder: loaded.folder });
  try {
    return (await session.run({ ids: int64(ids, [1, ids.length]) })).scores!.data as Float32Array;
  } finally {
    await session.dispose();
    await loaded.dispose();
  }
}

/** Largest difference between two sets of scores. Infinite where they differ in number. */
export function furthest(ours: Float32Array, theirs: readonly (readonly number[])[]): number {
  const flat = theirs.flat();
  if (flat.length !== ours.length) return Number.POSITIVE_INFINITY;
  return flat.reduce((most, score, i) => Math.max(most, Math.abs(score - ours[i]!)), 0);
}
