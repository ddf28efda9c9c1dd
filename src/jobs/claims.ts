// Who may work on a job: claims with a heartbeat, and the fence that lets only the newest claim write.
// Times are the database's, so machines whose clocks differ agree. Knows no queue and runs nothing.
import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db, Tx } from '../store/connect.ts';
import { type JobFailure, type JobStatus, jobEvents, jobs } from '../store/work-schema.ts';
import type { JobStep } from './define.ts';
import type { Job } from './jobs.ts';

export interface Lease {
  /** Without a heartbeat for so long, a running job is anybody's. */
  leaseMs: number;
  /** A job whose workers died so often without a step in between is given up. */
  maxStalls: number;
}

function waiting(leaseMs: number): SQL {
  return sql`(${jobs.status} = 'queued' or (${jobs.status} = 'running' and ${jobs.heartbeatAt} < now() - ${leaseMs} * interval '1 millisecond'))`;
}

/** Ids of the jobs of the kinds that nobody works on and nobody paused, oldest first. */
export async function listWaiting(db: Db, kinds: readonly string[], leaseMs: number): Promise<{ id: string; kind: string }[]> {
  return await db
    .select({ id: jobs.id, kind: jobs.kind })
    .from(jobs)
    .where(and(waiting(leaseMs), inArray(jobs.kind, [...kinds])))
    .orderBy(jobs.createdAt, jobs.id)
    .limit(100);
}

/** Takes the job for `worker`; null when somebody else has it, it waits no more or is none of the kinds. A job given up is failed here. */
export async function claimJob(
  db: Db,
  id: string,
  worker: string,
  kinds: readonly string[],
  { leaseMs, maxStalls }: Lease,
): Promise<Job | null> {
  return await db.transaction(async (tx) => {
    const stalled = sql`case when ${jobs.status} = 'running' then ${jobs.stalls} + 1 else ${jobs.stalls} end`;
    const [claimed] = await tx
      .update(jobs)
      .set({
        status: 'running',
        attempt: sql`${jobs.attempt} + 1`,
        stalls: stalled,
        worker,
        heartbeatAt: sql`now()`,
        startedAt: sql`coalesce(${jobs.startedAt}, now())`,
      })
      .where(and(eq(jobs.id, id), inArray(jobs.kind, [...kinds]), waiting(leaseMs)))
      .returning();
    if (!claimed) return null;
    if (claimed.stalls < maxStalls) {
      if (claimed.stalls > 0) await tell(tx, id, 'warn', silent(claimed.attempt - 1));
      return claimed;
    }
    const message = `The job ended its worker ${claimed.stalls} times without getting further. Look into the server's log, then start it again.`;
    await tx
      .update(jobs)
      .set(ending('failed', { error: { code: 'internal_error', message } }))
      .where(eq(jobs.id, id));
    await tell(tx, id, 'error', message);
    return null;
  });
}

function silent(attempt: number): string {
  return `The worker of attempt ${attempt} went silent, because it ended or lost the database; going on from the last step.`;
}

async function tell(tx: Tx, jobId: string, level: 'info' | 'warn' | 'error', message: string): Promise<void> {
  await tx.insert(jobEvents).values({ jobId, level, type: 'message', message });
}

function ending(status: JobStatus, { result, error }: { result?: Record<string, unknown>; error?: JobFailure } = {}) {
  const over = status === 'succeeded' || status === 'failed' || status === 'cancelled';
  return { status, wish: null, worker: null, result, error, finishedAt: over ? sql`now()` : null, heartbeatAt: null };
}

export interface Outcome {
  result?: Record<string, unknown>;
  error?: JobFailure;
  level?: 'info' | 'warn' | 'error';
  message: string;
}

/** One claim on one job. Every write asks whether the claim still holds, and holds it until the transaction ends. */
export class Claim {
  readonly job: Job;
  readonly #db: Db;
  #beat = performance.now();

  constructor(db: Db, job: Job) {
    this.#db = db;
    this.job = job;
  }

  get #own(): SQL | undefined {
    return and(eq(jobs.id, this.job.id), eq(jobs.attempt, this.job.attempt), eq(jobs.status, 'running'));
  }

  /** Says that the worker lives; answers what is wished of it, or `lost`. */
  async beat(): Promise<Job['wish'] | 'lost'> {
    const now = performance.now();
    const spent = Math.round(now - this.#beat);
    const [row] = await this.#db
      .update(jobs)
      .set({ heartbeatAt: sql`now()`, runningMs: sql`${jobs.runningMs} + ${spent}` })
      .where(this.#own)
      .returning({ wish: jobs.wish });
    if (row) this.#beat = now;
    return row ? row.wish : 'lost';
  }

  /** Stores a step and its results together. Throws `cancelled` when the claim is lost, and nothing is stored. */
  async commit({ cursor, progress, write }: JobStep): Promise<void> {
    await this.#db.transaction(async (tx) => {
      const [row] = await tx
        .update(jobs)
        .set({
          cursor,
          progress: sql`${jobs.progress} || ${JSON.stringify(progress)}::jsonb`,
          heartbeatAt: sql`now()`,
          stalls: 0,
        })
        .where(this.#own)
        .returning({ id: jobs.id });
      if (!row) throw new SteerError('cancelled', `Another worker has taken the job ${this.job.id}.`);
      await write?.(tx);
    });
  }

  /** Ends the claim, with its event; `silently` leaves that out. Without effect when the claim is lost. */
  async end(status: JobStatus, outcome: Outcome, { silently = false } = {}): Promise<void> {
    await this.#db.transaction(async (tx) => {
      const [row] = await tx.update(jobs).set(ending(status, outcome)).where(this.#own).returning({ id: jobs.id });
      if (row && !silently) await tell(tx, this.job.id, outcome.level ?? 'info', outcome.message);
    });
  }
}
