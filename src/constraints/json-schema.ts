// A JSON schema (draft 2020-12) as an expression. Everything it holds is valid by the schema; a keyword that could not be kept is refused,
// never passed over. Objects are written in the order of their properties and hold no property the schema does not name.
import { call, type Expression, either, type Rule, shared, unsupported } from './expression.ts';
import { formats } from './formats.ts';
import * as json from './json.ts';
import { type Bound, numbersBetween } from './number-range.ts';
import { parsePattern } from './regex.ts';
import { escapePointer, list, names, record, resolve, type Schema, short, string } from './schema-fields.ts';

type Type = keyof typeof keywords;

const annotations = new Set(
  '$schema $id $comment $defs definitions title description default examples deprecated readOnly writeOnly'.split(' '),
);
/** What may be said of the values of each type. */
const keywords = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'prefixItems', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'],
  boolean: [],
  null: [],
} as const;
const types = Object.keys(keywords) as Type[];
const typed = new Set<string>(Object.values(keywords).flat());
const alone = ['$ref', 'const', 'enum', 'anyOf', 'allOf'];
const supported = [...alone, 'type', ...typed].join(', ');

const deepest = 100;
const mostDefinitions = 256;
/** Longer strings and arrays are never written, which a larger maxLength or maxItems allows. */
const longestText = 4_096;
const longestArray = 1_000;

/** Throws invalid_request naming what is not supported and where. */
export function schemaExpression(schema: unknown): Expression {
  return new SchemaReader(schema).root();
}

/** A schema that is referred to. */
interface Definition {
  rule: Rule;
  /** Those a value of this one may begin with, before any character of its own. */
  begins: Set<Definition>;
}

const anyNumber = shared(json.number);
const anyInteger = shared(json.integer);

class SchemaReader {
  readonly #root: unknown;
  readonly #definitions = new Map<unknown, Definition>();
  readonly #texts = new Map<string, Expression>();
  #depth = 0;
  /** Of the definition being read, while no character of its value stands. */
  #begins: Set<Definition> | undefined;

  constructor(root: unknown) {
    this.#root = root;
  }

  root(): Expression {
    const expression = this.#define(this.#root, '#');
    this.#refuseEmptyLoops();
    return expression;
  }

  #read(schema: unknown, where: string): Expression {
    if (schema === true) return json.anyValue;
    if (schema === false) throw unsupported(where, 'false allows no value.');
    const fields = record(schema, where, 'a schema');
    if (++this.#depth > deepest) throw unsupported(where, `it is nested too deep; expected at most ${deepest} levels.`);
    const expression = this.#readFields(fields, where);
    this.#depth--;
    return expression;
  }

