// Opens the database: a Postgres server by URL, or PGlite in a folder of its own. The only file that knows a driver.
// Both come out as one Drizzle type; callers cannot tell them apart. Migrating is a separate act (migrate.ts).
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { sql } from 'drizzle-orm';
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import { drizzle as drizzlePostgres } from 'drizzle-orm/postgres-js';
import postgres, { type Sql } from 'postgres';
import { SteerError } from '../errors.ts';
import { giveWay } from '../event-loop.ts';
import { inMemory } from '../in-memory.ts';
import { closeToOthers, makePrivateFolder } from '../private-files.ts';
import { refuseWithoutRoom } from './embedded-room.ts';
import { type Locked, lockFolder } from './folder-lock.ts';
import { type Channel, channels, keepListening, Listeners } from './notices.ts';
import { PrivateFs } from './private-fs.ts';
import * as schema from './schema.ts';
import { Connection, createServerPool } from './server-pool.ts';

/** On PGlite a transaction holds the only connection: inside one, use its `tx`; waiting for `db` there never ends. */
export type Db = PgDatabase<PgQueryResultHKT, typeof schema>;
export type Tx = Parameters<Parameters<Db['transaction']>[0]>[0];

export interface Store {
  db: Db;
  /** No other process can use the database meanwhile. */
  exclusive: boolean;
  /** Calls `onNotice` for every notice of the channel until the returned function is called, and when some may have been missed. */
  listen(channel: Channel, onNotice: () => void): () => void;
  close(): Promise<void>;
}

export interface StoreOptions {
  databaseUrl?: string | undefined;
  dataDir: string;
  /** Told when the embedded database belongs to a process elsewhere that may have died, which takes up to a minute to know. */
  onWait?: ((reason: string) => void) | undefined;
}

/**
 * Connects to `databaseUrl`, or without one opens `<dataDir>/postgres`, which no other process may hold.
 * Throws `database_unavailable` or `invalid_config` in one line that says what to do.
 */
export async function openStore({ databaseUrl, dataDir, onWait }: StoreOptions): Promise<Store> {
  return databaseUrl ? await openServer(databaseUrl) : await openEmbedded(dataDir, onWait);
}

const connections = 10;

async function openServer(databaseUrl: string): Promise<Store> {
  const address = addressOf(databaseUrl);
  // Drizzle notes here how times and JSON are read and written, before the first connection is made.
  const options = { parsers: {}, serializers: {} };
  const pool = createServerPool((onClose) => openLine(databaseUrl, options, onClose), connections);
  const db = drizzlePostgres({ client: { ...pool, options } as unknown as Sql, schema });
  try {
    await knock(db);
  } catch (error) {
    await pool.close();
    const cause = (error as Error).cause ?? error;
    throw new SteerError(
      'database_unavailable',
      `Cannot use Postgres at ${address}: ${reasonOf(cause)}. Start it or correct DATABASE_URL; without DATABASE_URL an embedded database is used.`,
      { cause },
    );
  }
  const listeners = new Listeners();
  let listening: ReturnType<typeof keepListening> | undefined;
  const line = (onNotice: (channel: string) => void, onBreak: () => void) =>
    new Connection((onClose) => openLine(databaseUrl, options, onClose, onNotice), onBreak);
  const listen: Store['listen'] = (channel, onNotice) => {
    listening ??= keepListening(listeners, line);
    return listeners.add(channel, onNotice);
  };
  const close = async () => {
    await listening?.close();
    await pool.close();
  };
  return { db, exclusive: false, listen, close };
}

/**
 * A client of a single connection. It is never closed for its age, since it may be inside a transaction, and does not ask for the server's
 * array types: losing the connection over that would end the process, and Drizzle reads arrays itself.
 */
function openLine(
  databaseUrl: string,
  { parsers, serializers }: Pick<Sql['options'], 'parsers' | 'serializers'>,
  onclose: () => void,
  onnotify: (channel: string) => void = () => {},
) {
  const line = postgres(databaseUrl, {
    // Not among its types: the driver's own listen() would reconnect out of our sight.
    ...{ onnotify },
    max: 1,
    max_lifetime: null,
    fetch_types: false,
    connect_timeout: 10,
    onnotice: () => {},
    onclose,
  });
  Object.assign(line.options.parsers, parsers);
  Object.assign(line.options.serializers, serializers);
  return line;
}

