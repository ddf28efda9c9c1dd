// Jobs on both databases with real workers: steps are kept, nothing runs twice, and every way of stopping keeps what was done.
import { asc, eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { SteerError } from '../../src/errors.ts';
import { Claim, claimJob } from '../../src/jobs/claims.ts';
import { defineJob, type JobContext, type JobDefinition } from '../../src/jobs/define.ts';
import { cancelJob, createJob, findJob, type Job, listEvents, listJobs, pauseJob, resumeJob } from '../../src/jobs/jobs.ts';
import { startWorker, type Worker } from '../../src/jobs/worker.ts';
import type { Store } from '../../src/store/connect.ts';
import { jobErrors, jobs } from '../../src/store/work-schema.ts';
import { Gate } from '../gate.ts';
import { testDatabases } from '../store/databases.ts';

const quiet = { info: () => {}, warn: () => {} };
// No worker here falls silent by itself, so a lease outlasts every stall of the machine.
const settings = { leaseMs: 60_000, beatMs: 50, sweepMs: 100, maxStalls: 3 };
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Before each step of a job that minds it. */
const gate = new Gate();

/** Counts to `to`, one step at a time; each step leaves a row, so a step done twice would fail on its key. */
const counting = defineJob({
  name: 'count',
  queue: 'inference',
  input: z.object({
    to: z.number(),
    gated: z.boolean().default(false),
    failAt: z.number().optional(),
    code: z.string().optional(),
  }),
  run: count,
});

async function count(
  context: JobContext<{ to: number; gated: boolean; failAt?: number | undefined; code?: string | undefined }>,
): Promise<Record<string, unknown>> {
  const { to, gated, failAt, code } = context.input;
  for (let step = (context.cursor as number | null) ?? 0; step < to; step++) {
    if (gated) await gate.pass(context.signal);
    if (context.signal.aborted) throw new SteerError('cancelled', 'Stopped.');
    if (step === failAt)
      throw code ? Object.assign(new Error('from outside'), { code }) : new SteerError('invalid_dataset', 'No.');
    await context.commit({
      cursor: step + 1,
      progress: { completed: step + 1, total: to },
      write: async (tx) => {
        await tx.insert(jobErrors).values({ jobId: context.id, row: step, code: 'invalid_request', message: `step ${step}` });
      },
    });
  }
  return { counted: to };
}

describe.each(await testDatabases())('jobs on $name', ({ open }) => {
  let store: Store;
  const workers: Worker[] = [];
  const start = (definitions: JobDefinition[] = [counting]) => {
    const worker = startWorker(store, definitions, quiet, settings);
    workers.push(worker);
    return worker;
  };
  const make = async (input: Record<string, unknown>, kind = 'count') =>
    (await createJob(store.db, { kind, prefix: 'job_', input })).job;
  const until = async (id: string, holds: (job: Job) => boolean, ms = 50_000): Promise<Job> => {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(30)) {
      const job = await findJob(store.db, id);
      if (holds(job)) return job;
    }
    throw new Error(`job ${id}: ${JSON.stringify(await findJob(store.db, id))}`);
  };
  const steps = async (id: string) =>
    (await store.db.select().from(jobErrors).where(eq(jobErrors.jobId, id)).orderBy(asc(jobErrors.row))).map(({ row }) => row);
  const upTo = (n: number) => Array.from({ length: n }, (_, i) => i);

  beforeAll(async () => {
    store = await open();
    start();
  });
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.stop()));
    await store.close();
  });

  it('runs a job to its end, with its steps, progress and events', async () => {
    const { id } = await make({ to: 5 });
    const job = await until(id, ({ status }) => status === 'succeeded');
    expect(job).toMatchObject({ result: { counted: 5 }, attempt: 1, error: null });
    expect(job.progress).toMatchObject({ completed: 5, total: 5, failed: 0 });
    expect(await steps(id)).toEqual(upTo(5));
    expect((await listEvents(store.db, id)).at(-1)!.message).toMatch('succeeded');
  });

  it('works through a burst without stalling', async () => {
    const made = await Promise.all(upTo(20).map(() => make({ to: 1 })));
    for (const { id } of made) await until(id, ({ status }) => status === 'succeeded');
    for (const { id } of made) expect((await findJob(store.db, id)).attempt).toBe(1);
  });

  it('pauses and resumes where it was', async () => {
    gate.shut(5);
    const { id } = await make({ to: 30, gated: true });
    await until(id, ({ progress }) => progress.completed > 3);
    await pauseJob(store.db, id);
    const paused = await until(id, ({ status }) => status === 'paused');
    expect(paused.progress.completed).toBeLessThan(30);
    gate.open();
    await sleep(200);
    expect((await findJob(store.db, id)).progress).toEqual(paused.progress);
    await resumeJob(store.db, id);
    await until(id, ({ status }) => status === 'succeeded');
    expect(await steps(id)).toEqual(upTo(30));
  });

  it('cancels a running job and keeps its steps; a waiting one at once', async () => {
    gate.shut(5);
    const { id } = await make({ to: 100, gated: true });
    const waiting = await make({ to: 1 });
    await until(id, ({ progress }) => progress.completed > 1);
    expect((await cancelJob(store.db, waiting.id)).status).toBe('cancelled');
    await cancelJob(store.db, id);
    const job = await until(id, ({ status }) => status === 'cancelled');
    gate.open();
    expect(await steps(id)).toHaveLength(job.progress.completed);
    await expect(resumeJob(store.db, id)).rejects.toMatchObject({ code: 'conflict' });
    expect(await steps(waiting.id)).toEqual([]);
  });

  it('fails with what it threw, and says nothing of what was not foreseen', async () => {
    const told = await make({ to: 3, failAt: 1 });
    const untold = await make({ to: 3, failAt: 1, code: 'ESECRET' });
    expect((await until(told.id, ({ status }) => status === 'failed')).error).toEqual({
      code: 'invalid_dataset',
      message: 'No.',
    });
    const { error } = await until(untold.id, ({ status }) => status === 'failed');
    expect(error!.code).toBe('internal_error');
    expect(error!.message).not.toMatch('outside');
  });

  it('is paused by a full disk and goes on after it', async () => {
    const { id } = await make({ to: 3, failAt: 1, code: 'ENOSPC' });
    await until(id, ({ status }) => status === 'paused');
    expect((await listEvents(store.db, id)).at(-1)).toMatchObject({ level: 'error', message: expect.stringMatching('disk') });
    await store.db
      .update(jobs)
      .set({ input: { to: 3 } })
      .where(eq(jobs.id, id));
    await resumeJob(store.db, id);
    await until(id, ({ status }) => status === 'succeeded');
    expect(await steps(id)).toEqual([0, 1, 2]);
  });

  it('goes on from its last step when the connection to the database was lost', async () => {
    let broken = true;
    const flaky = defineJob({
      name: 'flaky',
      queue: 'training',
      input: z.object({}),
      run: async (context) => {
        const done = ((context.cursor as number | null) ?? 0) + 1;
        await context.commit({ cursor: done, progress: {} });
        if (broken) {
          broken = false;
          throw new Error('query failed', { cause: Object.assign(new Error('gone'), { code: 'CONNECTION_CLOSED' }) });
        }
        return { done };
      },
    });
    start([counting, flaky]);
    const { id } = await make({}, 'flaky');
    expect((await until(id, ({ status }) => status === 'succeeded')).result).toEqual({ done: 2 });
    expect((await listEvents(store.db, id)).map(({ message }) => message).join()).toMatch('The database did not answer');
  });

  it('takes a job from a silent worker, whose later writes come to nothing', async () => {
    const { id } = await make({ to: 3 }, 'held');
    const wanted = { kinds: ['held'], silentMs: 60_000, maxStalls: 3 };
    const first = new Claim(store.db, (await claimJob(store.db, 'one', wanted))!);
    await first.commit({ cursor: 1, progress: { completed: 1 } });
    expect(await claimJob(store.db, 'two', wanted)).toBeNull();
    await store.db.update(jobs).set({ heartbeatAt: sql`now() - interval '61 seconds'` }).where(eq(jobs.id, id));
    expect(await claimJob(store.db, 'two', { ...wanted, silentMs: undefined })).toBeNull();
    const second = new Claim(store.db, (await claimJob(store.db, 'two', wanted))!);
    expect(second.job).toMatchObject({ cursor: 1, attempt: 2, stalls: 1 });
    const write = vi.fn(async () => {});
    const late = first.commit({ cursor: 2, progress: { completed: 2 }, write });
    await expect(late).rejects.toMatchObject({ code: 'cancelled' });
    expect(write).not.toHaveBeenCalled();
    expect(await first.beat()).toBe('lost');
    await first.end('failed', { message: 'late' });
    await second.commit({ cursor: 2, progress: { completed: 2 } });
    expect(await findJob(store.db, id)).toMatchObject({ status: 'running', cursor: 2, stalls: 0, progress: { completed: 2 } });
  });

  it('gives up a job that ends its workers again and again', async () => {
    const { id } = await make({ to: 3 }, 'deadly');
    const claims = [];
    for (let i = 0; i < 4; i++) {
      claims.push(await claimJob(store.db, `w${i}`, { kinds: ['deadly'], gone: [`w${i - 1}`], maxStalls: 3 }));
    }
    expect(claims.map((claim) => claim !== null)).toEqual([true, true, true, false]);
    expect(await findJob(store.db, id)).toMatchObject({ status: 'failed', error: { code: 'internal_error' } });
  });

  it('gives jobs back when the worker stops, and another goes on', async () => {
    const slow = { ...counting, name: 'slow' };
    const first = startWorker(store, [slow], quiet, settings);
    gate.shut(5);
    const { id } = await make({ to: 40, gated: true }, 'slow');
    await until(id, ({ progress }) => progress.completed > 2);
    await first.stop();
    const released = await findJob(store.db, id);
    expect(released).toMatchObject({ status: 'queued', worker: null });
    gate.open();
    start([slow]);
    const done = await until(id, ({ status }) => status === 'succeeded');
    expect(done.attempt).toBeGreaterThan(1);
    expect(await steps(id)).toEqual(upTo(40));
  });

  it('is made once a key, and another request under the key is refused', async () => {
    const ask = (requestHash: string) =>
      createJob(store.db, { kind: 'keyed', prefix: 'job_', input: {}, idempotency: { key: 'k', requestHash } });
    const [one, two] = await Promise.all([ask('a'), ask('a')]);
    expect(one.job.id).toBe(two.job.id);
    expect([one.created, two.created].toSorted()).toEqual([false, true]);
    await expect(ask('b')).rejects.toMatchObject({ code: 'conflict' });
  });

  it('lists newest first, page by page', async () => {
    const made = [];
    for (let i = 0; i < 5; i++) {
      made.push((await make({}, 'listed')).id);
      // The clock of PGlite counts milliseconds.
      await sleep(2);
    }
    const first = await listJobs(store.db, { kinds: ['listed'] }, { limit: 2 });
    expect(first.map(({ id }) => id)).toEqual([made[4], made[3]]);
    const rest = await listJobs(store.db, { kinds: ['listed'] }, { after: made[3], limit: 5 });
    expect(rest.map(({ id }) => id)).toEqual([made[2], made[1], made[0]]);
    await expect(listJobs(store.db, { kinds: ['count'] }, { after: made[3], limit: 5 })).rejects.toMatchObject({
      code: 'not_found',
    });
    await store.db.delete(jobs).where(sql`kind = 'listed'`);
  });
});
