// Sums of steering vectors in the memory of the kernels: each lies there once, however many readings and sequences use it, and its room is used
// again when none does.
import type { VectorSum } from '../vector-sums.ts';
import type { Crew } from './crew.ts';

interface Place {
  at: number;
  users: number;
}

export class SumPool {
  /** Numbers of a sum. */
  readonly sumLength: number;
  readonly #crew: Crew;
  readonly #places = new Map<VectorSum, Place>();
  readonly #free: number[] = [];

  constructor(crew: Crew, sumLength: number) {
    this.#crew = crew;
    this.sumLength = sumLength;
  }

  /** Of the sums in use. */
  get bytes(): number {
    return this.#places.size * this.#sumBytes;
  }

  get #sumBytes(): number {
    return this.sumLength * Float32Array.BYTES_PER_ELEMENT;
  }

  /** Puts a sum down that is not there. Throws overloaded where there is no more memory. */
  retain(sum: VectorSum | undefined): void {
    if (!sum) return;
    const known = this.#places.get(sum);
    if (known) {
      known.users++;
      return;
    }
    const at = this.#free.pop() ?? this.#crew.allocate(this.#sumBytes);
    this.#crew.floats(at, this.sumLength).set(sum);
    this.#places.set(sum, { at, users: 1 });
  }

  addressOf(sum: VectorSum): number {
    return this.#places.get(sum)!.at;
  }

  release(sum: VectorSum | undefined): void {
    const place = sum && this.#places.get(sum);
    if (!place) return;
    place.users--;
    if (place.users > 0) return;
    this.#places.delete(sum);
    this.#free.push(place.at);
  }
}
