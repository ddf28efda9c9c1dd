// The row a finished model gets in the database: what it is, what it was made from and how it measured.
import { readModelCard, revisionOf } from '../model/model-folder.ts';
import type { Db, Tx } from '../store/connect.ts';
import { models } from '../store/schema.ts';

export type ModelRecord = typeof models.$inferInsert;

/** The row of the model in a folder. */
export async function describeModel(folder: string): Promise<ModelRecord> {
  const card = await readModelCard(folder);
  return {
    name: card.name,
    revision: await revisionOf(folder),
    kind: card.kind,
    schema: card.attributeSchema,
    base: card.baseModel ? `${card.baseModel.name} ${card.baseModel.revision}` : null,
    recipe: { ...card.recipe, datasets: card.datasets },
    report: card.measured,
  };
}

/** Keeps the row; a model that is known already stays as it is. */
export async function recordModel(db: Db | Tx, record: ModelRecord): Promise<void> {
  await db.insert(models).values(record).onConflictDoNothing();
}
