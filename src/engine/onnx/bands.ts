// The sequences that are being written, in bands of lanes of one length: a band is one run of the decoding graph, its lanes side by side from the
// first on, so that a run sees only lanes in use and copies nothing. Those that are read under a sum of steering vectors have bands of their own,
// since another graph reads them.
import type { VectorSum } from '../vector-sums.ts';
import { type CacheShape, type LaneSizes, Lanes } from './cache.ts';

/** Where a sequence's keys and values lie. */
interface Slot {
  band: Band;
  lane: number;
}

export interface Band {
  lanes: Lanes;
  /** Whether its members are read under sums of vectors. */
  readonly steered: boolean;
  /** By lane. */
  members: HeldSequence[];
}

/** A sequence with all its tokens computed but the last. */
export interface HeldSequence {
  slot: Slot | undefined;
  /** Tokens whose keys and values are held. */
  computed: number;
  /** Added while its next token is read. */
  vectorSum?: VectorSum | undefined;
}

export class Bands {
  readonly #shape: CacheShape;
  readonly #sizes: LaneSizes;
  readonly #bands = new Map<string, Band>();

  constructor(shape: CacheShape, sizes: LaneSizes) {
    this.#shape = shape;
    this.#sizes = sizes;
  }

  /** Those with somebody in them, longest lanes first: who grows out of a band is not met again in the next. */
  get used(): Band[] {
    return [...this.#bands.values()].toSorted((a, b) => b.lanes.slots - a.lanes.slots);
  }

  get bytes(): number {
    return [...this.#bands.values()].reduce((sum, { lanes }) => sum + lanes.bytes, 0);
  }

  /** Brings those together that are read under sums of vectors now, and those that are not. */
  regroup(): void {
    for (const { steered, members } of [...this.#bands.values()]) {
      for (const sequence of members.filter(({ vectorSum }) => steered !== (vectorSum !== undefined))) {
        const old = sequence.slot!;
        this.hold(sequence, old.band.lanes, old.lane);
        this.#vacate(old);
      }
    }
  }

  /** Takes a sequence in, with the keys and values of another lane. */
  hold(sequence: HeldSequence, from: Lanes, fromLane: number): void {
    const band = this.#bandOf(sequence, sequence.computed);
    const lane = band.members.push(sequence) - 1;
    band.lanes.copy(lane, from, fromLane, sequence.computed);
    sequence.slot = { band, lane };
  }

  /** Adds the rows of the sequence's next token, moving it to a longer lane where its own is full. rows as Lanes.write has them. */
  append(sequence: HeldSequence, rows: Float32Array, offset: number): void {
    const old = sequence.slot!;
    if (sequence.computed + 1 > old.band.lanes.slots) {
      const longer = this.#bandOf(sequence, sequence.computed + 1);
      const lane = longer.members.push(sequence) - 1;
      longer.lanes.copy(lane, old.band.lanes, old.lane, sequence.computed);
      this.#vacate(old);
      sequence.slot = { band: longer, lane };
    }
    const { band, lane } = sequence.slot!;
    band.lanes.write(lane, sequence.computed, rows, offset, 1);
    sequence.computed++;
  }

  /** Lets a sequence go; one without a slot is left alone. */
  leave(sequence: HeldSequence): void {
    if (sequence.slot) this.#vacate(sequence.slot);
    sequence.slot = undefined;
  }

  #bandOf({ vectorSum }: HeldSequence, tokens: number): Band {
    const slots = this.#sizes.fitting(tokens);
    const steered = vectorSum !== undefined;
    const key = keyOf(slots, steered);
    const band = this.#bands.get(key) ?? { lanes: new Lanes(this.#shape, slots, 1), steered, members: [] };
    this.#bands.set(key, band);
    if (band.members.length === band.lanes.count) this.#resize(band, 2 * band.lanes.count);
    return band;
  }

  /** The last lane moves into the one that became free. */
  #vacate({ band, lane }: Slot): void {
    const last = band.members.pop()!;
    if (lane < band.members.length) {
      band.members[lane] = last;
      band.lanes.copy(lane, band.lanes, band.members.length, last.computed);
      last.slot = { band, lane };
    }
    if (band.members.length === 0) this.#bands.delete(keyOf(band.lanes.slots, band.steered));
    else if (4 * band.members.length <= band.lanes.count) this.#resize(band, band.lanes.count / 2);
  }

  #resize(band: Band, count: number): void {
    const lanes = new Lanes(this.#shape, band.lanes.slots, count);
    for (const [lane, member] of band.members.entries()) lanes.copy(lane, band.lanes, lane, member.computed);
    band.lanes = lanes;
  }
}

function keyOf(slots: number, steered: boolean): string {
  return `${slots}${steered ? ' steered' : ''}`;
}
