// Pictures lie apart from characters: read back byte for byte, gone with their character, never without one, and never read with a list.
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findNpc, findNpcCard, insertNpc, listNpcs, type NewNpc, removeNpc, replaceNpc } from '../../src/npc/character-rows.ts';
import { readPicture, removeStrayPictures, storePicture } from '../../src/npc/pictures.ts';
import type { Db, Store } from '../../src/store/connect.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { npcPicturePieces, npcPictures, npcs } from '../../src/store/npc-schema.ts';
import { pieceBytes } from '../../src/store/pieces.ts';
import { collect } from '../datasets/collect.ts';
import { testDatabases } from '../store/databases.ts';
import { turnsOf } from '../turns-of.ts';
import { character } from './marta.ts';

const migrations = join(import.meta.dirname, '..', '..', 'migrations');
/** Around a piece of 256 KiB, and several of them. */
const sizes = [1, 256 * 1024, 256 * 1024 + 1, 1_500_000];

/** The migrations before the one of that name. */
function migrationsBefore(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'steer-migrations-'));
  cpSync(migrations, folder, { recursive: true });
  const file = join(folder, 'meta', '_journal.json');
  const journal = JSON.parse(readFileSync(file, 'utf8')) as { entries: { tag: string }[] };
  const last = journal.entries.findIndex(({ tag }) => tag.endsWith(name));
  writeFileSync(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, last) }));
  return folder;
}

describe.each(await testDatabases())('pictures on $name', ({ open }) => {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());
  beforeEach(async () => {
    for (const table of [npcs, npcPictures]) await store.db.delete(table);
  });

  const insert = (fields: Partial<NewNpc> = {}) => insertNpc(store.db, { id: 'marta', character: character(), ...fields });
  const pictureOf = async (db: Db, id: string) => {
    const { picture } = await findNpcCard(db, id);
    return picture && Buffer.concat(await collect(readPicture(db, picture)));
  };
  const stored = async () => [await store.db.$count(npcPictures), await store.db.$count(npcPicturePieces)];

  test.each(sizes)('of %i bytes are read back as they came', async (size) => {
    const image = randomBytes(size);
    expect(await insert({ card: '{}', image })).toMatchObject({ id: 'marta', card: 'png' });
    expect((await pictureOf(store.db, 'marta'))!.equals(image)).toBe(true);
    expect(await stored()).toEqual([1, Math.ceil(size / (256 * 1024))]);
  });

  test('let others in after each piece', async () => {
    expect(await turnsOf(() => storePicture(store.db, randomBytes(12 * pieceBytes)))).toBeGreaterThanOrEqual(12);
  });

  test('say what a character came from, wherever it is told', async () => {
    const fields = [{ id: 'a' }, { id: 'b', card: '{"x": 1.0}' }, { id: 'c', card: '{}', image: randomBytes(3) }];
    const cards = ['none', 'json', 'png'];
    for (const [i, each] of fields.entries()) expect((await insert(each)).card).toBe(cards[i]);
    expect((await listNpcs(store.db, { limit: 5 })).map(({ card }) => card)).toEqual(cards);
    for (const [i, { id }] of fields.entries()) {
      expect((await findNpc(store.db, id)).card).toBe(cards[i]);
      expect((await replaceNpc(store.db, id, character({ name: 'Martha' }))).card).toBe(cards[i]);
    }
    expect(await findNpcCard(store.db, 'b')).toMatchObject({ card: '{"x": 1.0}', picture: null });
  });

  test('are not there twice, or without their character', async () => {
    const image = randomBytes(600_000);
    await insert({ card: '{}', image });
    const before = await stored();
    await expect(insert({ card: '{}', image: randomBytes(700_000) })).rejects.toMatchObject({ code: 'conflict' });
    const [one, other] = await Promise.allSettled(
      [1, 2].map(() => insert({ id: 'olin', card: '{}', image: randomBytes(300_000) })),
    );
    expect([one!.status, other!.status].sort()).toEqual(['fulfilled', 'rejected']);
    expect(await stored()).toEqual([before[0]! + 1, before[1]! + 2]);
    expect((await pictureOf(store.db, 'marta'))!.equals(image)).toBe(true);
    for (const id of ['marta', 'olin']) await removeNpc(store.db, id);
    expect(await stored()).toEqual([0, 0]);
  });

  test('that are deleted while they are read tell their reader', async () => {
    await insert({ card: '{}', image: randomBytes(3_000_000) });
    const { picture } = await findNpcCard(store.db, 'marta');
    const reading = readPicture(store.db, picture!);
    await reading.next();
    await removeNpc(store.db, 'marta');
    await expect(collect(reading)).rejects.toThrow(/deleted while its picture was being read/);
  });

  test('that were given up are removed after a day, and no others', async () => {
    await insert({ card: '{}', image: randomBytes(10) });
    const [old, young] = [await storePicture(store.db, randomBytes(600_000)), await storePicture(store.db, randomBytes(10))];
    const aged = sql`now() - interval '25 hours'`;
    const { picture } = await findNpcCard(store.db, 'marta');
    for (const id of [old, picture!.id])
      await store.db.update(npcPictures).set({ createdAt: aged }).where(eq(npcPictures.id, id));
    expect(await removeStrayPictures(store.db)).toBe(1);
    const left = (await store.db.select({ id: npcPictures.id }).from(npcPictures)).map(({ id }) => id);
    expect(left.sort()).toEqual([picture!.id, young].sort());
    expect((await stored())[1]).toBe(2);
  });

  test('that lay with the characters are carried over', async () => {
    const older = await open({ migrate: false });
    const folder = migrationsBefore('npc_pictures');
    try {
      await migrateStore(older.db, folder);
      const images = sizes.map((size) => randomBytes(size));
      const row = (id: string, image: Buffer | null) => {
        const bytes = image && sql`decode(${image.toString('base64')}, 'base64')`;
        return sql`insert into npcs (id, name, character, card, image) values (${id}, 'x', ${JSON.stringify(character())}::jsonb, '{}', ${bytes})`;
      };
      for (const [i, image] of images.entries()) await older.db.execute(row(`n${i}`, image));
      await older.db.execute(row('plain', null));
      await migrateStore(older.db);
      for (const [i, image] of images.entries()) expect((await pictureOf(older.db, `n${i}`))!.equals(image)).toBe(true);
      expect((await listNpcs(older.db, { limit: 9 })).map(({ card }) => card)).toEqual(['png', 'png', 'png', 'png', 'json']);
      await removeNpc(older.db, 'n3');
      expect(await older.db.$count(npcPictures)).toBe(3);
    } finally {
      await older.close();
      rmSync(folder, { recursive: true });
    }
  });
});
