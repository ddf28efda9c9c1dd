// Numbers of versions are given once: a row without a format keeps the number of a version that is being written, or that was the newest of its
// name when it was deleted. Everything else looks only at rows that are datasets.
import { and, eq, ne } from 'drizzle-orm';
import { datasets } from '../store/schema.ts';

/** The format of a row that only keeps a number. */
export const noFormat = '';

/** Holds of rows that are datasets. */
export const isDataset = ne(datasets.format, noFormat);

/** Holds of the versions of a name. */
export function versionsOf(name: string) {
  return and(eq(datasets.name, name), isDataset);
}
