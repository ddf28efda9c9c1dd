// Jobs as rows: made, found, listed, and what people ask of them. Whoever makes a row wait gives notice of it to the workers.
import { and, asc, desc, eq, gt, inArray, type SQL, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db, Tx } from '../store/connect.ts';
import { newId } from '../store/new-id.ts';
import { giveNotice } from '../store/notices.ts';
import { type JobProgress, type JobStatus, jobErrors, jobEvents, jobs } from '../store/work-schema.ts';

export type Job = typeof jobs.$inferSelect;
export type JobEvent = typeof jobEvents.$inferSelect;
export type JobError = typeof jobErrors.$inferSelect;

export const endedStatuses: readonly JobStatus[] = ['succeeded', 'failed', 'cancelled'];

export interface NewJob {
  kind: string;
  /** Start of its id, e.g. `job_`. */
  prefix: string;
  input: Record<string, unknown>;
  progress?: Partial<JobProgress>;
  /** The caller's key with a hash of what it asked for: asked twice it is one job. */
  idempotency?: { key: string; requestHash: string } | undefined;
}

/** Makes a job, or answers the one made under the same key. Throws `conflict` when that one was asked for otherwise. */
export async function createJob(db: Db, job: NewJob): Promise<{ job: Job; created: boolean }> {
  const { kind, prefix, input, idempotency } = job;
  const progress = { total: null, completed: 0, failed: 0, cached: 0, ...job.progress };
  const keys = { idempotencyKey: idempotency?.key ?? null, requestHash: idempotency?.requestHash ?? null };
  const row = { id: newId(prefix), kind, input, progress, ...keys };
  const [created] = await db.transaction(async (tx) => {
    const made = await tx.insert(jobs).values(row).onConflictDoNothing().returning();
    if (made.length > 0) await giveNotice(tx, 'steer_jobs');
    return made;
  });
  if (created) return { job: created, created: true };
  const [known] = await db
    .select()
    .from(jobs)
    .where(and(eq(jobs.kind, kind), eq(jobs.idempotencyKey, idempotency?.key ?? '')));
  if (known && known.requestHash === idempotency?.requestHash) return { job: known, created: false };
  throw new SteerError(
    'conflict',
    'This Idempotency-Key was used for another request. Send the same body again, or another key.',
    {
      details: { param: 'Idempotency-Key' },
    },
  );
}

/** The job of that id among the kinds. Throws `not_found`. */
export async function findJob(db: Db | Tx, id: string, kinds?: readonly string[]): Promise<Job> {
  const [found] = await db
    .select()
    .from(jobs)
    .where(and(eq(jobs.id, id), kinds && inArray(jobs.kind, [...kinds])));
  if (found) return found;
  throw new SteerError('not_found', `There is no job ${JSON.stringify(id.slice(0, 64))} here.`);
}

export interface Page {
  /** Id of the last one seen. */
  after?: string | undefined;
  limit: number;
}

/** What is asked of the jobs listed; absent means all. */
export interface JobFilter {
  kinds?: readonly string[] | undefined;
  statuses?: readonly JobStatus[] | undefined;
}

/** At most `limit` jobs that pass the filter, newest first. Throws `not_found` when `after` names none. */
export async function listJobs(db: Db, { kinds, statuses }: JobFilter, { after, limit }: Page): Promise<Job[]> {
  const last = after === undefined ? undefined : await findJob(db, after, kinds);
  // Compared inside the database: a Date has no microseconds, and jobs of one millisecond would be passed over.
  const older =
    last &&
    sql`(${jobs.createdAt}, ${jobs.id}) < (select last.created_at, last.id from ${jobs} as last where last.id = ${last.id})`;
  return await db
    .select()
    .from(jobs)
    .where(and(kinds && inArray(jobs.kind, [...kinds]), statuses && inArray(jobs.status, [...statuses]), older))
    .orderBy(desc(jobs.createdAt), desc(jobs.id))
    .limit(limit);
}

