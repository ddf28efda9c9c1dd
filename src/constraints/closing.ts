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

/** The same of all texts that one mask comes to, each position counted once: past it bytes are counted. */
const mostTogether = 2 ** 16;

/** What the closings of one mask have come to. */
export class ClosingWork {
  readonly counted = new Set<Position>();
  /** From these on the text is longer than mostWays. */
  readonly far = new Set<Position>();
  left = mostTogether;
}

/** Of one constraint and vocabulary. */
export class Closings {
  readonly #automaton: Pushdown;
  readonly #tries: readonly TokenTrie[];
  readonly #known = new WeakMap<Position, Closing>();
  /** Those from which the text has too many ways open. */
  readonly #far = new WeakSet<Position>();

  /** The automaton counts bytes that are tokens by themselves. */
  constructor(automaton: Pushdown, tries: readonly TokenTrie[]) {
    this.#automaton = automaton;
    this.#tries = tries;
  }

  /**
   * With how few tokens the shortest text from a position to an end is written, the lowest of those that are equally short; infinite where bytes
   * that are tokens lead to none. After the first of them it is one less. `work` bounds what is found for one mask.
   */
  tokensFrom(position: Position, work?: ClosingWork): number {
    if (position.least > mostWays || (work ? !this.#mayFind(position, work) : this.#far.has(position))) return position.least;
    const closing = this.#find(position);
    if (!closing) this.#far.add(position);
    return closing?.tokens ?? position.least;
  }

  /** Counts the way whether or not it is known: what is allowed must not hang on other replies. */
  #mayFind(position: Position, work: ClosingWork): boolean {
    if (work.far.has(position)) return false;
    const way: Position[] = [];
    let ways = 0;
    for (
      let at = position;
      !at.complete && !work.counted.has(at);
      at = this.#automaton.step(at, this.#automaton.towardsEnd(at))!
    ) {
      ways += at.places.length;
      if (ways > Math.min(mostWays, work.left)) {
        work.far.add(position);
        work.left = ways > work.left ? 0 : work.left - ways;
        return false;
      }
      way.push(at);
    }
    work.left -= ways;
    for (const at of way) work.counted.add(at);
    return true;
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
