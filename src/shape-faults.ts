// What of outside data does not fit its shape, in plain English: where it came from, what was expected, what was found. Whoever tells it imports this
// file, which puts its words in the place of the schema library's.
import { z } from 'zod';
import { nearestName } from './nearest-name.ts';
import { counted } from './number-text.ts';

export interface Fault {
  /** The field, as `messages.0.role`; empty where the whole is meant. */
  path: string;
  /** `expected …, found …`, without a full stop. */
  words: string;
}

z.config({ localeError: wordsOf });

type Issue = z.core.$ZodRawIssue;
type Told = z.core.$ZodIssue;

/** Everything that is wrong, in the order of the schema; at least one. */
export function faultsOf({ issues }: z.ZodError): [Fault, ...Fault[]] {
  return issues.map((issue) => faultOf(issue, [])) as [Fault, ...Fault[]];
}

/** The first thing wrong as one clause; `whole` names what was parsed, where it is not a field of it. */
export function faultText(error: z.ZodError, whole: string): string {
  return clauseOf(faultsOf(error)[0], whole);
}

/** Everything wrong as one clause. */
export function faultsText(error: z.ZodError, whole: string): string {
  return faultsOf(error)
    .map((fault) => clauseOf(fault, whole))
    .join('; ');
}

function clauseOf({ path, words }: Fault, whole: string): string {
  return `${path === '' ? whole : path}: ${words}`;
}

/** Longest part of a path: names of fields are a caller's. */
const longestPart = 64;

function faultOf(issue: Told, above: PropertyKey[]): Fault {
  const at = [...above, ...issue.path];
  // A schema that has words of its own for all of it keeps them.
  const isOurs =
    issue.code === 'invalid_union' && withoutFound(issue.message) === withoutFound(unionWords(issue.errors, undefined));
  const meant = isOurs ? meantBy(issue.errors) : undefined;
  if (meant) return faultOf(meant, at);
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const path = [...at, ...unknown].map((part) => String(part).slice(0, longestPart)).join('.');
  return { path, words: issue.message };
}

function withoutFound(words: string): string {
  return words.replace(/, found .*$/s, '');
}

/** What is wrong with a value that may have one of several shapes, under the one it has at the top; undefined where it has none of them. */
function meantBy(errors: readonly (readonly Told[])[]): Told | undefined {
  const misses = (issue: Told) => issue.path.length === 0 && ['invalid_type', 'invalid_value', 'custom'].includes(issue.code);
  return errors.filter((issues) => !issues.some(misses)).sort((a, b) => a.length - b.length)[0]?.[0];
}

function wordsOf(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return expected(isInteger(issue.inst) ? typeNames.int! : typeName(issue.expected), issue.input);
    case 'invalid_value':
      return expected(listed(issue.values.map(literal)), issue.input);
    case 'too_small':
    case 'too_big':
      return sizeWords(issue);
    case 'invalid_format':
      return `expected ${formatName(issue)}`;
    case 'not_multiple_of':
      return expected(`a multiple of ${issue.divisor}`, issue.input);
    case 'unrecognized_keys':
      return unknownFields(issue);
    case 'invalid_union':
      return issue.discriminator === undefined ? unionWords(issue.errors, issue.input) : discriminatorWords(issue);
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues[0]?.message ?? 'does not hold';
    default:
      return 'does not hold';
  }
}

function expected(what: string, input: unknown): string {
  return `expected ${what}, found ${foundText(input)}`;
}

const typeNames: Record<string, string> = {
  ...{ string: 'a string', number: 'a number', int: 'a whole number', boolean: 'true or false', null: 'null' },
  ...{ array: 'a list', tuple: 'a list', object: 'an object', record: 'an object', never: 'nothing', undefined: 'nothing' },
};

function typeName(type: string): string {
  return typeNames[type] ?? type;
}

/** A string in the place of a whole number is said to be no number at all. */
function isInteger(schema: Issue['inst']): boolean {
  return (schema?._zod.def as { format?: string } | undefined)?.format === 'safeint';
}

/** Characters shown of a string that was found. */
const shownCharacters = 40;

function foundText(input: unknown): string {
  if (input === undefined) return 'nothing';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object' && input !== null) return 'an object';
  return typeof input === 'string' ? JSON.stringify(input.slice(0, shownCharacters)) : String(input);
}

function literal(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** `a, b or c`. */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}

function sizeWords(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const { origin, exact, inclusive } = issue;
  const [bound, inside, beyond] =
    issue.code === 'too_small' ? [issue.minimum, 'at least', 'more than'] : [issue.maximum, 'at most', 'less than'];
  const limit = `${exact ? 'exactly' : inclusive === false ? beyond : inside} `;
  const nouns: Record<string, string> = { string: 'character', array: 'entry', set: 'entry', map: 'entry', file: 'byte' };
  const noun = nouns[origin];
  if (noun === undefined) return expected(`${limit}${bound}`, issue.input);
  const found = (issue.input as { length?: number }).length;
  const told = found === undefined ? '' : `, found ${found === 0 ? 'none' : found}`;
  return `expected ${limit}${counted(Number(bound), noun)}${told}`;
}

function formatName(issue: Extract<Issue, { code: 'invalid_format' }>): string {
  const names: Record<string, string> = {
    url: 'an address such as https://example.com',
    datetime: 'a time such as 2026-01-31T12:00:00Z',
    uuid: 'a UUID',
    email: 'an e-mail address',
  };
  return names[issue.format] ?? (issue.pattern === undefined ? `text of the form ${issue.format}` : `text like ${issue.pattern}`);
}

/** Fields an object has are told with the ones it has not: a misspelt one is found at a glance. */
function unknownFields({ keys, inst }: Extract<Issue, { code: 'unrecognized_keys' }>): string {
  const shape = (inst as z.ZodObject | undefined)?._zod.def.shape ?? {};
  const known = Object.keys(shape);
  const told = keys.map((key) => {
    const near = nearestName(key, known);
    return `${JSON.stringify(key.slice(0, longestPart))}${near === undefined ? '' : ` (did you mean ${JSON.stringify(near)}?)`}`;
  });
  const fields = known.length > 0 ? `; expected no fields but ${known.join(', ')}` : '';
  return `unknown ${keys.length === 1 ? 'field' : 'fields'} ${told.join(', ')}${fields}`;
}

function discriminatorWords({ options, discriminator, input }: Extract<Issue, { code: 'invalid_union' }>): string {
  const found = (input as Record<string, unknown> | undefined)?.[discriminator as string];
  return expected(listed((options as unknown[] | undefined)?.map(literal) ?? []), found);
}

/** Of a value that has none of the shapes: what each of them would be. */
function unionWords(errors: readonly (readonly Told[])[], input: unknown): string {
  const each = errors.map((issues) => issues[0]?.message ?? '');
  const wanted = each.flatMap((words) => /^expected (.*?)(?:, found .*)?$/s.exec(words)?.[1] ?? []);
  return wanted.length > 0 ? expected(listed([...new Set(wanted)]), input) : 'does not hold';
}
