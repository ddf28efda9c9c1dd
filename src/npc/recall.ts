// Which sentences of what a character knows are about what was just said. A small model answers from what stands beside the question and hardly from
// what it read long before, so these are told again there (bench: npc-real).
import { Sentences } from './sentences.ts';

/** Words that tell nothing of what a sentence is about, in the language that cards are mostly written in. Others weigh little by being everywhere. */
const emptyWords = new Set(
  (
    'a an the this that these those and or but not no yes so if than then as of in on at to for from with by about into over i me my mine you your yours ' +
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
 * At most `most` sentences that share words with the line, in their order; a word counts less the more sentences hold it. Those that share less than half
 * as much as the best are left out.
 */
export function sentencesAbout(texts: readonly string[], line: string, most: number): string[] {
  const asked = wordsOf(line);
  const short = texts.flatMap(splitSentences).filter(({ length }) => length <= mostLetters);
  const sentences = short.map((text) => ({ text, words: wordsOf(text) }));
  const weightOf = (word: string) => 1 / sentences.filter(({ words }) => holds(words, word)).length;
  const weights = asked.map(weightOf);
  const ranked = sentences.map(({ text, words }, place) => {
    return { text, place, shared: asked.reduce((sum, word, i) => sum + (holds(words, word) ? weights[i]! : 0), 0) };
  });
  const least = Math.max(Number.MIN_VALUE, ...ranked.map(({ shared }) => shared / 2));
  return ranked
    .filter(({ shared }) => shared >= least)
    .toSorted((a, b) => b.shared - a.shared)
    .slice(0, most)
    .toSorted((a, b) => a.place - b.place)
    .map(({ text }) => text);
}

function splitSentences(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const sentences = new Sentences();
    return [...sentences.push(line), sentences.finish()].map((sentence) => sentence.trim()).filter((sentence) => sentence !== '');
  });
}

/** Each once, in lower case. */
function wordsOf(text: string): string[] {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words)].filter((word) => !emptyWords.has(word));
}

function holds(words: readonly string[], wanted: string): boolean {
  return words.some((word) => word === wanted || isSameStem(word, wanted));
}

function isSameStem(a: string, b: string): boolean {
  let alike = 0;
  while (alike < a.length && a[alike] === b[alike]) alike++;
  return alike >= stemLetters && Math.max(a.length, b.length) - alike <= endLetters;
}
