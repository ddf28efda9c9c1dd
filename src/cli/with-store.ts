// The database for as long as a command needs it: a training run of hours must not hold it meanwhile.
import type { Config } from '../config.ts';
import { removeLeftovers } from '../datasets/unpublished.ts';
import { type Db, openStore } from '../store/connect.ts';
import { migrateStore } from '../store/migrate.ts';

/** Opens the database, brings it to the newest schema, and closes it when `use` is done. */
export async function withStore<T>({ databaseUrl, dataDir }: Config, use: (db: Db) => Promise<T>): Promise<T> {
  const store = await openStore({ databaseUrl, dataDir });
  try {
    await migrateStore(store.db);
    await removeLeftovers(store.db, store.exclusive);
    return await use(store.db);
  } finally {
    await store.close();
  }
}
