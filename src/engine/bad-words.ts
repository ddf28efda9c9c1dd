// Words that a reply may not hold, found in its text: whatever tokens spell them, however they are cased and whatever follows them.
import type { ConstraintSpec } from '../constraints/constraint.ts';
import { bytesOf, type TokenBytes } from '../constraints/token-trie.ts';

/** What a text may have ended with: the first characters of words, in a trie with the links of Aho and Corasick (1975). */
interface Prefix {
  readonly next: Map<string, Prefix>;
  /** The longest that it ends with and that begins where a word may; none of the empty one. */
  shorter: Prefix | undefined;
  /** It ends with a whole word. */
  whole: boolean;
}

/** Where a text has got to. */
interface Place {
  /** The longest that the text ends with. */
  prefix: Prefix;
  /** The last character, folded. */
  before: string;
  /** The last text that was followed completed a word. */
  completed: boolean;
}

/** Letters and digits, but for scripts that set no spaces between words: there a word may begin anywhere. */
const inWord = /^(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}])[\p{L}\p{M}\p{N}]/u;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Words and phrases; spaces around them do not count, and any white space in them is as good as any other. A text begins as a sentence does after a full
 * stop, so that `. fool` is the word at the beginning of a sentence, the first one too.
 */
export class WordList {
  readonly #empty: Prefix = { next: new Map(), shorter: undefined, whole: false };
  readonly start: Place;
  /** Prefixes looked at so far: of a text about two for each character, whatever the words. */
  looked = 0;

  constructor(words: readonly string[]) {
    for (const text of words) {
      const word = Array.from(text.trim().replace(/\s+/gu, ' '), fold);
      let prefix = this.#empty;
      for (const character of word) {
        const next = prefix.next.get(character) ?? { next: new Map(), shorter: this.#empty, whole: false };
        prefix.next.set(character, next);
        prefix = next;
      }
      if (word.length > 0) prefix.whole = true;
    }
    this.#link();
    this.start = this.follow({ prefix: this.#empty, before: '', completed: false }, '. ');
  }

  /** Whether a text holds one of them. */
  isIn(text: string): boolean {
    return this.follow(this.start, text).completed;
  }

  /** Where a text has got to that goes on with this one; `completed` where that completes a word. */
  follow({ prefix, before }: Place, text: string): Place {
    let completed = false;
    for (const character of text) {
      const next = fold(character);
      if (next === ' ' && before === ' ') continue;
      prefix = this.#after(prefix, before, next);
      completed ||= prefix.whole;
      before = next;
    }
    return { prefix, before, completed };
  }

  /** The longest prefix that a text ends with after one more character. */
  #after(longest: Prefix, before: string, character: string): Prefix {
    for (let prefix: Prefix | undefined = longest; prefix; prefix = prefix.shorter) {
      this.looked++;
      const next = prefix.next.get(character);
      if (next && (prefix !== this.#empty || !(inWord.test(before) && inWord.test(character)))) return next;
    }
    return this.#empty;
  }

  /** Shorter ones first, since the links of longer ones follow theirs. Where a word may begin within a prefix is seen in the prefix itself. */
  #link(): void {
    const open: [Prefix, last: string][] = Array.from(this.#empty.next, ([character, prefix]) => [prefix, character]);
    for (const [prefix, last] of open) {
      for (const [character, next] of prefix.next) {
        next.shorter = this.#after(prefix.shorter!, last, character);
        next.whole ||= next.shorter.whole;
        open.push([next, character]);
      }
    }
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
  readonly #json: boolean;
  #place: Place;
  /** Bytes of a character, or of its escape, that is not whole yet. */
  #rest: Uint8Array = new Uint8Array();

  /** A reply that is JSON is followed as what its strings mean: a character may come as an escape. */
  constructor(words: readonly string[], tokens: TokenBytes, said: readonly number[] = [], { json = false } = {}) {
    this.#words = listOf(words);
    this.#place = this.#words.start;
    this.#tokens = tokens;
    this.#json = json;
    for (const token of said) this.note(token);
  }

  /** Whether the token would complete a word. */
  completes(token: number): boolean {
    return this.#words.follow(this.#place, this.#read(this.#bytesWith(token)).text).completed;
  }

  /** The reply has one more token. */
  note(token: number): void {
    const bytes = this.#bytesWith(token);
    const { text, length } = this.#read(bytes);
    this.#place = this.#words.follow(this.#place, text);
    this.#rest = bytes.slice(length);
  }

  #bytesWith(token: number): Uint8Array {
    const own = bytesOf(this.#tokens, token);
    return this.#rest.length === 0 ? own : Uint8Array.from([...this.#rest, ...own]);
  }

  /** The characters that are whole, and how many bytes they take. */
  #read(bytes: Uint8Array): { text: string; length: number } {
    const length = wholeBytes(bytes);
    const text = decoder.decode(bytes.subarray(0, length));
    if (!this.#json || !text.includes('\\')) return { text, length };
    let unfinished = 0;
    const meant = text.replace(escapes, (found, code?: string, character?: string) => {
      if (code) return String.fromCharCode(Number.parseInt(code, 16));
      if (character) return named[character] ?? character;
      unfinished = found.length;
      return '';
    });
    return { text: meant, length: length - unfinished };
  }
}

/** Escapes of JSON; first one that the text's end cuts, or the first half of a pair after which the second may come. */
const escapes = /\\(?:u(?:d[89ab][\da-f]{2}(?:\\(?:u[\da-f]{0,3})?)?|[\da-f]{0,3})?)?$|\\u([\da-f]{4})|\\([^u])/gi;
const named: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f' };

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
