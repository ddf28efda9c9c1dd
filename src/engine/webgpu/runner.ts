// The runner whose keys and values stay on a graphics device, in sets of lanes that are never changed. A sequence's slot is a lane of a set; a
// step gathers the slots of its batch into one set, which is the last step's set as long as nobody came, left or grew.
import type { HeldSequence } from '../onnx/bands.ts';
import { LaneSizes } from '../onnx/cache.ts';
import { PrefixCache } from '../prefix-cache.ts';
import { type Batch, type Reading, type Runner, refuseUnmerged } from '../runner.ts';
import { chunkTokens } from '../scheduler.ts';
import { plainTokens, type SumsOfReading, sumsBetween } from '../vector-sums.ts';
import type { DeviceDecoder } from './decoder.ts';
import type { LaneSet } from './lane-set.ts';

interface Slot {
  set: LaneSet;
  lane: number;
}

/** The lane after a chunk, which holds all chunks before it too. */
interface KeptLane {
  set: LaneSet;
  byteLength: number;
}

export class DeviceRead implements Reading {
  readonly tokens: readonly number[];
  readonly sums: SumsOfReading;
  /** One lane that holds what is read. */
  set: LaneSet;
  computed: number;
  scores: Float32Array | undefined;

  constructor(tokens: readonly number[], sums: SumsOfReading, set: LaneSet, computed: number) {
    this.tokens = tokens;
    this.sums = sums;
    this.set = set;
    this.computed = computed;
  }

  get needed(): number {
    return this.tokens.length;
  }
}

export class DeviceRunner implements Runner {
  readonly adapters = [];
  readonly addAdapter = refuseUnmerged;
  readonly sizes: LaneSizes;
  readonly #decoder: DeviceDecoder;
  readonly #slots = new Map<HeldSequence, Slot>();
  readonly #prefixes: PrefixCache<KeptLane>;

  constructor(decoder: DeviceDecoder, prefixBytes: number) {
    this.sizes = new LaneSizes(decoder.shape, decoder.weightBytes);
    this.#decoder = decoder;
    this.#prefixes = new PrefixCache(prefixBytes, ({ set }) => set.release());
  }

  get bytes(): Runner['bytes'] {
    const sets = new Set([...this.#slots.values()].map(({ set }) => set));
    return { lanes: [...sets].reduce((sum, { bytes }) => sum + bytes, 0), prefixes: this.#prefixes.bytes };
  }

  get sumLength(): number {
    return this.#decoder.shape.layers * this.#decoder.shape.hiddenSize;
  }

  read(tokens: readonly number[], sums: SumsOfReading = []): DeviceRead {
    const known = this.#prefixes.find(tokens, plainTokens(sums));
    const set = known.at(-1)?.set.retain() ?? this.#decoder.empty(this.sizes.fitting(1));
    return new DeviceRead(tokens, sums, set, known.length * chunkTokens);
  }

  async advance(reading: DeviceRead, count: number): Promise<void> {
    const { tokens, computed: start, needed } = reading;
    // No longer than what is read, so that a beginning that is kept fits every prompt that shares it.
    const slots = this.sizes.fitting(start + count);
    if (reading.set.slots < slots) this.#replace(reading, await this.#decoder.grow(reading.set, slots));
    const ids = tokens.slice(start, start + count);
    const steered = start + count > plainTokens(reading.sums);
    const sums = steered ? { sums: sumsBetween(reading.sums, start, count) } : {};
    const { scores, set } = await this.#decoder.run({ ids, computed: [start], set: reading.set, ...sums });
    this.#replace(reading, set);
    reading.computed += count;
    if (reading.computed === needed) reading.scores = scores;
    if (count < chunkTokens || steered) return;
    if (!this.#prefixes.add(tokens, start, { set: set.retain(), byteLength: set.bytes })) set.release();
  }

  drop({ set }: DeviceRead): void {
    set.release();
  }

  hold(sequence: HeldSequence, { set }: DeviceRead): void {
    this.#slots.set(sequence, { set: set.retain(), lane: 0 });
  }

  batches(): Batch[] {
    // Another graph reads those that have a sum of vectors.
    const alike = new Map<string, HeldSequence[]>();
    for (const sequence of this.#slots.keys()) {
      const key = `${this.sizes.fitting(sequence.computed + 1)} ${sequence.vectorSum !== undefined}`;
      alike.set(key, [...(alike.get(key) ?? []), sequence]);
    }
    const slots = this.#slots;
    return [...alike.values()].map((sequences) => ({
      get members() {
        return sequences.filter((sequence) => slots.has(sequence));
      },
    }));
  }

  async run({ members }: Batch, ids: readonly number[]): Promise<Float32Array[]> {
    const { set: gathered, order } = await this.#gather(members);
    try {
      const computed = order.map((member) => members[member]!.computed);
      const newest = order.map((member) => ids[member]!);
      const sums = order.map((member) => members[member]!.vectorSum);
      const steered = sums.some((sum) => sum !== undefined);
      const input = { ids: newest, computed, set: gathered, ...(steered && { sums }) };
      const { scores, set } = await this.#decoder.run(input);
      const V = scores.length / members.length;
      const answers: Float32Array[] = [];
      for (const [lane, member] of order.entries()) {
        const sequence = members[member]!;
        this.#slots.get(sequence)!.set.release();
        this.#slots.set(sequence, { set: set.retain(), lane });
        sequence.computed++;
        answers[member] = scores.subarray(lane * V, (lane + 1) * V);
      }
      set.release();
      return answers;
    } finally {
      gathered.release();
    }
  }

  leave(sequence: HeldSequence): void {
    this.#slots.get(sequence)?.set.release();
    this.#slots.delete(sequence);
  }

  dispose(): void {
    this.#prefixes.clear();
  }

  /** One set with the lanes of all members and room for their next tokens; `order` says whose each lane is. */
  async #gather(members: readonly HeldSequence[]): Promise<{ set: LaneSet; order: number[] }> {
    const slots = Math.max(...members.map(({ computed }) => this.sizes.fitting(computed + 1)));
    const bySet = new Map<LaneSet, { member: number; lane: number }[]>();
    for (const [member, sequence] of members.entries()) {
      const { set, lane } = this.#slots.get(sequence)!;
      bySet.set(set, [...(bySet.get(set) ?? []), { member, lane }]);
    }
    const order: number[] = [];
    let whole: LaneSet | undefined;
    try {
      for (const [set, wanted] of bySet) {
        wanted.sort((a, b) => a.lane - b.lane);
        order.push(...wanted.map(({ member }) => member));
        const lanes = wanted.map(({ lane }) => lane);
        const part = await this.#partOf(set, lanes, slots);
        const before = whole;
        whole = before ? await this.#joined(before, part) : part;
      }
    } catch (error) {
      whole?.release();
      throw error;
    }
    return { set: whole!, order };
  }

  /** These lanes of a set, as long as the batch needs them; the set itself where it is just that. */
  async #partOf(set: LaneSet, lanes: readonly number[], slots: number): Promise<LaneSet> {
    const whole = lanes.length === set.count && lanes.every((lane, i) => lane === i);
    const part = whole ? set.retain() : await this.#decoder.pick(set, lanes);
    if (part.slots === slots) return part;
    return await this.#decoder.grow(part, slots).finally(() => part.release());
  }

  async #joined(a: LaneSet, b: LaneSet): Promise<LaneSet> {
    const joined = await this.#decoder.join(a, b).finally(() => b.release());
    a.release();
    return joined;
  }

  #replace(reading: DeviceRead, set: LaneSet): void {
    reading.set.release();
    reading.set = set;
  }
}
