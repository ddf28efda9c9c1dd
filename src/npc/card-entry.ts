// One entry of a lorebook, read as a fact. Programs spell its fields differently; an entry whose condition cannot be read or kept is never told, rather
// than always, and whatever of it is not followed is named.
import {
  type Fields,
  firstMember,
  firstOf,
  hasOwnField,
  isSet,
  type Members,
  membersOf,
  numberOf,
  toFlag,
} from './card-fields.ts';
import type { Fact } from './character.ts';
import { looksLikePattern, patternSigns, recentTurns, splitPattern } from './fact-keys.ts';

type Tell = (message: string) => void;

/** Spellings of a field as `plain` writes them: those of cards, then of SillyTavern's world files, Agnai, Risu and others. */
const spellings = {
  keys: ['keys', 'key', 'keywords', 'keyword', 'primarykeys', 'primarykey', 'triggers', 'trigger'],
  secondary: ['secondarykeys', 'secondarykey', 'keysecondary', 'secondkeys', 'secondkey'],
  content: ['content', 'entry'],
  order: ['insertionorder', 'order', 'insertorder'],
  enabled: ['enabled'],
  disabled: ['disable', 'disabled'],
  constant: ['constant', 'alwaysactive', 'forceactivation'],
  selective: ['selective'],
  useRegex: ['useregex'],
  caseSensitive: ['casesensitive'],
  wholeWords: ['matchwholewords'],
  useProbability: ['useprobability'],
  probability: ['probability', 'activationpercent'],
  logic: ['selectivelogic'],
  recursed: ['delayuntilrecursion'],
  scanDepth: ['scandepth'],
  triggers: ['triggers'],
} as const;

/** Conditions that are not followed once they are set, for whoever is told by keys or by likeness. */
const limits = ['group', 'sticky', 'cooldown', 'delay', 'characterfilter'];
/** The same, without meaning for an entry that is always told. */
const limitsOfKeys = [
  ...['vectorized', 'matchpersonadescription', 'matchcharacterdescription', 'matchcharacterpersonality'],
  ...['matchcharacterdepthprompt', 'matchscenario', 'matchcreatornotes'],
];
/** What SillyTavern's `triggers` hold: kinds of requests. Elsewhere they are keys. */
const requestKinds = ['normal', 'continue', 'impersonate', 'swipe', 'regenerate', 'quiet'];
/** SillyTavern's selectiveLogic by number. */
const logics = [undefined, 'not_all', 'not_any', 'all'] as const;

/** What an entry says, or undefined where it is switched off, empty, or told under conditions that nobody here can keep; these `tell` is given. */
export function factOf(fields: Fields, tell: Tell): Fact | undefined {
  const entry = membersOf(fields);
  const [decorators, content] = partContent(firstOf(entry, spellings.content));
  const names = [...decorators.matchAll(/(?<!@)@@+(\w+)/g)].map(([, name]) => name!.toLowerCase());
  const flags = readFlags(entry);
  const chance = chanceOf(entry, flags.useProbability);
  const isNulled = hasOwnField(entry, spellings.enabled) && firstOf(entry, spellings.enabled) === undefined;
  if (isNulled || flags.enabled === false || flags.disabled || chance === 0 || names.includes('dont_activate') || content === '')
    return undefined;
  const never = (reason: string) => void tell(`${reason}, so it is never told`);
  if (flags.unread.length > 0) return never(`expected true or false as ${flags.unread.join(', ')}`);
  if (Number.isNaN(chance)) return never('expected a number from 0 to 100 as probability');
  if (isSet(firstOf(entry, spellings.recursed, true))) return never('delay_until_recursion is not followed');

  const constant = flags.constant === true;
  const always = constant || names.includes('activate');
  const conditions = names.filter((name) => unfollowed.includes(name)).map((name) => `@@${name}`);
  const ignored = [...conditions, ...(chance < 100 ? [`probability ${chance}`] : []), ...limitsOf(entry, always)];
  if (ignored.length > 0) tell(`${ignored.join(', ')} ${ignored.length === 1 ? 'is' : 'are'} not followed`);
  if (always) return conditions.length > 0 ? undefined : { content, keys: [] };

  const words = readKeys(entry, flags, tell);
  if (!words) return undefined;
  if (words.keys.length > 0) return { content, ...words };
  if (hasKeyField(entry)) return never('it has no key that can be read and is not constant');
  // Its condition cannot be kept, so it is never met.
  return ignored.length > 0 ? undefined : { content, keys: [] };
}

