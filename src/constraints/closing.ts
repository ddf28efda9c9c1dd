// How few tokens bring a reply to its end, so that it is brought there before it has no more.
import type { Position, Pushdown } from './pushdown.ts';
import type { TokenTrie } from './token-trie.ts';

/** The shortest text to an end, byte by byte. */
interface Closing {
  byte: number;
  /** Undefined at the end. */
  rest: Closing | undefined;
  /** With which it is written, at least. */
  tokens: number;
  /** Open at all positions on its way. */
  ways: number;
}

const end: Closing = { byte: -1, rest: undefined, tokens: 0, ways: 0 };

/** Ways open on the way of one text; of a longer one its bytes are counted, none of which takes more than a token. */
const mostWays = 2 ** 15;

/** Of one constraint and vocabulary. */
export class Closings {
  readonly #automaton: Pushdown;
  readonly #tries: readonly TokenTrie[];
  readonly #known = new WeakMap<Position, Closing>();

  /** The automaton counts bytes that are tokens by themselves. */
  constructor(automaton: Pushdown, tries: readonly TokenTrie[]) {
    this.#automaton = automaton;
    this.#tries = tries;
  }

  /**
   * With how few tokens the shortest text from a position to an end is written, the lowest of those that are equally short; infinite where bytes
   * that are tokens lead to none. After the first of them it is one less.
   */
  tokensFrom(position: Position): number {
    if (position.least > mostWays) return position.least;
    return this.#find(position)?.tokens ?? position.least;
  }

  #find(position: Position): Closing | undefined {
    const way: { at: Position; byte: number }[] = [];
    let ways = 0;
    let closing: Closing | undefined;
    for (let at = position; ; ) {
      closing = at.complete ? end : this.#known.get(at);
      if (closing) break;
      ways += at.places.length;
      if (ways > mostWays) return undefined;
      const byte = this.#automaton.towardsEnd(at);
      way.push({ at, byte });
      at = this.#automaton.step(at, byte)!;
    }
    // Whether or not some of the way was known: what is allowed must not hang on other replies.
    if (ways + closing.ways > mostWays) return undefined;
    for (const { at, byte } of way.reverse()) {
      closing = this.#before(closing, byte, at.places.length);
      this.#known.set(at, closing);
    }
    return closing;
  }

  #before(rest: Closing, byte: number, places: number): Closing {
    const closing: Closing = { byte, rest, tokens: Number.POSITIVE_INFINITY, ways: rest.ways + places };
    for (const trie of this.#tries) {
      let node: number | undefined;
      for (let at = closing; at.rest; at = at.rest) {
        node = trie.next(node, at.byte);
        if (node === undefined) break;
        if (trie.spells(node)) closing.tokens = Math.min(closing.tokens, 1 + at.rest.tokens);
      }
    }
    return closing;
  }
}
