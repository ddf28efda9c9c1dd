// Follows bytes through a network, all its ways at once, and remembers where they led: a pushdown automaton made deterministic as it is used.
import { unsupported } from './expression.ts';
import { type CountedBytes, everyByte, fewestBytes } from './fewest-bytes.ts';
import type { Network } from './network.ts';
import { standIns } from './stand-ins.ts';
import type { State } from './state.ts';

/** Where a called rule returns to; equal stacks of frames are one object. */
interface Frame {
  id: number;
  next: State;
  above: Frame | undefined;
  /** Bytes from there to an end, at least. */
  least: number;
  /** By lookahead. */
  standIns: (Frame | undefined)[];
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
  /** Bytes from here to an end, at least, of those that count; infinite where these alone lead to none. */
  least: number;
  /** By class of byte: where it leads, null where it may not stand, undefined where nobody went yet. */
  next: (Position | null | undefined)[];
  /** By lookahead. */
  standIns: (StandIn | undefined)[];
  /** The walk that came here last. */
  walk: number;
}

/** A position that stands for others. */
interface StandIn {
  position: Position;
  /** No end is farther from the other than so many bytes more than from this one, be it here or after bytes that both allow. */
  further: number;
}

/** Ways that may be open at once; each byte is tried against all of them. */
const mostPlaces = 4_000;
/** What is tried to find these: alternatives that come to the same are tried again and again. */
const mostTried = 8 * mostPlaces;
/** Of what is remembered, in places and references; past this the memory starts afresh. A frame counts as so many. */
const mostRemembered = 2 ** 19;
const frameSize = 16;

export class Pushdown {
  readonly start: Position;
  readonly classOf: Uint8Array;
  readonly #network: Network;
  readonly #counted: CountedBytes;
  /** (states): as the network's, of bytes that count. */
  readonly #fewest: Float64Array;
  readonly #lookaheads: readonly { bytes: number; standIn: Uint16Array }[];
  readonly #positions = new Map<number | string, Position>();
  #positionsSize = 0;
  /** These outlive the other positions, since masks are kept by them, and so do the frames, by whose ids they are found. */
  readonly #standIns = new Map<string, Position>();
  readonly #frames = new Map<number, Frame>();
  #standInsSize = 0;
  #frameCount = 0;

  /**
   * `lookaheads` are numbers of bytes, for `standIn`; `counted` are the bytes with which a text may be brought to its end. Throws invalid_request
   * when too many ways are open from the start.
   */
  constructor(network: Network, lookaheads: readonly number[] = [], counted = everyByte) {
    this.classOf = network.classOf;
    this.#network = network;
    this.#counted = counted;
    this.#fewest = counted === everyByte ? network.fewest : fewestBytes(network.states, network.firsts, { counted });
    this.#lookaheads = lookaheads.map((bytes) => ({ bytes, standIn: standIns(network, bytes) }));
    this.start = this.#close([{ state: network.start, frame: undefined }]);
  }

  /** The position after one byte; null when it may not stand there. Throws invalid_request when too many ways are open. */
  step(position: Position, byte: number): Position | null {
    const known = position.next[this.classOf[byte]!];
    if (known !== undefined) return known;
    const reached: { state: State; frame: Frame | undefined }[] = [];
    // The bytes around this one that lead to the same.
    let from = 0;
    let to = 255;
    for (const { state, frame } of position.places) {
      for (const { first, last, next } of state.edges) {
        if (last < byte) from = Math.max(from, last + 1);
        else if (first > byte) to = Math.min(to, first - 1);
        else {
          from = Math.max(from, first);
          to = Math.min(to, last);
          reached.push({ state: next, frame });
        }
      }
    }
    const next = reached.length === 0 ? null : this.#close(reached);
    position.next.fill(next, this.classOf[from]!, this.classOf[to]! + 1);
    return next;
  }