/** Asks for a pause: at once where nothing runs, else the worker sees it within a second. Throws `conflict` for a job that has ended. */
export async function pauseJob(db: Db, id: string): Promise<Job> {
  return await change(db, id, 'paused', [
    [eq(jobs.status, 'queued'), { status: 'paused', requestedAction: null }],
    [eq(jobs.status, 'running'), { requestedAction: sql`coalesce(${jobs.requestedAction}, 'pause')` }],
    [eq(jobs.status, 'paused'), { requestedAction: null }],
  ]);
}

/** Puts a paused job back into the queue, or takes a pause back that was not reached yet. Throws `conflict` for a job that has ended. */
export async function resumeJob(db: Db, id: string): Promise<Job> {
  return await change(db, id, 'resumed', [
    [eq(jobs.status, 'paused'), { status: 'queued', requestedAction: null, stalls: 0 }],
    [and(eq(jobs.status, 'running'), sql`${jobs.requestedAction} is distinct from 'cancel'`), { requestedAction: null }],
    [eq(jobs.status, 'queued'), { requestedAction: null }],
  ]);
}

/**
 * Cancels a job that is waiting, and asks a running one to stop. With `settle` a waiting job that has begun is run once more to put
 * its results away. A cancelled job stays cancelled. Throws `conflict` for one that succeeded or failed.
 */
export async function cancelJob(db: Db, id: string, { settle = false } = {}): Promise<Job> {
  const waiting = inArray(jobs.status, ['queued', 'paused']);
  const begun = sql`${jobs.attempt} > 0`;
  const ended = { status: 'cancelled', requestedAction: null, finishedAt: sql`now()` } as const;
  return await change(db, id, 'cancelled', [
    [and(waiting, begun, sql`${settle}`), { status: 'queued', requestedAction: 'cancel' }],
    [waiting, ended],
    [eq(jobs.status, 'running'), { requestedAction: 'cancel' }],
    [eq(jobs.status, 'cancelled'), { requestedAction: null }],
  ]);
}

type Patch = { [Column in 'status' | 'requestedAction' | 'finishedAt' | 'stalls']?: Job[Column] | SQL };

/** Applies the first change whose condition holds. */
async function change(db: Db, id: string, done: string, ways: [SQL | undefined, Patch][]): Promise<Job> {
  return await db.transaction(async (tx) => {
    await tx.select({ id: jobs.id }).from(jobs).where(eq(jobs.id, id)).for('update');
    for (const [condition, patch] of ways) {
      const [changed] = await tx
        .update(jobs)
        .set(patch)
        .where(and(eq(jobs.id, id), condition))
        .returning();
      if (changed?.status === 'queued') await giveNotice(tx, 'steer_jobs');
      if (changed) return changed;
    }
    const { status } = await findJob(tx, id);
    throw new SteerError('conflict', `The job ${id} cannot be ${done}: its status is ${status}.`);
  });
}

/** Adds an event to a job. */
export async function addEvent(db: Db | Tx, event: typeof jobEvents.$inferInsert): Promise<void> {
  await db.insert(jobEvents).values(event);
}

/** Events of a job in order, those after id `after`. */
export async function listEvents(db: Db, jobId: string, { after = 0, limit = 100 } = {}): Promise<JobEvent[]> {
  return await db
    .select()
    .from(jobEvents)
    .where(and(eq(jobEvents.jobId, jobId), gt(jobEvents.id, after)))
    .orderBy(asc(jobEvents.id))
    .limit(limit);
}

/** Rows a job could not do, in order, those after row `after`. */
export async function listErrors(db: Db, jobId: string, { after = -1, limit = 1000 } = {}): Promise<JobError[]> {
  return await db
    .select()
    .from(jobErrors)
    .where(and(eq(jobErrors.jobId, jobId), gt(jobErrors.row, after)))
    .orderBy(asc(jobErrors.row))
    .limit(limit);
}