/** Where an entry stands among others. */
export function orderOf(entry: Fields): number {
  return numberOf(firstOf(membersOf(entry), spellings.order)) || 0;
}

/** The name under which it says so. */
export function orderField(entry: Fields): string {
  return firstMember(membersOf(entry), spellings.order, false)?.name ?? 'insertion_order';
}

/** An entry that says what the fact does. */
export function toEntry(fact: Fact, i: number): Fields {
  const { content, keys, also = [], alsoLogic, useRegex, caseSensitive, wholeWords } = fact;
  const spell = useRegex ? (key: string) => asPattern(key, caseSensitive ? '' : 'i') : (key: string) => key;
  const written = { keys: keys.map(spell), also: also.map(spell) };
  const when = keys.length === 0 ? { constant: true } : also.length > 0 ? { selective: true, secondary_keys: written.also } : {};
  const how = { ...(useRegex ? { use_regex: true } : {}), ...(caseSensitive ? { case_sensitive: true } : {}) };
  const extensions = {
    ...(alsoLogic === undefined ? {} : { selectiveLogic: logics.indexOf(alsoLogic) }),
    ...(wholeWords ? { match_whole_words: true } : {}),
  };
  return { keys: written.keys, content, extensions, enabled: true, insertion_order: i, ...when, ...how };
}

/** Lines of `@@` at the start of a V3 entry speak to programs, never to the model. */
function partContent(written: unknown): [decorators: string, content: string] {
  const [, decorators = '', content = ''] =
    /^((?:\s*@@[^\n]*(?:\n|$))*)([\s\S]*)$/.exec(typeof written === 'string' ? written : '') ?? [];
  return [decorators, content.trim()];
}

/** Those that say when an entry is told, and are not followed; an entry without keys is then told at no time. */
const unfollowed = [
  ...['activate_only_after', 'activate_only_every', 'keep_activate_after_match', 'dont_activate_after_match'],
  ...['additional_keys', 'exclude_keys', 'is_greeting', 'is_user_icon'],
];

type Flag = (typeof flagNames)[number];
type Flags = Partial<Record<Flag, boolean>> & {
  /** Names of those that are neither true nor false. */
  unread: string[];
};

const flagNames = [
  ...(['enabled', 'disabled', 'constant', 'selective', 'useRegex', 'caseSensitive', 'wholeWords', 'useProbability'] as const),
];

/** Of them, what SillyTavern keeps among the extensions. */
const amongExtensions: readonly Flag[] = ['useRegex', 'caseSensitive', 'wholeWords', 'useProbability'];

function readFlags(entry: Members): Flags {
  const flags: Flags = { unread: [] };
  for (const name of flagNames) {
    const { name: field, value } = firstMember(entry, spellings[name], amongExtensions.includes(name)) ?? { name };
    const flag = toFlag(value);
    if (flag === undefined && value !== undefined) flags.unread.push(field.slice(0, 64));
    else if (flag !== undefined) flags[name] = flag;
  }
  return flags;
}

/** In percent; NaN where it is no number. */
function chanceOf(entry: Members, use = true): number {
  const written = firstOf(entry, spellings.probability, true);
  if (!use || written === undefined) return 100;
  return Math.min(100, Math.max(0, numberOf(written)));
}

/** Conditions that are set and not followed, by their names in the entry. */
function limitsOf(entry: Members, always: boolean): string[] {
  const found = [...limits, ...(always ? [] : limitsOfKeys)]
    .flatMap((name) => entry.get(name) ?? [])
    .filter(({ value }) => isSet(value));
  const named = found.map(({ name }) => name);
  const kinds = firstOf(entry, spellings.triggers, true);
  if (isRequestKinds(kinds) && !kinds.includes('normal')) named.push('triggers');
  if (always) return [...new Set(named)];
  const depth = firstOf(entry, spellings.scanDepth, true);
  if (depth !== undefined && numberOf(depth) !== recentTurns) named.push('scan_depth');
  const others = [...entry].flatMap(([name, members]) => (isUnknownKeyField(name) ? members : []));
  const unknown = others.filter(({ value, own }) => own && isSet(value));
  return [...new Set([...named, ...unknown.slice(0, mostUnknown).map(({ name }) => name.slice(0, 64))])];
}

