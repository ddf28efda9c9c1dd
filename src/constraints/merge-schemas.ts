// allOf, and what stands beside $ref: schemas that a value must all meet, as one schema. What cannot be said in one is refused by name.
import { unsupported } from './expression.ts';
import { escapePointer, further, list, record, resolve, type Schema, saidBy, typesOf } from './schema-fields.ts';

const deepest = 50;
/** Of two numbers the one that asks for more. */
const larger = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']);
const smaller = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']);

/** The schema without its allOf and $ref. Throws invalid_request naming what cannot be merged and where. */
export function mergeAll(schema: Schema, root: unknown, where: string): Schema {
  const parts = partsOf(schema, root, where, 0);
  refuseClosed(parts, where);
  const merged: Schema = {};
  for (const part of parts) {
    for (const key of saidBy(part, where))
      merged[key] = key in merged ? both(key, merged[key], part[key], merged, where) : part[key];
  }
  return merged;
}

/** The schema and those of its allOf, references followed. */
function partsOf(schema: unknown, root: unknown, where: string, depth: number): Schema[] {
  if (depth > deepest) throw unsupported(where, `allOf is nested too deep; expected at most ${deepest} levels.`);
  if (schema === true) return [];
  const { allOf, $ref, ...own } = record(schema, where, 'a schema');
  const all = allOf === undefined ? [] : list(allOf, `${where}/allOf`);
  const referred = typeof $ref === 'string' ? [resolve(root, $ref, `${where}/$ref`)] : [];
  return [own, ...[...referred, ...all].flatMap((part) => partsOf(part, root, where, depth + 1))];
}

function both(key: string, one: unknown, other: unknown, merged: Schema, where: string): unknown {
  if (JSON.stringify(one) === JSON.stringify(other)) return one;
  if (typeof one === 'number' && typeof other === 'number') {
    if (larger.has(key)) return Math.max(one, other);
    if (smaller.has(key)) return Math.min(one, other);
  }
  if (key === 'pattern' || key === 'format') {
    merged[further] = [...(merged[further] ?? []), { [key]: other }];
    return one;
  }
  if (key === 'required' && Array.isArray(one) && Array.isArray(other)) return [...new Set([...one, ...other])];
  if (key === 'enum' && Array.isArray(one) && Array.isArray(other)) {
    const named = new Set(other.map((value) => JSON.stringify(value)));
    return one.filter((value) => named.has(JSON.stringify(value)));
  }
  if (key === 'type') return commonTypes(one, other, where);
  if (key === 'properties') return bothProperties(one, other, where);
  if (key === 'items' || key === 'additionalProperties') return { allOf: [one, other] };
  throw unsupported(`${where}/allOf`, `${key} is asked for twice, which is not supported here.`);
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

function bothProperties(one: unknown, other: unknown, where: string): Schema {
  const merged = new Map(Object.entries(record(one, `${where}/properties`, 'an object of schemas')));
  for (const [name, schema] of Object.entries(record(other, `${where}/properties`, 'an object of schemas'))) {
    merged.set(name, merged.has(name) ? { allOf: [merged.get(name), schema] } : schema);
  }
  return Object.fromEntries(merged);
}

/** What one part says of additional properties is about those the others name. */
function refuseClosed(parts: readonly Schema[], where: string): void {
  const namesOf = ({ properties }: Schema) =>
    Object.keys(typeof properties === 'object' && properties !== null ? properties : {});
  const all = new Set(parts.flatMap(namesOf));
  for (const part of parts) {
    const { additionalProperties: additional = true } = part;
    const open = additional === true || (typeof additional === 'object' && Object.keys(additional ?? {}).length === 0);
    const foreign = [...all].find((name) => !namesOf(part).includes(name));
    if (open || foreign === undefined) continue;
    const property = `${where}/properties/${escapePointer(foreign)}`;
    throw unsupported(`${where}/allOf`, `additionalProperties is not supported beside ${property} of another schema.`);
  }
}
