// Versions of a dataset name: each import is one that never changes. Makes the next, pages through all, deletes one; no number is given twice.
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { and, desc, eq, gte, lt, max, ne, type SQL, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db, Tx } from '../store/connect.ts';
import { datasets, samples } from '../store/schema.ts';
import { isDataset, noFormat, versionsOf } from './numbers.ts';
import { type Dataset, findDataset, isDatasetName } from './samples.ts';

/** Samples deleted by one statement. */
const deletedSamples = 5_000;

/** Throws `invalid_request`, naming the field, for what cannot name a dataset. */
export function checkName(name: string, param = 'name'): void {
  if (isDatasetName(name)) return;
  throw new SteerError(
    'invalid_request',
    `Expected a dataset name of letters, digits, dots, dashes and underscores, got ${JSON.stringify(name.slice(0, 100))}.`,
    { details: { param } },
  );
}

/** A new version of the name, empty so far: the first, or the one after the newest there ever was. Of two at once the second waits for the first. */
export async function createVersion(
  tx: Tx,
  name: string,
  id: string = randomUUID(),
): Promise<{ id: string; version: number; nameInUse: boolean }> {
  for (;;) {
    const [last] = await tx
      .select({ version: max(datasets.version), inUse: sql<boolean>`coalesce(bool_or(${isDataset}), false)` })
      .from(datasets)
      .where(eq(datasets.name, name));
    const version = (last?.version ?? 0) + 1;
    const row = { ...emptyVersion, id, name, version };
    const [created] = await tx.insert(datasets).values(row).onConflictDoNothing().returning({ id: datasets.id });
    if (created) return { id: created.id, version, nameInUse: last!.inUse };
  }
}

const emptyVersion = { format: noFormat, hash: '', sampleCount: 0, conversationCount: 0 };

/** Another version of the name with the same content. */
export async function findTwin(tx: Tx, { id, name, hash }: Pick<Dataset, 'id' | 'name' | 'hash'>): Promise<Dataset | undefined> {
  const [twin] = await tx
    .select()
    .from(datasets)
    .where(and(versionsOf(name), eq(datasets.hash, hash), ne(datasets.id, id)))
    .orderBy(desc(datasets.version))
    .limit(1);
  return twin;
}

export interface DatasetPage {
  /** All versions of one name. */
  name?: string | undefined;
  /** Id of the last one seen. */
  after?: string | undefined;
  limit: number;
}

/** At most `limit` datasets, newest first. Throws `not_found` when `after` names none. */
export async function pageDatasets(db: Db, { name, after, limit }: DatasetPage): Promise<Dataset[]> {
  if (name !== undefined && !isDatasetName(name)) return [];
  return await db
    .select()
    .from(datasets)
    .where(and(name === undefined ? isDataset : versionsOf(name), after === undefined ? undefined : await olderThan(db, after)))
    .orderBy(desc(datasets.createdAt), desc(datasets.id))
    .limit(limit);
}

/** Compared inside the database: a Date has no microseconds, and datasets of one millisecond would be passed over. */
async function olderThan(db: Db, after: string): Promise<SQL> {
  const { id } = await findDataset(db, after);
  return sql`(${datasets.createdAt}, ${datasets.id}) < (select last.created_at, last.id from ${datasets} as last where last.id = ${id})`;
}

/** Deletes one version with its samples and their labels, all or nothing. Throws `not_found`. */
export async function deleteDataset(db: Db, id: string): Promise<void> {
  await db.transaction(async (tx) => {
    const dataset = await findDataset(tx, id);
    // A few at a time: an embedded database holds up the whole process for as long as a statement takes.
    for (let from = 0; from < dataset.sampleCount; from += deletedSamples) {
      const slice = and(gte(samples.position, from), lt(samples.position, from + deletedSamples));
      await tx.delete(samples).where(and(eq(samples.datasetId, id), slice));
      await setImmediate();
    }
    await tx.delete(datasets).where(eq(datasets.id, id));
    await keepNumber(tx, dataset);
  });
}

/** Keeps the number of a deleted version where none of the name is higher, in place of lower ones that were kept. */
async function keepNumber(tx: Tx, { name, version }: Dataset): Promise<void> {
  const [newest] = await tx
    .select({ version: max(datasets.version) })
    .from(datasets)
    .where(eq(datasets.name, name));
  if ((newest?.version ?? 0) > version) return;
  await tx.delete(datasets).where(and(eq(datasets.name, name), eq(datasets.format, noFormat)));
  await tx.insert(datasets).values({ ...emptyVersion, name, version });
}
