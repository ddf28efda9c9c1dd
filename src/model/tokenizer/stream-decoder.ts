// Token ids one by one to text that never ends in half a character.
import type { Tokenizer } from './tokenizer.ts';

/** What decoding gives for bytes that are no character, or not yet one. */
const replacement = '\uFFFD';
/** An unfinished UTF-8 character has at most three bytes, so at most three tokens. */
const unfinishedTokens = 3;
const longestWindow = 16;

export class StreamDecoder {
  readonly #tokenizer: Tokenizer;
  /** The last few tokens; their text is decoded together because a token may hold part of a character or lose a leading space alone. */
  #window: number[] = [];
  /** How much of the window's text has been given out, in UTF-16 units. */
  #given = 0;

  constructor(tokenizer: Tokenizer) {
    this.#tokenizer = tokenizer;
  }

  /** Text that is certain now that `id` has come; may be empty. */
  push(id: number): string {
    if (!this.#tokenizer.isText(id)) return '';
    this.#window.push(id);
    const text = this.#tokenizer.decode(this.#window);
    // Only the last replacement character can still turn into something else.
    const held = text.endsWith(replacement) ? 1 : 0;
    const certain = text.slice(this.#given, text.length - held);
    this.#given += certain.length;
    if (held === 0 || this.#window.length > longestWindow) this.#shrink(held);
    return certain;
  }

  /** The rest: an unfinished character becomes U+FFFD. */
  flush(): string {
    const rest = this.#tokenizer.decode(this.#window).slice(this.#given);
    this.#window = [];
    this.#given = 0;
    return rest;
  }

  #shrink(held: number): void {
    this.#window = this.#window.slice(held === 0 ? -1 : -unfinishedTokens);
    this.#given = this.#tokenizer.decode(this.#window).length - held;
  }
}
