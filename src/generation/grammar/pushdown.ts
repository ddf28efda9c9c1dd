// Follows bytes through a network, all its ways at once, and remembers where they led: a pushdown automaton made deterministic as it is used.
// Knows no tokens.
import { unsupported } from './expression.ts';
import type { Network, State } from './network.ts';

/** Where a called rule returns to; equal stacks of frames are one object. */
interface Frame {
  id: number;
  next: State;
  above: Frame | undefined;
}

/** One way to have read the text so far: a state that waits for a byte, and who called its rule. */
interface Place {
  state: State & { kind: 'bytes' };
  frame: Frame | undefined;
}

/** All ways to have read the text so far. */
export interface Position {
  places: Place[];
  /** Whether the text may end here. */
  complete: boolean;
  /** By class of byte: where it leads, null where it may not stand, undefined where nobody went yet. */
  next: (Position | null | undefined)[];
}

/** Ways that may be open at once; each byte is tried against all of them. */
const mostPlaces = 4_000;
/** Positions that are remembered; past this the memory starts afresh. */
const mostPositions = 12_000;

export class Pushdown {
  readonly start: Position;
  readonly classOf: Uint8Array;
  readonly #classes: number;
  readonly #positions = new Map<string, Position>();
  readonly #frames = new Map<string, Frame>();
  #frameCount = 0;

  /** Throws invalid_request when too many ways are open from the start. */
  constructor(network: Network) {
    this.classOf = network.classOf;
    this.#classes = network.classes;
    this.start = this.#position([{ state: network.start, frame: undefined }]);
  }

  /** The position after one byte; null when it may not stand there. Throws invalid_request when too many ways are open. */
  step(position: Position, byte: number): Position | null {
    const known = position.next[this.classOf[byte]!];
    if (known !== undefined) return known;
    const reached: { state: State; frame: Frame | undefined }[] = [];
    for (const { state, frame } of position.places) {
      const edge = state.edges.find(({ first, last }) => first <= byte && byte <= last);
      if (edge) reached.push({ state: edge.next, frame });
    }
    const next = reached.length === 0 ? null : this.#position(reached);
    position.next[this.classOf[byte]!] = next;
    return next;
  }

  /** Lets go of what is remembered when it is much. Positions in use stay valid. */
  trim(): void {
    if (this.#positions.size <= mostPositions) return;
    // Replies hold on to their positions, which must not keep all others alive.
    for (const { next } of this.#positions.values()) next.fill(undefined);
    this.#positions.clear();
    this.#frames.clear();
  }

  /** Where one is at any of these states, before the next byte: calls are entered, ends return. */
  #position(reached: { state: State; frame: Frame | undefined }[]): Position {
    const open = reached;
    const seen = new Set<number>();
    const places: (Place & { key: number })[] = [];
    let complete = false;
    for (let at = open.pop(); at; at = open.pop()) {
      const { state, frame } = at;
      const key = (frame?.id ?? 0) * 2 ** 16 + state.id;
      if (seen.has(key)) continue;
      seen.add(key);
      if (seen.size > mostPlaces) {
        const problem = `more than ${mostPlaces} ways to read the same text are open at once. Repeat and nest less.`;
        throw unsupported('as a whole', problem);
      }
      if (state.kind === 'bytes') places.push({ state, frame, key });
      else if (state.kind === 'split') for (const next of state.next) open.push({ state: next, frame });
      else if (state.kind === 'call') open.push({ state: state.rule.start, frame: this.#call(state.next, frame) });
      else if (frame) open.push({ state: frame.next, frame: frame.above });
      else complete = true;
    }
    places.sort((a, b) => a.key - b.key);
    const name = `${complete} ${places.map(({ key }) => key).join(' ')}`;
    let position = this.#positions.get(name);
    if (!position) {
      position = { places, complete, next: new Array(this.#classes).fill(undefined) };
      this.#positions.set(name, position);
    }
    return position;
  }

  /** A call that is the last thing its rule does returns to the caller's caller, so that long lists do not grow the stack. */
  #call(next: State, above: Frame | undefined): Frame | undefined {
    if (next.kind === 'end') return above;
    const name = `${next.id} ${above?.id ?? 0}`;
    let frame = this.#frames.get(name);
    if (!frame) {
      frame = { id: ++this.#frameCount, next, above };
      this.#frames.set(name, frame);
    }
    return frame;
  }
}
