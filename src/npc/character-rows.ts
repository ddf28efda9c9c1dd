// Characters as rows: made, found, listed, replaced, deleted. What a card said is kept to the letter beside what was read of it.
import { asc, eq, gt, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import { newId } from '../store/new-id.ts';
import { npcEntries, npcSessions, npcs } from '../store/npc-schema.ts';
import { storable } from '../store/storable.ts';
import type { Character } from './character.ts';
import { shown } from './session-rows.ts';

export interface Npc {
  id: string;
  character: Character;
  /** JSON of the card it was imported from. */
  card: string | null;
  /** The PNG the card came in. */
  image: Uint8Array | null;
  createdAt: Date;
  updatedAt: Date;
}

export interface NewNpc {
  /** Chosen by the caller; absent means a new one. */
  id?: string | undefined;
  character: Character;
  card?: string | undefined;
  image?: Uint8Array | undefined;
}

/** Makes a character. Throws `conflict` where the id is taken. */
export async function insertNpc(db: Db, { id = newId('npc_'), character, card, image }: NewNpc): Promise<Npc> {
  const kept = storable(character);
  const row = { id, name: storable(character.name), character: kept, card: card ?? null, image: image ?? null };
  const [made] = await db.insert(npcs).values(row).onConflictDoNothing().returning();
  if (made) return toNpc(made);
  throw new SteerError('conflict', `id: there is a character ${shown(id)} already. PUT /v1/npcs/${id} replaces it.`, {
    details: { param: 'id' },
  });
}

/** Throws `not_found`. */
export async function findNpc(db: Db, id: string): Promise<Npc> {
  const [row] = await db.select().from(npcs).where(eq(npcs.id, id));
  if (row) return toNpc(row);
  throw notFound(id);
}

/** Characters in the order they were made. Throws `not_found` for an unknown `after`. */
export async function listNpcs(db: Db, { after, limit }: { after?: string | undefined; limit: number }): Promise<Npc[]> {
  const [last] = after === undefined ? [] : await db.select({ position: npcs.position }).from(npcs).where(eq(npcs.id, after));
  if (after !== undefined && !last) throw notFound(after);
  const rows = await db
    .select()
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
    .returning();
  if (row) return toNpc(row);
  throw notFound(id);
}

/** Deletes the character with its sessions and everything that happened in them. Throws `not_found`. */
export async function removeNpc(db: Db, id: string): Promise<void> {
  await db.transaction(async (tx) => {
    const trees = tx.selectDistinct({ tree: npcSessions.tree }).from(npcSessions).where(eq(npcSessions.npcId, id));
    const gone = (await trees).map(({ tree }) => tree);
    const removed = await tx.delete(npcs).where(eq(npcs.id, id)).returning({ id: npcs.id });
    if (removed.length === 0) throw notFound(id);
    for (const tree of gone) await tx.delete(npcEntries).where(eq(npcEntries.tree, tree));
  });
}

function toNpc({ id, character, card, image, createdAt, updatedAt }: typeof npcs.$inferSelect): Npc {
  return { id, character: character as Character, card, image, createdAt, updatedAt };
}

function notFound(id: string): SteerError {
  return new SteerError('not_found', `There is no character ${shown(id)}. GET /v1/npcs lists them.`);
}
