// Schemas that a value must all meet, as one schema. What cannot be said in one is refused by name.
import { unsupported } from './expression.ts';
import { escapePointer, further, record, type Schema, typesOf } from './schema-fields.ts';
import type { Work } from './work.ts';

/** Of two numbers the one that asks for more. */
const larger = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']);
const smaller = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']);
/** So many characters are compared in one step of work. */
const comparedCharacters = 32;

/** One of the schemas to merge: what it says beside its own allOf and $ref. */
export interface Part {
  id: number;
  own: Schema;
  said: readonly string[];
}

/** One merged schema, made part by part. */
export class Merge {
  readonly #work: Work;
  readonly #where: string;
  readonly #merged: Schema = {};
  /** What was made here of several schemas; it grows with the next one. */
  readonly #joined = new Map<unknown, unknown[]>();

  constructor(work: Work, where: string) {
    this.#work = work;
    this.#where = where;
  }

  /** Throws invalid_request naming what cannot be merged and where, or where it is too much. */
  of(parts: readonly Part[]): Schema {
    this.#refuseClosed(parts.map(({ own }) => own));
    const merged = this.#merged;
    for (const { own, said } of parts) {
      this.#work.spend(said.length, this.#where);
      for (const key of said) merged[key] = key in merged ? this.#both(key, merged[key], own[key]) : own[key];
    }
    return merged;
  }

  #both(key: string, one: unknown, other: unknown): unknown {
    if (typeof one === 'number' && typeof other === 'number') {
      if (larger.has(key)) return Math.max(one, other);
      if (smaller.has(key)) return Math.min(one, other);
    }
    if (key === 'properties') return this.#bothProperties(one, other);
    if (key === 'items' || key === 'additionalProperties') return this.#join(one, other);
    if (key === 'required' && Array.isArray(one) && Array.isArray(other)) {
      this.#work.spend(one.length + other.length, this.#where);
      return [...new Set([...one, ...other])];
    }
    if (this.#areSame(one, other)) return one;
    if (key === 'pattern' || key === 'format') {
      this.#merged[further] = [...(this.#merged[further] ?? []), { [key]: other }];
      this.#work.spend(this.#merged[further].length, this.#where);
      return one;
    }
    if (key === 'enum' && Array.isArray(one) && Array.isArray(other)) {
      const named = new Set(other.map((value) => JSON.stringify(value)));
      return one.filter((value) => named.has(JSON.stringify(value)));
    }
    if (key === 'type') return commonTypes(one, other, this.#where);
    throw unsupported(`${this.#where}/allOf`, `${key} is asked for twice, which is not supported here.`);
  }

  #areSame(one: unknown, other: unknown): boolean {
    const [a, b] = [one, other].map((value) => JSON.stringify(value) ?? '');
    this.#work.spend(Math.ceil((a!.length + b!.length) / comparedCharacters), this.#where);
    return a === b;
  }

  /** A schema for values that meet both. */
  #join(one: unknown, other: unknown): unknown {
    const joined = this.#joined.get(one);
    if (!joined && this.#areSame(one, other)) return one;
    if (joined) joined.push(other);
    const allOf = joined ?? [one, other];
    const both = joined ? one : { allOf };
    this.#joined.set(both, allOf);
    return both;
  }

  #bothProperties(one: unknown, other: unknown): Schema {
    const what = 'an object of schemas';
    const merged = new Map(Object.entries(record(one, `${this.#where}/properties`, what)));
    const added = Object.entries(record(other, `${this.#where}/properties`, what));
    this.#work.spend(merged.size + added.length, this.#where);
    for (const [name, schema] of added) merged.set(name, merged.has(name) ? this.#join(merged.get(name), schema) : schema);
    return Object.fromEntries(merged);
  }

  /** What one part says of additional properties is about those the others name. */
  #refuseClosed(parts: readonly Schema[]): void {
    const all = new Set(parts.flatMap(namesOf));
    for (const part of parts) {
      const { additionalProperties: additional = true } = part;
      const open = additional === true || (typeof additional === 'object' && Object.keys(additional ?? {}).length === 0);
      if (open) continue;
      this.#work.spend(all.size, this.#where);
      const own = new Set(namesOf(part));
      const foreign = [...all].find((name) => !own.has(name));
      if (foreign === undefined) continue;
      const property = `${this.#where}/properties/${escapePointer(foreign)}`;
      throw unsupported(`${this.#where}/allOf`, `additionalProperties is not supported beside ${property} of another schema.`);
    }
  }
}

function namesOf({ properties }: Schema): string[] {
  return Object.keys(typeof properties === 'object' && properties !== null ? properties : {});
}

function commonTypes(one: unknown, other: unknown, where: string): string[] {
  const named = typesOf(other, where);
  const common = typesOf(one, where).flatMap((type) => {
    if (named.includes(type)) return [type];
    if (type === 'integer' && named.includes('number')) return ['integer'];
    return type === 'number' && named.includes('integer') ? ['integer'] : [];
  });
  if (common.length === 0) throw unsupported(`${where}/allOf`, 'no value is of all its types.');
  return common;
}
