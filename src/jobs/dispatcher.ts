// Brings waiting jobs to workers: pg-boss on either database. It only carries ids; what is true of a job stands in its row, and a lost or
// doubled message costs nothing, since a job is claimed before it is run and waiting jobs are sent again. Sole importer of pg-boss.
import { fromPglite, PgBoss } from 'pg-boss';
import type { Store } from '../store/connect.ts';
import { type Lane, type Log, lanes } from './define.ts';

/** pg-boss stops a handler after this long, and no job knows how long it takes: the longest it allows. */
const expireInSeconds = 86_399;
/** How often an idle worker looks; one that has just finished, or hears of a job in its own process, looks at once. */
const pollingIntervalSeconds = 1;

export interface Dispatcher {
  /** Sends a job's id to the workers of its lane; once however often it is called before one takes it. */
  send(lane: Lane, jobId: string): Promise<void>;
  /** Hands ids of a lane to `handle`, one after the other. */
  work(lane: Lane, handle: (jobId: string) => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** Starts pg-boss in its own schema of the store's database, which it creates. */
export async function openDispatcher({ raw }: Store, log: Log): Promise<Dispatcher> {
  const shared = { schema: 'pgboss', schedule: false } as const;
  const boss =
    'pglite' in raw
      ? new PgBoss({ ...shared, backend: 'pglite', db: fromPglite(raw.pglite) })
      : new PgBoss({ ...shared, connectionString: raw.url, max: 4 });
  // Without a listener an outage of the database would end the process; pg-boss goes on by itself when it is back.
  boss.on('error', tellOnce(log));
  await boss.start();
  for (const lane of lanes) {
    await boss.createQueue(lane, { policy: 'short', retryLimit: 0, expireInSeconds, deleteAfterSeconds: 60 });
  }
  const workers = new Map<Lane, string>();
  const wake = (lane: Lane) => {
    const worker = workers.get(lane);
    if (worker !== undefined) boss.notifyWorker(worker);
  };
  return {
    send: async (lane, jobId) => {
      await boss.send(lane, { jobId }, { singletonKey: jobId });
      wake(lane);
    },
    work: async (lane, handle) => {
      const worker = await boss.work<{ jobId: string }>(lane, { pollingIntervalSeconds, batchSize: 1 }, async (messages) => {
        for (const { data } of messages) await handle(data.jobId);
        setImmediate(() => wake(lane));
      });
      workers.set(lane, worker);
    },
    close: () => boss.stop({ graceful: false, close: true }),
  };
}

const sameAgainMs = 60_000;

/** A queue that cannot reach its database says so twice a second. */
function tellOnce(log: Log): (error: Error) => void {
  let last = { message: '', at: 0 };
  return ({ message, ...error }) => {
    const at = performance.now();
    if (message === last.message && at - last.at < sameAgainMs) return;
    last = { message, at };
    log.warn({ err: message || JSON.stringify(error) }, 'job queue');
  };
}
