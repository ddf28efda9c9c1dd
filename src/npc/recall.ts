// Which sentences of what a character knows are about what was just said. A small model answers from what stands beside the question and hardly from
// what it read long before, so these are told again there (bench: npc-real).
import { splitSentences } from './sentences.ts';

/** Words that tell nothing of what a sentence is about, in the language that cards are mostly written in. Others weigh little by being everywhere. */
const emptyWords = new Set(
  (
    'a an the this that these those and or but not no yes so if than then as like of in on at to for from with by about into over up down out off i me my mine you your yours ' +
    'he him his she her hers it its we us our they them their who whom whose what when where which why how is are am was were be been being do does did ' +
    'have has had can could will would shall should may might must there here tell know please much many any some'
  ).split(' '),
);
/** Letters that forms of one word begin with, and how many may follow in each: sails and sailing, recycler and recycle. */
const stemLetters = 4;
const endLetters = 3;
/** Longer ones would be half the prompt once more. */
const mostLetters = 300;

/**
 * What says of itself or of a sentence beside it that the player is not to hear it: told again there, a small model says it at once. English, as most
 * cards are.
 */
const secrecy =
  /\b(?:secret(?:ly|s)?|reveals?|admits?|conceals?|pretends?|tells? (?:nobody|no one)|(?:never|not|\w+n['’]t) (?:say|tell|mention)s?|(?:nobody|no one) (?:\w+ )?(?:knows?|hears?|learns?|finds? out))\b/i;

/** What is looked through at most: the thread serves others meanwhile. */
const mostKnown = 20_000;
const mostAsked = 32;

/** Lines whose sentences are kept: more than a prompt shows. */
const mostFound = 200;
/** By line and how many were asked for, of what was known last. Whoever has a session speaks of the same lines again and again. */
const foundBefore = new WeakMap<object, { known: string; found: Map<string, string[]> }>();

/** What a character knows, looked through sentence by sentence; what was found is kept as long as `owner` lives and knows the same. */
export class Known {
  readonly #known: string;
  #sentences: { text: string; words: string[] }[] | undefined;
  readonly #found: Map<string, string[]>;

  constructor(texts: readonly string[], owner: object) {
    this.#known = texts.join('\n').slice(0, mostKnown);
    const before = foundBefore.get(owner);
    this.#found = before?.known === this.#known ? before.found : new Map();
    foundBefore.set(owner, { known: this.#known, found: this.#found });
  }

  /**
   * At most `most` sentences that share words with the line, in their order; a word counts less the more sentences hold it. Those that share less than half
   * as much as the best are left out, and those that are to be kept secret.
   */
  about(line: string, most: number): string[] {
    const key = `${most} ${line}`;
    const found = this.#found.get(key) ?? this.#look(line, most);
    this.#found.set(key, found);
    if (this.#found.size > mostFound) this.#found.delete(this.#found.keys().next().value!);
    return found;
  }

  #look(line: string, most: number): string[] {
    const asked = wordsOf(line).slice(0, mostAsked);
    if (asked.length === 0) return [];
    this.#sentences ??= sentencesOf(this.#known);
    const sentences = this.#sentences;
    const shared = sentences.map(({ words }) => heldWords(asked, words));
    const holders = new Map(asked.map((word) => [word, shared.filter((words) => words.includes(word)).length]));
    const weighed = shared.map((words) => words.reduce((sum, word) => sum + 1 / holders.get(word)!, 0));
    const least = Math.max(Number.MIN_VALUE, ...weighed.map((weight) => weight / 2));
    const best = [...sentences.keys()].filter((i) => weighed[i]! >= least).toSorted((a, b) => weighed[b]! - weighed[a]!);
    return best
      .slice(0, most)
      .toSorted((a, b) => a - b)
      .map((i) => sentences[i]!.text);
  }
}

function sentencesOf(known: string): { text: string; words: string[] }[] {
  const sentences = openSentences(known).filter(({ length }) => length <= mostLetters);
  return sentences.map((text) => ({ text, words: wordsOf(text) }));
}

/** How many words of the one, or forms of them, the other holds. */
export function sharedWords(one: string, other: string): number {
  return heldWords(wordsOf(one), wordsOf(other)).length;
}

/** All but those that are to be kept to oneself. */
function openSentences(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const sentences = splitSentences(line);
    const isSecret = (i: number) => secrecy.test(sentences[i] ?? '');
    return sentences.filter((_, i) => ![i - 1, i, i + 1].some(isSecret));
  });
}

/** Each once, in lower case. */
function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words)].filter((word) => !emptyWords.has(word));
}

function heldWords(wanted: readonly string[], words: readonly string[]): string[] {
  return wanted.filter((word) => words.some((other) => other === word || isSameStem(other, word)));
}

function isSameStem(a: string, b: string): boolean {
  let alike = 0;
  while (alike < a.length && a[alike] === b[alike]) alike++;
  return alike >= stemLetters && Math.max(a.length, b.length) - alike <= endLetters;
}
