// The byte strings of a vocabulary as a tree, so that tokens with a common beginning are tried together. Knows no grammar's kind.
import { unsupported } from './grammar/expression.ts';
import type { Position, Pushdown } from './grammar/pushdown.ts';

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

/** Open ways that may be tried for one token, per node of the tree: what keeps a step short whatever was asked for. */
const mostWaysPerNode = 8;
const leastWays = 100_000;

export class TokenTrie {
  readonly #tokens: TokenBytes;
  /** Nodes in the order of a walk: a node's subtree follows it up to #end[node]. */
  readonly #byte: Uint8Array;
  readonly #depth: Uint16Array;
  readonly #end: Uint32Array;
  /** The token a node spells, -1 for none; #twin is another of the same bytes. */
  readonly #token: Int32Array;
  readonly #twin: Int32Array;
  readonly #path: Position[] = [];

  /** Tokens of `without` are left out. */
  constructor(tokens: TokenBytes, without: readonly number[]) {
    this.#tokens = tokens;
    const { bytes, offsets } = tokens;
    const left = new Set(without);
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const ids = Array.from({ length: offsets.length - 1 }, (_, id) => id).filter(
      (id) => offsets[id]! < offsets[id + 1]! && !left.has(id),
    );
    ids.sort((a, b) => view.compare(view, offsets[b], offsets[b + 1], offsets[a], offsets[a + 1]) || a - b);
    // No more nodes than bytes.
    this.#byte = new Uint8Array(bytes.length);
    this.#depth = new Uint16Array(bytes.length);
    this.#end = new Uint32Array(bytes.length);
    this.#token = new Int32Array(bytes.length).fill(-1);
    this.#twin = new Int32Array(offsets.length - 1).fill(-1);
    const count = this.#build(ids);
    this.#byte = this.#byte.slice(0, count);
    this.#depth = this.#depth.slice(0, count);
    this.#end = this.#end.slice(0, count);
    this.#token = this.#token.slice(0, count);
  }

  #build(ids: readonly number[]): number {
    /** The nodes from the root to the last one made. */
    const open: number[] = [];
    let count = 0;
    const close = (depth: number): void => {
      while (open.length > depth) this.#end[open.pop()!] = count;
    };
    for (const id of ids) {
      const own = this.bytesOf(id);
      let shared = 0;
      while (shared < open.length && shared < own.length && this.#byte[open[shared]!] === own[shared]) shared++;
      close(shared);
      for (let at = shared; at < own.length; at++) {
        this.#byte[count] = own[at]!;
        this.#depth[count] = at;
        open.push(count++);
      }
      const last = open.at(-1)!;
      this.#twin[id] = this.#token[last]!;
      this.#token[last] = id;
    }
    close(0);
    return count;
  }

  bytesOf(id: number): Uint8Array {
    const { bytes, offsets } = this.#tokens;
    return bytes.subarray(offsets[id], offsets[id + 1]);
  }

  /** (V): 1 for tokens all of whose bytes may follow. Throws invalid_request when that takes too long to find out. */
  fits(automaton: Pushdown, start: Position): Uint8Array {
    const fitting = new Uint8Array(this.#twin.length);
    const { classOf } = automaton;
    const path = this.#path;
    path[0] = start;
    let ways = leastWays + mostWaysPerNode * this.#byte.length;
    for (let node = 0; node < this.#byte.length; ) {
      const byte = this.#byte[node]!;
      const depth = this.#depth[node]!;
      const before = path[depth]!;
      let after = before.next[classOf[byte]!];
      if (after === undefined) after = automaton.step(before, byte);
      if (after === null) {
        node = this.#end[node]!;
        continue;
      }
      // Counted whether or not somebody went this way before: what a request may ask for must not hang on others.
      ways -= after.places.length;
      if (ways < 0)
        throw unsupported('as a whole', 'too many ways to read the same text are open at once. Repeat and nest less.');
      path[depth + 1] = after;
      for (let id = this.#token[node]!; id >= 0; id = this.#twin[id]!) fitting[id] = 1;
      node++;
    }
    path.length = 0;
    return fitting;
  }
}
