// One attribute schema for labels that come from several sources.
import type { SteerError } from '../errors.ts';
import type { Attribute, AttributeSchema } from '../steerlm/attributes.ts';

/**
 * Attributes of all schemas by name, in order of appearance; schemas that are all alike stay what they are, and null comes of none.
 * Throws what `refuse` says of an attribute on two scales, given the number of levels of both.
 */
export function mergeSchemas(
  schemas: readonly AttributeSchema[],
  refuse: (attribute: string, levels: [number, number]) => SteerError,
): AttributeSchema | null {
  const distinct = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
  const [first] = distinct;
  if (first === undefined || distinct.length === 1) return first ?? null;
  const attributes = new Map<string, Attribute>();
  for (const attribute of distinct.flatMap((schema) => schema.attributes)) {
    const known = attributes.get(attribute.name) ?? attribute;
    const [before, now] = [known.levels.length, attribute.levels.length];
    if (before !== now) throw refuse(attribute.name, [before, now]);
    attributes.set(attribute.name, known);
  }
  return { name: [...new Set(distinct.map(({ name }) => name))].join('+'), version: 1, attributes: [...attributes.values()] };
}
