// Brings a database to the newest schema from the SQL files in migrations/. Ours instead of Drizzle's migrate(): that one takes no lock, and skips a
// file dated before the last one applied (a late merge).
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { sql } from 'drizzle-orm';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { SteerError } from '../errors.ts';
import type { Db } from './connect.ts';

/** Any constant will do; it must only differ from other programs' in the same database. */
const lockKey = 5_733_337;

/**
 * Applies what the database lacks, all in one transaction, and returns how many files that was.
 * Safe to call from several processes at once: the others wait, then find nothing to do. Throws `database_unavailable`.
 */
export async function migrateStore(db: Db, folder = migrationsFolder()): Promise<number> {
  const files = readMigrationFiles({ migrationsFolder: folder });
  try {
    return await db.transaction(async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(${lockKey})`);
      await tx.execute(sql`create schema if not exists drizzle`);
      await tx.execute(
        sql`create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`,
      );
      const applied = await tx.select({ hash: sql<string>`hash` }).from(sql`drizzle.__drizzle_migrations`);
      const known = new Set(applied.map(({ hash }) => hash));
      const missing = files.filter(({ hash }) => !known.has(hash));
      for (const file of missing) {
        for (const statement of file.sql) await tx.execute(sql.raw(statement));
        await tx.execute(
          sql`insert into drizzle.__drizzle_migrations (hash, created_at) values (${file.hash}, ${file.folderMillis})`,
        );
      }
      return missing.length;
    });
  } catch (cause) {
    throw new SteerError(
      'database_unavailable',
      `Cannot migrate the database: ${causeOf(cause)}. Nothing was changed; a database of another program or a newer version needs its own name.`,
      { cause },
    );
  }
}

/** Drizzle wraps the server's message in one that repeats the whole statement. */
function causeOf(error: unknown): string {
  const { cause, message } = error as Error;
  return cause instanceof Error ? cause.message : message;
}

/** migrations/ beside this program's package.json, from src/ and from dist/ alike. */
function migrationsFolder(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, 'migrations', 'meta', '_journal.json'))) {
    if (folder === dirname(folder)) throw new SteerError('internal_error', `No migrations folder above ${import.meta.dirname}.`);
    folder = dirname(folder);
  }
  return join(folder, 'migrations');
}
