// The data an evaluation reads: a stored dataset, or a file. Opened by whoever has the database, and only for as long as it is read.
import type { ChosenLabels } from '../datasets/label-makers.ts';
import type { Dataset, LabelChoice } from '../datasets/samples.ts';
import { datasetSource, fileSource, spellingsOf, type TrainingSource } from '../datasets/training-data.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Db } from '../store/connect.ts';
import type { Split } from '../store/schema.ts';

export interface OpenData {
  /** With the labels that count. */
  source: TrainingSource;
  /** With the labels a training run would have taken. */
  asTrained: TrainingSource;
  /** Which labels count; null for a file, which has only its own. */
  labels: LabelChoice | null;
  db: Db | null;
}

/** Whose labels of a split are read, of the attributes of a schema; null for a file. */
export async function makersIn(
  { source }: Pick<OpenData, 'source'>,
  split: Split | 'all',
  schema: AttributeSchema,
): Promise<ChosenLabels | null> {
  return (await source.makers?.({ split: split === 'all' ? undefined : split, attributes: spellingsOf(schema) })) ?? null;
}

/** Hands the data to `read`; the database may be free again once it answers. */
export type WithData = <T>(read: (data: OpenData) => Promise<T>) => Promise<T>;

/** A stored dataset. */
export function storedData(db: Db, dataset: Dataset, labels: LabelChoice): OpenData {
  return { source: datasetSource(db, dataset, labels), asTrained: datasetSource(db, dataset, 'latest'), labels, db };
}

/** A file in any format that can be imported. */
export function fileData(path: string): OpenData {
  return { source: fileSource(path), asTrained: fileSource(path), labels: null, db: null };
}
