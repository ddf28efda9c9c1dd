// Works on jobs in this process: one at a time per lane, each with a heartbeat, and a sweep that sends again what waits.
// Any number of processes on one database may do this; a claim decides who has a job.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Store } from '../store/connect.ts';
import { attempt, describe } from './attempt.ts';
import { Claim, claimJob, listWaiting } from './claims.ts';
import { type JobDefinition, type Log, lanes } from './define.ts';
import type { Dispatcher } from './dispatcher.ts';

export interface WorkerSettings {
  /** A running job without a heartbeat for so long is taken over. */
  leaseMs: number;
  beatMs: number;
  /** Between two looks for jobs whose message was lost or whose worker died. */
  sweepMs: number;
  maxStalls: number;
}

export const defaultWorkerSettings: WorkerSettings = { leaseMs: 15_000, beatMs: 1_000, sweepMs: 3_000, maxStalls: 5 };

export interface Worker {
  readonly id: string;
  /** Gives every job in hand back to the queue after its step and takes no more. */
  stop(): Promise<void>;
}

/** Starts working on jobs of the given definitions. */
export async function startWorker(
  store: Store,
  dispatcher: Dispatcher,
  definitions: readonly JobDefinition[],
  log: Log,
  settings: WorkerSettings = defaultWorkerSettings,
): Promise<Worker> {
  const id = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  const release = new AbortController();
  const inHand = new Set<Promise<void>>();

  const work = async (jobId: string): Promise<void> => {
    if (release.signal.aborted) return;
    const job = await claimJob(store.db, jobId, id, [...byName.keys()], settings);
    const definition = job && byName.get(job.kind);
    if (!job || !definition) return;
    log.info({ jobId, kind: job.kind, attempt: job.attempt }, 'job begins');
    await attempt(store.db, new Claim(store.db, job), definition, settings, release.signal, log);
    log.info({ jobId, kind: job.kind }, 'job left');
  };
  const handle = (jobId: string): Promise<void> => {
    // What goes wrong outside the job itself is the database's: the sweep sends the job again.
    const done = work(jobId).catch((error) => log.warn({ jobId, err: describe(error) }, 'job not settled'));
    inHand.add(done);
    return done.finally(() => inHand.delete(done));
  };
  for (const lane of lanes) await dispatcher.work(lane, handle);
  const sweep = keepSweeping(store, dispatcher, byName, settings, log);
  return {
    id,
    stop: async () => {
      release.abort();
      await sweep.stop();
      await Promise.all(inHand);
    },
  };
}

function keepSweeping(
  { db }: Store,
  dispatcher: Dispatcher,
  definitions: Map<string, JobDefinition>,
  { sweepMs, leaseMs }: WorkerSettings,
  log: Log,
) {
  let timer: NodeJS.Timeout | undefined;
  let sweeping: Promise<void> = Promise.resolve();
  let failed = false;
  const sweep = async () => {
    try {
      const waiting = await listWaiting(db, [...definitions.keys()], leaseMs);
      // After the database was away every running job looks as if its worker had died: those that live are heard first.
      if (!failed) for (const { id, kind } of waiting) await dispatcher.send(definitions.get(kind)!.lane, id);
      failed = false;
    } catch (error) {
      if (!failed) log.warn({ err: describe(error) }, 'job sweep');
      failed = true;
    }
    if (timer !== undefined) schedule(sweepMs);
  };
  const schedule = (afterMs: number) => {
    timer = setTimeout(() => {
      sweeping = sweep();
    }, afterMs);
  };
  schedule(0);
  return {
    stop: async () => {
      clearTimeout(timer);
      timer = undefined;
      await sweeping;
    },
  };
}
