// Cuts text that comes in pieces into sentences. What they are put together is the text, to the last space.

/** The end of a sentence with the quotes and brackets that close it and the space behind, once something else has followed. */
const sentenceEnd = /[.!?…。！？।؟]["'”’)\]]*\s+(?=\S)/u;
/** Dots that end no sentence. */
const abbreviation = /(?:^|\s)(?:[A-Z]|Mr|Mrs|Ms|Dr|St|Prof|e\.g|i\.e|etc)\.\s+$/u;

export class Sentences {
  #held = '';

  /** Sentences that are whole now that `text` has come. */
  push(text: string): string[] {
    this.#held += text;
    const whole: string[] = [];
    let to = 0;
    for (;;) {
      const rest = this.#held.slice(to);
      const end = sentenceEnd.exec(rest);
      if (end === null) break;
      const length = end.index + end[0].length;
      to += length;
      if (abbreviation.test(rest.slice(0, length))) continue;
      whole.push(this.#held.slice(0, to));
      this.#held = this.#held.slice(to);
      to = 0;
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

/** Sentences of a text, without the space around them. */
export function splitSentences(text: string): string[] {
  const split = new Sentences();
  return [...split.push(text), split.finish()].map((sentence) => sentence.trim()).filter((sentence) => sentence !== '');
}
