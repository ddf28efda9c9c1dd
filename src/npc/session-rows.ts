// Sessions as rows: made, found, listed, ended.
import { and, desc, eq, inArray, lt, or, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db, Tx } from '../store/connect.ts';
import { newId } from '../store/new-id.ts';
import { giveNotice } from '../store/notices.ts';
import { npcEntries, npcSaves, npcSessions } from '../store/npc-schema.ts';
import { storable } from '../store/storable.ts';
import type { Character } from './character.ts';
import type { Beginning } from './session-state.ts';

export interface Session {
  id: string;
  npcId: string;
  /** The game's own id of the player. */
  player: string;
  playerName: string;
  character: Character;
  beginning: Beginning;
  seed: number;
  tree: string;
  /** Last entry on its path; null where nothing has happened. */
  head: number | null;
  createdAt: Date;
  updatedAt: Date;
  /** Order of arrival. */
  position: number;
}

export type NewSession = Pick<Session, 'npcId' | 'player' | 'playerName' | 'character' | 'beginning' | 'seed'> &
  Partial<Pick<Session, 'tree' | 'head'>>;

/** Makes a session. */
export async function insertSession(db: Db | Tx, session: NewSession): Promise<Session> {
  const id = newId('npcs_');
  const [row] = await db
    .insert(npcSessions)
    .values(storable({ ...session, id, tree: session.tree ?? id, head: session.head ?? null }))
    .returning();
  return toSession(row!);
}

/** The session of that id with that character. Throws `not_found`. */
export async function findSession(db: Db | Tx, npcId: string, id: string): Promise<Session> {
  const [row] = await db
    .select()
    .from(npcSessions)
    .where(and(eq(npcSessions.id, id), eq(npcSessions.npcId, npcId)));
  if (row) return toSession(row);
  throw noSession(npcId, id);
}

/** Which of the sessions there are. */
export async function sessionsAmong(db: Db, ids: string[]): Promise<Set<string>> {
  const rows = await db.select({ id: npcSessions.id }).from(npcSessions).where(inArray(npcSessions.id, ids));
  return new Set(rows.map(({ id }) => id));
}

/** Where a session stands among the others, without the character it holds. Throws `not_found`. */
async function findPlace(db: Db | Tx, npcId: string, id: string): Promise<{ position: number; tree: string }> {
  const [row] = await db
    .select({ position: npcSessions.position, tree: npcSessions.tree })
    .from(npcSessions)
    .where(and(eq(npcSessions.id, id), eq(npcSessions.npcId, npcId)));
  if (row) return row;
  throw noSession(npcId, id);
}

/** Ids of the sessions of a character, newest first: each row holds a whole character. Throws `not_found` for an unknown `after`. */
export async function listSessions(
  db: Db,
  npcId: string,
  query: { player?: string | undefined; after?: string | undefined; limit: number },
): Promise<string[]> {
  const last = query.after === undefined ? undefined : await findPlace(db, npcId, query.after);
  const rows = await db
    .select({ id: npcSessions.id })
    .from(npcSessions)
    .where(
      and(
        eq(npcSessions.npcId, npcId),
        query.player === undefined ? undefined : eq(npcSessions.player, query.player),
        last && lt(npcSessions.position, last.position),
      ),
    )
    .orderBy(desc(npcSessions.position))
    .limit(query.limit);
  return rows.map(({ id }) => id);
}

/** Id of the session in which the player and the character last had to do with one another. */
export async function latestSession(db: Db, npcId: string, player: string): Promise<string | undefined> {
  const [row] = await db
    .select({ id: npcSessions.id })
    .from(npcSessions)
    .where(and(eq(npcSessions.npcId, npcId), eq(npcSessions.player, player)))
    .orderBy(desc(npcSessions.updatedAt), desc(npcSessions.position))
    .limit(1);
  return row?.id;
}

/** Ends a session with its saves and tokens; what happened goes with the last session that shares it. Throws `not_found`. */
export async function removeSession(db: Db, npcId: string, id: string): Promise<void> {
  await db.transaction(async (tx) => {
    const { tree } = await findPlace(tx, npcId, id);
    await tx.delete(npcSessions).where(eq(npcSessions.id, id));
    await removeTreeUnlessShared(tx, tree);
    await giveNotice(tx, 'steer_npc_sessions');
  });
}

/** Entries of a tree that no session is left of. */
export async function removeTreeUnlessShared(tx: Tx, tree: string): Promise<void> {
  if ((await tx.$count(npcSessions, eq(npcSessions.tree, tree))) > 0) return;
  await tx.delete(npcEntries).where(eq(npcEntries.tree, tree));
}

export interface Save {
  id: string;
  name: string | null;
  entry: number | null;
  createdAt: Date;
}

/** Marks where the session is. */
export async function insertSave(db: Db, { id: sessionId, head }: Session, name: string | undefined): Promise<Save> {
  const row = { id: newId('save_'), sessionId, name: name === undefined ? null : storable(name), entry: head };
  const [save] = await db.insert(npcSaves).values(row).returning();
  return save!;
}

/** Saves of a session, oldest first. */
export async function listSaves(db: Db, sessionId: string): Promise<Save[]> {
  return await db.select().from(npcSaves).where(eq(npcSaves.sessionId, sessionId)).orderBy(npcSaves.createdAt, npcSaves.id);
}

/** The save of the session with that id, or the latest of that name. Throws `not_found` naming `field`. */
export async function findSave(db: Db | Tx, sessionId: string, idOrName: string, field: string): Promise<Save> {
  const [save] = await db
    .select()
    .from(npcSaves)
    .where(and(eq(npcSaves.sessionId, sessionId), or(eq(npcSaves.id, idOrName), eq(npcSaves.name, idOrName))))
    .orderBy(desc(eq(npcSaves.id, idOrName)), desc(npcSaves.createdAt), desc(npcSaves.id))
    .limit(1);
  if (save) return save;
  const message = `${field}: the session ${sessionId} has no save of the id or name ${shown(idOrName)}. GET …/saves lists them.`;
  throw new SteerError('not_found', message, { details: { param: field } });
}

/** Moves the head from where the caller saw it; false where somebody else moved it since. */
export async function moveHead(db: Db | Tx, { id, head }: Pick<Session, 'id' | 'head'>, to: number | null): Promise<boolean> {
  const unmoved = head === null ? sql`${npcSessions.head} is null` : eq(npcSessions.head, head);
  const moved = await db
    .update(npcSessions)
    .set({ head: to, updatedAt: sql`now()` })
    .where(and(eq(npcSessions.id, id), unmoved))
    .returning({ id: npcSessions.id });
  return moved.length > 0;
}

export const shown = (id: string) => JSON.stringify(id.slice(0, 128));

function noSession(npcId: string, id: string): SteerError {
  return new SteerError('not_found', `The character ${shown(npcId)} has no session ${shown(id)}.`);
}

function toSession(row: typeof npcSessions.$inferSelect): Session {
  return { ...row, character: row.character as Character, beginning: row.beginning as Beginning };
}
