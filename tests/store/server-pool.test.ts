// Connections that are lost at the worst moments: between and inside the statements of a transaction, and while many wait. Every caller is told,
// nothing of a transaction that died is written, and the pool works again as soon as the server does.
import { sql } from 'drizzle-orm';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore, type Store } from '../../src/store/connect.ts';
import { interruptionOf } from '../../src/store/interruption.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

let server: PostgresServer;
let store: Store;
beforeAll(async () => {
  server = await startPostgres();
  store = await openStore({ databaseUrl: server.url, dataDir: '' });
  await store.db.execute(sql`create table kept (name text)`);
});
afterAll(async () => {
  await store.close();
  await server.stop();
});

const kept = async () => (await store.db.execute(sql`select name from kept order by name`)) as unknown as { name: string }[];
const insert = (name: string) => sql`insert into kept values (${name})`;
const interrupted = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing',
    (error) => interruptionOf(error),
  );

/** Waits until statements that take a minute run on several connections, one of them in a transaction. */
async function untilBusy(): Promise<void> {
  const watcher = postgres(server.url, { max: 1 });
  const busy = async () => {
    const [found] = await watcher<{ running: number; begun: number }[]>`
      select count(*)::int as running, count(*) filter (where xact_start < query_start)::int as begun from pg_stat_activity
      where state = 'active' and query like '%pg_sleep(60)%' and pid <> pg_backend_pid()`;
    return found!.running > 2 && found!.begun > 0;
  };
  await expect.poll(busy).toBe(true);
  await watcher.end();
}

test('a server that crashes and comes back', async () => {
  let goOn: () => void = () => {};
  const back = new Promise<void>((resolve) => (goOn = resolve));
  let begun: () => void = () => {};
  const isIdle = new Promise<void>((resolve) => (begun = resolve));
  const idle = interrupted(
    store.db.transaction(async (tx) => {
      await tx.execute(insert('before'));
      begun();
      await back;
      await tx.execute(insert('after'));
    }),
  );
  const busy = store.db.transaction(async (tx) => {
    await tx.execute(insert('busy'));
    await tx.execute(sql`select pg_sleep(60)`);
  });
  const queries = Array.from({ length: 30 }, () => store.db.execute(sql`select pg_sleep(60)`));
  const lost = [busy, ...queries].map(interrupted);
  await isIdle;
  await untilBusy();
  await server.halt();
  expect(await Promise.all(lost)).toEqual(Array.from({ length: 31 }, () => 'database'));
  // Each fails at once, or twenty would take longer than the test may.
  for (let i = 0; i < 20; i++) expect(await interrupted(kept())).toBe('database');

  await server.restart();
  await Promise.all(Array.from({ length: 30 }, kept));
  goOn();
  expect(await idle).toBe('database');
  expect(await kept()).toEqual([]);
  await store.db.transaction((tx) => tx.execute(insert('later')));
  expect(await kept()).toEqual([{ name: 'later' }]);
  await store.db.execute(sql`delete from kept`);
});

test('a connection that the server ends is replaced, also inside a transaction', async () => {
  for (let i = 0; i < 12; i++) {
    const ended = store.db.transaction(async (tx) => {
      await tx.execute(insert(`ended ${i}`));
      await tx.execute(sql`select pg_terminate_backend(pg_backend_pid())`);
    });
    expect(await interrupted(ended)).toBe('database');
  }
  expect(await kept()).toEqual([]);
});

test('a statement that failed fails its transaction, whatever the transaction makes of it', async () => {
  const careless = store.db.transaction(async (tx) => {
    await tx.execute(insert('careless'));
    await tx.execute(sql`select 1 / 0`).catch(() => {});
  });
  await expect(careless).rejects.toMatchObject({ code: '22012' });
  const over = await store.db.transaction(async (tx) => tx);
  await expect(over.execute(insert('late'))).rejects.toMatchObject({
    cause: { message: expect.stringContaining('after the end') },
  });
  expect(await kept()).toEqual([]);
});

test('more callers than connections are served in turn', async () => {
  const waits = Array.from({ length: 40 }, (_, i) =>
    store.db.transaction(async (tx) => {
      await tx.execute(insert(String(i)));
    }),
  );
  await Promise.all(waits);
  expect(await kept()).toHaveLength(40);
});
