// Which attributes a model made from a steered one has: those of its base, as long as the data speaks of no others. A handful of ratings of one
// attribute would else leave a model on which every other dial is gone.
import { readModelCard } from '../model/model-folder.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';

/** The schema of the base where it covers the data's: every attribute under its name and on its scale; else the data's. */
export async function schemaOver(base: string, data: AttributeSchema): Promise<AttributeSchema> {
  const { attributeSchema: known } = await readModelCard(base);
  const covers = ({ name, levels }: AttributeSchema['attributes'][number]) =>
    known?.attributes.some((attribute) => attribute.name === name && attribute.levels.length === levels.length);
  return known && data.attributes.every(covers) ? known : data;
}
