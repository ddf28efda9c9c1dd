// One attribute schema for labels on replies of several models.
import { SteerError } from '../errors.ts';
import type { Attribute, AttributeSchema } from '../steerlm.ts';

/** The attributes in `used`, in the order of the models; null without any. Throws `conflict` where two models put one on different scales. */
export function mergeSchemas(
  name: string,
  schemas: readonly AttributeSchema[],
  used: ReadonlySet<string>,
): AttributeSchema | null {
  const attributes = new Map<string, Attribute>();
  for (const attribute of schemas.flatMap((schema) => schema.attributes)) {
    if (!used.has(attribute.name)) continue;
    const known = attributes.get(attribute.name) ?? attribute;
    if (known.levels.length !== attribute.levels.length) {
      const scales = `0 to ${known.levels.length - 1} and 0 to ${attribute.levels.length - 1}`;
      throw new SteerError(
        'conflict',
        `Expected one scale for ${attribute.name}, found ${scales} among the models. Filter by model.`,
        { details: { param: 'filters.model' } },
      );
    }
    attributes.set(attribute.name, known);
  }
  return attributes.size === 0 ? null : { name, version: 1, attributes: [...attributes.values()] };
}
