// Reads records by names from outside. A plain object also answers to what every object inherits: an attribute named `constructor` would be found
// where nobody said it.

/** The record's own value of that name; undefined where it has none. */
export function own<Value>(record: Readonly<Record<string, Value>> | null | undefined, name: string): Value | undefined {
  return record && Object.hasOwn(record, name) ? record[name] : undefined;
}
