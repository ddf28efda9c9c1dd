// Tables of what people said about replies, and of the people. Part of the schema in schema.ts.

import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  doublePrecision,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';
import type { Label } from '../steerlm/attributes.ts';
import { completions, datasets, type Messages } from './schema.ts';

const createdAt = timestamp('created_at', { withTimezone: true }).notNull().defaultNow();

export const outcomes = ['win', 'loss', 'tie'] as const;

/** One person's word on one reply: ratings, a thumb, a comment, or how it fared against another reply to the same prompt. Never changed. */
export const feedback = pgTable(
  'feedback',
  {
    /** The caller's own id, so that sending it twice stores it once. */
    id: text('id').primaryKey(),
    /** Hash of the body: the same id with another body is a mistake. */
    bodyHash: text('body_hash').notNull(),
    rater: text('rater').notNull(),
    completionId: text('completion_id').notNull(),
    choice: integer('choice').notNull(),
    /** Value by canonical attribute name. */
    ratings: jsonb('ratings').$type<Label>(),
    thumb: boolean('thumb'),
    comment: text('comment'),
    /** The reply it was held against, and how this one fared. */
    againstId: text('against_id'),
    againstChoice: integer('against_choice'),
    outcome: text('outcome', { enum: outcomes }),
    createdAt,
    /** Order of arrival, for paging. */
    position: bigint('position', { mode: 'number' }).generatedAlwaysAsIdentity(),
  },
  (table) => [
    foreignKey({ columns: [table.completionId, table.choice], foreignColumns: [completions.id, completions.choice] }),
    foreignKey({ columns: [table.againstId, table.againstChoice], foreignColumns: [completions.id, completions.choice] }),
    index('feedback_completion').on(table.completionId, table.choice),
    index('feedback_rater').on(table.rater, table.position),
    check('feedback_says_something', sql`num_nonnulls(${table.ratings}, ${table.thumb}, ${table.comment}, ${table.outcome}) > 0`),
  ],
);

/** What is known of a rater beyond the ratings; a rater without a row counts fully. */
export const raters = pgTable('raters', {
  id: text('id').primaryKey(),
  /** 0 leaves every rating of this rater out. */
  weight: doublePrecision('weight').notNull().default(1),
  flagged: boolean('flagged').notNull().default(false),
  reason: text('reason'),
  /** When somebody took a flag back: the outlier test looks at later ratings only. */
  restoredAt: timestamp('restored_at', { withTimezone: true }),
  updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
});

/** Two replies to one prompt of which people preferred one. */
export const pairs = pgTable(
  'pairs',
  {
    datasetId: uuid('dataset_id')
      .notNull()
      .references(() => datasets.id, { onDelete: 'cascade' }),
    position: integer('position').notNull(),
    prompt: jsonb('prompt').$type<Messages>().notNull(),
    chosen: text('chosen').notNull(),
    rejected: text('rejected').notNull(),
    /** Share of the raters' weight behind the choice. */
    agreement: real('agreement').notNull(),
  },
  (table) => [primaryKey({ columns: [table.datasetId, table.position] })],
);
