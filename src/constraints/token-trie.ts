// The byte strings of a vocabulary as a tree, so that tokens with a common beginning are tried together.
import { unsupported } from './expression.ts';
import type { Position, Pushdown } from './pushdown.ts';

/** The bytes of every token, one after the other. */
export interface TokenBytes {
  bytes: Uint8Array;
  /** (V + 1): those of token i are bytes from offsets[i] to offsets[i + 1]; none where a token stands for no text. */
  offsets: Uint32Array;
}

export function flatten(tokens: readonly Uint8Array[]): TokenBytes {
  const offsets = new Uint32Array(tokens.length + 1);
  tokens.forEach((bytes, id) => {
    offsets[id + 1] = offsets[id]! + bytes.length;
  });
  const bytes = new Uint8Array(offsets[tokens.length]!);
  tokens.forEach((own, id) => {
    bytes.set(own, offsets[id]);
  });
  return { bytes, offsets };
}

export function bytesOf({ bytes, offsets }: TokenBytes, id: number): Uint8Array {
  return bytes.subarray(offsets[id], offsets[id + 1]);
}

/** Ways open at all positions that one mask comes to: what keeps a step short whatever was asked for. */
const mostWays = 30_000;
const tooManyWays = 'too many ways to read the same text are open at once. Repeat and nest less.';

let walks = 0;

const one = (): number => 1;

/** Bytes that one number tells apart: most tokens are put in order by these alone, which is ten times as fast. */
const startBytes = 6;

function startOf(bytes: Uint8Array, from: number, end: number): number {
  let start = 0;
  for (let at = from; at < from + startBytes; at++) start = start * 256 + (at < end ? bytes[at]! : 0);
  return start;
}

export class TokenTrie {
  /** Nodes in the order of a walk: a node's subtree follows it up to #end[node]. */
  readonly #byte: Uint8Array;
  readonly #depth: Uint16Array;
  readonly #end: Uint32Array;
  /** (nodes + 1): the tokens a node spells are those of #ids from here to where the next node's begin. */
  readonly #first: Uint32Array;
  readonly #ids: Uint32Array;

  /** Of these tokens, each of which has bytes. */
  constructor(tokens: TokenBytes, some: readonly number[]) {
    const { bytes, offsets } = tokens;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const starts = Float64Array.from(offsets.subarray(1), (end, id) => startOf(bytes, offsets[id]!, end));
    this.#ids = Uint32Array.from(some).sort((a, b) => {
      return starts[a]! - starts[b]! || view.compare(view, offsets[b], offsets[b + 1], offsets[a], offsets[a + 1]);
    });
    const most = some.reduce((sum, id) => sum + bytesOf(tokens, id).length, 0);
    this.#byte = new Uint8Array(most);
    this.#depth = new Uint16Array(most);
    this.#end = new Uint32Array(most);
    this.#first = new Uint32Array(most + 1);
    const count = this.#build(tokens);
    this.#byte = this.#byte.slice(0, count);
    this.#depth = this.#depth.slice(0, count);
    this.#end = this.#end.slice(0, count);
    this.#first = this.#first.slice(0, count + 1);
  }

  #build(tokens: TokenBytes): number {
    /** The nodes from the root to the last one made. */
    const open: number[] = [];
    let count = 0;
    const close = (depth: number): void => {
      while (open.length > depth) this.#end[open.pop()!] = count;
    };
    for (const [place, id] of this.#ids.entries()) {
      const own = bytesOf(tokens, id);
      let shared = 0;
      while (shared < open.length && shared < own.length && this.#byte[open[shared]!] === own[shared]) shared++;
      close(shared);
      for (let at = shared; at < own.length; at++) {
        this.#byte[count] = own[at]!;
        this.#depth[count] = at;
        this.#first[count] = place;
        open.push(count++);
      }
      this.#first[count] = place + 1;
    }
    close(0);
    return count;
  }

  /** The node that a byte leads to from another, or from none; undefined where no token goes on so. */
  next(node: number | undefined, byte: number): number | undefined {
    const end = node === undefined ? this.#end.length : this.#end[node]!;
    for (let at = node === undefined ? 0 : node + 1; at < end; at = this.#end[at]!) if (this.#byte[at] === byte) return at;
    return undefined;
  }

  /** Whether some token ends at the node. */
  spells(node: number): boolean {
    return this.#first[node]! < this.#first[node + 1]!;
  }

  /**
   * Sets those of the mask (V) all of whose bytes may follow, to 1 or to what `valueAt` says of where they lead. Answers with the farthest that an
   * end is after any of them, in bytes. Throws invalid_request when it takes too long to find out.
   */
  mark(mask: Uint8Array | Uint32Array, automaton: Pushdown, start: Position, valueAt: (after: Position) => number = one): number {
    const { classOf } = automaton;
    const bytes = this.#byte;
    const depths = this.#depth;
    const firsts = this.#first;
    const ids = this.#ids;
    const path = [start];
    const walk = ++walks;
    let ways = mostWays;
    let farthest = 0;
    for (let node = 0; node < bytes.length; ) {
      const byte = bytes[node]!;
      const depth = depths[node]!;
      const before = path[depth]!;
      let after = before.next[classOf[byte]!];
      if (after === undefined) after = automaton.step(before, byte);
      if (after === null) {
        node = this.#end[node]!;
        continue;
      }
      if (after.walk !== walk) {
        // Counted once, and whether or not a walk before this one went there: what a request may ask for must not hang on others.
        after.walk = walk;
        ways -= after.places.length;
        if (ways < 0) throw unsupported('as a whole', tooManyWays);
      }
      path[depth + 1] = after;
      const [from, to] = [firsts[node]!, firsts[node + 1]!];
      if (from < to) {
        const value = valueAt(after);
        for (let place = from; place < to; place++) mask[ids[place]!] = value;
        if (after.least > farthest) farthest = after.least;
      }
      node++;
    }
    return farthest;
  }
}
