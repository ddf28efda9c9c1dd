// When a fact is called for: one of its keys stands in what was said last. Keys may be regular expressions, and who wrote them is a stranger, so they are
// matched by RE2's automata, whose time grows with the text and never explodes, within bounds, and ahead of the line that needs the answer.
import { RE2JS } from 're2js';
import { giveWay } from '../event-loop.ts';
import type { Turn } from '../steerlm/conversation.ts';
import type { Fact } from './character.ts';
import { fillMacros, type Speakers } from './macros.ts';
import { SearchedText } from './plain-keys.ts';

/** Turns in which keys are looked for. */
export const recentTurns = 4;
/** Of them, the last characters that regular expressions read: the dearest pattern allowed takes tens of milliseconds for these. */
const patternReach = 1_500;
/** States of one pattern's automaton, and of all those of a character; a word takes as many as it has letters. */
const mostStates = 256;
const mostStatesTogether = 4_096;
/** Charged for each pattern, so that however short they are there are at most 512. */
const leastStates = 8;
/** Patterns that are kept compiled, whichever characters they belong to: those of the few that are played most. */
const mostKept = 2_048;

/** A key that calls for nothing. `field` is its place within the facts. */
export interface KeyFault {
  field: string;
  key: string;
  reason: string;
}

/** By key, as written. */
type Patterns = ReadonlyMap<string, RE2JS>;
type OnePattern = { states: number } & ({ regex: RE2JS; reason?: undefined } | { regex?: undefined; reason: string });
interface Compiled {
  patterns: Patterns;
  faults: KeyFault[];
}

/** Those of a session, or of a character being made. Facts never change once a session has them. */
const compiled = new WeakMap<readonly Fact[], Patterns>();
/** Sessions of one character have facts of their own, but the same patterns; the one used last stands last. */
const kept = new Map<string, OnePattern>();
/** What was found out last. */
const answers = new WeakMap<readonly Fact[], Pick<Search, 'recent' | 'user' | 'seed'> & { called: readonly Fact[] }>();

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
  return compileAtOnce(facts).faults;
}

/** Facts that are told now. `recent` is what `recentText` gives. */
export function factsCalledFor(facts: readonly Fact[], recent: string, speakers: Speakers): readonly Fact[] {
  const known = answers.get(facts);
  if (known?.recent === recent && known.user === speakers.user && known.seed === speakers.seed) return known.called;
  return answer(facts, new Search(patternsOf(facts), recent, speakers));
}

/** Looks for every key, so that `factsCalledFor` finds the answer there; others of the thread are let in between. */
export async function matchAhead(facts: readonly Fact[], recent: string, speakers: Speakers): Promise<void> {
  if (!compiled.has(facts)) {
    const compiling = compile(facts);
    let step = compiling.next();
    for (; !step.done; step = compiling.next()) await giveWay();
    compiled.set(facts, step.value.patterns);
  }
  const search = new Search(patternsOf(facts), recent, speakers);
  for (const fact of facts) {
    for (const key of [...fact.keys, ...(fact.also ?? [])]) if (search.lookFor(fact, key)) await giveWay();
  }
  answer(facts, search);
}

function answer(facts: readonly Fact[], search: Search): readonly Fact[] {
  const { recent, user, seed } = search;
  const called = facts.filter((fact) => isCalledFor(fact, search));
  answers.set(facts, { recent, user, seed, called });
  return called;
}

function isCalledFor(fact: Fact, search: Search): boolean {
  const { keys, also = [], alsoLogic } = fact;
  const holds = (key: string) => search.holds(fact, key);
  if (keys.length === 0) return true;
  if (!keys.some(holds)) return false;
  if (also.length === 0) return true;
  if (alsoLogic === 'all') return also.every(holds);
  if (alsoLogic === 'not_all') return !also.every(holds);
  return also.some(holds) === (alsoLogic !== 'not_any');
}

/** One text in which the keys of one character are looked for; what was found of a key is known to all facts that have it. */
class Search {
  readonly recent: string;
  readonly user: string;
  readonly seed: number;
  readonly #patterns: Patterns;
  readonly #speakers: Speakers;
  readonly #found = new Map<string, boolean>();
  #asWritten: SearchedText | undefined;
  #lowerCased: SearchedText | undefined;

