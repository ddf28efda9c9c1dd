// The lorebook of a character card: entries read as facts, and facts written back into it. Programs spell its fields differently; an entry that has
// conditions nobody here can read is never told, rather than always.
import { isDeepStrictEqual } from 'node:util';
import { SteerError } from '../errors.ts';
import type { Fact } from './character.ts';
import { splitPattern } from './fact-keys.ts';
import { elementTexts, memberText, setMember, setMemberText } from './json-members.ts';

type Fields = Record<string, unknown>;

/** Something of a card that is kept and not followed. */
export interface Notice {
  /** Where it stands. */
  param: string;
  message: string;
}

type Tell = (notice: Notice) => void;

const place = ['data', 'character_book', 'entries'];

/** Spellings of a field: that of the cards first, then those of SillyTavern's world files and of Agnai. */
const spellings = {
  keys: ['keys', 'key', 'keywords'],
  secondary: ['secondary_keys', 'keysecondary', 'secondaryKeys'],
  content: ['content', 'entry'],
  order: ['insertion_order', 'order'],
} as const;

/** The enabled entries of a lorebook in their order; constant ones and those without keys are always told. Throws invalid_request. */
export function readBook(book: unknown, tell: Tell): Fact[] {
  return entriesOf(book).flatMap(([param, entry]) => factOf(entry, (message) => tell({ param, message })) ?? []);
}

/** The card with these facts. Entries that still say what they said stay to the letter, disabled ones too, but for their place in the order. */
export function replaceBook(text: string, facts: readonly Fact[]): string {
  const old = elementTexts(memberText(text, place) ?? '[]').map((raw) => ({ raw, fact: factOf(JSON.parse(raw), () => {}) }));
  const untold = old.filter(({ fact }) => fact === undefined).map(({ raw }) => raw);
  let last = -1;
  const told = facts.map((fact) => {
    const known = old.find((entry) => isDeepStrictEqual(entry.fact, fact))?.raw;
    if (known === undefined) return JSON.stringify(toEntry(fact, ++last));
    const entry = JSON.parse(known);
    const order = orderOf(entry);
    if (order >= last) {
      last = order;
      return known;
    }
    return setMember(known, [spellings.order.find((name) => name in entry) ?? 'insertion_order'], ++last);
  });
  return setMemberText(text, place, `[${[...told, ...untold].join(',')}]`);
}

export function toEntry({ content, keys, also = [], useRegex, caseSensitive }: Fact, i: number): Fields {
  const spell = useRegex ? (key: string) => asPattern(key, caseSensitive ? '' : 'i') : (key: string) => key;
  const written = { keys: keys.map(spell), also: also.map(spell) };
  const when = keys.length === 0 ? { constant: true } : also.length > 0 ? { selective: true, secondary_keys: written.also } : {};
  const how = { ...(useRegex ? { use_regex: true } : {}), ...(caseSensitive ? { case_sensitive: true } : {}) };
  return { keys: written.keys, content, extensions: {}, enabled: true, insertion_order: i, ...when, ...how };
}

/** Entries with where each stands, in their order; a book may list them or name each by a number. */
function entriesOf(book: unknown): [param: string, Fields][] {
  if (book === undefined || book === null) return [];
  const entries = isObject(book) ? (book.entries ?? []) : undefined;
  if (typeof entries === 'object' && Object.values(entries).every(isObject)) {
    const named = Object.entries(entries as Record<string, Fields>);
    return named
      .toSorted(([, a], [, b]) => orderOf(a) - orderOf(b))
      .map(([name, entry]) => [`${place.join('.')}.${name}`, entry]);
  }
  throw new SteerError('invalid_request', `${place.join('.')}: expected a list of objects.`, {
    details: { param: place.join('.') },
  });
}

