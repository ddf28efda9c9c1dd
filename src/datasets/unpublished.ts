// A version while it is written: a row under a name that no dataset can have, filled a few samples at a time, so that others use the database in
// between and nobody sees half of it. One short transaction publishes it: then it has its name and the next number. What was given up or deleted is
// removed a few samples at a time too; what a process that died left behind, at a later start or import.
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { and, desc, eq, gte, like, lt, max, or, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db, Tx } from '../store/connect.ts';
import { pairs } from '../store/feedback-schema.ts';
import { datasets, samples } from '../store/schema.ts';
import { emptyVersion, noFormat } from './numbers.ts';
import type { Dataset } from './samples.ts';

/** What the row is called before its id. A space is in no name of a dataset. */
const marks = { written: 'being written ', removed: 'being removed ' } as const;
/** How often whoever writes a version says so, in the time of its creation. */
const beatMs = 60_000;
/** After so long without a word the process that wrote or removed it died. */
const silence = sql`interval '10 minutes'`;
/** Samples removed by one statement: an embedded database holds up the whole process for as long as it takes. */
const removedSamples = 200;

/** Runs `write` with the id of a new version, a new UUID where none is given. What it has not published is removed afterwards. */
export async function writeVersion<T>(db: Db, write: (id: string) => Promise<T>, id: string = randomUUID()): Promise<T> {
  await removeLeftovers(db);
  await db.insert(datasets).values({ ...emptyVersion, id, name: marks.written + id });
  const beat = setInterval(() => {
    db.update(datasets)
      .set({ createdAt: sql`now()` })
      .where(isWritten(id))
      .catch(() => {});
  }, beatMs).unref();
  try {
    return await write(id);
  } finally {
    clearInterval(beat);
    // What cannot be removed now goes with the leftovers; the first failure is the one to tell of.
    await giveUp(db, id).catch(() => {});
  }
}

/** In a transaction that holds the name: gives the version the name and the number after the newest there ever was. */
export async function publish(
  tx: Tx,
  id: string,
  { name, ...told }: Pick<Dataset, 'name' | 'format' | 'schema' | 'hash' | 'sampleCount' | 'conversationCount'>,
): Promise<Dataset> {
  const [last] = await tx
    .select({ version: max(datasets.version) })
    .from(datasets)
    .where(eq(datasets.name, name));
  const [published] = await tx
    .update(datasets)
    .set({ ...told, name, version: (last?.version ?? 0) + 1, createdAt: sql`now()` })
    .where(isWritten(id))
    .returning();
  if (!published) throw new SteerError('internal_error', `The version ${id} of ${name} was removed while it was written.`);
  return published;
}

function isWritten(id: string) {
  return and(eq(datasets.id, id), eq(datasets.name, marks.written + id));
}

async function giveUp(db: Db, id: string): Promise<void> {
  const [givenUp] = await db.update(datasets).set(unnamed(id)).where(isWritten(id)).returning({ id: datasets.id });
  if (givenUp) await removeRows(db, id);
}

/** In place of what a row says of a dataset, so that nobody finds it from then on. */
export function unnamed(id: string) {
  return { ...emptyVersion, schema: null, name: marks.removed + id, version: 1, createdAt: sql`now()` };
}

/** Removes a row that has no name any more, its samples, labels and pairs first. */
export async function removeRows(db: Db, datasetId: string): Promise<void> {
  for (const table of [samples, pairs]) {
    const [last] = await db
      .select({ position: table.position })
      .from(table)
      .where(eq(table.datasetId, datasetId))
      .orderBy(desc(table.position))
      .limit(1);
    for (let end = (last?.position ?? -1) + 1; end > 0; end -= removedSamples) {
      const slice = and(gte(table.position, end - removedSamples), lt(table.position, end));
      await db.delete(table).where(and(eq(table.datasetId, datasetId), slice));
      await setImmediate();
    }
  }
  await db.delete(datasets).where(eq(datasets.id, datasetId));
}

/**
 * Removes what processes that died left behind: at the start of the only process that has the database (`exclusive`) all there is, else what
 * nobody has spoken for lately. Whoever asks with `exclusive` has written nothing yet.
 */
export async function removeLeftovers(db: Db, exclusive = false): Promise<void> {
  const named = or(like(datasets.name, `${marks.written}%`), like(datasets.name, `${marks.removed}%`));
  const silent = exclusive ? undefined : lt(datasets.createdAt, sql`now() - ${silence}`);
  const left = await db
    .select({ id: datasets.id })
    .from(datasets)
    .where(and(eq(datasets.format, noFormat), named, silent));
  for (const { id } of left) {
    await db.update(datasets).set(unnamed(id)).where(eq(datasets.id, id));
    await removeRows(db, id);
  }
}
