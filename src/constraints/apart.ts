// Whether no value can meet both of two schemas, as far as types, listed values and discriminating properties tell: what oneOf asks for.
import { impliedTypes, resolve, type Schema, type Type } from './schema-fields.ts';

const deepest = 16;

/** False where it cannot be told. Throws invalid_request for a reference to nothing. */
export function areApart(one: unknown, other: unknown, root: unknown, depth = 0): boolean {
  if (depth > deepest) return false;
  if (one === false || other === false) return true;
  const [a, b] = [fieldsOf(one, root, depth), fieldsOf(other, root, depth)];
  if (!a || !b) return false;
  const [options, rest] = (a.anyOf ?? a.oneOf) ? [a.anyOf ?? a.oneOf, b] : [b.anyOf ?? b.oneOf, a];
  if (Array.isArray(options)) return options.every((option) => areApart(option, rest, root, depth + 1));
  const [own, others] = [valuesOf(a), valuesOf(b)];
  if (own && others) return own.every((value) => !others.includes(value));
  const [types, otherTypes] = [kindsOf(a), kindsOf(b)];
  if (types && otherTypes && types.every((type) => !otherTypes.includes(type))) return true;
  if (types?.join() !== 'object' || otherTypes?.join() !== 'object') return false;
  const needed = namesIn(a.required).filter((name) => namesIn(b.required).includes(name));
  return needed.some((name) => areApart(property(a, name), property(b, name), root, depth + 1));
}

function fieldsOf(schema: unknown, root: unknown, depth: number): Schema | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined;
  const { $ref } = schema as Schema;
  if (typeof $ref !== 'string') return schema as Schema;
  return depth > deepest ? undefined : fieldsOf(resolve(root, $ref, '#'), root, depth + 1);
}

/** The values it lists, spelled. */
function valuesOf(schema: Schema): string[] | undefined {
  const values = 'const' in schema ? [schema.const] : schema.enum;
  return Array.isArray(values) ? values.map((value) => JSON.stringify(value)) : undefined;
}

/** Types of its values; integers are numbers here. */
function kindsOf(schema: Schema): Type[] | undefined {
  const values = 'const' in schema ? [schema.const] : schema.enum;
  const types = Array.isArray(values)
    ? values.map((value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : (typeof value as Type)))
    : schema.type === undefined
      ? impliedTypes(schema)
      : ([schema.type].flat() as Type[]);
  return types.length === 0 ? undefined : types.map((type) => (type === 'integer' ? 'number' : type));
}

function namesIn(required: unknown): string[] {
  return Array.isArray(required) ? required : [];
}

function property({ properties }: Schema, name: string): unknown {
  const known = typeof properties === 'object' && properties !== null && Object.hasOwn(properties, name);
  return known ? (properties as Schema)[name] : true;
}