  constructor(patterns: Patterns, recent: string, speakers: Speakers) {
    this.recent = recent;
    this.user = speakers.user;
    this.seed = speakers.seed;
    this.#patterns = patterns;
    this.#speakers = speakers;
  }

  holds(fact: Fact, key: string): boolean {
    this.lookFor(fact, key);
    return this.#found.get(nameOf(fact, key))!;
  }

  /** Whether it had to be looked for. */
  lookFor(fact: Fact, key: string): boolean {
    const name = nameOf(fact, key);
    if (this.#found.has(name)) return false;
    this.#found.set(name, this.#look(fact, key));
    return true;
  }

  #look({ useRegex = false, caseSensitive = false, wholeWords = false }: Fact, key: string): boolean {
    if (useRegex && looksLikePattern(key)) return this.#patterns.get(key)?.test(this.recent.slice(-patternReach)) ?? false;
    const word = fillMacros(key, this.#speakers);
    if (word === '') return false;
    if (!caseSensitive) {
      this.#lowerCased ??= new SearchedText(this.recent.toLowerCase());
      return this.#lowerCased.holds(word.toLowerCase(), wholeWords);
    }
    this.#asWritten ??= new SearchedText(this.recent);
    return this.#asWritten.holds(word, wholeWords);
  }
}

/** Tells keys apart that are looked for in different ways. */
function nameOf({ useRegex, caseSensitive, wholeWords }: Fact, key: string): string {
  return `${useRegex ? 'r' : ''}${caseSensitive ? 'c' : ''}${wholeWords ? 'w' : ''} ${key}`;
}

/** What keys are looked for in: the last lines. */
export function recentText(turns: readonly Turn[]): string {
  return turns
    .slice(-recentTurns)
    .map(({ content }) => content)
    .join('\n');
}

function patternsOf(facts: readonly Fact[]): Patterns {
  let patterns = compiled.get(facts);
  if (!patterns) {
    ({ patterns } = compileAtOnce(facts));
    compiled.set(facts, patterns);
  }
  return patterns;
}

function compileAtOnce(facts: readonly Fact[]): Compiled {
  const compiling = compile(facts);
  let step = compiling.next();
  while (!step.done) step = compiling.next();
  return step.value;
}

/** Pauses after each pattern. */
function* compile(facts: readonly Fact[]): Generator<undefined, Compiled> {
  const patterns = new Map<string, RE2JS>();
  const faults: KeyFault[] = [];
  let left = mostStatesTogether;
  for (const [field, key] of patternKeys(facts)) {
    if (patterns.has(key)) continue;
    if (left <= 0) {
      faults.push({ field, key, reason: 'the regular expressions before it are as many as one character may have' });
      continue;
    }
    const { regex, states, reason } = compiledOnce(key);
    left -= Math.max(leastStates, states);
    if (!regex) faults.push({ field, key, reason });
    else if (left < 0) faults.push({ field, key, reason: 'the regular expressions up to here are too large together' });
    else patterns.set(key, regex);
    yield;
  }
  return { patterns, faults };
}

function compiledOnce(key: string): OnePattern {
  const made = kept.get(key) ?? compileOne(key);
  kept.delete(key);
  kept.set(key, made);
  if (kept.size > mostKept) kept.delete(kept.keys().next().value as string);
  return made;
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
function compileOne(key: string): OnePattern {
  const parts = splitPattern(key);
  if (!parts)
    return { states: 0, reason: 'expected a regular expression as /pattern/flags, with flags of d, g, i, m, s, u and y' };
  const { source, flags } = parts;
  const set = (flag: string, value: number) => (flags.includes(flag) ? value : 0);
  try {
    const regex = RE2JS.compile(
      RE2JS.translateRegExp(source),
      set('i', RE2JS.CASE_INSENSITIVE) | set('m', RE2JS.MULTILINE) | set('s', RE2JS.DOTALL),
    );
    const states = regex.programSize();
    return states > mostStates ? { states, reason: tooLarge } : { states, regex };
  } catch (error) {
    const problem = String((error as Error).message)
      .replace(/^error parsing regexp: /, '')
      .slice(0, 200);
    const reason = `the regular expression is not supported (${problem}); look-around and back references cannot be followed`;
    return { states: 0, reason };
  }
}
