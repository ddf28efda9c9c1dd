// The text of one reply as its tokens come: whole characters only, nothing that may yet turn out to belong to a stop string, and no newline that may
// yet turn out to close the turn.
import { StreamDecoder } from '../model/tokenizer/stream-decoder.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { trimReply } from '../steerlm/prompt-layout.ts';

export class ReplyText {
  readonly #decoder: StreamDecoder | undefined;
  readonly #stop: readonly string[];
  #given = '';
  #held = '';
  #stopped = false;

  /** Without a tokenizer text is all that can be pushed. Empty stop strings are ignored. */
  constructor(tokenizer: Tokenizer | undefined, stop: readonly string[]) {
    this.#decoder = tokenizer && new StreamDecoder(tokenizer);
    this.#stop = stop.filter((string) => string !== '');
  }

  /** Everything given out so far. */
  get text(): string {
    return this.#given;
  }

  /** Whether a stop string was met; the reply ends right before it. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Text that is certain now that the token has come; may be empty. */
  push(token: number): string {
    return this.pushText(this.#decoder?.push(token) ?? '');
  }

  /** The same for a model that tells text; either it or ids, never both. */
  pushText(text: string): string {
    this.#take(text);
    return this.#stopped ? this.#give(this.#held.length) : this.#give(this.#certain());
  }

  /** The rest of the text; without the newline that closes a turn, when the model closed it. */
  finish(closed: boolean): string {
    this.#take(this.#decoder?.flush() ?? '');
    if (closed) this.#held = trimReply(this.#held);
    return this.#give(this.#held.length);
  }

  #take(text: string): void {
    this.#held += text;
    const cut = findStop(this.#held, this.#stop);
    if (cut === undefined) return;
    this.#stopped = true;
    this.#held = this.#held.slice(0, cut);
  }

  #certain(): number {
    const closing = this.#held.endsWith('\n') ? 1 : 0;
    return this.#held.length - Math.max(closing, ...this.#stop.map((stop) => overlap(this.#held, stop)));
  }

  #give(length: number): string {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    this.#given += text;
    return text;
  }
}

/** Where the stop string that ends first begins (the longest of those), so that the answer does not depend on how the text came in parts. */
function findStop(text: string, stop: readonly string[]): number | undefined {
  let found: { start: number; end: number } | undefined;
  for (const string of stop) {
    const start = text.indexOf(string);
    const end = start + string.length;
    if (start < 0) continue;
    if (!found || end < found.end || (end === found.end && start < found.start)) found = { start, end };
  }
  return found?.start;
}

/** Length of the longest end of `text` that `stop` begins with. */
export function overlap(text: string, stop: string): number {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
