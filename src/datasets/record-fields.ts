// What a record says beside what a format knows: its own id, where it came from, how long it took. Kept as it came and written out again.
import { Numeral, parseJson, writeJson } from './numerals.ts';

export type Fields = Record<string, unknown>;

/** Fields of the record itself, and of its turns by their index. */
export interface RecordFields {
  record?: Fields;
  turns?: Record<string, Fields>;
}

/** The fields whose names are not among the known ones; undefined when there are none. */
export function otherFields(fields: Fields, known: readonly string[]): Fields | undefined {
  const others = Object.entries(fields).filter(([name]) => !known.includes(name));
  return others.length > 0 ? Object.fromEntries(others) : undefined;
}

/** What a record calls something by: text, or a number of any length. null where it says nothing of that kind. */
export function nameIn(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || value instanceof Numeral ? value.toString() : null;
}

/** The fields as JSON, and read from it again. */
export function writeFields(fields: RecordFields): string {
  return writeJson(fields);
}

export function readFields(text: string): RecordFields {
  return parseJson(text) as RecordFields;
}
