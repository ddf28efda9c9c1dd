// One prompt on its way into the cache, chunk by chunk, beginning after what the prefix cache already knows.
import { type CacheShape, type LaneSizes, Lanes } from './onnx/cache.ts';
import type { Decoder } from './onnx/decoder.ts';
import type { PrefixCache } from './prefix-cache.ts';
import { type Catching, chunkTokens } from './scheduler.ts';
import { plainTokens, type SumsOfReading, sumsBetween } from './vector-sums.ts';

export class PromptRead implements Catching {
  readonly tokens: readonly number[];
  /** Scores (V) of the token after the last; there once everything is read. */
  scores: Float32Array | undefined;
  readonly #shape: CacheShape;
  readonly #sizes: LaneSizes;
  readonly #prefixes: PrefixCache;
  readonly #sums: SumsOfReading;
  #lanes: Lanes;
  #computed = 0;

  constructor(tokens: readonly number[], shape: CacheShape, sizes: LaneSizes, prefixes: PrefixCache, sums: SumsOfReading = []) {
    this.tokens = tokens;
    this.#shape = shape;
    this.#sizes = sizes;
    this.#prefixes = prefixes;
    this.#sums = sums;
    const known = prefixes.find(tokens, plainTokens(sums));
    this.#lanes = new Lanes(shape, sizes.fitting(known.length * chunkTokens), 1);
    for (const rows of known) this.#append(rows, chunkTokens);
  }

  get needed(): number {
    return this.tokens.length;
  }

  get computed(): number {
    return this.#computed;
  }

  /** One lane that holds what is read. */
  get lanes(): Lanes {
    return this.#lanes;
  }

  /** Reads the next `count` tokens. Throws what the decoder throws. */
  async advance(decoder: Decoder, count: number): Promise<void> {
    const start = this.#computed;
    const ids = this.tokens.slice(start, start + count);
    const steered = start + count > plainTokens(this.#sums);
    const sums = steered ? { sums: sumsBetween(this.#sums, start, count) } : {};
    const { scores, rows } = await decoder.run({ ids, computed: [start], lanes: this.#lanes, firstLane: 0, ...sums });
    this.#append(rows, count);
    if (count === chunkTokens && !steered) this.#prefixes.add(this.tokens, start, rows);
    if (this.#computed === this.needed) this.scores = scores;
  }

  #append(rows: Float32Array, count: number): void {
    const length = this.#computed + count;
    if (length > this.#lanes.slots) {
      const longer = new Lanes(this.#shape, this.#sizes.fitting(length), 1);
      longer.copy(0, this.#lanes, 0, this.#computed);
      this.#lanes = longer;
    }
    this.#lanes.write(0, this.#computed, rows, 0, count);
    this.#computed = length;
  }
}
