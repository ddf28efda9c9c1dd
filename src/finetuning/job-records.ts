// What the database keeps of fine-tuning jobs beside their rows: checkpoints that can be served, and events newest first. Queries only.
import { and, desc, eq, inArray, lt, notInArray } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import { endedStatuses, type JobEvent, type Page } from '../jobs/jobs.ts';
import type { Db, Tx } from '../store/connect.ts';
import { checkpoints, jobEvents, jobs, modelAliases } from '../store/work-schema.ts';

export type Checkpoint = typeof checkpoints.$inferSelect;

/** Adds a checkpoint; one of the same step stays as it is. */
export async function addCheckpoint(tx: Tx, checkpoint: typeof checkpoints.$inferInsert): Promise<void> {
  await tx.insert(checkpoints).values(checkpoint).onConflictDoNothing();
}

/** Forgets all but the newest `keep` checkpoints of a job and those an alias names; answers the steps of the others. */
export async function retireCheckpoints(tx: Tx, jobId: string, keep: number): Promise<number[]> {
  const named = tx.select({ model: modelAliases.model }).from(modelAliases);
  const newest = tx
    .select({ id: checkpoints.id })
    .from(checkpoints)
    .where(eq(checkpoints.jobId, jobId))
    .orderBy(desc(checkpoints.step))
    .limit(keep);
  const old = and(eq(checkpoints.jobId, jobId), notInArray(checkpoints.id, newest), notInArray(checkpoints.model, named));
  const retired = await tx.delete(checkpoints).where(old).returning({ step: checkpoints.step });
  return retired.map(({ step }) => step);
}

/** At most `limit` checkpoints of a job, newest first. Throws `not_found` for an unknown `after`. */
export async function listCheckpoints(db: Db, jobId: string, { after, limit }: Page): Promise<Checkpoint[]> {
  const own = eq(checkpoints.jobId, jobId);
  const [last] =
    after === undefined
      ? []
      : await db
          .select()
          .from(checkpoints)
          .where(and(own, eq(checkpoints.id, after)));
  if (after !== undefined && !last) throw unknown('checkpoint', after);
  const older = last && lt(checkpoints.step, last.step);
  return await db.select().from(checkpoints).where(and(own, older)).orderBy(desc(checkpoints.step)).limit(limit);
}

/** At most `limit` events of a job, newest first, those that come after event `after` in that order; 0 begins at the newest. */
export async function listLatestEvents(
  db: Db,
  jobId: string,
  { after, limit }: { after: number; limit: number },
): Promise<JobEvent[]> {
  return await db
    .select()
    .from(jobEvents)
    .where(and(eq(jobEvents.jobId, jobId), after === 0 ? undefined : lt(jobEvents.id, after)))
    .orderBy(desc(jobEvents.id))
    .limit(limit);
}

/** Those of the ids whose jobs have ended, the newest first, then those whose jobs are gone. */
export async function endedAmong(db: Db, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const found = await db
    .select({ id: jobs.id, status: jobs.status })
    .from(jobs)
    .where(inArray(jobs.id, [...ids]))
    .orderBy(desc(jobs.finishedAt));
  const known = new Set(found.map(({ id }) => id));
  const ended = found.filter(({ status }) => endedStatuses.includes(status)).map(({ id }) => id);
  return [...ended, ...ids.filter((id) => !known.has(id))];
}

function unknown(what: string, id: string): SteerError {
  return new SteerError('not_found', `There is no ${what} ${JSON.stringify(id.slice(0, 64))} here.`, {
    details: { param: 'after' },
  });
}