/** Fields of unknown names that are told. */
const mostUnknown = 8;

type Words = Omit<Fact, 'content'>;

/** The keys of an entry and how they are compared; undefined, and told, where they cannot be followed. */
function readKeys(entry: Members, flags: Flags, tell: Tell): Words | undefined {
  const first = wordsOf(entry, spellings.keys, flags);
  const second = wordsOf(entry, spellings.secondary, flags);
  const needsBoth = flags.selective ?? hasOwnField(entry, ['keysecondary']);
  const also = needsBoth ? second.words : [];
  const written = firstOf(entry, spellings.logic, true) ?? 0;
  const logic = numberOf(written);
  if (first.unread || second.unread) tell('expected keys as a list of words; those that are no words call for nothing');
  const unclear = needsBoth && second.unread && (also.length === 0 || logic !== 0);
  const unknown = also.length > 0 && !(logic in logics);
  if (unclear || unknown || (first.words.length === 0 && also.length > 0 && logic !== 0)) {
    const found = typeof written === 'object' ? 'of this kind' : String(written).slice(0, 64);
    tell(`selectiveLogic ${found} cannot be followed with these keys, so it is never told`);
    return undefined;
  }
  const keys = first.words.length > 0 ? first.words : also;
  if (keys.length === 0) return { keys };
  const both = keys === also ? [] : also;
  // A key in slashes is a regular expression wherever nobody says otherwise, as in SillyTavern.
  const isPattern = flags.useRegex ? looksLikePattern : splitPattern;
  return {
    keys,
    ...(both.length === 0 ? {} : { also: both }),
    ...(both.length === 0 || logic === 0 ? {} : { alsoLogic: logics[logic] }),
    ...(flags.useRegex !== false && [...keys, ...both].some((key) => isPattern(key)) ? { useRegex: true } : {}),
    ...(flags.caseSensitive ? { caseSensitive: true } : {}),
    ...(flags.wholeWords ? { wholeWords: true } : {}),
  };
}

/** Words of all spellings together, each a list or one text that commas part. `unread` where something else stands there. */
function wordsOf(entry: Members, names: readonly string[], flags: Flags): { words: string[]; unread: boolean } {
  const list = names.flatMap((spelling) => {
    const written = (entry.get(spelling) ?? []).filter(
      ({ value, own }) => own && !(spelling === 'triggers' && isRequestKinds(value)),
    );
    return written.flatMap(({ value }) => (typeof value === 'string' ? splitWords(value) : (value ?? [])));
  });
  const readable = list.filter((word) => typeof word === 'string' || typeof word === 'number').map((word) => String(word));
  const words = [...new Set(readable.filter((word) => word.trim() !== ''))];
  return {
    words: flags.useRegex ? words.map((word) => withSlashes(word, flags.caseSensitive ? '' : 'i')) : words,
    unread: readable.length < list.length,
  };
}

/** A regular expression may hold commas of its own. */
function splitWords(text: string): string[] {
  return splitPattern(text.trim()) ? [text.trim()] : text.split(',').map((word) => word.trim());
}

/** With use_regex a key needs no slashes. What holds nothing special is the same as text, and what is no pattern can only be meant as text. */
function withSlashes(word: string, flags: string): string {
  if (looksLikePattern(word) || !patternSigns.test(word)) return word;
  try {
    new RegExp(word);
    return `/${word}/${flags}`;
  } catch {
    return word;
  }
}

/** So that a reader of `use_regex`, which needs no slashes, takes text for what it is. */
function asPattern(key: string, flags: string): string {
  return looksLikePattern(key) || !patternSigns.test(key) ? key : `/${key.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}/${flags}`;
}

function isRequestKinds(value: unknown): value is string[] {
  return Array.isArray(value) && value.length > 0 && value.every((kind) => requestKinds.includes(kind));
}

/** A field that says when the entry is told, under whatever name. */
function hasKeyField(entry: Members): boolean {
  if (hasOwnField(entry, keyFields)) return true;
  return [...entry].some(([name, members]) => isUnknownKeyField(name) && members.some(({ own }) => own));
}

const keyFields: readonly string[] = [...spellings.keys, ...spellings.secondary];

function isUnknownKeyField(spelling: string): boolean {
  return /key|trigger/.test(spelling) && !keyFields.includes(spelling);
}
