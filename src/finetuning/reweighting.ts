// SteerLM 2.0's reweighting (arXiv 2406.08673, 4.5): of replies sampled for one prompt under one label, those that really follow it become
// likelier. The model aimed at is P(y | a, x) ∝ P(a | x, y) · P(y | x), known up to a factor that is the same for all replies of a group.
// Knows neither what sampled the replies nor what rated them. Dimension letters: n replies of a group, T tokens of a row.

import type { Network } from '../model/forward.ts';
import type { LlamaShape } from '../model/shape.ts';
import { randomStream, shuffledOrder } from '../random.ts';
import { int64 } from '../tensor/int64.ts';
import * as t from '../tensor/primitives.ts';
import type { BatchSource, MicroBatch } from '../training/batches.ts';
import { type Objective, weightedSurprise } from '../training/objective.ts';
import { packSequences, type Sequence } from '../training/packing.ts';

/** A reply with its prompt; only the reply's tokens weigh. Natural logarithms of whole replies. */
export interface WeighedReply extends Sequence {
  /** log P(a | x, y): that a rater gives the reply the label it was asked for. */
  label: number;
  /** log P(y | x), of a model that reads no label. */
  base: number;
  /** log Q′(y | a, x), of the model that wrote it. */
  proposal: number;
}

/** Replies to one prompt under one label. */
export type ReplyGroup = readonly WeighedReply[];

/** w′ (n): how likely the model aimed at finds each reply of the group, among them; importance weights, since Q′ wrote them. */
export function targetWeights(group: ReplyGroup): number[] {
  const scores = group.map(({ label, base, proposal }) => label + base - proposal);
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/**
 * KL(w′ ‖ b′) of each group, b′ = softmax(log Q(y | a, x) − log Q′(y | a, x)): its gradient is Σ (b′ − w′) ∇ log Q, the paper's.
 * Feeds: ids (n, T), segments (n, T), targets (n·T), weights (n·T), proposal (n), wanted (n), negative_entropy () = Σ w′ log w′, inverse_weight ().
 */
export function reweightingObjective(shape: LlamaShape, network: Network, n: number, T: number): Objective {
  const weighted = t.reshape(weightedSurprise(shape, network, n, T), [n, T]);
  const surprise = t.reshape(t.sum(weighted, [1]), [1, n]); // −log Q
  const proposal = t.reshape(t.input('proposal', 'float32', [n]), [1, n]);
  const ratio = t.neg(t.add(surprise, proposal)); // log Q − log Q′
  const wanted = t.reshape(t.input('wanted', 'float32', [n]), [1, n]);
  const cross = t.neg(t.reshape(t.sum(t.mul(wanted, t.logSoftmax(ratio))), []));
  const distance = t.add(cross, t.input('negative_entropy', 'float32', []));
  return { loss: t.mul(distance, t.input('inverse_weight', 'float32', [])) };
}

/** So much likelier when it was written than it can ever be now that it takes no part. */
const nobody: WeighedReply = { ids: [0, 0], weights: [0, 0], label: 0, base: 0, proposal: 1e9 };

/** A group each micro-batch, in an order of their own every epoch: n rows, some of them empty where a group has fewer replies. */
export function groupBatches(
  groups: readonly ReplyGroup[],
  { n, T, seed, shuffle = true }: { n: number; T: number; seed: number; shuffle?: boolean },
): BatchSource {
  const orderOf = (epoch: number) => shuffledOrder(groups.length, randomStream(seed, 'groups', epoch));
  return {
    size: () => groups.length,
    fetch: (epoch, index) => toMicroBatch(groups[shuffle ? orderOf(epoch)[index]! : index]!, n, T),
  };
}

function toMicroBatch(group: ReplyGroup, n: number, T: number): MicroBatch {
  const all = Array.from({ length: n }, (_, i) => group[i] ?? nobody);
  const rows = all.map((reply) => packSequences([reply], T));
  const joined = (of: (row: (typeof rows)[number]) => ArrayLike<number>) => rows.flatMap((row) => Array.from(of(row)));
  const known = targetWeights(group);
  const wanted = all.map((_, i) => known[i] ?? 0);
  const entropy = wanted.reduce((sum, weight) => sum + (weight > 0 ? weight * Math.log(weight) : 0), 0);
  const segments = joined((row) => row.segments);
  return {
    feeds: {
      ids: int64(
        joined((row) => row.ids),
        [n, T],
      ),
      segments: int64(segments, [n, T]),
      targets: int64(
        joined((row) => row.targets),
        [n * T],
      ),
      weights: { data: Float32Array.from(joined((row) => row.weights)), shape: [n * T] },
      proposal: { data: Float32Array.from(all, ({ proposal }) => proposal), shape: [n] },
      wanted: { data: Float32Array.from(wanted), shape: [n] },
      negative_entropy: { data: Float32Array.of(entropy), shape: [] },
    },
    weight: 1,
    tokens: segments.reduce((count, segment) => count + Number(segment > 0), 0),
  };
}
