// Keys and values of the tokens one sequence has read, laid out as the decoding graph takes them. Only typed arrays; knows no runtime.
// The cost of a step follows the slots and not the tokens, so slots double as the sequence grows. Letters: K heads, d head size, P slots.
import { hidden } from '../llama/forward.ts';
import type { LlamaShape } from '../llama/shape.ts';

const firstSlots = 64;

type CacheShape = Pick<LlamaShape, 'layers' | 'kvHeads' | 'headDim' | 'contextLength'>;

export class KeyValueCache {
  readonly #shape: CacheShape;
  #length = 0;
  #slots: number;
  #keys: Float32Array[];
  #values: Float32Array[];
  #bias: Float32Array;

  constructor(shape: CacheShape, slots: number = Math.min(firstSlots, shape.contextLength)) {
    const { layers, kvHeads, headDim } = shape;
    const empty = () => Array.from({ length: layers }, () => new Float32Array(kvHeads * headDim * slots));
    this.#shape = shape;
    this.#slots = slots;
    this.#keys = empty();
    this.#values = empty();
    this.#bias = new Float32Array(slots).fill(hidden);
  }

  /** Tokens held. */
  get length(): number {
    return this.#length;
  }

  get slots(): number {
    return this.#slots;
  }

  /** (K, d, P) a layer: transposed, as the scores need them. */
  get keys(): readonly Float32Array[] {
    return this.#keys;
  }

  /** (K, P, d) a layer. */
  get values(): readonly Float32Array[] {
    return this.#values;
  }

  /** (P): 0 where a slot is in use, very negative where not. */
  get bias(): Float32Array {
    return this.#bias;
  }

  /** Adds `count` tokens; keys and values are (K, count, d) a layer. Throws when the context is full. */
  append(keys: readonly Float32Array[], values: readonly Float32Array[], count: number): void {
    const { layers, contextLength } = this.#shape;
    const length = this.#length + count;
    if (length > contextLength) throw new Error(`cache: ${length} tokens do not fit a context of ${contextLength}`);
    if (length > this.#slots) this.#grow(length);
    for (let layer = 0; layer < layers; layer++) {
      this.#addKeys(this.#keys[layer]!, keys[layer]!, count);
      this.#addValues(this.#values[layer]!, values[layer]!, count);
    }
    this.#bias.fill(0, this.#length, length);
    this.#length = length;
  }

  /** A cache of its own with the same tokens. */
  copy(): KeyValueCache {
    const twin = new KeyValueCache(this.#shape, 0);
    twin.#slots = this.#slots;
    twin.#length = this.#length;
    twin.#keys = this.#keys.map((rows) => rows.slice());
    twin.#values = this.#values.map((rows) => rows.slice());
    twin.#bias = this.#bias.slice();
    return twin;
  }

  #addKeys(into: Float32Array, from: Float32Array, count: number): void {
    const { kvHeads, headDim } = this.#shape;
    for (let head = 0; head < kvHeads; head++) {
      for (let token = 0; token < count; token++) {
        for (let i = 0; i < headDim; i++) {
          into[(head * headDim + i) * this.#slots + this.#length + token] = from[(head * count + token) * headDim + i]!;
        }
      }
    }
  }

  #addValues(into: Float32Array, from: Float32Array, count: number): void {
    const { kvHeads, headDim } = this.#shape;
    for (let head = 0; head < kvHeads; head++) {
      const rows = from.subarray(head * count * headDim, (head + 1) * count * headDim);
      into.set(rows, (head * this.#slots + this.#length) * headDim);
    }
  }

  #grow(length: number): void {
    const { kvHeads, headDim, contextLength } = this.#shape;
    let slots = this.#slots;
    while (slots < length) slots = Math.min(2 * slots, contextLength);
    const bias = new Float32Array(slots).fill(hidden);
    bias.set(this.#bias);
    this.#bias = bias;
    this.#keys = this.#keys.map((rows) => widen(rows, kvHeads * headDim, slots));
    this.#values = this.#values.map((rows) => widen(rows, kvHeads, slots * headDim));
    this.#slots = slots;
  }
}

/** The same rows, each with room for `width` numbers. */
function widen(values: Float32Array, rows: number, width: number): Float32Array {
  const old = values.length / rows;
  const wide = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) wide.set(values.subarray(row * old, (row + 1) * old), row * width);
  return wide;
}