function factOf(entry: Fields, tell: (message: string) => void): Fact | undefined {
  const { enabled, disable, selective } = entry;
  const written = firstOf(entry, spellings.content);
  const decorated = typeof written === 'string' ? written : '';
  const [, decorators = '', content = ''] = /^((?:\s*@@[^\n]*(?:\n|$))*)([\s\S]*)$/.exec(decorated) ?? [];
  const conditions = readDecorators(decorators, tell);
  if (enabled === false || disable === true || conditions.never || content.trim() === '') return undefined;
  const [first, second] = [spellings.keys, spellings.secondary].map((names) => wordsOf(entry, names));
  const always = entry.constant === true || conditions.always;
  const mayNeedBoth = selective !== false && (selective === true || entry.keysecondary !== undefined);
  const also = mayNeedBoth && !always ? second!.words : [];
  const keys = always ? [] : first!.words.length > 0 ? first!.words : also;
  const unread = !always && (first!.unread || second!.unread);
  if (unread) tell('expected keys as a list of words; those that are no words call for nothing');
  // Its condition cannot be kept, so it is never met.
  if (keys.length === 0 && (unread || conditions.sometimes)) return undefined;
  const needsBoth = keys === also || forbids(entry) ? [] : also;
  if (also.length > 0 && logicOf(entry) !== 0) {
    const instead = forbids(entry) ? 'the secondary keys change nothing' : 'one of the secondary keys is enough';
    tell(`selectiveLogic ${logicOf(entry)} is not followed: ${instead}`);
  }
  return {
    content: content.trim(),
    keys,
    ...(needsBoth.length === 0 ? {} : { also: needsBoth }),
    // A key in slashes is a regular expression wherever nobody says otherwise, as in SillyTavern.
    ...(entry.use_regex !== false && [...keys, ...needsBoth].some(splitPattern) ? { useRegex: true } : {}),
    ...(keys.length > 0 && mindsCase(entry) ? { caseSensitive: true } : {}),
  };
}

/**
 * Lines of `@@` at the start of a V3 entry speak to programs, never to the model. Those that say when it is told and are not followed are named; an
 * entry without keys is then told at no time.
 */
function readDecorators(lines: string, tell: (message: string) => void): { never: boolean; always: boolean; sometimes: boolean } {
  const names = [...lines.matchAll(/@@+(\w+)/g)].map(([, name]) => name!.toLowerCase());
  const conditions = names.filter((name) => unfollowed.includes(name));
  for (const name of conditions) tell(`@@${name} is not followed`);
  const sometimes = conditions.length > 0;
  return { never: names.includes('dont_activate'), always: names.includes('activate'), sometimes };
}

const unfollowed = [
  ...['activate_only_after', 'activate_only_every', 'keep_activate_after_match', 'dont_activate_after_match'],
  ...['additional_keys', 'exclude_keys', 'is_greeting', 'is_user_icon'],
];

/** Words of a list, or of one text that commas part. `unread` where something else stands there. */
function wordsOf(entry: Fields, names: readonly string[]): { words: string[]; unread: boolean } {
  const written = firstOf(entry, names) ?? [];
  const list = Array.isArray(written) ? written : typeof written === 'string' ? splitWords(written) : [written];
  const readable = list.filter((word) => typeof word === 'string' || typeof word === 'number').map((word) => String(word));
  const words = readable.filter((word) => word.trim() !== '');
  const flags = mindsCase(entry) ? '' : 'i';
  return {
    words: entry.use_regex === true ? words.map((word) => withSlashes(word, flags)) : words,
    unread: readable.length < list.length,
  };
}

/** A regular expression may hold commas of its own. */
function splitWords(text: string): string[] {
  return splitPattern(text.trim()) ? [text.trim()] : text.split(',').map((word) => word.trim());
}

const special = /[\\^$.*+?()[\]{}|]/;

/** With use_regex a key needs no slashes. What holds nothing special is the same as text, and what is no pattern can only be meant as text. */
function withSlashes(word: string, flags: string): string {
  if (splitPattern(word) || !special.test(word)) return word;
  try {
    new RegExp(word);
    return `/${word}/${flags}`;
  } catch {
    return word;
  }
}

/** So that a reader of `use_regex`, which needs no slashes, takes text for what it is. */
function asPattern(key: string, flags: string): string {
  return splitPattern(key) || !special.test(key) ? key : `/${key.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}/${flags}`;
}

function mindsCase({ case_sensitive: said, caseSensitive, extensions }: Fields): boolean {
  return (said ?? caseSensitive ?? (isObject(extensions) ? extensions.case_sensitive : undefined)) === true;
}

/** SillyTavern's: 0 any of the secondary keys, 1 not all, 2 none, 3 all. */
function logicOf({ selectiveLogic, extensions }: Fields): unknown {
  return selectiveLogic ?? (isObject(extensions) ? extensions.selectiveLogic : undefined) ?? 0;
}

function forbids(entry: Fields): boolean {
  return [1, 2].includes(logicOf(entry) as number);
}

function firstOf(entry: Fields, names: readonly string[]): unknown {
  return names.map((name) => entry[name]).find((value) => value !== undefined && value !== null);
}

function orderOf(entry: Fields): number {
  const order = firstOf(entry, spellings.order);
  return typeof order === 'number' ? order : 0;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
