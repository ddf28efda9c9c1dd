// A JSON schema (draft 2020-12) as an expression. Everything it holds is valid by the schema; a keyword that could not be kept is refused,
// never passed over. Objects are written in the order of their properties and hold no property the schema does not name.
import { Merging } from './all-of.ts';
import { Comparison } from './apart.ts';
import { call, type Expression, either, type Rule, shared, unsupported } from './expression.ts';
import * as json from './json.ts';
import {
  alone,
  counts,
  escapePointer,
  impliedTypes,
  isNever,
  isOf,
  list,
  names,
  record,
  refuseFilled,
  refuseHalves,
  resolve,
  type Schema,
  saidBy,
  string,
  type Type,
  typesOf,
} from './schema-fields.ts';
import { numberExpression } from './schema-numbers.ts';
import { Texts } from './schema-text.ts';
import { Work } from './work.ts';

const deepest = 100;
const mostDefinitions = 2_000;
/** Longer arrays, and objects of more entries, are never written, which a larger bound allows. */
const longestArray = 1_000;

/** Steps of work to read one schema, beside what it holds. */
const reading = 20;

/** Throws invalid_request naming what is not supported and where, or where it takes more work than is left. */
export function schemaExpression(schema: unknown, work = new Work()): Expression {
  return new SchemaReader(schema, work).root();
}

/** A schema that is referred to. */
interface Definition {
  rule: Rule;
  /** Those a value of this one may begin with, before any character of its own. */
  begins: Set<Definition>;
}

class SchemaReader {
  readonly #root: unknown;
  readonly #definitions = new Map<unknown, Definition>();
  readonly #work: Work;
  readonly #texts: Texts;
  readonly #merging: Merging;
  readonly #comparison: Comparison;
  #depth = 0;
  /** Of the definition being read, while no character of its value stands. */
  #begins: Set<Definition> | undefined;

