// Files people upload and jobs write, kept in the database in pieces, so that neither side ever holds a whole one in memory. A file whose hash is
// null is still being written, or was given up, and is not there yet.
import { createHash, randomBytes } from 'node:crypto';
import { and, asc, desc, eq, gte, isNotNull, isNull, lt, type SQL, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import { fromDatabase, othersTurn, pagePieces, pieceBytes, toDatabase } from '../store/pieces.ts';
import { fileChunks, files } from '../store/work-schema.ts';

export interface StoredFile {
  id: string;
  filename: string;
  purpose: string;
  bytes: number;
  /** SHA-256 of the content, hex. */
  hash: string;
  createdAt: Date;
}

export interface NewFile {
  filename: string;
  /** A function is asked once the content has been read: a form may tell the purpose after the file. */
  purpose: string | (() => string);
  content: AsyncIterable<Uint8Array>;
  signal?: AbortSignal | undefined;
}

/** An upload this old was left behind by a process that died. */
const leftoverAge = sql`interval '1 day'`;

/**
 * Stores a file piece by piece, reading on only when a piece is safe, and answers it once it is whole.
 * Throws what `content` throws, or `cancelled` when the signal says so; nothing of the file stays behind then.
 */
export async function storeFile(db: Db, { filename, purpose, content, signal }: NewFile): Promise<StoredFile> {
  const id = `file-${randomBytes(12).toString('hex')}`;
  const hash = createHash('sha256');
  let bytes = 0;
  let index = 0;
  await db.insert(files).values({ id, filename, purpose: '', bytes: 0 });
  try {
    for await (const chunk of inChunks(content)) {
      if (signal?.aborted) throw new SteerError('cancelled', `The upload of ${filename} was cancelled; nothing was stored.`);
      hash.update(chunk);
      bytes += chunk.length;
      await db.insert(fileChunks).values({ fileId: id, index: index++, data: toDatabase(chunk) });
      await othersTurn();
    }
    if (signal?.aborted) throw new SteerError('cancelled', `The upload of ${filename} was cancelled; nothing was stored.`);
    const whole = { bytes, hash: hash.digest('hex'), purpose: typeof purpose === 'string' ? purpose : purpose() };
    const [stored] = await db.update(files).set(whole).where(eq(files.id, id)).returning();
    if (!stored) throw new SteerError('internal_error', `The file ${id} was removed while it was being stored.`);
    return toStoredFile(stored);
  } catch (error) {
    // What cannot be removed now goes with the leftovers; the first failure is the one to tell of.
    await removeFile(db, id).catch(() => {});
    throw error;
  }
}

/** The file of that id. Throws `not_found`. */
export async function findFile(db: Db, id: string): Promise<StoredFile> {
  // What cannot be an id is not asked for: a database may not even be able to hold it.
  const rows = /^file-\w+$/.test(id)
    ? await db
        .select()
        .from(files)
        .where(and(eq(files.id, id), isNotNull(files.hash)))
    : [];
  if (rows[0]) return toStoredFile(rows[0]);
  throw new SteerError('not_found', `There is no file ${JSON.stringify(id.slice(0, 64))}. GET /v1/files lists them.`);
}

export interface FilePage {
  purpose?: string | undefined;
  /** Id of the last one seen. */
  after?: string | undefined;
  limit: number;
  /** By age; newest first when absent. */
  order?: 'asc' | 'desc' | undefined;
}

/** At most `limit` files. Throws `not_found` when `after` names none. */
export async function listFiles(db: Db, { purpose, after, limit, order = 'desc' }: FilePage): Promise<StoredFile[]> {
  const direction = order === 'desc' ? desc : asc;
  const wanted = and(isNotNull(files.hash), purpose === undefined ? undefined : eq(files.purpose, purpose));
  const rows = await db
    .select()
    .from(files)
    .where(and(wanted, after === undefined ? undefined : await beyond(db, after, order)))
    .orderBy(direction(files.createdAt), direction(files.id))
    .limit(limit);
  return rows.map(toStoredFile);
}

/** Compared inside the database: a Date has no microseconds, and files of one millisecond would be passed over. */
async function beyond(db: Db, after: string, order: 'asc' | 'desc'): Promise<SQL> {
  const { id } = await findFile(db, after);
  const last = sql`(select last.created_at, last.id from ${files} as last where last.id = ${id})`;
  return order === 'desc' ? sql`(${files.createdAt}, ${files.id}) < ${last}` : sql`(${files.createdAt}, ${files.id}) > ${last}`;
}

/** Content of a file in order, a megabyte in memory at a time. Throws `not_found`, also when the file is deleted meanwhile. */
export async function* readFile(db: Db, id: string): AsyncGenerator<Uint8Array> {
  const { bytes } = await findFile(db, id);
  let left = bytes;
  for (let index = 0; left > 0; index += pagePieces) {
    const page = await db
      .select({ data: fromDatabase(fileChunks.data) })
      .from(fileChunks)
      .where(and(eq(fileChunks.fileId, id), gte(fileChunks.index, index), lt(fileChunks.index, index + pagePieces)))
      .orderBy(asc(fileChunks.index));
    if (page.length === 0) throw new SteerError('not_found', `The file ${id} was deleted while it was being read.`);
    for (const { data } of page) {
      const chunk = Buffer.from(data, 'base64');
      left -= chunk.length;
      yield chunk;
    }
    await othersTurn();
  }
}

/** Deletes a file with its content. Throws `not_found`. */
export async function deleteFile(db: Db, id: string): Promise<void> {
  await findFile(db, id);
  await removeFile(db, id);
}

/** Deletes uploads that were begun more than a day ago and never finished; answers how many. To be called when a server starts. */
export async function removeLeftovers(db: Db): Promise<number> {
  const left = await db
    .select({ id: files.id })
    .from(files)
    .where(and(isNull(files.hash), lt(files.createdAt, sql`now() - ${leftoverAge}`)));
  for (const { id } of left) await removeFile(db, id);
  return left.length;
}

/** Gone for readers at once; the pieces follow a few at a time, since one statement over all of a large file would hold up everyone else. */
async function removeFile(db: Db, id: string): Promise<void> {
  await db.update(files).set({ hash: null }).where(eq(files.id, id));
  const [last] = await db
    .select({ index: fileChunks.index })
    .from(fileChunks)
    .where(eq(fileChunks.fileId, id))
    .orderBy(desc(fileChunks.index))
    .limit(1);
  for (let index = (last?.index ?? -1) + 1; index > 0; index -= pagePieces) {
    await db.delete(fileChunks).where(and(eq(fileChunks.fileId, id), gte(fileChunks.index, index - pagePieces)));
    await othersTurn();
  }
  await db.delete(files).where(eq(files.id, id));
}

/** The same bytes in pieces of `pieceBytes`, the last one shorter. A piece holds until the next is asked for. */
async function* inChunks(content: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const chunk = Buffer.allocUnsafe(pieceBytes);
  let filled = 0;
  for await (const bytes of content) {
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + pieceBytes - filled);
      chunk.set(part, filled);
      filled += part.length;
      from += part.length;
      if (filled < pieceBytes) continue;
      yield chunk;
      filled = 0;
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled);
}

function toStoredFile({ id, filename, purpose, bytes, hash, createdAt }: typeof files.$inferSelect): StoredFile {
  return { id, filename, purpose, bytes, hash: hash ?? '', createdAt };
}
