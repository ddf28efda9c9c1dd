// Characters as rows: made, found, listed, replaced, deleted. What a card said is kept to the letter beside what was read of it, and is only read where
// the card is asked for; so is its picture.
import { asc, eq, gt, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import { newId } from '../store/new-id.ts';
import { giveNotice } from '../store/notices.ts';
import { npcEntries, npcPictures, npcSessions, npcs } from '../store/npc-schema.ts';
import { storable } from '../store/storable.ts';
import type { Character } from './character.ts';
import { type Picture, removePicture, storePicture } from './pictures.ts';
import { shown } from './session-rows.ts';

export interface Npc {
  id: string;
  character: Character;
  /** What it was imported from. */
  card: 'none' | 'json' | 'png';
  createdAt: Date;
  updatedAt: Date;
}

export interface NewNpc {
  /** Chosen by the caller; absent means a new one. */
  id?: string | undefined;
  character: Character;
  /** JSON of the card it is imported from. */
  card?: string | undefined;
  /** The PNG the card came in. */
  image?: Uint8Array | undefined;
}

/** Everything but the text of the card, which may be long. */
const columns = {
  id: npcs.id,
  character: npcs.character,
  card: sql<
    Npc['card']
  >`case when ${npcs.picture} is not null then 'png' when ${npcs.card} is not null then 'json' else 'none' end`,
  createdAt: npcs.createdAt,
  updatedAt: npcs.updatedAt,
};

/** Makes a character, there only once its picture is stored. Throws `conflict` where the id is taken. */
export async function insertNpc(db: Db, { id = newId('npc_'), character, card, image }: NewNpc): Promise<Npc> {
  const row = { id, name: storable(character.name), character: storable(character), card: card ?? null };
  // Looked for first, since a picture takes a while to store; only the insertion can tell for sure.
  if (image && (await isTaken(db, id))) throw taken(id);
  const picture = image ? await storePicture(db, image) : null;
  try {
    const [made] = await db
      .insert(npcs)
      .values({ ...row, picture })
      .onConflictDoNothing()
      .returning(columns);
    if (made) return toNpc(made);
    throw taken(id);
  } catch (error) {
    if (picture !== null) await removePicture(db, picture).catch(() => {});
    throw error;
  }
}

/** Throws `not_found`. */
export async function findNpc(db: Db, id: string): Promise<Npc> {
  const [row] = await db.select(columns).from(npcs).where(eq(npcs.id, id));
  if (row) return toNpc(row);
  throw notFound(id);
}

export interface NpcCard {
  character: Character;
  /** JSON of the card it was imported from. */
  card: string | null;
  picture: Picture | null;
}

/** What a character's card is written from. Throws `not_found`. */
export async function findNpcCard(db: Db, id: string): Promise<NpcCard> {
  const picture = { id: npcPictures.id, bytes: npcPictures.bytes };
  const [row] = await db
    .select({ character: npcs.character, card: npcs.card, picture })
    .from(npcs)
    .leftJoin(npcPictures, eq(npcPictures.id, npcs.picture))
    .where(eq(npcs.id, id));
  if (row) return { ...row, character: row.character as Character };
  throw notFound(id);
}

/** Characters in the order they were made. Throws `not_found` for an unknown `after`. */
export async function listNpcs(db: Db, { after, limit }: { after?: string | undefined; limit: number }): Promise<Npc[]> {
  const [last] = after === undefined ? [] : await db.select({ position: npcs.position }).from(npcs).where(eq(npcs.id, after));
  if (after !== undefined && !last) throw notFound(after);
  const rows = await db
    .select(columns)
    .from(npcs)
    .where(last && gt(npcs.position, last.position ?? 0))
    .orderBy(asc(npcs.position))
    .limit(limit);
  return rows.map(toNpc);
}

/** Replaces who the character is; its card stays, and sessions in hand keep who it was. Throws `not_found`. */
export async function replaceNpc(db: Db, id: string, character: Character): Promise<Npc> {
  const kept = storable(character);
  const [row] = await db
    .update(npcs)
    .set({ name: storable(character.name), character: kept, updatedAt: sql`now()` })
    .where(eq(npcs.id, id))
    .returning(columns);
  if (row) return toNpc(row);
  throw notFound(id);
}

/** Deletes the character with its sessions and everything that happened in them. Throws `not_found`. */
export async function removeNpc(db: Db, id: string): Promise<void> {
  const picture = await db.transaction(async (tx) => {
    const trees = tx.selectDistinct({ tree: npcSessions.tree }).from(npcSessions).where(eq(npcSessions.npcId, id));
    const gone = (await trees).map(({ tree }) => tree);
    const [removed] = await tx.delete(npcs).where(eq(npcs.id, id)).returning({ picture: npcs.picture });
    if (!removed) throw notFound(id);
    if (gone.length > 0) await giveNotice(tx, 'steer_npc_sessions');
    for (const tree of gone) await tx.delete(npcEntries).where(eq(npcEntries.tree, tree));
    return removed.picture;
  });
  // The character is gone whatever becomes of its picture; one that stays behind is removed when a server starts.
  if (picture !== null) await removePicture(db, picture).catch(() => {});
}

/** Throws `not_found` where there is no such character. */
export async function checkNpcExists(db: Db, id: string): Promise<void> {
  if (!(await isTaken(db, id))) throw notFound(id);
}

async function isTaken(db: Db, id: string): Promise<boolean> {
  return (await db.$count(npcs, eq(npcs.id, id))) > 0;
}

function toNpc(row: Omit<Npc, 'character'> & { character: object }): Npc {
  return { ...row, character: row.character as Character };
}

function taken(id: string): SteerError {
  return new SteerError('conflict', `id: there is a character ${shown(id)} already. PUT /v1/npcs/${id} replaces it.`, {
    details: { param: 'id' },
  });
}

function notFound(id: string): SteerError {
  return new SteerError('not_found', `There is no character ${shown(id)}. GET /v1/npcs lists them.`);
}
