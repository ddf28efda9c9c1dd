// The runner whose keys and values lie in blocks that kernels of our own read where they are: a sequence grows block by block and moves nowhere, and
// what several begin with lies there once.

import type { HeldSequence } from '../onnx/bands.ts';
import { PrefixCache } from '../prefix-cache.ts';
import type { Batch, Reading, Runner, SlotSizes } from '../runner.ts';
import { chunkTokens } from '../scheduler.ts';
import { BlockPool } from './block-pool.ts';
import { blockTokens } from './cache-block.ts';
import type { KernelDecoder } from './decoder.ts';

/** The blocks of a chunk that is kept. */
interface KeptBlocks {
  blocks: number[];
  byteLength: number;
}

export class KernelRead implements Reading {
  readonly tokens: readonly number[];
  /** Of what is read. */
  readonly blocks: number[];
  computed: number;
  scores: Float32Array | undefined;

  constructor(tokens: readonly number[], blocks: number[]) {
    this.tokens = tokens;
    this.blocks = blocks;
    this.computed = blocks.length * blockTokens;
  }

  get needed(): number {
    return this.tokens.length;
  }
}

export class KernelRunner implements Runner {
  readonly sizes: SlotSizes;
  readonly #decoder: KernelDecoder;
  readonly #pool: BlockPool;
  readonly #prefixes: PrefixCache<KeptBlocks>;
  readonly #slots = new Map<HeldSequence, number[]>();

  constructor(decoder: KernelDecoder, prefixBytes: number) {
    this.sizes = {
      slotBytes: decoder.blockBytes / blockTokens,
      fitting: (tokens) => Math.ceil(tokens / blockTokens) * blockTokens,
    };
    this.#decoder = decoder;
    this.#pool = new BlockPool(decoder);
    this.#prefixes = new PrefixCache(prefixBytes, ({ blocks }) => this.#release(blocks));
  }

  get bytes(): Runner['bytes'] {
    const prefixes = this.#prefixes.bytes;
    const held = new Set([...this.#slots.values()].flat());
    return { lanes: held.size * this.#decoder.blockBytes, prefixes };
  }

  read(tokens: readonly number[]): KernelRead {
    const known = this.#prefixes.find(tokens).flatMap(({ blocks }) => blocks);
    return new KernelRead(
      tokens,
      known.map((block) => this.#pool.retain(block)),
    );
  }

  async advance(reading: KernelRead, count: number): Promise<void> {
    const { tokens, blocks, computed, needed } = reading;
    while (blocks.length * blockTokens < computed + count) blocks.push(this.#pool.take());
    const ids = tokens.slice(computed, computed + count);
    const scores = this.#decoder.read({ ids, computed, blocks }, computed + count === needed);
    reading.scores = scores?.slice();
    reading.computed += count;
    if (count < chunkTokens) return;
    const kept = blocks.slice(computed / blockTokens, (computed + count) / blockTokens);
    const byteLength = kept.length * this.#decoder.blockBytes;
    const entry = { blocks: kept.map((block) => this.#pool.retain(block)), byteLength };
    if (!this.#prefixes.add(tokens, computed, entry)) this.#release(kept);
  }

  drop({ blocks }: KernelRead): void {
    this.#release(blocks.splice(0));
  }

  hold(sequence: HeldSequence, { blocks }: KernelRead): void {
    this.#slots.set(
      sequence,
      blocks.map((block) => this.#pool.retain(block)),
    );
  }

  batches(): Batch[] {
    const sequences = [...this.#slots.keys()];
    if (sequences.length === 0) return [];
    const slots = this.#slots;
    return [
      {
        get members() {
          return sequences.filter((sequence) => slots.has(sequence));
        },
      },
    ];
  }

  async run({ members }: Batch, ids: readonly number[]): Promise<Float32Array[]> {
    const inputs = members.map(({ computed }, member) => {
      const blocks = this.#slots.get(members[member]!)!;
      const place = Math.floor(computed / blockTokens);
      // The last block may still be that of the prompt, which others go on from too.
      blocks[place] = place < blocks.length ? this.#pool.own(blocks[place]!) : this.#pool.take();
      return { ids: [ids[member]!], computed, blocks };
    });
    const scores = this.#decoder.step(inputs);
    for (const member of members) member.computed++;
    return scores;
  }

  leave(sequence: HeldSequence): void {
    this.#release(this.#slots.get(sequence) ?? []);
    this.#slots.delete(sequence);
  }

  dispose(): void {
    this.#prefixes.clear();
  }

  #release(blocks: readonly number[]): void {
    for (const block of blocks) this.#pool.release(block);
  }
}
