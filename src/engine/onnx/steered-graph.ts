// The second graph of a decoder, for tokens that are read under sums of steering vectors. It has the same weights once more and is opened when the
// first such token comes, so that plain ones cost nothing.
import type { LlamaShape } from '../../model/shape.ts';
import type { Node } from '../../tensor/graph.ts';
import { int64 } from '../../tensor/int64.ts';
import * as t from '../../tensor/primitives.ts';
import type { Tensor } from '../../tensor/session.ts';
import type { VectorSum } from '../vector-sums.ts';

/** Feeds a table of sums, of which the first is none, and which of them each token is read under. (B, T, L·D) */
export function vectorSumsInput({ layers, hiddenSize }: LlamaShape): Node {
  const table = t.input('vector_sums', 'float32', ['S', layers * hiddenSize]);
  return t.gather(table, t.input('sum_of', 'int64', ['B', 'T']));
}

/** `sums` (B·T) of as many tokens of each lane. */
export function vectorSumFeeds(
  { layers, hiddenSize }: LlamaShape,
  sums: readonly (VectorSum | undefined)[],
  lanes: number,
): Record<string, Tensor> {
  const numbers = layers * hiddenSize;
  const distinct = [...new Set(sums)].filter((sum) => sum !== undefined);
  const table = new Float32Array((distinct.length + 1) * numbers);
  for (const [i, sum] of distinct.entries()) table.set(sum, (i + 1) * numbers);
  const places = sums.map((sum) => (sum ? distinct.indexOf(sum) + 1 : 0));
  return {
    vector_sums: { data: table, shape: [distinct.length + 1, numbers] },
    sum_of: int64(places, [lanes, sums.length / lanes]),
  };
}

/** Something that is opened when it is first wanted, and closed if it ever was. */
export class Later<Opened extends { dispose(): Promise<void> }> {
  readonly #open: () => Promise<Opened>;
  #opened: Promise<Opened> | undefined;

  constructor(open: () => Promise<Opened>) {
    this.#open = open;
  }

  /** Opens anew where the last attempt failed. */
  get(): Promise<Opened> {
    this.#opened ??= this.#open().catch((cause) => {
      this.#opened = undefined;
      throw cause;
    });
    return this.#opened;
  }

  async dispose(): Promise<void> {
    await (await this.#opened?.catch(() => undefined))?.dispose();
  }
}
