// Ids of rows that callers see.
import { randomBytes } from 'node:crypto';

/** A new id of 24 letters and digits after the prefix. */
export function newId(prefix: string): string {
  return `${prefix}${randomBytes(12).toString('hex')}`;
}
