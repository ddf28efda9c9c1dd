// Reading the fields of a JSON schema: which ask for something, their shapes, and the references between its parts.
import { unsupported } from './expression.ts';

/** What further formats and patterns a string must keep to: of schemas that were merged, since nothing that was parsed has such a name. */
export const further = Symbol('further');

export type Schema = Record<string, unknown> & { [further]?: Schema[] };
export type Type = keyof typeof keywords;

/** What may be said of the values of each type. */
const keywords = {
  object: [
    ...['properties', 'required', 'additionalProperties', 'patternProperties', 'propertyNames'],
    ...['minProperties', 'maxProperties'],
  ],
  array: ['items', 'prefixItems', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  boolean: [] as string[],
  null: [] as string[],
};
const types = Object.keys(keywords) as Type[];
/** Keywords of which a schema has one, and few others beside it. */
export const alone = ['$ref', 'const', 'enum', 'anyOf', 'oneOf', 'allOf'];
const followed = new Set(['type', ...alone, ...Object.values(keywords).flat()]);
/** What the standard lets a schema ask for and nobody here follows. Any other word is a note, as the standard says. */
const refused = new Set(
  (
    'not if dependentSchemas dependentRequired dependencies contains minContains maxContains unevaluatedItems unevaluatedProperties ' +
    '$dynamicRef $recursiveRef'
  ).split(' '),
);

/** The keywords of a schema that ask for something. Throws invalid_request for one that nobody follows. */
export function saidBy(schema: Schema, where = '#'): string[] {
  const odd = Object.keys(schema).find((key) => refused.has(key));
  if (odd !== undefined) {
    throw unsupported(`${where}/${odd}`, `this keyword is not supported. Supported are ${[...followed].join(', ')}.`);
  }
  for (const key of ['const', 'enum']) if (schema[key] !== undefined) refuseLost(schema[key], `${where}/${key}`);
  return Object.keys(schema).filter((key) => followed.has(key));
}

/** A value that a reply would not be written with as it was sent: JSON.parse has rounded it, or UTF-8 cannot hold it. */
function refuseLost(value: unknown, where: string): void {
  if (typeof value === 'string') refuseHalves(value, where);
  else if (typeof value === 'number') refuseRounded(value, where);
  else if (typeof value === 'object' && value !== null) {
    for (const [name, part] of Object.entries(value)) {
      refuseHalves(name, where);
      refuseLost(part, `${where}/${escapePointer(name)}`);
    }
  }
}

function refuseRounded(value: number, where: string): void {
  refuseInfinite(value, where);
  if (!Number.isInteger(value) || Number.isSafeInteger(value)) return;
  const most = Number.MAX_SAFE_INTEGER;
  throw unsupported(
    where,
    `expected a whole number between -${most} and ${most}, which no double rounds; send longer ones as strings.`,
  );
}

/** What JSON.parse makes of 1e400. */
export function refuseInfinite(value: number, where: string): void {
  if (!Number.isFinite(value)) throw unsupported(where, 'expected a number that a double holds, found one beyond 1.8e308.');
}

/** Half a surrogate pair is no character; UTF-8 would hold another in its place. */
export function refuseHalves(text: string, where: string): void {
  if (/\p{Surrogate}/u.test(text))
    throw unsupported(where, `expected whole characters, found half a surrogate pair in ${short(text)}.`);
}

/** Without a type: those of the values that some keyword speaks of. */
export function impliedTypes(schema: Schema): Type[] {
  return types.filter((type) => type !== 'integer' && keywords[type].some((key) => schema[key] !== undefined));
}

/** What a local reference points at. */
export function resolve(root: unknown, reference: string, where: string): unknown {
  let target = root;
  for (const part of reference.split('/').slice(1)) {
    const name = unescapePointer(part);
    const inside = typeof target === 'object' && target !== null && Object.hasOwn(target, name);
    target = inside ? (target as Schema)[name] : undefined;
  }
  if (target !== undefined && /^#(\/|$)/.test(reference)) return target;
  throw unsupported(where, `expected a reference to a part of this schema, such as #/$defs/name, found ${short(reference)}.`);
}

function unescapePointer(part: string): string {
  const plain = /%[0-9A-Fa-f]{2}/.test(part) ? decodeOr(part) : part;
  return plain.replaceAll('~1', '/').replaceAll('~0', '~');
}

function decodeOr(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

export function record(value: unknown, where: string, what: string): Schema {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Schema;
  throw unsupported(where, `expected ${what}, found ${short(value)}.`);
}

export function list(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value) && value.length > 0) return value;
  throw unsupported(where, `expected a list of at least one, found ${short(value)}.`);
}

export function names(value: unknown, where: string): string[] {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) {
    for (const [i, name] of value.entries()) refuseHalves(name, `${where}/${i}`);
    return value;
  }
  throw unsupported(where, `expected a list of names, found ${short(value)}.`);
}

export function string(value: unknown, where: string): string {
  if (typeof value === 'string') return value;
  throw unsupported(where, `expected a string, found ${short(value)}.`);
}

export function short(value: unknown): string {
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

export function counts(fields: Schema, low: string, high: string, most: number, where: string): [number, number] {
  const [min = 0, max = Number.POSITIVE_INFINITY] = [low, high].map((key) => {
    const value = fields[key];
    if (value !== undefined && !(Number.isInteger(value) && (value as number) >= 0)) {
      throw unsupported(`${where}/${key}`, 'expected a whole number from 0.');
    }
    return value as number | undefined;
  });
  if (min > Math.min(max, most)) throw unsupported(`${where}/${low}`, `expected at most ${Math.min(max, most)}, found ${min}.`);
  return [min, Number.isFinite(max) ? Math.min(max, most) : max];
}

export function typesOf(type: unknown, where: string): Type[] {
  const named = Array.isArray(type) ? type : [type];
  if (named.length > 0 && named.every((one) => types.includes(one))) return [...new Set(named)];
  throw unsupported(`${where}/type`, `expected one or more of ${types.join(', ')}, found ${short(type)}.`);
}

export function isOf(value: unknown, type: Type): boolean {
  if (value === null || Array.isArray(value)) return type === (value === null ? 'null' : 'array');
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}

/** Whether it says that no value meets it. */
export function isNever(schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null) return schema === false;
  const { not } = schema as Schema;
  return not === true || (typeof not === 'object' && not !== null && Object.keys(not).length === 0);
}

export function refuseFilled(patterns: unknown, where: string): void {
  const [first] = Object.keys(record(patterns ?? {}, where, 'an object of schemas'));
  if (first === undefined) return;
  throw unsupported(
    `${where}/${escapePointer(first)}`,
    'patternProperties is only supported with one pattern and without properties, required and propertyNames.',
  );
}
