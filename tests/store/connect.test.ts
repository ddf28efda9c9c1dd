import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inMemory, openStore } from '../../src/store/connect.ts';
import { awaitLock, lockFolder as lock } from '../../src/store/folder-lock.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { datasets } from '../../src/store/schema.ts';

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

test('a database in memory needs no folder', async () => {
  const store = await openStore({ dataDir: inMemory });
  await migrateStore(store.db);
  expect(await store.db.$count(datasets)).toBe(0);
  await store.close();
});

describe('the lock of a folder', () => {
  const startOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]!;
  const lockOf = (name: string, holder: object) => {
    const file = join(folder, `${name}.lock`);
    writeFileSync(file, JSON.stringify({ host: hostname(), started: null, ...holder }));
    return file;
  };
  const holderOf = (file: string) => JSON.parse(readFileSync(file, 'utf8')).pid;
  const locked = { code: 'conflict', what: 'The folder', remedy: 'Wait.' } as const;
  const lockFolder = (file: string) => lock(file, locked);
  let other: ChildProcess;
  beforeAll(() => {
    other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  });
  afterAll(() => other.kill());

  test('of a living process holds and names it; once that is dead the lock passes on', async () => {
    const file = lockOf('living', { pid: other.pid });
    expect(() => lockFolder(file)).toThrow(`process ${other.pid}`);
    expect(holderOf(file)).toBe(other.pid);
    const mayfly = spawn(process.execPath, ['-e', '0']);
    await new Promise((resolve) => mayfly.once('exit', resolve));
    const release = lockFolder(lockOf('dead', { pid: mayfly.pid }));
    expect(holderOf(join(folder, 'dead.lock'))).toBe(process.pid);
    release();
  });

  test.runIf(existsSync('/proc/self/stat'))('of a pid that lives on in another process passes on', () => {
    const started = startOf(other.pid!);
    expect(() => lockFolder(lockOf('same', { pid: other.pid, started }))).toThrow(`process ${other.pid}`);
    const file = lockOf('reused', { pid: other.pid, started: `${Number(started) - 1}` });
    lockFolder(file)();
    expect(existsSync(file)).toBe(false);
  });

  test('of another host holds while it is touched, and passes on after a minute of silence', () => {
    const file = lockOf('foreign', { pid: 1, host: 'elsewhere' });
    expect(() => lockFolder(file)).toThrow('process 1 on elsewhere');
    const earlier = new Date(Date.now() - 61_000);
    utimesSync(file, earlier, earlier);
    lockFolder(file)();
  });

  test('cut short by a crash passes on', () => {
    const file = join(folder, 'torn.lock');
    writeFileSync(file, '{"pi');
    lockFolder(file)();
  });

  test('is judged by one process at a time', () => {
    const file = lockOf('raced', { pid: 2 ** 30 });
    mkdirSync(`${file}.takeover`);
    expect(() => lockFolder(file)).toThrow(/Another process is just taking .*raced\.lock\.takeover/);
  });
});

describe('waiting for a lock', () => {
  const locked = { code: 'conflict', what: 'The folder', remedy: 'Wait.' } as const;

  test('ends when the holder does, who is told of once', async () => {
    const file = join(folder, 'awaited.lock');
    const holder = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 600)']);
    writeFileSync(file, JSON.stringify({ pid: holder.pid, host: hostname(), started: null }));
    const told: string[] = [];
    const wait = { onWait: (reason: string) => void told.push(reason), signal: new AbortController().signal, mostMs: 20_000 };
    const release = await awaitLock(file, locked, wait);
    expect(JSON.parse(readFileSync(file, 'utf8')).pid).toBe(process.pid);
    expect(told).toEqual([expect.stringContaining(`The folder is in use by process ${holder.pid}`)]);
    release();
  });

  test('ends by itself when it is aborted or has lasted too long', async () => {
    const file = join(folder, 'kept.lock');
    writeFileSync(file, JSON.stringify({ pid: process.pid, host: hostname(), started: null }));
    const onWait = () => {};
    const { signal } = new AbortController();
    await expect(awaitLock(file, locked, { onWait, signal, mostMs: 300 })).rejects.toMatchObject({ code: 'conflict' });
    const aborted = AbortSignal.abort();
    await expect(awaitLock(file, locked, { onWait, signal: aborted, mostMs: 9e9 })).rejects.toMatchObject({ code: 'cancelled' });
  });
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
