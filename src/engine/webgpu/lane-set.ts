// Keys and values of some lanes on a graphics device. A set is never changed: each step of the decoder, and each coming and going of a sequence,
// makes a new one. So beginnings of prompts and replies under the same prompt share sets; one that nobody uses any more is freed.
import type { Feeds, HeldTensor, Tensor } from '../../tensor/session.ts';

export class LaneSet {
  readonly count: number;
  /** Of each lane; those behind its last token hold zeros. */
  readonly slots: number;
  /** past_key.N (B, K, d, P) and past_value.N (B, K, P, d), as the decoding graph takes them. */
  readonly tensors: Feeds;
  #users = 1;

  /** Whoever makes a set is its first user. */
  constructor(count: number, slots: number, tensors: Feeds) {
    this.count = count;
    this.slots = slots;
    this.tensors = tensors;
  }

  get bytes(): number {
    return Object.values(this.tensors).reduce((sum, tensor) => sum + bytesOf(tensor), 0);
  }

  retain(): this {
    this.#users++;
    return this;
  }

  release(): void {
    this.#users--;
    if (this.#users > 0) return;
    for (const tensor of Object.values(this.tensors)) if ('dispose' in tensor) tensor.dispose();
  }
}

function bytesOf(tensor: Tensor | HeldTensor): number {
  return 'dispose' in tensor ? tensor.bytes : tensor.data.byteLength;
}
