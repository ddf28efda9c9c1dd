// Losses as graphs: next-token prediction over packed rows.

import { forwardTrunk, hidden, logits, type Network, rowPositions } from '../model/forward.ts';
import type { LlamaShape } from '../model/shape.ts';
import type { Node } from '../tensor/graph.ts';
import * as t from '../tensor/primitives.ts';

/** What a training step minimises. Every input it names is fed with one micro-batch. */
export interface Objective {
  /** Scalar: the sum over the micro-batch, already divided by the total weight of the whole batch. */
  loss: Node;
  /** What it finds in each place of a micro-batch, where a report on the held-out data is made of that. */
  readings?: Node;
}

/** Scores that hide later tokens and tokens of another segment. segments (B, T) int64 → (B, 1, T, T). */
export function packedBias(segments: Node): Node {
  const [B, T] = segments.shape as [number, number];
  const index = BigInt64Array.from({ length: T }, (_, i) => BigInt(i));
  const causal = t.greaterOrEqual(t.constant(index, [T, 1]), t.constant(index, [1, T]));
  const seen = t.where(causal, t.scalar(0), t.scalar(hidden)); // (T, T)
  const together = t.equal(t.reshape(segments, [B, T, 1]), t.reshape(segments, [B, 1, T]));
  return t.reshape(t.where(together, seen, t.scalar(hidden)), [B, 1, T, T]);
}

/** −ln p of every target times its weight (B·T). Feeds: ids (B, T), segments (B, T), targets (B·T), weights (B·T). */
function weightedSurprise(shape: LlamaShape, network: Network, B: number, T: number): Node {
  const segments = t.input('segments', 'int64', [B, T]);
  const tokens = { ids: t.input('ids', 'int64', [B, T]), positions: rowPositions(B, T), bias: packedBias(segments) };
  const trunk = forwardTrunk(shape, network, tokens);
  const rows = t.reshape(trunk.hidden, [B * T, shape.hiddenSize]);
  const nll = t.crossEntropy(logits(shape, network, rows), t.input('targets', 'int64', [B * T]));
  return t.mul(nll, t.input('weights', 'float32', [B * T]));
}

/** Weighted next-token loss in nats. Feeds those of weightedSurprise and inverse_weight (), one over the sum of the weights of the whole batch. */
export function nextTokenObjective(shape: LlamaShape, network: Network, B: number, T: number): Objective {
  const weighted = weightedSurprise(shape, network, B, T);
  return { loss: t.mul(t.reshape(t.sum(weighted), []), t.input('inverse_weight', 'float32', [])) };
}
