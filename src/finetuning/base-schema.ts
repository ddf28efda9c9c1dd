// Which attributes a model has: those its data labels. One made from a steered model has those of its base, as long as the data speaks of no others: a
// handful of ratings of one attribute would else leave a model on which every other dial is gone.
import { readModelCard } from '../model/model-folder.ts';
import type { Attribute, AttributeSchema } from '../steerlm/attributes.ts';

/** The schema of the base where it covers the data's: every attribute under its name and on its scale; else the data's. */
export async function schemaOver(base: string, data: AttributeSchema): Promise<AttributeSchema> {
  const known = await schemaOf(base);
  return known && data.attributes.every((attribute) => knows(known, attribute)) ? known : data;
}

/**
 * The schema without the attributes that no reply of the training data is labelled for, nor the base known for, and these. Where that leaves none, the
 * schema as it is: what comes of it is for the recipe to refuse.
 */
export async function learntSchema(
  schema: AttributeSchema,
  labelled: ReadonlyMap<string, number>,
  base?: string,
): Promise<{ schema: AttributeSchema; unseen: string[] }> {
  const known = base === undefined ? null : await schemaOf(base);
  const isLearnt = (attribute: Attribute) => labelled.has(attribute.name) || (known !== null && knows(known, attribute));
  const attributes = schema.attributes.filter(isLearnt);
  if (!attributes.some(({ name }) => labelled.has(name))) return { schema, unseen: [] };
  const unseen = schema.attributes.filter((attribute) => !isLearnt(attribute)).map(({ name }) => name);
  return { schema: { ...schema, attributes }, unseen };
}

/** What is told of attributes that a model will not have. */
export function unseenText(unseen: readonly string[]): string {
  return `No reply of the training data is labelled for ${unseen.join(', ')}: the model will not have ${unseen.length === 1 ? 'it' : 'them'}.`;
}

async function schemaOf(base: string): Promise<AttributeSchema | null> {
  return (await readModelCard(base)).attributeSchema;
}

function knows({ attributes }: AttributeSchema, { name, levels }: Attribute): boolean {
  return attributes.some((attribute) => attribute.name === name && attribute.levels.length === levels.length);
}