  /**
   * One position for all that are complete or not as this one is and that allow the same next bytes, as many as the lookahead of this number
   * says: their counts are as far from their bounds as matters, and of their callers those are left that can be returned to.
   */
  standIn(position: Position, lookahead: number): StandIn {
    const known = position.standIns[lookahead];
    if (known) return known;
    const { standIn } = this.#lookaheads[lookahead]!;
    const places = new Map<number, Place>();
    let further = 0;
    for (const place of position.places) {
      const state = this.#network.states[standIn[place.state.id]!] as Place['state'];
      const frame = place.frame && this.#standInFrame(place.frame, lookahead);
      places.set(keyOf(state, frame), { state, frame });
      further = Math.max(further, this.#leastOf(place) - this.#leastOf({ state, frame }));
    }
    const keys = [...places.keys()].sort((a, b) => a - b);
    const name = `${position.complete} ${keys.join(' ')}`;
    let found = this.#standIns.get(name);
    if (!found) {
      found = this.#newPosition([...places.values()], position.complete);
      this.#standIns.set(name, found);
      this.#standInsSize += places.size + this.#network.classes;
    }
    const made = { position: found, further };
    position.standIns[lookahead] = made;
    return made;
  }

  /**
   * The byte with which the shortest text from a position to an end begins, the lowest where there are several: what is left of that text after
   * some of it is the shortest from there.
   */
  towardsEnd({ places, least }: Position): number {
    let lowest = 256;
    for (const { state, frame } of places) {
      for (const { first, last, next } of state.edges) {
        const byte = this.#counted[first]!;
        if (byte > last || byte >= lowest) continue;
        if (1 + this.#fewest[next.id]! + (frame?.least ?? 0) === least) lowest = byte;
      }
    }
    return lowest;
  }

  /** Lets go of what is remembered when it is much. Positions in use stay valid. */
  trim(): void {
    if (this.#positionsSize > mostRemembered) {
      // Replies hold on to their positions, which must not keep all others alive.
      for (const all of [this.#positions, this.#standIns]) for (const { next } of all.values()) next.fill(undefined);
      this.#positions.clear();
      this.#positionsSize = 0;
    }
    if (this.#standInsSize > mostRemembered) {
      for (const { next } of this.#standIns.values()) next.fill(undefined);
      this.#standIns.clear();
      this.#frames.clear();
      this.#standInsSize = 0;
    }
  }

  /** Where one is at any of these states, before the next byte: calls are entered, ends return. */
  #close(reached: { state: State; frame: Frame | undefined }[]): Position {
    const [first] = reached;
    if (reached.length === 1 && first!.state.kind === 'bytes') return this.#position([first as Place], false);
    const open = reached;
    const places = new Map<number, Place>();
    const seen = new Set<number>();
    let complete = false;
    let tried = 0;
    for (let at = open.pop(); at; at = open.pop()) {
      const { state, frame } = at;
      const key = keyOf(state, frame);
      if (seen.has(key)) continue;
      seen.add(key);
      if (state.kind === 'split') tried += state.next.length;
      if (seen.size > mostPlaces || tried > mostTried) {
        const problem = `more than ${mostPlaces} ways to read the same text are open at once. Repeat and nest less.`;
        throw unsupported('as a whole', problem);
      }
      if (state.kind === 'bytes') places.set(key, { state, frame });
      else if (state.kind === 'split') for (const next of state.next) open.push({ state: next, frame });
      else if (state.kind === 'call') open.push({ state: state.rule.start, frame: this.#call(state.next, frame) });
      else if (frame) open.push({ state: frame.next, frame: frame.above });
      else complete = true;
    }
    return this.#position([...places.values()], complete);
  }

  #position(places: Place[], complete: boolean): Position {
    const name = nameOf(places, complete);
    let position = this.#positions.get(name);
    if (!position) {
      position = this.#newPosition(places, complete);
      this.#positions.set(name, position);
      this.#positionsSize += places.length + this.#network.classes;
    }
    return position;
  }

  #newPosition(places: Place[], complete: boolean): Position {
    const next = new Array<undefined>(this.#network.classes).fill(undefined);
    let least = complete ? 0 : Number.POSITIVE_INFINITY;
    for (const place of places) least = Math.min(least, this.#leastOf(place));
    return { places, complete, least, next, standIns: [], walk: 0 };
  }

  #leastOf({ state, frame }: Place): number {
    return this.#fewest[state.id]! + (frame?.least ?? 0);
  }

  /** A call that is the last thing its rule does returns to the caller's caller, so that long lists do not grow the stack. */
  #call(next: State, above: Frame | undefined): Frame | undefined {
    return next.kind === 'end' ? above : this.#frame(next, above);
  }

  #frame(next: State, above: Frame | undefined): Frame {
    const name = keyOf(next, above);
    let frame = this.#frames.get(name);
    if (!frame) {
      const least = this.#fewest[next.id]! + (above?.least ?? 0);
      frame = { id: ++this.#frameCount, next, above, least, standIns: [] };
      this.#frames.set(name, frame);
      this.#standInsSize += frameSize;
    }
    return frame;
  }

  #standInFrame(frame: Frame, lookahead: number): Frame {
    const known = frame.standIns[lookahead];
    if (known) return known;
    const { bytes, standIn } = this.#lookaheads[lookahead]!;
    const { states, fewest } = this.#network;
    const stack: State[] = [];
    for (let at: Frame | undefined = frame, read = 0; at && read < bytes; at = at.above) {
      stack.push(states[standIn[at.next.id]!]!);
      read += fewest[at.next.id]!;
    }
    const made = stack.reduceRight<Frame | undefined>((above, next) => this.#frame(next, above), undefined)!;
    frame.standIns[lookahead] = made;
    return made;
  }
}

function keyOf({ id }: State, frame: Frame | undefined): number {
  return (frame?.id ?? 0) * 2 ** 16 + id;
}

/** The same for the same places in any order. */
function nameOf(places: readonly Place[], complete: boolean): number | string {
  if (places.length === 1) return keyOf(places[0]!.state, places[0]!.frame) * 2 + Number(complete);
  const keys = places.map(({ state, frame }) => keyOf(state, frame));
  return `${complete} ${keys.sort((a, b) => a - b).join(' ')}`;
}
