// Bytes on their way into the database and out of it, in pieces small enough that no statement over one holds up everyone else.
import { setImmediate } from 'node:timers/promises';
import { type AnyColumn, type SQL, sql } from 'drizzle-orm';

/** Bytes of every piece but the last: the embedded database stores one in about 10 ms. */
export const pieceBytes = 256 * 2 ** 10;
/** Pieces read or deleted at once. */
export const pagePieces = 4;

/** As base64, since the embedded database's driver spells bytes one by one: three times as fast in, ten times out. */
export function toDatabase(piece: Uint8Array): SQL {
  const { buffer, byteOffset, byteLength } = piece;
  return sql`decode(${Buffer.from(buffer, byteOffset, byteLength).toString('base64')}, 'base64')`;
}

/** The bytes of a column as base64, for the same reason. */
export function fromDatabase(column: AnyColumn): SQL<string> {
  return sql<string>`encode(${column}, 'base64')`;
}

/** An embedded database answers without leaving this thread: a walk through many pieces would keep everything else waiting to its end. */
export const othersTurn = (): Promise<void> => setImmediate();
