// Samples page by page with every label anyone gave them, for looking at. Training reads them through samples.ts instead.
import { and, asc, eq, gt, inArray } from 'drizzle-orm';
import type { Db } from '../store/connect.ts';
import { labels, samples } from '../store/schema.ts';
import { sampleColumns } from './samples.ts';

type StoredLabel = typeof labels.$inferSelect;

export interface LabelledSample {
  sample: typeof samples.$inferSelect;
  /** Oldest first; the newest of a turn and attribute is the one that counts unless somebody chooses otherwise. */
  labels: StoredLabel[];
}

/** At most `limit` samples after position `after`, in input order. */
export async function listLabelledSamples(
  db: Db,
  datasetId: string,
  { after = -1, limit }: { after?: number | undefined; limit: number },
): Promise<LabelledSample[]> {
  const page = await db
    .select(sampleColumns)
    .from(samples)
    .where(and(eq(samples.datasetId, datasetId), gt(samples.position, after)))
    .orderBy(asc(samples.position))
    .limit(limit);
  const ids = page.map(({ id }) => id);
  const made = await db.select().from(labels).where(inArray(labels.sampleId, ids)).orderBy(asc(labels.id));
  const bySample = new Map<number, StoredLabel[]>(ids.map((id) => [id, []]));
  for (const label of made) bySample.get(label.sampleId)?.push(label);
  return page.map((sample) => ({ sample, labels: bySample.get(sample.id) ?? [] }));
}
