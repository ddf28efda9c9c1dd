// A database with a worker that takes jobs at once, for tests of what jobs do.
import { and, eq, sql } from 'drizzle-orm';
import { Claim, claimJob } from '../../src/jobs/claims.ts';
import type { JobDefinition, JobStep } from '../../src/jobs/define.ts';
import { endedStatuses, findJob, type Job } from '../../src/jobs/jobs.ts';
import { startWorker } from '../../src/jobs/worker.ts';
import { newWorkerId } from '../../src/jobs/worker-id.ts';
import type { Store } from '../../src/store/connect.ts';
import { jobs } from '../../src/store/work-schema.ts';

const quiet = { info: () => {}, warn: () => {}, error: () => {} };
// The lease outlasts every stall of the machine: who is to be taken for dead is made so by `silence`.
const workerSettings = { leaseMs: 60_000, beatMs: 40, sweepMs: 60, maxStalls: 5 };

export interface Workshop {
  /** The job as soon as that holds of it. */
  until(id: string, holds: (job: Job) => boolean): Promise<Job>;
  /** The job when it has ended. */
  ended(id: string): Promise<Job>;
  close(): Promise<void>;
}

/** Starts a worker of the definitions. */
export async function openWorkshop(store: Store, definitions: JobDefinition[]): Promise<Workshop> {
  const worker = startWorker(store, definitions, quiet, workerSettings);
  const until = async (id: string, holds: (job: Job) => boolean): Promise<Job> => {
    for (const end = Date.now() + 50_000; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 25))) {
      const job = await findJob(store.db, id);
      if (holds(job)) return job;
    }
    throw new Error(`The job never got there: ${JSON.stringify(await findJob(store.db, id))}`);
  };
  return {
    until,
    ended: (id) => until(id, ({ status }) => endedStatuses.includes(status)),
    close: () => worker.stop(),
  };
}

/** The worker that has the job was last heard of long ago. */
export async function silence(store: Store, jobId: string): Promise<void> {
  const longAgo = sql`now() - interval '1 day'`;
  await store.db
    .update(jobs)
    .set({ heartbeatAt: longAgo })
    .where(and(eq(jobs.id, jobId), eq(jobs.status, 'running')));
}

/**
 * A worker without a heartbeat that never ends its job, as one that is killed or hangs, and is taken for dead afterwards; `onCommit` stands for its
 * steps. Answers the failure.
 */
export async function attemptByHand(
  store: Store,
  job: Job,
  definition: JobDefinition,
  onCommit: (step: JobStep, claim: Claim) => Promise<void>,
): Promise<unknown> {
  const { leaseMs: silentMs, maxStalls } = workerSettings;
  const claimed = await claimJob(store.db, newWorkerId(), { kinds: [job.kind], silentMs, maxStalls });
  if (claimed?.id !== job.id) throw new Error(`Somebody else has the job ${job.id}; claimed was ${claimed?.id}.`);
  const claim = new Claim(store.db, claimed);
  try {
    return await definition.run({
      id: claimed.id,
      input: definition.input.parse(claimed.input),
      db: store.db,
      cursor: claimed.cursor,
      progress: claimed.progress,
      signal: new AbortController().signal,
      commit: (step) => onCommit(step, claim),
      note: async () => {},
      metrics: async () => {},
    });
  } catch (error) {
    return error;
  } finally {
    const { attempt } = await findJob(store.db, job.id);
    if (attempt === claimed.attempt) await silence(store, job.id);
  }
}