  #readFields(fields: Schema, where: string): Expression {
    const said = Object.keys(fields).filter((key) => !annotations.has(key));
    for (const key of said) {
      if (!alone.includes(key) && !typed.has(key) && key !== 'type') {
        throw unsupported(`${where}/${key}`, `this keyword is not supported. Supported are ${supported}.`);
      }
    }
    // A name of its own would change what its references mean.
    if (fields.$id !== undefined && fields !== this.#root)
      throw unsupported(`${where}/$id`, 'only the whole schema may have one.');
    const lone = said.find((key) => alone.includes(key));
    if (lone === undefined) return this.#readTypes(fields, said, where);
    const beside = said.find((key) => key !== lone && !(key === 'type' && (lone === 'enum' || lone === 'const')));
    if (beside !== undefined) throw unsupported(where, `${beside} is not supported beside ${lone}.`);
    if (lone === '$ref') return this.#refer(fields.$ref, `${where}/$ref`);
    if (lone === 'const') return this.#values([fields.const], fields, where);
    const options = list(fields[lone], `${where}/${lone}`);
    if (lone === 'enum') return this.#values(options, fields, where);
    if (lone === 'allOf' && options.length > 1)
      throw unsupported(`${where}/allOf`, 'more than one schema is not supported here.');
    return either(...options.map((option, i) => this.#read(option, `${where}/${lone}/${i}`)));
  }

  #readTypes(fields: Schema, said: string[], where: string): Expression {
    // Without a type, the values that some keyword speaks of, or any where none does.
    const meant = types.filter((type) => type !== 'integer' && keywords[type].some((key) => said.includes(key)));
    const named = fields.type === undefined ? meant : typesOf(fields.type, where);
    if (named.length === 0) return json.anyValue;
    return either(...named.map((type) => this.#readType(type, fields, where)));
  }

  #readType(type: Type, fields: Schema, where: string): Expression {
    switch (type) {
      case 'object':
        return this.#within(() => this.#object(fields, where));
      case 'array':
        return this.#within(() => this.#array(fields, where));
      case 'string':
        return this.#string(fields, where);
      case 'number':
      case 'integer':
        return numbers(fields, type === 'integer', where);
      case 'boolean':
        return json.literals([true, false]);
      case 'null':
        return json.literals([null]);
    }
  }

  /** Reads what stands behind a bracket. */
  #within(read: () => Expression): Expression {
    const before = this.#begins;
    this.#begins = undefined;
    const expression = read();
    this.#begins = before;
    return expression;
  }

  #object(fields: Schema, where: string): Expression {
    const { additionalProperties: additional = true } = fields;
    const other = additional === false ? undefined : this.#read(additional, `${where}/additionalProperties`);
    if (fields.properties === undefined && fields.required === undefined) return other ? json.map(other) : json.object([]);
    const required = new Set(fields.required === undefined ? [] : names(fields.required, `${where}/required`));
    const members: json.Member[] = [];
    for (const [name, schema] of Object.entries(record(fields.properties ?? {}, `${where}/properties`, 'an object of schemas'))) {
      const value = this.#read(schema, `${where}/properties/${escapePointer(name)}`);
      members.push({ name, value, required: required.delete(name) });
    }
    for (const name of required) {
      if (!other)
        throw unsupported(`${where}/required`, `${JSON.stringify(name)} is required, but it is not among the properties.`);
      members.push({ name, value: shared(other), required: true });
    }
    return json.object(members);
  }

  #array(fields: Schema, where: string): Expression {
    const first = fields.prefixItems === undefined ? [] : list(fields.prefixItems, `${where}/prefixItems`);
    const begun = first.map((schema, i) => this.#read(schema, `${where}/prefixItems/${i}`));
    const item = fields.items === false ? undefined : this.#read(fields.items ?? true, `${where}/items`);
    const [min, max] = counts(fields, 'minItems', 'maxItems', longestArray, where);
    // What follows the given first items is open without `items`, but nobody who lists them means that.
    const open = item !== undefined && (begun.length === 0 || fields.items !== undefined);
    const most = open ? max : Math.min(max, item ? Math.max(begun.length, min) : begun.length);
    if (most < min) throw unsupported(`${where}/minItems`, `expected at most ${most}, the items there can be.`);
    return json.array(begun.slice(0, most), item ?? json.anyValue, min, most);
  }

