// Cuts text that comes in pieces into sentences. What they are put together is the text, to the last space.

/** A sentence with the quotes and brackets that close it and the space behind, once something else has followed. */
const sentence = /^[\s\S]*?[.!?…。！？।؟]+["'”’)\]]*\s+(?=\S)/u;
/** Dots that end no sentence. */
const abbreviation = /(?:^|\s)(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Prof|e\.g|i\.e|etc)\.\s+$/u;

export class Sentences {
  #held = '';

  /** Sentences that are whole now that `text` has come. */
  push(text: string): string[] {
    this.#held += text;
    const whole: string[] = [];
    let from = 0;
    for (;;) {
      const found = sentence.exec(this.#held.slice(from))?.[0];
      if (found === undefined) break;
      from += found.length;
      if (abbreviation.test(this.#held.slice(0, from))) continue;
      whole.push(this.#held.slice(0, from));
      this.#held = this.#held.slice(from);
      from = 0;
    }
    return whole;
  }

  /** What is left. */
  finish(): string {
    const rest = this.#held;
    this.#held = '';
    return rest;
  }
}
