// The embedded database works on the thread that serves HTTP: however much is asked of it at once, the event loop turns in between.
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeFile } from '../../src/files/files.ts';
import { storePicture } from '../../src/npc/pictures.ts';
import { inMemory, openStore, type Store } from '../../src/store/connect.ts';
import { pieceBytes } from '../../src/store/pieces.ts';
import { openPglite } from './databases.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore({ dataDir: inMemory });
}, 60_000);
afterAll(() => store.close());

/** Turns of the event loop while `act` runs. */
async function turnsOf(act: () => Promise<unknown>): Promise<number> {
  let [turns, over] = [0, false];
  const turn = () => {
    turns++;
    if (!over) setImmediate(turn);
  };
  setImmediate(turn);
  await act();
  over = true;
  return turns;
}

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

test('the pieces of a large file, and of a large picture', async () => {
  const migrated = await openPglite();
  const large = randomBytes(12 * pieceBytes);
  expect(await turnsOf(() => storePicture(migrated.db, large))).toBeGreaterThanOrEqual(12);
  const content = Readable.from([large]);
  const stored = () => storeFile(migrated.db, { filename: 'large', purpose: 'batch', content });
  expect(await turnsOf(stored)).toBeGreaterThanOrEqual(12);
  await migrated.close();
});
