// What a predictor rates becomes part of the schema of the dataset it labels, so that each label is known with its scale.
import { eq } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import { type Attribute, type AttributeSchema, maxLevel } from '../steerlm/attributes.ts';
import type { Db } from '../store/connect.ts';
import { datasets } from '../store/schema.ts';
import type { Dataset } from './samples.ts';

/** Who rates, and what. */
export interface Rater {
  id: string;
  schema: AttributeSchema;
}

/** The schema with what the rater rates and it lacks; what it has stays. Throws conflict for an attribute that both rate on different scales. */
export function withAttributesOf({ name, schema }: Pick<Dataset, 'name' | 'schema'>, rater: Rater): AttributeSchema {
  const attributes = schema?.attributes ?? [];
  const missing = rater.schema.attributes.filter((rated) => {
    const known = attributes.find((each) => each.name === rated.name || each.aliases.includes(rated.name));
    if (known && known.levels.length !== rated.levels.length) throw twoScales(name, rater.id, known, rated);
    return known === undefined;
  });
  return { ...rater.schema, ...schema, attributes: [...attributes, ...missing] };
}

/** Adds them to the dataset. Throws what `withAttributesOf` does. */
export async function learnAttributes(db: Db, datasetId: string, rater: Rater): Promise<void> {
  await db.transaction(async (tx) => {
    const [row] = await tx.select().from(datasets).where(eq(datasets.id, datasetId)).for('update');
    if (row)
      await tx
        .update(datasets)
        .set({ schema: withAttributesOf(row, rater) })
        .where(eq(datasets.id, datasetId));
  });
}

function twoScales(dataset: string, rater: string, known: Attribute, rated: Attribute): SteerError {
  return new SteerError(
    'conflict',
    `The dataset ${dataset} has ${known.name} from 0 to ${maxLevel(known)}, and ${rater} rates it from 0 to ${maxLevel(rated)}: nobody could tell the labels apart. ` +
      'Import the data once more with the scale in a schema (--schema FILE.json), or without those labels.',
    { details: { param: 'model' } },
  );
}
