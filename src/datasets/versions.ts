// Versions of a dataset name: each import is one that never changes. Finds those of a name, pages through all, deletes one; no number is given twice.
import { and, desc, eq, max, type SQL, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db, Tx } from '../store/connect.ts';
import { datasets } from '../store/schema.ts';
import { emptyVersion, holdName, isDataset, noFormat, versionsOf } from './numbers.ts';
import { type Dataset, findDataset, isDatasetName } from './samples.ts';
import { removeRows, unnamed } from './unpublished.ts';

/** Throws `invalid_request`, naming the field, for what cannot name a dataset. */
export function checkName(name: string, param = 'name'): void {
  if (isDatasetName(name)) return;
  throw new SteerError(
    'invalid_request',
    `Expected a dataset name of letters, digits, dots, dashes and underscores, got ${JSON.stringify(name.slice(0, 100))}.`,
    { details: { param } },
  );
}

/** Whether there is a version of the name. */
export async function isNameInUse(db: Db | Tx, name: string): Promise<boolean> {
  return (await db.$count(datasets, versionsOf(name))) > 0;
}

/** The version of the name with that content. */
export async function findTwin(tx: Tx, { name, hash }: Pick<Dataset, 'name' | 'hash'>): Promise<Dataset | undefined> {
  const [twin] = await tx
    .select()
    .from(datasets)
    .where(and(versionsOf(name), eq(datasets.hash, hash)))
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

/** Deletes one version: gone for everyone at once, its samples and their labels a few at a time. Throws `not_found`. */
export async function deleteDataset(db: Db, id: string): Promise<void> {
  await db.transaction(async (tx) => {
    const { name } = await findDataset(tx, id);
    await holdName(tx, name);
    const dataset = await findDataset(tx, id);
    await tx.update(datasets).set(unnamed(id)).where(eq(datasets.id, id));
    await keepNumber(tx, dataset);
  });
  await removeRows(db, id);
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
