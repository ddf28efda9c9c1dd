// When a fact is called for: one of its keys stands in what was said last. Keys may be regular expressions, and who wrote them is a stranger, so they are
// matched by RE2's automata, whose time grows with the text and never explodes, within bounds, and ahead of the line that needs the answer.
import { setImmediate as pause } from 'node:timers/promises';
import { RE2JS } from 're2js';
import type { Turn } from '../steerlm/conversation.ts';
import type { Fact } from './character.ts';
import { fillMacros, type Speakers } from './macros.ts';

/** Turns in which keys are looked for. */
export const recentTurns = 4;
/** Of them, the last characters that regular expressions read: the dearest pattern allowed takes tens of milliseconds for these. */
const patternReach = 1_500;
/** States of one pattern's automaton, and of all those of a character; a word takes as many as it has letters. */
const mostStates = 256;
const mostStatesTogether = 4_096;
/** Charged for each pattern, so that however short they are there are at most 512. */
const leastStates = 8;
/** The thread is left to others after this long. */
const sliceMs = 5;

interface Pattern {
  regex: RE2JS;
  /** What it was matched against last. */
  last?: { text: string; holds: boolean };
}

/** A key that calls for nothing. `field` is its place within the facts. */
export interface KeyFault {
  field: string;
  key: string;
  reason: string;
}

/** By key, as written. Facts never change once a session has them. */
const compiled = new WeakMap<readonly Fact[], Map<string, Pattern>>();

/** The parts of `/pattern/flags`; undefined for a key that is plain text. */
export function splitPattern(key: string): { source: string; flags: string } | undefined {
  const [, source, flags] = /^\/([\s\S]+)\/([dgimsuy]*)$/.exec(key) ?? [];
  return source === undefined || flags === undefined ? undefined : { source, flags };
}

/** Whether a key is written like one, be it well or badly formed. */
export function looksLikePattern(key: string): boolean {
  return /^\/[\s\S]*\/[a-z]*$/i.test(key);
}

/** What makes a text more than itself where it is read as a regular expression. */
export const patternSigns = /[\\^$.*+?()[\]{}|]/;

/** Patterns among the keys that are malformed, beyond what a linear-time engine follows, or too many. */
export function faultsOfKeys(facts: readonly Fact[]): KeyFault[] {
  return compile(facts).faults;
}

/** Whether a fact is told now. `recent` is what `recentText` gives. */
export function isCalledFor(facts: readonly Fact[], fact: Fact, recent: string, speakers: Speakers): boolean {
  const { keys, also = [], alsoLogic, useRegex = false, caseSensitive = false, wholeWords = false } = fact;
  if (keys.length === 0) return true;
  const text = caseSensitive ? recent : recent.toLowerCase();
  const holds = (key: string) => {
    if (useRegex && looksLikePattern(key)) return matches(patternsOf(facts).get(key), recent);
    const word = fillMacros(key, speakers);
    return word !== '' && stands(text, caseSensitive ? word : word.toLowerCase(), wholeWords);
  };
  if (!keys.some(holds)) return false;
  if (also.length === 0) return true;
  if (alsoLogic === 'all') return also.every(holds);
  if (alsoLogic === 'not_all') return !also.every(holds);
  return also.some(holds) === (alsoLogic !== 'not_any');
}

const partOfWord = /[\p{L}\p{M}\p{N}_]/u;

/** Whether the word stands in the text, with no part of another word beside it where it has to be whole. */
function stands(text: string, word: string, whole: boolean): boolean {
  if (!whole) return text.includes(word);
  for (let at = text.indexOf(word); at !== -1; at = text.indexOf(word, at + 1)) {
    // Two units may be one letter.
    const before = [...text.slice(Math.max(0, at - 2), at)].at(-1) ?? '';
    const [after = ''] = text.slice(at + word.length, at + word.length + 2);
    if (!partOfWord.test(before) && !partOfWord.test(after)) return true;
  }
  return false;
}

/** What keys are looked for in. */
export function recentText(turns: readonly Turn[]): string {
  return turns
    .slice(-recentTurns)
    .map(({ content }) => content)
    .join('\n');
}

/** Matches every pattern against the text, so that `isCalledFor` finds the answers there; others of the thread are let in between. */
export async function matchAhead(facts: readonly Fact[], recent: string): Promise<void> {
  if (!facts.some(({ useRegex }) => useRegex)) return;
  let started = performance.now();
  for (const pattern of patternsOf(facts).values()) {
    matches(pattern, recent);
    if (performance.now() - started < sliceMs) continue;
    await pause();
    started = performance.now();
  }
}

function matches(pattern: Pattern | undefined, recent: string): boolean {
  if (!pattern) return false;
  const text = recent.slice(-patternReach);
  if (pattern.last?.text !== text) pattern.last = { text, holds: pattern.regex.test(text) };
  return pattern.last.holds;
}

function patternsOf(facts: readonly Fact[]): Map<string, Pattern> {
  let patterns = compiled.get(facts);
  if (!patterns) {
    ({ patterns } = compile(facts));
    compiled.set(facts, patterns);
  }
  return patterns;
}

function compile(facts: readonly Fact[]): { patterns: Map<string, Pattern>; faults: KeyFault[] } {
  const patterns = new Map<string, Pattern>();
  const faults: KeyFault[] = [];
  let left = mostStatesTogether;
  for (const [field, key] of patternKeys(facts)) {
    if (patterns.has(key)) continue;
    const made = left > 0 ? compileOne(key) : 'the regular expressions before it are as many as one character may have';
    left -= Math.max(leastStates, typeof made === 'string' ? 0 : made.programSize());
    if (typeof made === 'string') faults.push({ field, key, reason: made });
    else if (made.programSize() > mostStates) faults.push({ field, key, reason: tooLarge });
    else if (left < 0) faults.push({ field, key, reason: 'the regular expressions up to here are too large together' });
    else patterns.set(key, { regex: made });
  }
  return { patterns, faults };
}

const tooLarge = `the regular expression is too large; expected at most ${mostStates} states, and fewer or smaller repetitions`;

/** Each with where it stands. */
function* patternKeys(facts: readonly Fact[]): Generator<[field: string, key: string]> {
  for (const [i, { keys, also = [], useRegex }] of facts.entries()) {
    if (!useRegex) continue;
    for (const [field, words] of Object.entries({ keys, also })) {
      for (const [j, key] of words.entries()) if (looksLikePattern(key)) yield [`${i}.${field}.${j}`, key];
    }
  }
}

/** The compiled pattern, or why there is none. */
function compileOne(key: string): RE2JS | string {
  const parts = splitPattern(key);
  if (!parts) return 'expected a regular expression as /pattern/flags, with flags of d, g, i, m, s, u and y';
  const { source, flags } = parts;
  const set = (flag: string, value: number) => (flags.includes(flag) ? value : 0);
  try {
    return RE2JS.compile(
      RE2JS.translateRegExp(source),
      set('i', RE2JS.CASE_INSENSITIVE) | set('m', RE2JS.MULTILINE) | set('s', RE2JS.DOTALL),
    );
  } catch (error) {
    const problem = String((error as Error).message).replace(/^error parsing regexp: /, '');
    return `the regular expression is not supported (${problem.slice(0, 200)}); look-around and back references cannot be followed`;
  }
}
