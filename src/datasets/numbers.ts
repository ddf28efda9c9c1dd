// Numbers of versions are given once: a row without a format keeps the number of a version that was the newest of its name when it was deleted, or
// is a version that is being written and has no number yet. Everything else looks only at rows that are datasets.
import { and, eq, ne, sql } from 'drizzle-orm';
import type { Tx } from '../store/connect.ts';
import { datasets } from '../store/schema.ts';

/** The format of a row that is no dataset. */
export const noFormat = '';

export const emptyVersion = { format: noFormat, hash: '', sampleCount: 0, conversationCount: 0 };

/** Holds of rows that are datasets. */
export const isDataset = ne(datasets.format, noFormat);

/** Holds of the versions of a name. */
export function versionsOf(name: string) {
  return and(eq(datasets.name, name), isDataset);
}

/** To be asked for by whoever gives or takes away a version of the name: of two at once the second waits for the end of the first's transaction. */
export async function holdName(tx: Tx, name: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`);
}
