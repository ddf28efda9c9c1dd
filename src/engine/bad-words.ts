// Words that a reply may not hold, found in its text: whatever tokens spell them, however they are cased and whatever follows them.
import type { ConstraintSpec } from '../constraints/constraint.ts';
import { bytesOf, type TokenBytes } from '../constraints/token-trie.ts';

/** A word of which the text so far ends with the first `length` characters. */
interface Begun {
  word: readonly string[];
  length: number;
}

/** Where a text has got to. */
interface Place {
  begun: readonly Begun[];
  /** The last character, folded. */
  before: string;
  /** The last text that was followed completed a word. */
  completed: boolean;
}

const nowhere: Place = { begun: [], before: '', completed: false };

/** Letters and digits, but for scripts that set no spaces between words: there a word may begin anywhere. */
const inWord = /^(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}])[\p{L}\p{M}\p{N}]/u;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Words and phrases; spaces around them do not count, and any white space in them is as good as any other. A text begins as a sentence does after a full
 * stop, so that `. fool` is the word at the beginning of a sentence, the first one too.
 */
export class WordList {
  readonly #byFirst = new Map<string, string[][]>();
  readonly start: Place;

  constructor(words: readonly string[]) {
    for (const text of words) {
      const word = Array.from(text.trim().replace(/\s+/gu, ' '), fold);
      const [first] = word;
      if (first === undefined) continue;
      const begun = this.#byFirst.get(first);
      if (begun) begun.push(word);
      else this.#byFirst.set(first, [word]);
    }
    this.start = this.follow(nowhere, '. ');
  }

  /** Whether a text holds one of them. */
  isIn(text: string): boolean {
    return this.follow(this.start, text).completed;
  }

  /** Where a text has got to that goes on with this one; `completed` where that completes a word. */
  follow({ begun, before }: Place, text: string): Place {
    let completed = false;
    for (const character of text) {
      const next = fold(character);
      if (next === ' ' && before === ' ') continue;
      const going: Begun[] = [];
      const take = (word: readonly string[], length: number): void => {
        if (length === word.length) completed = true;
        else going.push({ word, length });
      };
      for (const { word, length } of begun) if (word[length] === next) take(word, length + 1);
      const firsts = this.#byFirst.get(next);
      if (firsts && !(inWord.test(before) && inWord.test(next))) for (const word of firsts) take(word, 1);
      begun = going;
      before = next;
    }
    return { begun, before, completed };
  }
}

/** Lists kept, since most replies have the one of their model's card; those used longest ago are let go first. */
const mostLists = 8;
const lists = new Map<string, WordList>();

function listOf(words: readonly string[]): WordList {
  const key = JSON.stringify(words);
  const list = lists.get(key) ?? new WordList(words);
  lists.delete(key);
  lists.set(key, list);
  if (lists.size > mostLists) lists.delete(lists.keys().next().value!);
  return list;
}

/** Those kept out of a reply and of its phases. */
export function wordsOf(...parts: { badWords?: readonly string[] | undefined }[]): string[] {
  return parts.flatMap(({ badWords = [] }) => badWords);
}

/** The constraint without the choices that hold a word, where others are left. */
export function withoutBadChoices(spec: ConstraintSpec | undefined, words: readonly string[]): ConstraintSpec | undefined {
  if (spec?.kind !== 'choice' || words.length === 0) return spec;
  const list = listOf(words);
  const choices = spec.choices.filter((choice) => !list.isIn(choice));
  return choices.length === 0 ? spec : { ...spec, choices };
}

/** Follows one reply token by token. */
export class BadWords {
  readonly #words: WordList;
  readonly #tokens: TokenBytes;
  #place: Place;
  /** Bytes of a character that is not whole yet. */
  #rest: Uint8Array = new Uint8Array();

  constructor(words: readonly string[], tokens: TokenBytes, said: readonly number[] = []) {
    this.#words = listOf(words);
    this.#place = this.#words.start;
    this.#tokens = tokens;
    for (const token of said) this.note(token);
  }

  /** Whether the token would complete a word. */
  completes(token: number): boolean {
    return this.#after(this.#bytesWith(token)).completed;
  }

  /** The reply has one more token. */
  note(token: number): void {
    const bytes = this.#bytesWith(token);
    this.#place = this.#after(bytes);
    this.#rest = bytes.slice(wholeBytes(bytes));
  }

  #bytesWith(token: number): Uint8Array {
    const own = bytesOf(this.#tokens, token);
    return this.#rest.length === 0 ? own : Uint8Array.from([...this.#rest, ...own]);
  }

  #after(bytes: Uint8Array): Place {
    return this.#words.follow(this.#place, decoder.decode(bytes.subarray(0, wholeBytes(bytes))));
  }
}

/** Cases and quotes alike: through the capital, so that both small sigmas are one. */
function foldAny(character: string): string {
  if (/\s/u.test(character)) return ' ';
  return character === '’' || character === '‘' ? "'" : character.toUpperCase().toLowerCase();
}

/** Most of every text, looked up: each token that is drawn comes through here. */
const ascii = Array.from({ length: 128 }, (_, code) => foldAny(String.fromCharCode(code)));

function fold(character: string): string {
  return ascii[character.charCodeAt(0)] ?? foldAny(character);
}

/** How many of the bytes are whole characters of UTF-8; bytes that never become one count as such. */
function wholeBytes(bytes: Uint8Array): number {
  const { length } = bytes;
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return needed > back ? length - back : length;
  }
  return length;
}
