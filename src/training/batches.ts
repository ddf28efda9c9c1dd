// Where a training run gets its micro-batches: any of them can be fetched again by epoch and number, which is what makes a run resumable.
import { randomStream, shuffledOrder } from '../random.ts';
import { int64 } from '../tensor/int64.ts';
import type { Tensor } from '../tensor/session.ts';
import { type PackedRows, packSequences, type Sequence } from './packing.ts';

export interface MicroBatch {
  /** One tensor for every input of the objective but `inverse_weight`. */
  feeds: Record<string, Tensor>;
  /** What the sum of losses is divided by. */
  weight: number;
  /** Tokens read, for the metrics. */
  tokens: number;
}

export interface BatchSource {
  /** Micro-batches of an epoch; every epoch has the same number, give or take what dropout changes. */
  size(epoch: number): number;
  /** Micro-batch `index` of an epoch, in that epoch's own order. */
  fetch(epoch: number, index: number): MicroBatch;
}

/** The next micro-batches from a position, which moves on. */
export function takeBatches(source: BatchSource, position: { epoch: number; index: number }, count: number): MicroBatch[] {
  return Array.from({ length: count }, () => {
    if (position.index >= source.size(position.epoch)) {
      position.epoch++;
      position.index = 0;
    }
    return source.fetch(position.epoch, position.index++);
  });
}

/**
 * Micro-batches of B packed rows of T tokens. `sequences(epoch)` is asked once an epoch, so labels can be dropped anew;
 * rows are shuffled by seed and epoch. The last micro-batch is filled up with rows of weight 0.
 */
export function packedBatches(
  sequences: (epoch: number) => Iterable<Sequence>,
  { B, T, seed, shuffle = true }: { B: number; T: number; seed: number; shuffle?: boolean },
): BatchSource {
  let held: { epoch: number; packed: PackedRows; order: Uint32Array } | undefined;
  const load = (epoch: number) => {
    if (held?.epoch === epoch) return held;
    const packed = packSequences(sequences(epoch), T);
    const order = shuffle
      ? shuffledOrder(packed.rows, randomStream(seed, 'rows', epoch))
      : Uint32Array.from({ length: packed.rows }, (_, i) => i);
    held = { epoch, packed, order };
    return held;
  };
  return {
    size: (epoch) => Math.ceil(load(epoch).packed.rows / B),
    fetch(epoch, index) {
      const { packed, order } = load(epoch);
      return cutRows(packed, order.subarray(index * B, (index + 1) * B), B);
    },
  };
}

function cutRows(packed: PackedRows, rows: Uint32Array, B: number): MicroBatch {
  const T = packed.length;
  const pick = <A extends Int32Array | Float32Array>(from: A, into: A): A => {
    rows.forEach((row, i) => {
      into.set(from.subarray(row * T, (row + 1) * T), i * T);
    });
    return into;
  };
  const weights = pick(packed.weights, new Float32Array(B * T));
  const segments = pick(packed.segments, new Int32Array(B * T));
  return {
    feeds: {
      ids: int64(pick(packed.ids, new Int32Array(B * T)), [B, T]),
      segments: int64(segments, [B, T]),
      targets: int64(pick(packed.targets, new Int32Array(B * T)), [B * T]),
      weights: { data: weights, shape: [B * T] },
    },
    weight: weights.reduce((a, b) => a + b, 0),
    tokens: segments.reduce((count, segment) => count + Number(segment > 0), 0),
  };
}
