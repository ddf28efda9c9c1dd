// What happened in sessions: entries appended, read back, and followed to the state they lead to. Entries never change, so the state at one is the
// same for every reader for ever, and those read last are kept.
import { setTimeout as sleep } from 'node:timers/promises';
import { asc, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import { npcEntries } from '../store/npc-schema.ts';
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
const mostSeen = 2_000;
/** Each that fails is one of another process that did not. */
const mostAttempts = 40;
const attemptsInStep = 3;
const longestWaitMs = 20;

export class SessionLog {
  readonly #db: Db;
  readonly #states = new Map<number, { state: SessionState; length: number }>();
  /** Sessions as they were seen last. */
  readonly #seen = new Map<string, Present>();
  /** Settled when the last append to a session that was asked for is over. */
  readonly #turns = new Map<string, Promise<void>>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** The session as it is now. Throws `not_found`. */
  async open(npcId: string, id: string): Promise<Present> {
    const session = await findSession(this.#db, npcId, id);
    // A session keeps its character, so what was made of its texts holds on.
    const character = this.#seen.get(id)?.session.character ?? session.character;
    return await this.#presentOf({ ...session, character });
  }

  /** The state of a session at one of its entries. */
  async #presentOf(session: Session): Promise<Present> {
    const { head } = session;
    if (head === null) return this.#see({ session, state: beginState(session.beginning), length: 0 });
    const known = this.#states.get(head);
    if (known) return this.#see({ session, ...this.#keep(head, known) });
    const entries = await this.entries(session);
    const state = entries.reduce((held, { entry }) => follow(held, entry, session.character), beginState(session.beginning));
    return this.#see({ session, ...this.#keep(head, { state, length: entries.length }) });
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
   * Appends what `make` says of the present, which is asked again where somebody else was faster.
   * Throws what `make` and `follow` throw, with nothing stored.
   */
  async append(npcId: string, id: string, make: (present: Present) => Entry | Promise<Entry>): Promise<Present> {
    // Those of one process wait for each other instead of all trying at once.
    const before = this.#turns.get(id) ?? Promise.resolve();
    const turn = before.then(() => this.#appendNow(npcId, id, make));
    const over = turn.then(
      () => {},
      () => {},
    );
    this.#turns.set(id, over);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(id) === over) this.#turns.delete(id);
    }
  }

  async #appendNow(npcId: string, id: string, make: (present: Present) => Entry | Promise<Entry>): Promise<Present> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      // What was seen last is nearly always still so; the database takes an entry only where it is.
      const seen = attempt === 0 ? this.#seen.get(id) : undefined;
      const present = seen?.session.npcId === npcId ? seen : await this.open(npcId, id);
      const added = await this.#tryAppend(present, make).catch((error) => {
        if (present !== seen) throw error;
        return null;
      });
      if (added) return added;
      // Of two processes that go on trying in step, one could lose every time.
      if (attempt >= attemptsInStep) await sleep(Math.random() * longestWaitMs);
    }
    throw new SteerError('conflict', `Too many requests write to the session ${id} at once. Send them one after the other.`);
  }

  /** Null where the session has moved on. */
  async #tryAppend(
    { session, state, length }: Present,
    make: (present: Present) => Entry | Promise<Entry>,
  ): Promise<Present | null> {
    const entry = await make({ session, state, length });
    const next = { state: follow(state, entry, session.character), length: length + 1 };
    const head = await insertEntry(this.#db, { session, length }, entry);
    if (head === null) return null;
    // A long session would hold a state for each of its entries.
    if (session.head !== null) this.#states.delete(session.head);
    return this.#see({ session: { ...session, head }, ...this.#keep(head, next) });
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
    const message = `${field}: expected a number from 0 to ${entries.length}, the entries of this session, or the id or name of a save; found ${to}.`;
    throw new SteerError('invalid_request', message, { details: { param: field } });
  }

  #keep(head: number, found: { state: SessionState; length: number }): { state: SessionState; length: number } {
    return keepLatest(this.#states, head, found, mostStates);
  }

  #see(present: Present): Present {
    return keepLatest(this.#seen, present.session.id, present, mostSeen);
  }
}

/** Puts the value last, and lets the first go where there are too many. */
function keepLatest<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most: number): Value {
  map.delete(key);
  map.set(key, value);
  if (map.size > most) map.delete(map.keys().next().value as Key);
  return value;
}

/** One statement, since a game waits for it: the entry is there, and the session at it, or neither. Null where the session has moved on. */
async function insertEntry(db: Db, { session, length }: Omit<Present, 'state'>, entry: Entry): Promise<number | null> {
  const { kind, atS, ...rest } = entry;
  const { id, head, tree } = session;
  const content = JSON.stringify(storable(rest));
  const moved = await db.execute(sql`
    with held as (
      select id from npc_sessions where id = ${id} and head is not distinct from ${head}::bigint for update
    ), made as (
      insert into npc_entries (tree, parent, position, at_s, kind, content)
      select ${tree}, ${head}::bigint, ${length}::integer, ${atS}::double precision, ${kind}, ${content}::jsonb from held
      returning id
    )
    update npc_sessions set head = made.id, updated_at = now() from made where npc_sessions.id = ${id} returning made.id as head`);
  const [row] = rowsOf(moved);
  return row === undefined ? null : Number(row.head);
}

/** Rows of a raw statement: one driver answers with the list, the other with an object that holds it. */
function rowsOf(answer: unknown): Record<string, unknown>[] {
  return Array.isArray(answer) ? answer : (answer as { rows: Record<string, unknown>[] }).rows;
}

function toLogged({ id, position, kind, atS, content, createdAt }: typeof npcEntries.$inferSelect): LoggedEntry {
  return { id, position, entry: { kind, atS, ...content } as Entry, createdAt };
}
