// How waiting jobs reach workers: a notice starts one at once, also after the connection that hears of it was lost; a worker that died is seen
// where its process can be looked up; and of many workers each job has one. No worker here ever looks by itself.
import { spawn } from 'node:child_process';
import { sql } from 'drizzle-orm';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { claimJob } from '../../src/jobs/claims.ts';
import { defineJob, type JobDefinition } from '../../src/jobs/define.ts';
import { createJob, findJob, listEvents, pauseJob, resumeJob } from '../../src/jobs/jobs.ts';
import { startWorker, type Worker } from '../../src/jobs/worker.ts';
import { isGone, newWorkerId } from '../../src/jobs/worker-id.ts';
import { openStore, type Store } from '../../src/store/connect.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { testDatabases } from '../store/databases.ts';
import { startPostgres } from '../store/postgres-server.ts';

const quiet = { info: () => {}, warn: () => {} };
/** The longest a timer can wait. */
const never = 2 ** 31 - 1;
const settings = { leaseMs: never, beatMs: never, sweepMs: never, maxStalls: 5 };

const nothing = defineJob({ name: 'nothing', queue: 'inference', input: z.object({}), run: async () => ({}) });

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});
const work = (store: Store, definitions: JobDefinition[] = [nothing]): Worker => {
  const worker = startWorker(store, definitions, quiet, settings);
  opened.push(() => worker.stop());
  return worker;
};
const make = async ({ db }: Store, kind = 'nothing') => (await createJob(db, { kind, prefix: 'job_', input: {} })).job.id;
const statusOf = async ({ db }: Store, id: string) => (await findJob(db, id)).status;
const succeeds = (store: Store, id: string) => expect.poll(() => statusOf(store, id), { timeout: 20_000 }).toBe('succeeded');

/** The id of a worker whose process has ended. */
async function deadWorker(): Promise<string> {
  const own = newWorkerId().split('/');
  const mayfly = spawn(process.execPath, ['-e', '0']);
  own[1] = String(mayfly.pid);
  await new Promise((resolve) => mayfly.once('exit', resolve));
  return own.join('/');
}

describe.each(await testDatabases())('waiting jobs on $name', ({ open }) => {
  const openEmpty = async (): Promise<Store> => {
    const store = await open();
    opened.push(() => store.close());
    return store;
  };

  it('start by notice: when made, when resumed and when given back', async () => {
    const store = await openEmpty();
    work(store);
    for (let i = 0; i < 3; i++) await succeeds(store, await make(store));

    const paused = await make(store, 'elsewhere');
    await pauseJob(store.db, paused);
    work(store, [{ ...nothing, name: 'elsewhere' }]);
    await resumeJob(store.db, paused);
    await succeeds(store, paused);

    let begun: () => void = () => {};
    const first = new Promise<void>((resolve) => (begun = resolve));
    const untilReleased = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => {
        begun();
        signal.addEventListener('abort', () => reject(new Error('released')));
      });
    const held = { ...nothing, name: 'held', run: ({ signal }: { signal: AbortSignal }) => untilReleased(signal) };
    const holder = work(store, [held]);
    const id = await make(store, 'held');
    await first;
    work(store, [{ ...nothing, name: 'held' }]);
    await holder.stop();
    await succeeds(store, id);
  });

  it('whose worker died are taken at once, those of a worker that lives are not', async () => {
    const store = await openEmpty();
    const wanted = { kinds: ['nothing'], maxStalls: 5 };
    const [left, kept] = [await make(store), await make(store)];
    expect((await claimJob(store.db, await deadWorker(), wanted))!.id).toBe(left);
    expect((await claimJob(store.db, newWorkerId(), wanted))!.id).toBe(kept);
    work(store);
    await succeeds(store, left);
    expect(await statusOf(store, kept)).toBe('running');
    expect((await listEvents(store.db, left))[0]!.message).toMatch('went silent');
  });

  it('are each taken by one of many that ask at the same time', async () => {
    const store = await openEmpty();
    const made = [];
    for (let i = 0; i < 12; i++) made.push(await make(store));
    const claims = await Promise.all(made.map((_, i) => claimJob(store.db, `w${i}`, { kinds: ['nothing'], maxStalls: 5 })));
    expect(claims.map((job) => job!.id).toSorted()).toEqual(made.toSorted());
    expect(await claimJob(store.db, 'late', { kinds: ['nothing'], maxStalls: 5 })).toBeNull();
  });

  it('were brought by pg-boss once, whose schema is dropped unless others use it', async () => {
    const schemas = async (store: Store) =>
      await store.db.select({ name: sql<string>`nspname` }).from(sql`pg_namespace`).where(sql`nspname = 'pgboss'`);
    for (const [queue, left] of [
      ['training', 0],
      ['mails', 1],
    ] as const) {
      const store = await open({ migrate: false });
      opened.push(() => store.close());
      await store.db.execute(sql`create schema pgboss`);
      await store.db.execute(sql`create table pgboss.queue (name text)`);
      await store.db.execute(sql`insert into pgboss.queue values ('inference'), (${queue}), ('__pgboss__send-it')`);
      await migrateStore(store.db);
      expect(await schemas(store)).toHaveLength(left);
    }
  });
});

it('a job made by another process starts by notice, also after the listening connection was lost', async () => {
  const server = await startPostgres();
  opened.push(() => server.stop());
  const [store, other] = await Promise.all(Array.from({ length: 2 }, () => openStore({ databaseUrl: server.url, dataDir: '' })));
  opened.push(
    () => other!.close(),
    () => store!.close(),
  );
  await migrateStore(store!.db);
  work(store!);
  await succeeds(other!, await make(other!));

  const ended = await other!.db.execute(sql`select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen %'`);
  expect(ended).toHaveLength(1);
  await succeeds(other!, await make(other!));

  await server.halt();
  await server.restart();
  await succeeds(other!, await make(other!));
});

describe('a worker is known to be gone', () => {
  it('when its process has ended, or its pid is that of another by now', async () => {
    const own = newWorkerId();
    expect(isGone(own, false)).toBe(false);
    expect(isGone(await deadWorker(), false)).toBe(true);
    const reused = own.split('/');
    reused[2] = String(Number(reused[2]) - 1);
    expect(isGone(reused.join('/'), false)).toBe(process.platform === 'linux');
  });

  it('not when it runs on another machine, in another container, or nothing can be read from its name', () => {
    const [host, , started, boot, processes, random] = newWorkerId().split('/');
    const unseen = 2 ** 22 - 1;
    for (const name of [
      ['elsewhere', unseen, started, 'f00', processes, random],
      [host, unseen, started, boot, 'pid:[1]', random],
      ['elsewhere', unseen, '', '', '', random],
    ])
      expect(isGone(name.join('/'), false)).toBe(false);
    expect(isGone('steer-1-0f0f0f', false)).toBe(false);
  });

  it('when it is of another process, on a database that only this one can use', () => {
    expect(isGone(newWorkerId(), true)).toBe(false);
    expect(isGone('steer-1-0f0f0f', true)).toBe(true);
    const other = newWorkerId().split('/');
    other[1] = String(process.ppid);
    expect(isGone(other.join('/'), true)).toBe(true);
  });
});
