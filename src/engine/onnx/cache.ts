// Keys and values of tokens already read, laid out as the decoding graph takes them: lanes, one a sequence, each with room for so many tokens. Only
// typed arrays. Letters: N lanes, K heads, d head size, P slots of a lane.
import { hidden } from '../../model/forward.ts';
import type { LlamaShape } from '../../model/shape.ts';

export type CacheShape = Pick<LlamaShape, 'layers' | 'kvHeads' | 'headDim' | 'contextLength'>;

export class Lanes {
  readonly #shape: CacheShape;
  readonly slots: number;
  readonly count: number;
  /** (N, K, d, P) a layer: transposed, as the scores need them. */
  readonly keys: Float32Array[];
  /** (N, K, P, d) a layer. */
  readonly values: Float32Array[];
  /** (N, P): 0 where a slot is in use, very negative where not. */
  readonly bias: Float32Array;

  constructor(shape: CacheShape, slots: number, count: number) {
    const { layers, kvHeads, headDim } = shape;
    const empty = () => Array.from({ length: layers }, () => new Float32Array(count * kvHeads * headDim * slots));
    this.#shape = shape;
    this.slots = slots;
    this.count = count;
    this.keys = empty();
    this.values = empty();
    this.bias = new Float32Array(count * slots).fill(hidden);
  }

  get bytes(): number {
    return this.keys.reduce((sum, rows) => sum + 2 * rows.byteLength, this.bias.byteLength);
  }

  /** Puts `tokens` new rows into a lane from slot `at` on. rows from `offset` on: (layers, 2, K, tokens, d), keys before values. */
  write(lane: number, at: number, rows: Float32Array, offset: number, tokens: number): void {
    const { layers, kvHeads, headDim } = this.#shape;
    const size = kvHeads * tokens * headDim;
    for (let layer = 0; layer < layers; layer++) {
      const start = offset + 2 * layer * size;
      this.#writeKeys(layer, lane, at, rows, start, tokens);
      this.#writeValues(layer, lane, at, rows, start + size, tokens);
    }
    this.bias.fill(0, lane * this.slots + at, lane * this.slots + at + tokens);
  }

  /** Makes a lane the same as another one's first `length` tokens. */
  copy(lane: number, from: Lanes, fromLane: number, length: number): void {
    const { layers, kvHeads, headDim } = this.#shape;
    for (let layer = 0; layer < layers; layer++) {
      for (let row = 0; row < kvHeads * headDim; row++) {
        const start = (fromLane * kvHeads * headDim + row) * from.slots;
        const rows = from.keys[layer]!.subarray(start, start + length);
        this.keys[layer]!.set(rows, (lane * kvHeads * headDim + row) * this.slots);
      }
      for (let head = 0; head < kvHeads; head++) {
        const start = (fromLane * kvHeads + head) * from.slots * headDim;
        const rows = from.values[layer]!.subarray(start, start + length * headDim);
        this.values[layer]!.set(rows, (lane * kvHeads + head) * this.slots * headDim);
      }
    }
    this.bias.fill(0, lane * this.slots, lane * this.slots + length);
    this.bias.fill(hidden, lane * this.slots + length, (lane + 1) * this.slots);
  }

  #writeKeys(layer: number, lane: number, at: number, rows: Float32Array, start: number, tokens: number): void {
    const { kvHeads, headDim } = this.#shape;
    const into = this.keys[layer]!;
    const { slots } = this;
    for (let head = 0; head < kvHeads; head++) {
      for (let i = 0; i < headDim; i++) {
        const to = ((lane * kvHeads + head) * headDim + i) * slots + at;
        const from = start + head * tokens * headDim + i;
        for (let token = 0; token < tokens; token++) into[to + token] = rows[from + token * headDim]!;
      }
    }
  }

  #writeValues(layer: number, lane: number, at: number, rows: Float32Array, start: number, tokens: number): void {
    const { kvHeads, headDim } = this.#shape;
    for (let head = 0; head < kvHeads; head++) {
      const from = start + head * tokens * headDim;
      const to = ((lane * kvHeads + head) * this.slots + at) * headDim;
      this.values[layer]!.set(rows.subarray(from, from + tokens * headDim), to);
    }
  }
}

/** Bytes of one token of one sequence. */
export function bytesPerSlot({ layers, kvHeads, headDim }: CacheShape): number {
  return 2 * layers * kvHeads * headDim * Float32Array.BYTES_PER_ELEMENT;
}

/** Slots of the lanes a sequence goes through as it grows: doubling, so that it seldom moves and the cost of a step follows its length. */
export class LaneSizes {
  readonly slotBytes: number;
  readonly #first: number;
  readonly #context: number;

  /** With heavy weights one run over longer lanes costs less than two over fitting ones, so lanes begin longer. */
  constructor(shape: CacheShape, weightBytes: number) {
    this.slotBytes = bytesPerSlot(shape);
    const worth = weightBytes / this.slotBytes / 8;
    this.#context = shape.contextLength;
    this.#first = Math.min(this.#context, Math.max(64, 2 ** Math.floor(Math.log2(Math.max(1, worth)))));
  }

  /** The shortest lane that holds so many tokens. */
  fitting(tokens: number): number {
    let slots = this.#first;
    while (slots < tokens) slots *= 2;
    return Math.min(slots, this.#context);
  }
}