/** Returns when the database answers; throws what keeps it from that. */
export async function knock(db: Db): Promise<void> {
  await db.execute(sql`select 1`);
}

/** Host, port and database, never the password. */
function addressOf(databaseUrl: string): string {
  const url = URL.canParse(databaseUrl) ? new URL(databaseUrl) : null;
  if (url?.protocol === 'postgres:' || url?.protocol === 'postgresql:') return `${url.host}${url.pathname}`;
  throw new SteerError(
    'invalid_config',
    'Expected DATABASE_URL like postgres://user:password@host:5432/name, got something else.',
  );
}

/** A refused connection to several addresses is an AggregateError without a message. */
function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  return message || code || 'no reason given';
}

const embeddedDatabase: Locked = {
  code: 'database_unavailable',
  what: 'The embedded database',
  remedy: 'Stop that process, set another DATA_DIR, or share a Postgres server through DATABASE_URL.',
};

async function openEmbedded(dataDir: string, onWait: StoreOptions['onWait']): Promise<Store> {
  if (dataDir === inMemory) return await storeOf(await PGlite.create());
  const folder = join(dataDir, 'postgres');
  createFolder(dataDir);
  const release = await lockFolder(`${folder}.lock`, embeddedDatabase, { onWait });
  try {
    makePrivateFolder(folder);
    closeToOthers(`${folder}.lock`);
    return await storeOf(roomy(await PGlite.create({ fs: new PrivateFs(folder) }), folder), release);
  } catch (cause) {
    release();
    throw new SteerError(
      'database_unavailable',
      `Cannot open the embedded database in ${folder}: ${reasonOf(cause)}. Restore it from a copy, or move it away to start empty.`,
      { cause },
    );
  }
}

async function storeOf(opened: PGlite, release = () => {}): Promise<Store> {
  const client = yielding(opened);
  const listeners = new Listeners();
  for (const channel of channels) await client.listen(channel, () => listeners.tell(channel));
  const close = async () => {
    await client.close();
    release();
  };
  const listen: Store['listen'] = (channel, onNotice) => listeners.add(channel, onNotice);
  return { db: drizzlePglite(client, { schema }), exclusive: true, listen, close };
}

function roomy(client: PGlite, folder: string): PGlite {
  const guard = (queries: Pick<PGlite, 'query'>) => {
    const query = queries.query.bind(queries);
    queries.query = async <T>(...asked: Parameters<typeof query>) => {
      refuseWithoutRoom(folder, asked[1]);
      return await query<T>(...asked);
    };
  };
  const transaction = client.transaction.bind(client);
  client.transaction = <T>(act: Parameters<typeof transaction<T>>[0]) =>
    transaction<T>((tx) => {
      guard(tx);
      return act(tx);
    });
  guard(client);
  return client;
}

/**
 * PGlite answers on microtasks alone, and begins the next query that waits before the answer to the last is heard of: whoever asks much, or many who
 * ask at once, would keep every request and timer of the process waiting. So queries begin one after the other, and give way in between.
 */
function yielding(client: PGlite): PGlite {
  const [query, transaction] = [client.query.bind(client), client.transaction.bind(client)];
  let last: Promise<unknown> = Promise.resolve();
  client.query = <T>(...asked: Parameters<typeof query>) => {
    const answer = last.then(giveWay).then(() => query<T>(...asked));
    last = answer.catch(() => {});
    return answer;
  };
  client.transaction = <T>(act: Parameters<typeof transaction<T>>[0]) =>
    transaction<T>((tx) => {
      const inside = tx.query.bind(tx);
      tx.query = async <R>(...asked: Parameters<typeof inside>) => {
        await giveWay();
        return await inside<R>(...asked);
      };
      return act(tx);
    });
  return client;
}

function createFolder(dataDir: string): void {
  try {
    // One that is there may be anything, such as a home: what is made in it is private all the same.
    if (!statSync(dataDir, { throwIfNoEntry: false })?.isDirectory()) makePrivateFolder(dataDir);
  } catch (cause) {
    throw new SteerError(
      'invalid_config',
      `Cannot create the data folder ${dataDir}: ${reasonOf(cause)}. Set another DATA_DIR.`,
      { cause },
    );
  }
}
