// Whether no value can meet both of two schemas, as far as types, listed values and discriminating properties tell: what oneOf asks for.
import { impliedTypes, resolve, type Schema, type Type } from './schema-fields.ts';
import type { Work } from './work.ts';

const deepest = 16;
/** Steps of one comparison, beside its names and values. */
const comparing = 3;

/** What of a schema tells it apart. */
interface Marks {
  /** Of its anyOf or oneOf. */
  options: readonly unknown[] | undefined;
  /** The values it lists, spelled. */
  values: ReadonlySet<string> | undefined;
  types: readonly Type[] | undefined;
  required: ReadonlySet<string>;
  properties: unknown;
}

/** Compares the schemas of one root. Two that are compared again, as references do, are compared once. */
export class Comparison {
  readonly #root: unknown;
  readonly #work: Work;
  readonly #marks = new Map<object, Marks | undefined>();
  /** From which depth on they were compared: what was not told from there may be told from less deep. */
  readonly #known = new Map<Marks, Map<Marks, { apart: boolean; depth: number }>>();

  constructor(root: unknown, work: Work) {
    this.#root = root;
    this.#work = work;
  }

  /** False where it cannot be told. Throws invalid_request for a reference to nothing, and where it takes too long. */
  areApart(one: unknown, other: unknown, where: string, depth = 0): boolean {
    this.#work.spend(comparing, where);
    if (depth > deepest) return false;
    if (one === false || other === false) return true;
    const [a, b] = [this.#marksOf(one, where), this.#marksOf(other, where)];
    if (!a || !b) return false;
    if (!a.options && !b.options) {
      if (a.values && b.values) return this.#haveNoneInCommon(a.values, b.values, where);
      if (a.types && b.types && !a.types.some((type) => b.types!.includes(type))) return true;
      if (a.types?.join() !== 'object' || b.types?.join() !== 'object') return false;
    }
    const known = this.#known.get(a)?.get(b);
    if (known && (known.apart || known.depth <= depth)) return known.apart;
    // Until it is known: a pair that leads back to itself is not told apart by that.
    const found = { apart: false, depth };
    this.#known.set(a, (this.#known.get(a) ?? new Map()).set(b, found));
    const [options, rest] = a.options ? [a.options, other] : [b.options, one];
    found.apart = options
      ? options.every((option) => this.areApart(option, rest, where, depth + 1))
      : this.#someProperty(a, b, where, depth);
    return found.apart;
  }

  #haveNoneInCommon(own: ReadonlySet<string>, others: ReadonlySet<string>, where: string): boolean {
    const [fewer, more] = own.size < others.size ? [own, others] : [others, own];
    this.#work.spend(fewer.size, where);
    for (const value of fewer) if (more.has(value)) return false;
    return true;
  }

  #someProperty(a: Marks, b: Marks, where: string, depth: number): boolean {
    this.#work.spend(a.required.size, where);
    for (const name of a.required) {
      if (!b.required.has(name)) continue;
      if (this.areApart(property(a.properties, name), property(b.properties, name), where, depth + 1)) return true;
    }
    return false;
  }

  #marksOf(schema: unknown, where: string): Marks | undefined {
    if (typeof schema !== 'object' || schema === null) return undefined;
    if (this.#marks.has(schema)) return this.#marks.get(schema);
    const fields = this.#fieldsOf(schema, 0);
    const marks = fields && this.#read(fields, where);
    this.#marks.set(schema, marks);
    return marks;
  }

  /** References followed. */
  #fieldsOf(schema: unknown, depth: number): Schema | undefined {
    if (typeof schema !== 'object' || schema === null || depth > deepest) return undefined;
    const { $ref } = schema as Schema;
    return typeof $ref === 'string' ? this.#fieldsOf(resolve(this.#root, $ref, '#'), depth + 1) : (schema as Schema);
  }

  #read(schema: Schema, where: string): Marks {
    const known = this.#marks.get(schema);
    if (known) return known;
    const { anyOf, oneOf, required, properties } = schema;
    const options = anyOf ?? oneOf;
    const listed = 'const' in schema ? [schema.const] : schema.enum;
    const values = Array.isArray(listed) ? new Set(listed.map((value) => JSON.stringify(value))) : undefined;
    this.#work.spend(values?.size ?? 0, where);
    const marks = {
      options: Array.isArray(options) ? options : undefined,
      values,
      types: kindsOf(schema),
      required: new Set(Array.isArray(required) ? required : []),
      properties,
    };
    this.#marks.set(schema, marks);
    return marks;
  }
}

/** Types of its values; integers are numbers here. */
function kindsOf(schema: Schema): Type[] | undefined {
  const values = 'const' in schema ? [schema.const] : schema.enum;
  const types = Array.isArray(values)
    ? values.map((value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : (typeof value as Type)))
    : schema.type === undefined
      ? impliedTypes(schema)
      : ([schema.type].flat() as Type[]);
  return types.length === 0 ? undefined : [...new Set(types.map((type) => (type === 'integer' ? 'number' : type)))];
}

function property(properties: unknown, name: string): unknown {
  const known = typeof properties === 'object' && properties !== null && Object.hasOwn(properties, name);
  return known ? (properties as Schema)[name] : true;
}
