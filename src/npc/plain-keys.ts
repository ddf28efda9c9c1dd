// A text that many words are looked for in: a character may have thousands, and the player chooses the text. Most words are ruled out by their letters
// alone, and what lies between words is found out once.

const partOfWord = /[\p{L}\p{M}\p{N}_]/u;
/** Bits of the hash of three letters in a row; a text of some thousand letters fills a small part of what they tell apart. */
const hashBits = 16;

export class SearchedText {
  readonly #text: string;
  /** Hashes of any three letters in a row. */
  readonly #triples = new Uint8Array(1 << hashBits);
  /** By place in the text, whether what stands there is part of a word. */
  #partsOfWords: Uint8Array | undefined;

  constructor(text: string) {
    this.#text = text;
    for (let i = 2; i < text.length; i++) this.#triples[hashOf(text, i)] = 1;
  }

  /** Whether the word stands in the text, with no part of another word beside it where it has to be whole. */
  holds(word: string, whole: boolean): boolean {
    for (let i = 2; i < word.length; i++) if (this.#triples[hashOf(word, i)] === 0) return false;
    if (!whole) return this.#text.includes(word);
    this.#partsOfWords ??= partsOfWordsIn(this.#text);
    for (let at = this.#text.indexOf(word); at !== -1; at = this.#text.indexOf(word, at + 1)) {
      if (!this.#partsOfWords[at - 1] && !this.#partsOfWords[at + word.length]) return true;
    }
    return false;
  }
}

/** Of the three letters that end at `i`. */
function hashOf(text: string, i: number): number {
  const mixed = Math.imul(Math.imul(text.charCodeAt(i - 2), 31) + text.charCodeAt(i - 1), 31) + text.charCodeAt(i);
  return mixed & ((1 << hashBits) - 1);
}

function partsOfWordsIn(text: string): Uint8Array {
  const parts = new Uint8Array(text.length);
  let at = 0;
  // Two units may be one letter.
  for (const letter of text) {
    if (partOfWord.test(letter)) parts.fill(1, at, at + letter.length);
    at += letter.length;
  }
  return parts;
}
