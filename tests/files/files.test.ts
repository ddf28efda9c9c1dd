import { createHash, randomBytes } from 'node:crypto';
import { eq, isNull, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deleteFile, findFile, listFiles, readFile, removeLeftovers, storeFile } from '../../src/files/files.ts';
import type { Store } from '../../src/store/connect.ts';
import { pieceBytes } from '../../src/store/pieces.ts';
import { fileChunks, files } from '../../src/store/work-schema.ts';
import { collect } from '../datasets/collect.ts';
import { testDatabases } from '../store/databases.ts';
import { turnsOf } from '../turns-of.ts';

async function* pieces(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}
/** Parts of every length that matters: none, one byte, around a chunk, several chunks. */
const sizes = [1, 0, 256 * 1024 - 2, 3, 256 * 1024, 700_000, 17];

describe.each(await testDatabases())('files on $name', ({ open }) => {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());
  const keep = (text: string, rest: Partial<Parameters<typeof storeFile>[1]> = {}) =>
    storeFile(store.db, { filename: 'a.txt', purpose: 'batch', content: pieces(Buffer.from(text)), ...rest });

  test('what is stored is read back byte for byte, with its size and hash', async () => {
    const parts = sizes.map((size) => randomBytes(size));
    const whole = Buffer.concat(parts);
    const stored = await keep('', { filename: 'grüße.jsonl', content: pieces(...parts) });
    expect(stored).toMatchObject({ filename: 'grüße.jsonl', purpose: 'batch', bytes: whole.length });
    expect(stored.id).toMatch(/^file-[0-9a-f]{24}$/);
    expect(stored.hash).toBe(createHash('sha256').update(whole).digest('hex'));
    expect(Buffer.concat(await collect(readFile(store.db, stored.id))).equals(whole)).toBe(true);
    expect(await findFile(store.db, stored.id)).toEqual(stored);
    expect(Math.abs(stored.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
    const empty = await keep('');
    expect(await collect(readFile(store.db, empty.id))).toEqual([]);
  });

  test('others are let in after each piece', async () => {
    const large = randomBytes(12 * pieceBytes);
    expect(await turnsOf(() => keep('', { content: pieces(large) }))).toBeGreaterThanOrEqual(12);
  });

  test('lists go by age and purpose, page by page, though many files share a millisecond', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) ids.push((await keep(`${i}`, { purpose: 'evals' })).id);
    await store.db.update(files).set({ createdAt: sql`'2026-01-01 00:00:00.123456+00'` }).where(eq(files.purpose, 'evals'));
    await store.db.update(files).set({ createdAt: sql`'2026-01-01 00:00:00.123999+00'` }).where(eq(files.id, ids[3]!));
    const walk = async (order: 'asc' | 'desc') => {
      const seen: string[] = [];
      for (let after: string | undefined; ; after = seen.at(-1)) {
        const page = await listFiles(store.db, { purpose: 'evals', after, limit: 2, order });
        seen.push(...page.map(({ id }) => id));
        if (page.length < 2) return seen;
      }
    };
    const oldestFirst = [...ids.filter((id) => id !== ids[3]).sort(), ids[3]];
    expect(await walk('asc')).toEqual(oldestFirst);
    expect(await walk('desc')).toEqual(oldestFirst.toReversed());
    await expect(listFiles(store.db, { after: 'file-none', limit: 2 })).rejects.toMatchObject({ code: 'not_found' });
  });

  test('an unfinished upload is nowhere to be seen', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun: () => void = () => {};
    const started = new Promise<void>((resolve) => {
      begun = resolve;
    });
    async function* slow() {
      yield randomBytes(300_000);
      begun();
      await held;
    }
    const storing = keep('', { purpose: 'user_data', content: slow() });
    await started;
    const [row] = await store.db.select().from(files).where(isNull(files.hash));
    await expect(findFile(store.db, row!.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(collect(readFile(store.db, row!.id))).rejects.toMatchObject({ code: 'not_found' });
    await expect(deleteFile(store.db, row!.id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await listFiles(store.db, { purpose: 'user_data', limit: 10 })).toEqual([]);
    release();
    expect((await storing).id).toBe(row!.id);
  });

  test('an upload that fails, is cancelled, or has no purpose in the end leaves nothing', async () => {
    const [before, chunksBefore] = [await store.db.$count(files), await store.db.$count(fileChunks)];
    async function* breaking() {
      yield randomBytes(600_000);
      throw new Error('the line went dead');
    }
    await expect(keep('', { content: breaking() })).rejects.toThrow('the line went dead');
    const abort = new AbortController();
    async function* aborting() {
      yield randomBytes(300_000);
      abort.abort();
      yield randomBytes(300_000);
    }
    await expect(keep('', { content: aborting(), signal: abort.signal })).rejects.toMatchObject({ code: 'cancelled' });
    const purpose = () => {
      throw new Error('no purpose');
    };
    await expect(keep('x', { purpose })).rejects.toThrow('no purpose');
    expect([await store.db.$count(files), await store.db.$count(fileChunks)]).toEqual([before, chunksBefore]);
  });

  test('the purpose may be known only at the end', async () => {
    let known = '';
    async function* telling() {
      yield Buffer.from('x');
      known = 'fine-tune';
    }
    expect((await keep('', { purpose: () => known, content: telling() })).purpose).toBe('fine-tune');
  });

  test('a deleted file is gone with its content, for its readers too', async () => {
    const { id } = await keep('', { content: pieces(randomBytes(3_000_000)) });
    const reading = readFile(store.db, id);
    await reading.next();
    await deleteFile(store.db, id);
    await expect(collect(reading)).rejects.toThrow(/was deleted while it was being read/);
    await expect(findFile(store.db, id)).rejects.toMatchObject({ code: 'not_found', message: expect.stringContaining(id) });
    expect(await store.db.$count(fileChunks, eq(fileChunks.fileId, id))).toBe(0);
    await expect(deleteFile(store.db, id)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('leftovers of yesterday are removed, what is still coming in is not', async () => {
    const row = { filename: 'left', purpose: '', bytes: 0 };
    await store.db.insert(files).values([
      { ...row, id: 'file-old', createdAt: sql`now() - interval '25 hours'` },
      { ...row, id: 'file-new', createdAt: sql`now() - interval '23 hours'` },
      { ...row, id: 'file-whole', hash: 'h', createdAt: sql`now() - interval '25 hours'` },
    ]);
    await store.db.insert(fileChunks).values({ fileId: 'file-old', index: 0, data: Buffer.from('x') });
    expect(await removeLeftovers(store.db)).toBe(1);
    const left = await store.db.select({ id: files.id }).from(files).where(eq(files.filename, 'left')).orderBy(files.id);
    expect(left.map(({ id }) => id)).toEqual(['file-new', 'file-whole']);
  });
});
