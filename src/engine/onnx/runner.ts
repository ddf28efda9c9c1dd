// The runner whose keys and values lie in typed arrays: the decoder answers with new rows, which are appended here.

import { PrefixCache } from '../prefix-cache.ts';
import { PromptRead } from '../prompt-read.ts';
import { type Runner, refuseUnmerged } from '../runner.ts';
import type { SumsOfReading } from '../vector-sums.ts';
import { type Band, Bands, type HeldSequence } from './bands.ts';
import { LaneSizes } from './cache.ts';
import type { Decoder } from './decoder.ts';

export class HostRunner implements Runner {
  readonly adapters = [];
  readonly addAdapter = refuseUnmerged;
  readonly sizes: LaneSizes;
  readonly #decoder: Decoder;
  readonly #bands: Bands;
  readonly #prefixes: PrefixCache;

  constructor(decoder: Decoder, prefixBytes: number) {
    const { shape, weightBytes } = decoder;
    this.sizes = new LaneSizes(shape, weightBytes);
    this.#decoder = decoder;
    this.#bands = new Bands(shape, this.sizes);
    this.#prefixes = new PrefixCache(prefixBytes);
  }

  get bytes(): Runner['bytes'] {
    return { lanes: this.#bands.bytes, prefixes: this.#prefixes.bytes };
  }

  get sumLength(): number {
    return this.#decoder.shape.layers * this.#decoder.shape.hiddenSize;
  }

  read(tokens: readonly number[], sums?: SumsOfReading): PromptRead {
    return new PromptRead(tokens, this.#decoder.shape, this.sizes, this.#prefixes, sums);
  }

  advance(reading: PromptRead, count: number): Promise<void> {
    return reading.advance(this.#decoder, count);
  }

  drop(): void {}

  hold(sequence: HeldSequence, { lanes }: PromptRead): void {
    this.#bands.hold(sequence, lanes, 0);
  }

  batches(): Band[] {
    this.#bands.regroup();
    return this.#bands.used;
  }

  async run({ members: held, lanes, steered }: Band, ids: readonly number[]): Promise<Float32Array[]> {
    const members = held.slice();
    const computed = members.map((sequence) => sequence.computed);
    const sums = steered ? { sums: members.map(({ vectorSum }) => vectorSum) } : {};
    const { scores, rows } = await this.#decoder.run({ ids, computed, lanes, firstLane: 0, ...sums });
    const [V, size] = [scores.length / members.length, rows.length / members.length];
    return members.map((sequence, lane) => {
      this.#bands.append(sequence, rows, lane * size);
      return scores.subarray(lane * V, (lane + 1) * V);
    });
  }

  leave(sequence: HeldSequence): void {
    this.#bands.leave(sequence);
  }

  dispose(): void {}
}
