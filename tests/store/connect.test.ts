// Opening a database: what is refused and how it is told, and who may read the files of an embedded one.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inMemory } from '../../src/in-memory.ts';
import { closeToOthers } from '../../src/private-files.ts';
import { openStore } from '../../src/store/connect.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { datasets } from '../../src/store/schema.ts';
import { fileCount, readableByOthers } from './readable-by-others.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'steer-connect-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('an embedded database refuses a second opening, and keeps what was written for the next one', async () => {
  const first = await openStore({ dataDir: folder });
  await migrateStore(first.db);
  await first.db.insert(datasets).values({ name: 'kept', format: 'text', hash: 'h', sampleCount: 0, conversationCount: 0 });
  await expect(openStore({ dataDir: folder })).rejects.toMatchObject({
    code: 'database_unavailable',
    message: expect.stringMatching(new RegExp(`in use by process ${process.pid} .*DATA_DIR.*DATABASE_URL`)),
  });
  await first.close();
  expect(existsSync(join(folder, 'postgres.lock'))).toBe(false);

  const second = await openStore({ dataDir: folder });
  expect(await second.db.$count(datasets)).toBe(1);
  await second.close();
});

test.skipIf(process.platform === 'win32')(
  'an embedded database is for its owner alone, also one that others could read',
  async () => {
    const dataDir = join(folder, 'private');
    const umask = process.umask(0);
    try {
      const first = await openStore({ dataDir });
      await migrateStore(first.db);
      await first.close();
      expect(readableByOthers(dataDir)).toEqual([]);
      expect(fileCount(dataDir)).toBeGreaterThan(500);

      const open = (path: string) => {
        chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o666);
        if (statSync(path).isDirectory()) for (const name of readdirSync(path)) open(join(path, name));
      };
      open(join(dataDir, 'postgres'));
      const second = await openStore({ dataDir });
      await second.db.insert(datasets).values({ name: 'kept', format: 'text', hash: 'h', sampleCount: 0, conversationCount: 0 });
      // The lock and the sign of life are there while it is open.
      expect(readdirSync(dataDir).toSorted()).toContain('postgres.lock');
      expect(readableByOthers(dataDir)).toEqual([]);
      await second.close();
      expect(readableByOthers(dataDir)).toEqual([]);
    } finally {
      process.umask(umask);
    }
  },
);

test('a data folder that was there before keeps its own rights', async () => {
  const dataDir = join(folder, 'shared');
  mkdirSync(dataDir, { mode: 0o755 });
  await (await openStore({ dataDir })).close();
  expect(statSync(dataDir).mode & 0o777).toBe(0o755);
});

test.skipIf(process.platform === 'win32')('a link in a private folder is not followed', () => {
  const [own, other] = [join(folder, 'own'), join(folder, 'other')];
  mkdirSync(own);
  writeFileSync(other, '', { mode: 0o644 });
  symlinkSync(other, join(own, 'link'));
  closeToOthers(own);
  expect([statSync(own).mode & 0o777, statSync(other).mode & 0o777]).toEqual([0o700, 0o644]);
});

test('a database in memory needs no folder', async () => {
  const store = await openStore({ dataDir: inMemory });
  await migrateStore(store.db);
  expect(await store.db.$count(datasets)).toBe(0);
  await store.close();
});

describe('openStore says in one line what is wrong', () => {
  const failure = async (options: Parameters<typeof openStore>[0]) => {
    const error = await openStore(options).then(
      (store) => store.close().then(() => new Error('opened')),
      (reason) => reason,
    );
    return { code: error.code, message: error.message };
  };

  test('when no server listens, without telling the password', async () => {
    const { code, message } = await failure({ databaseUrl: 'postgres://me:secret@127.0.0.1:9/db', dataDir: folder });
    expect(code).toBe('database_unavailable');
    expect(message).toMatch(/^Cannot use Postgres at 127\.0\.0\.1:9\/db: .*ECONNREFUSED.*DATABASE_URL.*$/);
    expect(message).not.toContain('secret');
  });

  test('when the URL is none', async () => {
    expect(await failure({ databaseUrl: 'mysql://x', dataDir: folder })).toMatchObject({ code: 'invalid_config' });
  });

  test('when the folder cannot be made or holds something else', async () => {
    writeFileSync(join(folder, 'file'), '');
    expect(await failure({ dataDir: join(folder, 'file') })).toMatchObject({ code: 'invalid_config' });
    const strange = join(folder, 'strange');
    mkdirSync(join(strange, 'postgres'), { recursive: true });
    writeFileSync(join(strange, 'postgres', 'PG_VERSION'), '9.1\n');
    const { code, message } = await failure({ dataDir: strange });
    expect(code).toBe('database_unavailable');
    expect(message).toMatch(/^Cannot open the embedded database in .*strange/);
    expect(existsSync(join(strange, 'postgres.lock'))).toBe(false);
  });
});
