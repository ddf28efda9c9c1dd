// Which tokens of a vocabulary may come at a position of a constraint, found once for all positions that are alike.
import { unsupported } from './expression.ts';
import type { Position, Pushdown } from './pushdown.ts';
import { type TokenBytes, TokenTrie } from './token-trie.ts';

/**
 * Longer tokens, of which there are few, are tried by themselves: the fewer bytes one looks ahead, the more positions are alike, and for a run of
 * a hundred spaces most counts of a text of two hundred characters are not.
 */
const shortBytes = 16;
/** Of masks kept for one constraint and lookahead, those used longest ago let go first. */
const maskBytes = 2 ** 22;

/** The tokens of a vocabulary, those that may be part of a reply as trees: ever longer ones. */
export class TokenTries {
  readonly tokens: TokenBytes;
  readonly stopTokens: readonly number[];
  readonly tries: readonly TokenTrie[];
  /** Bytes of the longest token of each tree. */
  readonly lookaheads: readonly number[];

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
  }
}

/** The masks of one constraint. */
export class TokenMasks {
  readonly #tries: TokenTries;
  readonly #automaton: Pushdown;
  readonly #known: readonly Map<Position, Uint8Array>[];

  /** The automaton's lookaheads are those of the tries. */
  constructor(tries: TokenTries, automaton: Pushdown) {
    this.#tries = tries;
    this.#automaton = automaton;
    this.#known = tries.lookaheads.map(() => new Map());
  }

  /**
   * (V): 1 for tokens all of whose bytes may follow, and for stop tokens where the text may end. One object for all positions that are alike: not
   * to be written to. Throws invalid_request when it takes too long to find out, and when there is no such token.
   */
  at(position: Position): Uint8Array {
    return this.#at(position, this.#known.length - 1);
  }

  #at(position: Position, lookahead: number): Uint8Array {
    const known = this.#known[lookahead]!;
    const standIn = this.#automaton.standIn(position, lookahead);
    const mask = known.get(standIn) ?? this.#find(standIn, lookahead);
    known.delete(standIn);
    known.set(standIn, mask);
    if (known.size * mask.length > maskBytes) known.delete(known.keys().next().value!);
    return mask;
  }

  #find(position: Position, lookahead: number): Uint8Array {
    const { tokens, tries, stopTokens } = this.#tries;
    const mask = lookahead === 0 ? new Uint8Array(tokens.offsets.length - 1) : this.#at(position, lookahead - 1).slice();
    tries[lookahead]!.mark(mask, this.#automaton, position);
    if (position.complete) for (const id of stopTokens) mask[id] = 1;
    else if (lookahead === this.#known.length - 1 && !mask.includes(1))
      throw unsupported('as a whole', 'this model has no token that goes on with what the reply says so far.');
    return mask;
  }
}