  constructor(root: unknown, work: Work) {
    this.#root = root;
    this.#work = work;
    this.#texts = new Texts(work);
    this.#merging = new Merging(root, work);
    this.#comparison = new Comparison(root, work);
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
    this.#work.spend(reading, where);
    if (++this.#depth > deepest) throw unsupported(where, `it is nested too deep; expected at most ${deepest} levels.`);
    const expression = this.#readFields(fields, where);
    this.#depth--;
    return expression;
  }

  #readFields(fields: Schema, where: string): Expression {
    const said = saidBy(fields, where);
    // A name of its own would change what its references mean.
    if (fields.$id !== undefined && fields !== this.#root)
      throw unsupported(`${where}/$id`, 'only the whole schema may have one.');
    const lone = said.find((key) => alone.includes(key));
    if (lone === undefined) return this.#readTypes(fields, where);
    const combined = said.includes('allOf') || said.includes('$ref');
    if (combined && (said.length > 1 || (lone === 'allOf' && list(fields.allOf, `${where}/allOf`).length > 1))) {
      return this.#define(this.#merging.of(fields, where), where);
    }
    const beside = said.find((key) => key !== lone && !(key === 'type' && (lone === 'enum' || lone === 'const')));
    if (beside !== undefined) throw unsupported(where, `${beside} is not supported beside ${lone}.`);
    if (lone === '$ref') return this.#refer(fields.$ref, `${where}/$ref`);
    if (lone === 'const') return this.#values([fields.const], fields, where);
    const options = list(fields[lone], `${where}/${lone}`);
    if (lone === 'enum') return this.#values(options, fields, where);
    if (lone === 'oneOf') this.#refuseOverlap(options, `${where}/oneOf`);
    return either(...options.map((option, i) => this.#read(option, `${where}/${lone}/${i}`)));
  }

  #refuseOverlap(options: readonly unknown[], where: string): void {
    for (const [i, one] of options.entries()) {
      const other = options.findIndex((option, j) => j > i && !this.#comparison.areApart(one, option, where));
      if (other < 0) continue;
      throw unsupported(
        where,
        `${i} and ${other} may both hold for the same value. Use anyOf, or tell them apart by type or by a required property with a const.`,
      );
    }
  }

  #readTypes(fields: Schema, where: string): Expression {
    const named = fields.type === undefined ? impliedTypes(fields) : typesOf(fields.type, where);
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
        return this.#texts.of(fields, where);
      case 'number':
      case 'integer':
        return numberExpression(fields, type === 'integer', where, this.#work);
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
    const [min, max] = counts(fields, 'minProperties', 'maxProperties', longestArray, where);
    const allowed = this.#names(fields.propertyNames, `${where}/propertyNames`);
    if (!Array.isArray(allowed) && fields.properties === undefined && fields.required === undefined) {
      return this.#map(fields, { name: allowed, other, min, max }, where);
    }
    refuseFilled(fields.patternProperties, `${where}/patternProperties`);
    if (allowed && !Array.isArray(allowed)) {
      throw unsupported(`${where}/propertyNames`, 'beside properties and required only enum, const and type are supported.');
    }
    const members = this.#members(fields, allowed, other, where);
    const needed = members.filter(({ required }) => required).length;
    if (min > needed)
      throw unsupported(`${where}/minProperties`, `expected at most ${needed}, the properties that are required.`);
    if (max < members.length) {
      throw unsupported(`${where}/maxProperties`, `expected at least ${members.length}, the properties that are named.`);
    }
    return json.object(members);
  }

  #members(fields: Schema, listed: readonly string[] | undefined, other: Expression | undefined, where: string): json.Member[] {
    const allowed = listed && new Set(listed);
    const required = new Set(fields.required === undefined ? [] : names(fields.required, `${where}/required`));
    const members: json.Member[] = [];
    for (const [name, schema] of Object.entries(record(fields.properties ?? {}, `${where}/properties`, 'an object of schemas'))) {
      refuseHalves(name, `${where}/properties`);
      const barred = isNever(schema) || (allowed && !allowed.has(name));
      if (barred && !required.has(name)) continue;
      const value = this.#read(schema, `${where}/properties/${escapePointer(name)}`);
      members.push({ name, value, required: required.delete(name) });
    }
    for (const name of required) {
      if (!other)
        throw unsupported(`${where}/required`, `${JSON.stringify(name)} is required, but it is not among the properties.`);
      members.push({ name, value: shared(other), required: true });
    }
    if (fields.properties === undefined && other) {
      const known = new Set(members.map(({ name }) => name));
      const more = (listed ?? []).filter((name) => !known.has(name));
      members.push(...more.map((name) => ({ name, value: shared(other), required: false })));
    }
    const odd = members.find(({ name }) => allowed && !allowed.has(name));
    if (odd) throw unsupported(`${where}/propertyNames`, `${JSON.stringify(odd.name)} is required, but it is no such name.`);
    return members;
  }

  /** The names an object may have: a list of them, an expression of strings, or any. */
  #names(schema: unknown, where: string): string[] | Expression | undefined {
    if (schema === undefined || schema === true) return undefined;
    const fields = record(schema, where, 'a schema of strings');
    const listed = fields.const === undefined ? fields.enum : [fields.const];
    if (listed !== undefined && fields.$ref === undefined) return names(listed, `${where}/enum`);
    const said = saidBy(fields, where).filter((key) => key !== 'type');
    if (fields.type !== undefined && !typesOf(fields.type, where).includes('string')) {
      throw unsupported(where, 'names are strings, and none is of its type.');
    }
    return said.length === 0 ? undefined : this.#read({ ...fields, ...(fields.$ref ? {} : { type: 'string' }) }, where);
  }

  #map(
    fields: Schema,
    { name, other, min, max }: { name: Expression | undefined; other: Expression | undefined; min: number; max: number },
    where: string,
  ): Expression {
    // Names that a caller could write twice count once.
    if (min > 1) throw unsupported(`${where}/minProperties`, 'expected at most 1 where the properties have no names.');
    const patterns = Object.entries(record(fields.patternProperties ?? {}, `${where}/patternProperties`, 'an object of schemas'));
    const [first] = patterns;
    if (first) {
      if (patterns.length > 1 || name) refuseFilled(fields.patternProperties, `${where}/patternProperties`);
      const at = `${where}/patternProperties/${escapePointer(first[0])}`;
      return json.map(this.#read(first[1], at), this.#texts.of({ pattern: first[0] }, at), min, max);
    }
    if (!other && min > 0) throw unsupported(`${where}/minProperties`, 'no property may stand in it.');
    return other ? json.map(other, name, min, max) : json.object([]);
  }

  #array(fields: Schema, where: string): Expression {
    // Until 2019 a list of items were the first ones.
    const { items, prefixItems = Array.isArray(items) ? items : undefined } = fields;
    const following = Array.isArray(items) ? fields.additionalItems : items;
    const key = Array.isArray(items) ? 'additionalItems' : 'items';
    const first =
      prefixItems === undefined ? [] : list(prefixItems, `${where}/${Array.isArray(items) ? 'items' : 'prefixItems'}`);
    const begun = first.map((schema, i) => this.#read(schema, `${where}/${Array.isArray(items) ? 'items' : 'prefixItems'}/${i}`));
    const item = following === false ? undefined : this.#read(following ?? true, `${where}/${key}`);
    const [min, max] = counts(fields, 'minItems', 'maxItems', longestArray, where);
    // What follows the given first items is open without `items`, but nobody who lists them means that.
    const open = item !== undefined && (begun.length === 0 || following !== undefined);
    const most = open ? max : Math.min(max, item ? Math.max(begun.length, min) : begun.length);
    if (most < min) throw unsupported(`${where}/minItems`, `expected at most ${most}, the items there can be.`);
    if (fields.uniqueItems === true && most > 1) {
      throw unsupported(`${where}/uniqueItems`, 'true is only supported for arrays of one item at most.');
    }
    return json.array(begun.slice(0, most), item ?? json.anyValue, min, most);
  }

  #values(values: readonly unknown[], fields: Schema, where: string): Expression {
    const named = fields.type === undefined ? undefined : typesOf(fields.type, where);
    const fitting = values.filter((value) => !named || named.some((type) => isOf(value, type)));
    this.#work.spend(values.length, where);
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
