// Held-out data of a training run: how much of it is read, and a look at it.
import { randomStream, shuffledOrder } from '../random.ts';
import type { Tensor } from '../tensor/session.ts';
import type { BatchSource } from './batches.ts';
import type { TrainingState } from './state.ts';

/** At most `most` replies' worth of what is held out: drawn at random, always the same, in the order given. */
export function drawHeldOut<T>(items: readonly T[], most: number, repliesOf: (item: T) => number = () => 1): T[] {
  const kept: number[] = [];
  let replies = 0;
  for (const index of shuffledOrder(items.length, randomStream('held out'))) {
    const more = Math.max(1, repliesOf(items[index]!));
    if (replies + more > most) continue;
    replies += more;
    kept.push(index);
    if (replies === most) break;
  }
  return kept.sort((a, b) => a - b).map((index) => items[index]!);
}

export interface Look {
  /** Mean loss per unit of weight. */
  loss: number;
  /** What the objective read of each micro-batch; null where it tells nothing but the loss. */
  readings: Tensor[] | null;
}

/** Reads the whole of a source once, changing nothing. */
export async function lookAt(state: TrainingState, source: BatchSource): Promise<Look> {
  let total = 0;
  let weight = 0;
  const readings: Tensor[] = [];
  for (let index = 0; index < source.size(0); index++) {
    const batch = source.fetch(0, index);
    const { loss, readings: own } = await state.evaluate(batch);
    total += loss;
    weight += batch.weight;
    if (own) readings.push(own);
  }
  return { loss: total / weight, readings: readings.length > 0 ? readings : null };
}