  #string(fields: Schema, where: string): Expression {
    const { pattern, format, minLength, maxLength } = fields;
    const sized = minLength !== undefined || maxLength !== undefined;
    if (Number(pattern !== undefined) + Number(format !== undefined) + Number(sized) > 1) {
      throw unsupported(where, 'only one of pattern, format, and minLength with maxLength is supported for the same string.');
    }
    if (pattern !== undefined) return json.textOf(parsePattern(string(pattern, `${where}/pattern`), `${where}/pattern`, true));
    if (format !== undefined) {
      const known = string(format, `${where}/format`);
      if (!Object.hasOwn(formats, known)) {
        throw unsupported(
          `${where}/format`,
          `expected one of ${Object.keys(formats).join(', ')}, found ${JSON.stringify(known)}.`,
        );
      }
      return this.#text(known, () => json.textOf(parsePattern(formats[known]!, `${where}/format`)));
    }
    if (!sized) return json.anyText;
    const [min, max] = counts(fields, 'minLength', 'maxLength', longestText, where);
    return this.#text(`${min}-${max}`, () => json.textOfLength(min, max));
  }

  /** Strings of the same kind are one rule. */
  #text(kind: string, make: () => Expression): Expression {
    const text = this.#texts.get(kind) ?? shared(make());
    this.#texts.set(kind, text);
    return text;
  }

  #values(values: readonly unknown[], fields: Schema, where: string): Expression {
    const named = fields.type === undefined ? undefined : typesOf(fields.type, where);
    const fitting = values.filter((value) => !named || named.some((type) => isOf(value, type)));
    if (fitting.length === 0) throw unsupported(where, 'none of its values is of its type.');
    return json.literals(fitting);
  }

  #refer(ref: unknown, where: string): Expression {
    const pointer = string(ref, where);
    const target = resolve(this.#root, pointer, where);
    return typeof target === 'boolean' ? this.#read(target, pointer) : this.#define(target, pointer);
  }

  #define(schema: unknown, where: string): Expression {
    const known = this.#definitions.get(schema);
    if (known) {
      this.#begins?.add(known);
      return call(known.rule);
    }
    const rule: Rule = { expression: json.anyValue, name: where };
    const definition: Definition = { rule, begins: new Set() };
    if (this.#definitions.size === mostDefinitions) throw unsupported(where, `expected at most ${mostDefinitions} definitions.`);
    this.#definitions.set(schema, definition);
    this.#begins?.add(definition);
    const before = this.#begins;
    this.#begins = definition.begins;
    rule.expression = this.#read(schema, where);
    this.#begins = before;
    return call(rule);
  }

  /** A definition that only says it is itself, be it by way of others, says nothing. */
  #refuseEmptyLoops(): void {
    const sound = new Set<Definition>();
    const visit = (definition: Definition, path: Set<Definition>): void => {
      if (sound.has(definition)) return;
      if (path.has(definition)) throw unsupported(definition.rule.name!, 'it refers to itself with no object or array between.');
      path.add(definition);
      for (const next of definition.begins) visit(next, path);
      path.delete(definition);
      sound.add(definition);
    };
    for (const definition of this.#definitions.values()) visit(definition, new Set());
  }
}

function numbers(fields: Schema, whole: boolean, where: string): Expression {
  const low = bound(fields, 'minimum', 'exclusiveMinimum', where, (a, b) => a > b);
  const high = bound(fields, 'maximum', 'exclusiveMaximum', where, (a, b) => a < b);
  if (!low && !high) return whole ? anyInteger : anyNumber;
  const between = numbersBetween(low, high, whole);
  if (between === null) throw unsupported(where, `expected bounds of at most ${json.mostDigits} digits, without exponent.`);
  if (!between) throw unsupported(where, 'no number lies between its bounds.');
  return between;
}

/** The tighter of two bounds. */
function bound(
  fields: Schema,
  inclusive: string,
  exclusive: string,
  where: string,
  tighter: (a: number, b: number) => boolean,
): Bound | undefined {
  const [within, beyond] = [inclusive, exclusive].map((key) => {
    const value = fields[key];
    if (value !== undefined && !Number.isFinite(value)) throw unsupported(`${where}/${key}`, 'expected a number.');
    return value as number | undefined;
  });
  if (beyond !== undefined && (within === undefined || !tighter(within, beyond))) return { value: beyond, exclusive: true };
  return within === undefined ? undefined : { value: within, exclusive: false };
}

function counts(fields: Schema, low: string, high: string, most: number, where: string): [number, number] {
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

function typesOf(type: unknown, where: string): Type[] {
  const named = Array.isArray(type) ? type : [type];
  if (named.length > 0 && named.every((one) => types.includes(one))) return [...new Set(named)];
  throw unsupported(`${where}/type`, `expected one or more of ${types.join(', ')}, found ${short(type)}.`);
}

function isOf(value: unknown, type: Type): boolean {
  if (value === null || Array.isArray(value)) return type === (value === null ? 'null' : 'array');
  return type === 'integer' ? Number.isInteger(value) : typeof value === type;
}
