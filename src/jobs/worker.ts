// Works on jobs in this process: one at a time per queue, each with a heartbeat. Waiting jobs are rows, claimed oldest first. A notice from the
// database says when to look; an idle worker also looks by itself, for notices that were lost and workers that died.
// Any number of processes on one database may do this; a claim decides who has a job.
import type { Store } from '../store/connect.ts';
import { attempt, describe } from './attempt.ts';
import { Claim, claimJob, listWorkers } from './claims.ts';
import { type JobDefinition, type Log, type Queue, queues } from './define.ts';
import { isGone, newWorkerId } from './worker-id.ts';

export interface WorkerSettings {
  /** A running job without a heartbeat for so long is taken over. */
  leaseMs: number;
  beatMs: number;
  /** Between two looks of an idle worker that hears of nothing. */
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
export function startWorker(
  store: Store,
  definitions: readonly JobDefinition[],
  log: Log,
  settings: WorkerSettings = defaultWorkerSettings,
): Worker {
  const id = newWorkerId();
  const release = new AbortController();
  const bells = queues.map(() => new Bell());
  const silence = store.listen('steer_jobs', () => {
    for (const bell of bells) bell.ring();
  });
  const working = queues.map((queue, place) => {
    const own = definitions.filter((definition) => definition.queue === queue);
    return workOn({ id, queue, store, definitions: own, log, settings, release: release.signal, bell: bells[place]! });
  });
  return {
    id,
    stop: async () => {
      release.abort();
      silence();
      for (const bell of bells) bell.ring();
      await Promise.all(working);
    },
  };
}

interface QueueWork {
  id: string;
  queue: Queue;
  store: Store;
  definitions: readonly JobDefinition[];
  log: Log;
  settings: WorkerSettings;
  release: AbortSignal;
  bell: Bell;
}

/** Takes one waiting job after the other until released. Never throws: what goes wrong outside a job is the database's, and tried again. */
async function workOn(work: QueueWork): Promise<void> {
  const { queue, definitions, log, settings, release, bell } = work;
  if (definitions.length === 0) return;
  // A database that was away makes every running job look as if its worker had died. Those that live are heard before silence counts.
  const heardMs = Math.max(3 * settings.beatMs, settings.sweepMs);
  let since = performance.now();
  let failed = false;
  while (!release.aborted) {
    const isHeard = !failed && performance.now() - since >= heardMs;
    try {
      const found = await workOnOldest(work, isHeard);
      if (failed || found === 'database was away') since = performance.now();
      failed = false;
      if (found === 'nothing') await bell.wait(isHeard ? settings.sweepMs : Math.min(heardMs, settings.sweepMs));
    } catch (error) {
      if (!failed) log.warn({ queue, err: describe(error) }, 'job not settled');
      failed = true;
      await bell.wait(settings.sweepMs);
    }
  }
}

/** Takes the oldest job that waits, to its end. */
async function workOnOldest(
  { id, store, definitions, log, settings, release }: QueueWork,
  isHeard: boolean,
): Promise<'nothing' | 'worked' | 'database was away'> {
  const { db } = store;
  const kinds = definitions.map(({ name }) => name);
  const gone = (await listWorkers(db, kinds)).filter((worker) => isGone(worker, store.exclusive));
  const { leaseMs, maxStalls } = settings;
  const job = await claimJob(db, id, { kinds, gone, silentMs: isHeard ? leaseMs : undefined, maxStalls });
  if (!job) return 'nothing';
  const definition = definitions.find(({ name }) => name === job.kind)!;
  log.info({ jobId: job.id, kind: job.kind, attempt: job.attempt }, 'job begins');
  const wasAway = await attempt(db, new Claim(db, job), definition, settings, release, log);
  log.info({ jobId: job.id, kind: job.kind }, 'job left');
  return wasAway ? 'database was away' : 'worked';
}

/** Wakes who waits for it, or the next one who does. */
class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Until it rings, or has rung since the last time, but no longer than `mostMs`. */
  async wait(mostMs: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, mostMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#rung = false;
    this.#wake = undefined;
  }
}
