// The pictures that cards came in: stored and read in pieces, apart from the characters. A picture is named by one character; one that none names was
// given up while it was being stored.
import { and, asc, desc, eq, gte, lt, notExists, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import { newId } from '../store/new-id.ts';
import { npcs, npcPictures as pictures, npcPicturePieces as pieces } from '../store/npc-schema.ts';
import { fromDatabase, othersTurn, pagePieces, pieceBytes, toDatabase } from '../store/pieces.ts';

export interface Picture {
  id: string;
  bytes: number;
}

/** An import this old was left behind by a process that died. */
const leftoverAge = sql`interval '1 day'`;

/** Stores a picture piece by piece and answers its id. Nothing stays behind where that fails. */
export async function storePicture(db: Db, image: Uint8Array): Promise<string> {
  const id = newId('npcpic_');
  await db.insert(pictures).values({ id, bytes: image.length });
  try {
    for (let at = 0; at < image.length; at += pieceBytes) {
      const data = toDatabase(image.subarray(at, at + pieceBytes));
      await db.insert(pieces).values({ pictureId: id, index: at / pieceBytes, data });
      await othersTurn();
    }
  } catch (error) {
    // What cannot be removed now goes with the leftovers; the first failure is the one to tell of.
    await removePicture(db, id).catch(() => {});
    throw error;
  }
  return id;
}

/** A picture in order, a megabyte in memory at a time. Throws `not_found` when it is deleted meanwhile. */
export async function* readPicture(db: Db, { id, bytes }: Picture): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for (let index = 0; left > 0; index += pagePieces) {
    const page = await db
      .select({ data: fromDatabase(pieces.data) })
      .from(pieces)
      .where(and(eq(pieces.pictureId, id), gte(pieces.index, index), lt(pieces.index, index + pagePieces)))
      .orderBy(asc(pieces.index));
    if (page.length === 0) throw new SteerError('not_found', 'The character was deleted while its picture was being read.');
    for (const { data } of page) {
      const piece = Buffer.from(data, 'base64');
      left -= piece.length;
      yield piece;
    }
    await othersTurn();
  }
}

/** Deletes a picture that no character names any more, a few pieces at a time. */
export async function removePicture(db: Db, id: string): Promise<void> {
  const [last] = await db
    .select({ index: pieces.index })
    .from(pieces)
    .where(eq(pieces.pictureId, id))
    .orderBy(desc(pieces.index))
    .limit(1);
  for (let index = (last?.index ?? -1) + 1; index > 0; index -= pagePieces) {
    await db.delete(pieces).where(and(eq(pieces.pictureId, id), gte(pieces.index, index - pagePieces)));
    await othersTurn();
  }
  await db.delete(pictures).where(eq(pictures.id, id));
}

/** Deletes pictures that are more than a day old and that no character names; answers how many. To be called when a server starts. */
export async function removeStrayPictures(db: Db): Promise<number> {
  const named = db.select({ id: npcs.id }).from(npcs).where(eq(npcs.picture, pictures.id));
  const stray = await db
    .select({ id: pictures.id })
    .from(pictures)
    .where(and(notExists(named), lt(pictures.createdAt, sql`now() - ${leftoverAge}`)));
  for (const { id } of stray) await removePicture(db, id);
  return stray.length;
}
