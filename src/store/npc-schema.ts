// Tables of game characters: who they are, the sessions players have with them, and what happened in those. Part of the schema in schema.ts. What a
// table holds as JSON is written and read by src/npc alone.
import {
  type AnyPgColumn,
  bigint,
  customType,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });
const instant = (name: string) => timestamp(name, { withTimezone: true });
const createdAt = instant('created_at').notNull().defaultNow();

/** Pictures that cards came in. Kept apart from the characters, so that no read of characters touches them. */
export const npcPictures = pgTable('npc_pictures', {
  id: text('id').primaryKey(),
  bytes: integer('bytes').notNull(),
  createdAt,
});

/** The content of a picture in pieces, so that no statement over one holds up everyone else. */
export const npcPicturePieces = pgTable(
  'npc_picture_pieces',
  {
    pictureId: text('picture_id')
      .notNull()
      .references(() => npcPictures.id, { onDelete: 'cascade' }),
    index: integer('index').notNull(),
    data: bytea('data').notNull(),
  },
  (table) => [primaryKey({ columns: [table.pictureId, table.index] })],
);

export const npcs = pgTable(
  'npcs',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    character: jsonb('character').$type<object>().notNull(),
    /** The card it was imported from, to the letter: JSON would forget how numbers and unknown fields were written. */
    card: text('card'),
    /** The picture the card came in. A picture that no character names is still being stored, or was left behind. */
    picture: text('picture').references(() => npcPictures.id),
    createdAt,
    updatedAt: instant('updated_at').notNull().defaultNow(),
    /** Order of arrival, for paging. */
    position: bigint('position', { mode: 'number' }).generatedAlwaysAsIdentity(),
  },
  (table) => [index('npcs_picture').on(table.picture)],
);

/** A path through what happened: its head names the last entry, and entries name the one before. */
export const npcSessions = pgTable(
  'npc_sessions',
  {
    id: text('id').primaryKey(),
    npcId: text('npc_id')
      .notNull()
      .references(() => npcs.id, { onDelete: 'cascade' }),
    player: text('player').notNull(),
    playerName: text('player_name').notNull(),
    /** As it was when the session began, so that editing a character changes no game in hand. */
    character: jsonb('character').$type<object>().notNull(),
    /** What the session began from. */
    beginning: jsonb('beginning').$type<object>().notNull(),
    seed: bigint('seed', { mode: 'number' }).notNull(),
    /** Sessions that were forked from one another share their entries. */
    tree: text('tree').notNull(),
    head: bigint('head', { mode: 'number' }).references((): AnyPgColumn => npcEntries.id),
    createdAt,
    updatedAt: instant('updated_at').notNull().defaultNow(),
    position: bigint('position', { mode: 'number' }).generatedAlwaysAsIdentity(),
  },
  (table) => [
    index('npc_sessions_npc').on(table.npcId, table.position),
    index('npc_sessions_player').on(table.npcId, table.player, table.updatedAt),
    index('npc_sessions_tree').on(table.tree),
  ],
);

/** What happened, never changed: going back and going another way leaves both ways standing. */
export const npcEntries = pgTable(
  'npc_entries',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    tree: text('tree').notNull(),
    parent: bigint('parent', { mode: 'number' }).references((): AnyPgColumn => npcEntries.id),
    /** Entries before it on its path. */
    position: integer('position').notNull(),
    atS: doublePrecision('at_s').notNull(),
    kind: text('kind').notNull(),
    content: jsonb('content').$type<object>().notNull(),
    createdAt,
  },
  (table) => [index('npc_entries_tree').on(table.tree), index('npc_entries_parent').on(table.parent)],
);

export const npcSaves = pgTable(
  'npc_saves',
  {
    id: text('id').primaryKey(),
    sessionId: text('session_id')
      .notNull()
      .references(() => npcSessions.id, { onDelete: 'cascade' }),
    name: text('name'),
    /** Null where nothing had happened yet. */
    entry: bigint('entry', { mode: 'number' }).references(() => npcEntries.id),
    createdAt,
  },
  (table) => [index('npc_saves_session').on(table.sessionId, table.createdAt)],
);

/** Keys for the players' own machines: only their hashes, each good for one session and not for long. */
export const npcTokens = pgTable(
  'npc_tokens',
  {
    hash: text('hash').primaryKey(),
    sessionId: text('session_id')
      .notNull()
      .references(() => npcSessions.id, { onDelete: 'cascade' }),
    allows: text('allows').array().notNull(),
    expiresAt: instant('expires_at').notNull(),
    createdAt,
  },
  (table) => [index('npc_tokens_session').on(table.sessionId), index('npc_tokens_expires').on(table.expiresAt)],
);
