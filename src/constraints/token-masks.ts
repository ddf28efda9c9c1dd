// Which tokens of a vocabulary may come at a position of a constraint, found once for all positions that are alike.
import { Closings, ClosingWork } from './closing.ts';
import { unsupported } from './expression.ts';
import { type CountedBytes, everyByte } from './fewest-bytes.ts';
import type { Position, Pushdown } from './pushdown.ts';
import { type TokenBytes, TokenTrie } from './token-trie.ts';

/**
 * Longer tokens, of which there are few, are tried by themselves: the fewer bytes one looks ahead, the more positions are alike, and for a run of
 * a hundred spaces most counts of a text of two hundred characters are not.
 */
const shortBytes = 16;
/** Of masks kept for one constraint and lookahead, those used longest ago let go first. */
const maskBytes = 2 ** 22;
/** What a token needs that may not come, or after which there is no end. */
const never = 2 ** 32 - 1;

/** The tokens of a vocabulary, those that may be part of a reply as trees: ever longer ones. */
export class TokenTries {
  readonly tokens: TokenBytes;
  readonly stopTokens: readonly number[];
  readonly tries: readonly TokenTrie[];
  /** Bytes of the longest token of each tree. */
  readonly lookaheads: readonly number[];
  /** Bytes that are tokens by themselves. */
  readonly bytes: CountedBytes;

  constructor(tokens: TokenBytes, stopTokens: readonly number[]) {
    const { offsets } = tokens;
    this.tokens = tokens;
    this.stopTokens = stopTokens;
    const lengthOf = (id: number): number => offsets[id + 1]! - offsets[id]!;
    const stops = new Set(stopTokens);
    const ids = Array.from({ length: offsets.length - 1 }, (_, id) => id).filter((id) => lengthOf(id) > 0 && !stops.has(id));
    const long = ids.filter((id) => lengthOf(id) > shortBytes);
    const parts = [ids.filter((id) => lengthOf(id) <= shortBytes), ...(long.length === 0 ? [] : [long])];
    this.tries = parts.map((part) => new TokenTrie(tokens, part));
    this.lookaheads = parts.map((part) => part.reduce((longest, id) => Math.max(longest, lengthOf(id)), 1));
    const single = new Set(ids.filter((id) => lengthOf(id) === 1).map((id) => tokens.bytes[offsets[id]!]!));
    this.bytes = single.size === 256 ? everyByte : lowestFrom(single);
  }
}

function lowestFrom(bytes: ReadonlySet<number>): CountedBytes {
  const lowest = new Uint16Array(256);
  for (let byte = 255, next = 256; byte >= 0; byte--) {
    if (bytes.has(byte)) next = byte;
    lowest[byte] = next;
  }
  return lowest;
}

interface Mask {
  /** (V) */
  ids: Uint8Array;
  /** How far an end is after any of these tokens, in bytes, at most. */
  farthest: number;
}

/** The masks of one constraint. */
export class TokenMasks {
  readonly #tries: TokenTries;
  readonly #automaton: Pushdown;
  readonly #closings: Closings;
  readonly #known: readonly Map<Position, Mask>[];
  /** (V): with how few tokens each that may come brings the text to an end, itself among them. */
  readonly #needs = new Map<Position, Uint32Array>();

  /** The automaton's lookaheads and the bytes it counts are those of the tries. */
  constructor(tries: TokenTries, automaton: Pushdown) {
    this.#tries = tries;
    this.#automaton = automaton;
    this.#closings = new Closings(automaton, tries.tries);
    this.#known = tries.lookaheads.map(() => new Map());
  }

  /**
   * (V): 1 for tokens all of whose bytes may follow, and for stop tokens where the text may end. Where the text can be brought to an end within
   * the tokens that are left, only for those after which it still can. One object for all positions that are alike: not to be written to. Throws
   * invalid_request when it takes too long to find out, and when there is no such token.
   */
  at(position: Position, left: number): Uint8Array {
    const { ids, farthest } = this.#at(position, this.#known.length - 1);
    // A text has no more tokens than bytes, so that far from the end nothing more has to be known.
    if (farthest < left || this.#closings.tokensFrom(position) > left) return ids;
    return this.#closing(position, left);
  }

  /** Those tokens that with so many, themselves among them, bring the text to an end. */
  #closing(position: Position, left: number): Uint8Array {
    const needs = this.#needs.get(position) ?? this.#findNeeds(position);
    this.#needs.delete(position);
    this.#needs.set(position, needs);
    if (this.#needs.size * needs.byteLength > maskBytes) this.#needs.delete(this.#needs.keys().next().value!);
    const mask = new Uint8Array(needs.length);
    for (let id = 0; id < mask.length; id++) if (needs[id]! <= left) mask[id] = 1;
    if (position.complete) for (const id of this.#tries.stopTokens) mask[id] = 1;
    return mask;
  }

  #findNeeds(position: Position): Uint32Array {
    const { tokens, tries } = this.#tries;
    const needs = new Uint32Array(tokens.offsets.length - 1).fill(never);
    const work = new ClosingWork();
    // Its own text first, so that one way to the end is known whatever the others come to.
    this.#closings.tokensFrom(position, work);
    const needOf = (after: Position): number => Math.min(never, 1 + this.#closings.tokensFrom(after, work));
    for (const trie of tries) trie.mark(needs, this.#automaton, position, needOf);
    return needs;
  }

  #at(position: Position, lookahead: number): Mask {
    const known = this.#known[lookahead]!;
    const { position: standIn, further } = this.#automaton.standIn(position, lookahead);
    const mask = known.get(standIn) ?? this.#find(standIn, lookahead);
    known.delete(standIn);
    known.set(standIn, mask);
    if (known.size * mask.ids.length > maskBytes) known.delete(known.keys().next().value!);
    return { ids: mask.ids, farthest: mask.farthest + further };
  }

  #find(position: Position, lookahead: number): Mask {
    const { tokens, tries, stopTokens } = this.#tries;
    const shorter = lookahead === 0 ? undefined : this.#at(position, lookahead - 1);
    const ids = shorter ? shorter.ids.slice() : new Uint8Array(tokens.offsets.length - 1);
    const farthest = Math.max(shorter?.farthest ?? 0, tries[lookahead]!.mark(ids, this.#automaton, position));
    if (position.complete) for (const id of stopTokens) ids[id] = 1;
    else if (lookahead === this.#known.length - 1 && !ids.includes(1))
      throw unsupported('as a whole', 'this model has no token that goes on with what the reply says so far.');
    return { ids, farthest };
  }
}
