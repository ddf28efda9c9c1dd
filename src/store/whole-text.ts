// A text as it was stored. The embedded database's driver takes a byte order mark (U+FEFF) off the start of every text it reads; within JSON it stays.
import { type AnyColumn, type SQL, sql } from 'drizzle-orm';

/** The column of a text anybody may have written. */
export function wholeText<Text extends string | null>(column: AnyColumn<{ data: string }>): SQL<Text> {
  return sql<Text>`to_json(${column})`;
}
