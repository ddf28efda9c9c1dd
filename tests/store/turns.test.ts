// The embedded database works on the thread that serves HTTP: however much is asked of it at once, the event loop turns in between.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { inMemory } from '../../src/in-memory.ts';
import { openStore, type Store } from '../../src/store/connect.ts';
import { turnsOf } from '../turns-of.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore({ dataDir: inMemory });
}, 60_000);
afterAll(() => store.close());

const slow = sql`select sum(i) from generate_series(1, 20000) i`;

test('queries asked for at once', async () => {
  await store.db.execute(slow);
  expect(await turnsOf(() => Promise.all(Array.from({ length: 60 }, () => store.db.execute(slow))))).toBeGreaterThan(5);
});

test('transactions asked for at once, and the steps of one', async () => {
  const step = () =>
    store.db.transaction(async (tx) => {
      for (let i = 0; i < 4; i++) await tx.execute(slow);
    });
  expect(await turnsOf(() => Promise.all(Array.from({ length: 15 }, step)))).toBeGreaterThan(5);
  const turns = await turnsOf(() =>
    store.db.transaction(async (tx) => {
      for (let i = 0; i < 60; i++) await tx.execute(slow);
    }),
  );
  expect(turns).toBeGreaterThan(5);
});
