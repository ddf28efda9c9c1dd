// Who may work on a job: claims with a heartbeat, and the fence that lets only the newest claim write.
// Times are the database's, so machines whose clocks differ agree. Runs nothing.

import { and, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import { counted } from '../number-text.ts';
import type { Db, Tx } from '../store/connect.ts';
import { giveNotice } from '../store/notices.ts';
import { type JobFailure, type JobStatus, jobEvents, jobs } from '../store/work-schema.ts';
import type { JobStep } from './define.ts';
import type { Job } from './jobs.ts';

export interface Wanted {
  kinds: readonly string[];
  /** Workers that are known to have died: what they had in hand waits as well. */
  gone?: readonly string[] | undefined;
  /** Without a heartbeat for so long, a running job is anybody's; absent leaves silent workers their jobs. */
  silentMs?: number | undefined;
  /** A job whose workers died so often without a step in between is given up. */
  maxStalls: number;
}

/** Nobody works on it and nobody paused it. */
function waiting({ gone = [], silentMs }: Wanted): SQL | undefined {
  const abandoned = or(
    silentMs === undefined ? undefined : sql`${jobs.heartbeatAt} < now() - ${silentMs} * interval '1 millisecond'`,
    gone.length === 0 ? undefined : inArray(jobs.worker, [...gone]),
  );
  return or(eq(jobs.status, 'queued'), abandoned && and(eq(jobs.status, 'running'), abandoned));
}

/** Workers that have jobs of the kinds in hand. */
export async function listWorkers(db: Db, kinds: readonly string[]): Promise<string[]> {
  const rows = await db
    .selectDistinct({ worker: jobs.worker })
    .from(jobs)
    .where(and(eq(jobs.status, 'running'), inArray(jobs.kind, [...kinds])));
  return rows.flatMap(({ worker }) => worker ?? []);
}

/** Takes the oldest waiting job of the kinds for `worker`; null when there is none. A job that ended its workers too often is failed here. */
export async function claimJob(db: Db, worker: string, wanted: Wanted): Promise<Job | null> {
  for (;;) {
    const claimed = await db.transaction((tx) => claimOldest(tx, worker, wanted));
    if (claimed !== 'given up') return claimed;
  }
}

async function claimOldest(tx: Tx, worker: string, wanted: Wanted): Promise<Job | null | 'given up'> {
  const [oldest] = await tx
    .select({ id: jobs.id })
    .from(jobs)
    .where(and(waiting(wanted), inArray(jobs.kind, [...wanted.kinds])))
    .orderBy(jobs.createdAt, jobs.id)
    .limit(1)
    // What another worker is just taking is its own; the next one is free.
    .for('update', { skipLocked: true });
  if (!oldest) return null;
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
    .where(eq(jobs.id, oldest.id))
    .returning();
  const { id, stalls, attempt } = claimed!;
  if (stalls < wanted.maxStalls) {
    if (stalls > 0) await tell(tx, id, 'warn', silent(attempt - 1));
    return claimed!;
  }
  const message = `The job ended its worker ${counted(stalls, 'time')} without getting further. Look into the server's log, then start it again.`;
  await tx
    .update(jobs)
    .set(ending('failed', { error: { code: 'internal_error', message } }))
    .where(eq(jobs.id, id));
  await tell(tx, id, 'error', message);
  return 'given up';
}

function silent(attempt: number): string {
  return `The worker of attempt ${attempt} went silent, because it ended or lost the database; going on from the last step.`;
}

async function tell(tx: Tx, jobId: string, level: 'info' | 'warn' | 'error', message: string): Promise<void> {
  await tx.insert(jobEvents).values({ jobId, level, type: 'message', message });
}

function ending(status: JobStatus, { result, error }: { result?: Record<string, unknown>; error?: JobFailure } = {}) {
  const over = status === 'succeeded' || status === 'failed' || status === 'cancelled';
  return { status, requestedAction: null, worker: null, result, error, finishedAt: over ? sql`now()` : null, heartbeatAt: null };
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

  /** Says that the worker lives; answers what it is asked to do, or `lost`. */
  async beat(): Promise<Job['requestedAction'] | 'lost'> {
    const now = performance.now();
    const spent = Math.round(now - this.#beat);
    const [row] = await this.#db
      .update(jobs)
      .set({ heartbeatAt: sql`now()`, runningMs: sql`${jobs.runningMs} + ${spent}` })
      .where(this.#own)
      .returning({ requestedAction: jobs.requestedAction });
    if (row) this.#beat = now;
    return row ? row.requestedAction : 'lost';
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
      if (row && status === 'queued') await giveNotice(tx, 'steer_jobs');
    });
  }
}
