// The runner whose keys and values lie in blocks that kernels of our own read where they are: a sequence grows block by block and moves nowhere, and
// what several begin with lies there once.

import type { LowRanks } from '../../model/lora.ts';
import type { HeldSequence } from '../onnx/bands.ts';
import { PrefixCache } from '../prefix-cache.ts';
import type { Batch, Reading, Runner, SlotSizes } from '../runner.ts';
import { plainTokens, type SumsOfReading, sumsBetween, type VectorSum } from '../vector-sums.ts';
import { BlockPool } from './block-pool.ts';
import { blockTokens } from './cache-block.ts';
import type { KernelDecoder } from './decoder.ts';
import type { SumPool } from './sum-pool.ts';

/**
 * A whole block of a prompt or of a reply, kept for others, as for what is said next: rows are the same bits in whatever runs they are read, so that each
 * may be gone on from.
 */
interface KeptBlock {
  block: number;
  byteLength: number;
}

/** A sequence that is held. */
interface Slot {
  /** As they were read, the prompt's first. */
  tokens: number[];
  /** Of the tokens, those before the first one that was read under a sum. */
  plain: number;
  /** Whose whole blocks are kept already. */
  kept: number;
  blocks: number[];
  adapter: string | undefined;
  /** What it was last read under. */
  vectorSum: VectorSum | undefined;
}

export class KernelRead implements Reading {
  readonly tokens: readonly number[];
  readonly sums: SumsOfReading;
  readonly adapter: string | undefined;
  /** Of what is read. */
  readonly blocks: number[];
  computed: number;
  scores: Float32Array | undefined;

  constructor(tokens: readonly number[], sums: SumsOfReading, adapter: string | undefined, blocks: number[]) {
    this.tokens = tokens;
    this.sums = sums;
    this.adapter = adapter;
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
  readonly #prefixes: PrefixCache<KeptBlock>;
  readonly #sums: SumPool;
  readonly #slots = new Map<HeldSequence, Slot>();

  constructor(decoder: KernelDecoder, prefixBytes: number) {
    this.sizes = {
      slotBytes: decoder.blockBytes / blockTokens,
      fitting: (tokens) => Math.ceil(tokens / blockTokens) * blockTokens,
    };
    this.#decoder = decoder;
    this.#pool = new BlockPool(decoder);
    this.#sums = decoder.sums;
    this.#prefixes = new PrefixCache(prefixBytes, ({ block }) => this.#pool.release(block), blockTokens);
  }

  get bytes(): Runner['bytes'] {
    const prefixes = this.#prefixes.bytes;
    const held = new Set([...this.#slots.values()].flatMap(({ blocks }) => blocks));
    return { lanes: held.size * this.#decoder.blockBytes + this.#sums.bytes, prefixes };
  }

  get sumLength(): number {
    return this.#sums.sumLength;
  }

  get adapters(): readonly string[] {
    return this.#decoder.adapters.names;
  }

  addAdapter(name: string, adapter: LowRanks): void {
    this.#decoder.adapters.add(name, adapter);
  }

  read(tokens: readonly number[], sums: SumsOfReading = [], adapter?: string): KernelRead {
    const known = this.#prefixes.find(tokens, plainTokens(sums), adapter).map(({ block }) => block);
    for (const { sum } of sums) this.#sums.retain(sum);
    return new KernelRead(
      tokens,
      sums,
      adapter,
      known.map((block) => this.#pool.retain(block)),
    );
  }

  async advance(reading: KernelRead, count: number): Promise<void> {
    const { tokens, sums, adapter, blocks, computed, needed } = reading;
    while (blocks.length * blockTokens < computed + count) blocks.push(this.#pool.take());
    const ids = tokens.slice(computed, computed + count);
    const steered = computed + count > plainTokens(sums);
    const input = {
      ids,
      computed,
      blocks,
      adapter,
      ...(steered && { sums: this.#addresses(sumsBetween(sums, computed, count)) }),
    };
    const scores = this.#decoder.read(input, computed + count === needed);
    reading.scores = scores?.slice();
    reading.computed += count;
    this.#keep(reading, computed, Math.min(computed + count, plainTokens(sums)));
  }

  /** Keeps the whole blocks between token `from` and token `to`, all before which are kept. */
  #keep(
    { tokens, adapter, blocks }: Pick<Slot, 'adapter' | 'blocks'> & { tokens: readonly number[] },
    from: number,
    to: number,
  ): void {
    const end = Math.floor(to / blockTokens);
    for (let place = Math.floor(from / blockTokens); place < end; place++) {
      const entry = { block: this.#pool.retain(blocks[place]!), byteLength: this.#decoder.blockBytes };
      if (!this.#prefixes.add(tokens, place * blockTokens, entry, adapter)) this.#pool.release(entry.block);
    }
  }

  drop({ blocks, sums }: KernelRead): void {
    this.#release(blocks.splice(0));
    for (const { sum } of sums) this.#sums.release(sum);
  }

  hold(sequence: HeldSequence, { tokens, sums, blocks, adapter, computed }: KernelRead): void {
    const { vectorSum } = sequence;
    this.#sums.retain(vectorSum);
    const shared = blocks.map((block) => this.#pool.retain(block));
    this.#slots.set(sequence, {
      ...{ tokens: tokens.slice(), plain: Math.min(computed, plainTokens(sums)), kept: computed },
      ...{ blocks: shared, adapter, vectorSum },
    });
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
    const inputs = members.map(({ computed, vectorSum }, member) => {
      const slot = this.#slots.get(members[member]!)!;
      const { blocks, adapter } = slot;
      const place = Math.floor(computed / blockTokens);
      // The last block may still be that of the prompt, which others go on from too.
      blocks[place] = place < blocks.length ? this.#pool.own(blocks[place]!) : this.#pool.take();
      this.#changeSum(slot, vectorSum);
      const input = { ids: [ids[member]!], computed, blocks, adapter };
      return vectorSum ? { ...input, sums: this.#addresses([vectorSum]) } : input;
    });
    const scores = this.#decoder.step(inputs);
    for (const [i, member] of members.entries()) {
      const slot = this.#slots.get(member)!;
      slot.tokens.push(ids[i]!);
      if (!member.vectorSum && slot.plain === member.computed) slot.plain++;
      member.computed++;
    }
    return scores;
  }

  leave(sequence: HeldSequence): void {
    const slot = this.#slots.get(sequence);
    if (!slot) return;
    this.#keep(slot, slot.kept, slot.plain);
    this.#release(slot.blocks);
    this.#sums.release(slot.vectorSum);
    this.#slots.delete(sequence);
  }

  dispose(): void {
    this.#prefixes.clear();
  }

  #addresses(sums: readonly (VectorSum | undefined)[]): number[] {
    return sums.map((sum) => (sum ? this.#sums.addressOf(sum) : 0));
  }

  #changeSum(slot: Slot, to: VectorSum | undefined): void {
    if (slot.vectorSum === to) return;
    this.#sums.retain(to);
    this.#sums.release(slot.vectorSum);
    slot.vectorSum = to;
  }

  #release(blocks: readonly number[]): void {
    for (const block of blocks) this.#pool.release(block);
  }
}
