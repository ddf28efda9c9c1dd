// What happened in sessions: entries appended, read back, and followed to the state they lead to. Entries never change, so the state at one is the
// same for every reader for ever, and those read last are kept.
import { asc, eq, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db, Tx } from '../store/connect.ts';
import { npcEntries, npcSessions } from '../store/npc-schema.ts';
import { storable } from '../store/storable.ts';
import { findSave, findSession, moveHead, type Session } from './session-rows.ts';
import { beginState, type Entry, follow, type SessionState } from './session-state.ts';

export interface LoggedEntry {
  id: number;
  /** Entries before it on its path. */
  position: number;
  entry: Entry;
  createdAt: Date;
}

/** A session with what it has come to. */
export interface Present {
  session: Session;
  state: SessionState;
  /** Entries so far. */
  length: number;
}

const mostStates = 2_000;
const mostAttempts = 8;

export class SessionLog {
  readonly #db: Db;
  readonly #states = new Map<number, { state: SessionState; length: number }>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** Throws `not_found`. */
  async open(npcId: string, id: string): Promise<Present> {
    return this.#presentOf(await findSession(this.#db, npcId, id));
  }

  /** The state of a session at one of its entries. */
  async #presentOf(session: Session): Promise<Present> {
    const { head } = session;
    if (head === null) return { session, state: beginState(session.beginning), length: 0 };
    const known = this.#states.get(head);
    if (known) return { session, ...known };
    const entries = await this.entries(session);
    const state = entries.reduce((held, { entry }) => follow(held, entry, session.character), beginState(session.beginning));
    return { session, ...this.#keep(head, { state, length: entries.length }) };
  }

  /** Everything on the session's path, oldest first. */
  async entries({ head, tree }: Pick<Session, 'head' | 'tree'>): Promise<LoggedEntry[]> {
    if (head === null) return [];
    const path = sql`(with recursive path as (
      select id, parent from npc_entries where id = ${head} and tree = ${tree}
      union all select entry.id, entry.parent from npc_entries entry join path on entry.id = path.parent
    ) select id from path)`;
    const rows = await this.#db
      .select()
      .from(npcEntries)
      .where(sql`${npcEntries.id} in ${path}`)
      .orderBy(asc(npcEntries.position));
    return rows.map(toLogged);
  }

  /**
   * Appends what `make` says of the present, which is asked again where somebody else was faster. The entry of no earlier time than the last one.
   * Throws what `make` and `follow` throw, with nothing stored.
   */
  async append(npcId: string, id: string, make: (present: Present) => Entry): Promise<Present> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const present = await this.open(npcId, id);
      const entry = make(present);
      const state = follow(present.state, entry, present.session.character);
      const head = await this.#db.transaction((tx) => insertEntry(tx, present, entry));
      if (head === null) continue;
      return { session: { ...present.session, head }, ...this.#keep(head, { state, length: present.length + 1 }) };
    }
    throw new SteerError('conflict', `Too many requests write to the session ${id} at once. Send them one after the other.`);
  }

  /**
   * Goes back, or on, to a save, or to the first `to` entries of the path the session is on. Throws `not_found` naming `to`, or `invalid_request`.
   */
  async rewind(npcId: string, id: string, to: string | number): Promise<Present> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const { session } = await this.open(npcId, id);
      const head = await this.place(session, to, 'to');
      if (await moveHead(this.#db, session, head)) return this.#presentOf({ ...session, head });
    }
    throw new SteerError('conflict', `Too many requests write to the session ${id} at once. Send them one after the other.`);
  }

  /** The entry a save or a number of entries names; null for the beginning. */
  async place(session: Session, to: string | number, field: string): Promise<number | null> {
    if (typeof to === 'string') return (await findSave(this.#db, session.id, to, field)).entry;
    const entries = await this.entries(session);
    if (to === 0) return null;
    const found = entries[to - 1];
    if (found) return found.id;
    const message = `${field}: expected a number from 0 to ${entries.length}, the entries of this session, or the id of a save; found ${to}.`;
    throw new SteerError('invalid_request', message, { details: { param: field } });
  }

  #keep(head: number, found: { state: SessionState; length: number }): { state: SessionState; length: number } {
    this.#states.set(head, found);
    if (this.#states.size > mostStates) this.#states.delete(this.#states.keys().next().value!);
    return found;
  }
}

/** Null where the session has moved on. */
async function insertEntry(tx: Tx, { session, length }: Present, entry: Entry): Promise<number | null> {
  const { kind, atS, ...content } = entry;
  const row = { tree: session.tree, parent: session.head, position: length, kind, atS, content: storable(content) };
  const [inserted] = await tx.insert(npcEntries).values(row).returning({ id: npcEntries.id });
  if (await moveHead(tx, session, inserted!.id)) return inserted!.id;
  await tx.delete(npcEntries).where(eq(npcEntries.id, inserted!.id));
  // A session that is gone has not moved on.
  if ((await tx.$count(npcSessions, eq(npcSessions.id, session.id))) === 0) await findSession(tx, session.npcId, session.id);
  return null;
}

function toLogged({ id, position, kind, atS, content, createdAt }: typeof npcEntries.$inferSelect): LoggedEntry {
  return { id, position, entry: { kind, atS, ...content } as Entry, createdAt };
}
