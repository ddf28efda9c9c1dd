// Every table, as Drizzle and drizzle-kit read it; migrations/ is generated from here (npm run migrations:generate). Datasets and samples never
// change once written, but for attributes that predictors add to a schema; labels are only ever appended, each saying who made it.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import type { AttributeSchema, Label, RequestedAttributes } from '../steerlm/attributes.ts';
import type { Turn } from '../steerlm/conversation.ts';

/** human: a rater of ours; model: a predictor; import: came with the data; rule: computed from the text. */
export const labelSources = ['human', 'model', 'import', 'rule'] as const;
export type LabelSource = (typeof labelSources)[number];

export const splits = ['train', 'validation'] as const;
export type Split = (typeof splits)[number];

const modelKinds = ['base', 'predictor', 'steered'] as const;

/** A conversation as stored: labels live in their own table. */
export interface Messages {
  system: string;
  turns: Omit<Turn, 'label'>[];
}

const createdAt = timestamp('created_at', { withTimezone: true }).notNull().defaultNow();

export const datasets = pgTable(
  'datasets',
  {
    id: uuid('id').primaryKey().defaultRandom(),
    name: text('name').notNull(),
    /** Counts the imports under one name, from 1; each stays as it is. A row without format only keeps its number. */
    version: integer('version').notNull().default(1),
    format: text('format').notNull(),
    /** Attributes the labels speak of; null when the data came without labels. */
    schema: jsonb('schema').$type<AttributeSchema>(),
    /** Hash over all samples in order, with their side of the split and their labels, and over the schema. */
    hash: text('hash').notNull(),
    sampleCount: integer('sample_count').notNull(),
    conversationCount: integer('conversation_count').notNull(),
    createdAt,
  },
  (table) => [uniqueIndex('datasets_version').on(table.name, table.version)],
);

export const samples = pgTable(
  'samples',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    datasetId: uuid('dataset_id')
      .notNull()
      .references(() => datasets.id, { onDelete: 'cascade' }),
    /** Place in the input, from 0. */
    position: integer('position').notNull(),
    /** Samples of one conversation (a tree, a prompt with several replies) share it and fall on one side of the split. */
    conversation: text('conversation').notNull(),
    split: text('split', { enum: splits }).notNull(),
    messages: jsonb('messages').$type<Messages>(),
    /** Plain text for pre-training, in place of messages. */
    text: text('text'),
    /** Hash of messages or text: equal content has an equal hash in every dataset. */
    contentHash: text('content_hash').notNull(),
    /** What the input itself calls the record, e.g. a message id. */
    source: text('source'),
    /** Of two replies to one prompt, whether it ends with the better one or the worse one; null where nobody compared. */
    preference: text('preference', { enum: ['chosen', 'rejected'] }),
    /** JSON of what else the record said, as text: numbers keep all their digits. */
    fields: text('fields'),
  },
  (table) => [
    uniqueIndex('samples_position').on(table.datasetId, table.position),
    index('samples_content').on(table.contentHash),
    check('samples_split', sql`${table.split} in ('train', 'validation')`),
    check('samples_content_kind', sql`num_nonnulls(${table.messages}, ${table.text}) = 1`),
  ],
);

export const labels = pgTable(
  'labels',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    sampleId: bigint('sample_id', { mode: 'number' })
      .notNull()
      .references(() => samples.id, { onDelete: 'cascade' }),
    /** Index of the turn in the conversation, from 0. */
    turn: integer('turn').notNull(),
    attribute: text('attribute').notNull(),
    value: doublePrecision('value').notNull(),
    level: smallint('level').notNull(),
    /** One probability per level, when a predictor made the label. */
    probabilities: real('probabilities').array(),
    confidence: real('confidence'),
    /** Whether the reply is unlike what the predictor was trained on; null where that is unknown, and for whoever else labels. */
    unlike: boolean('unlike'),
    source: text('source', { enum: labelSources }).notNull(),
    /** Rater id, model name, format or name of the rule. */
    author: text('author').notNull(),
    /** Revision of the model. */
    revision: text('revision'),
    createdAt,
  },
  (table) => [
    index('labels_latest').on(table.sampleId, table.turn, table.attribute, table.id),
    check('labels_source', sql`${table.source} in ('human', 'model', 'import', 'rule')`),
  ],
);

export const models = pgTable(
  'models',
  {
    name: text('name').notNull(),
    /** Hash that changes when the weights do. */
    revision: text('revision').notNull(),
    kind: text('kind', { enum: modelKinds }).notNull(),
    /** Attributes it follows or rates; null for a base model. */
    schema: jsonb('schema').$type<AttributeSchema>(),
    /** Name and revision of the model this one was trained from. */
    base: text('base'),
    /** Settings of the training run, dataset hashes included. */
    recipe: jsonb('recipe').$type<Record<string, unknown>>(),
    /** Held-out figures. */
    report: jsonb('report').$type<Record<string, unknown>>(),
    createdAt,
  },
  (table) => [
    primaryKey({ columns: [table.name, table.revision] }),
    check('models_kind', sql`${table.kind} in ('base', 'predictor', 'steered')`),
  ],
);

/** Beside what was requested and applied, as the API tells it. */
export interface ToldSteering {
  measured?: Record<string, { value: number; level: number; confidence: number }> | undefined;
  ground?: { unseen: number; unlike: boolean } | undefined;
  expected?: Label | undefined;
  /** Absent where it was written under none. */
  vectors?: Record<string, number> | undefined;
  vector_tokens?: 'all' | undefined;
  deadline?: true | undefined;
  candidates?: number | undefined;
}

export const completions = pgTable(
  'completions',
  {
    /** Id the caller was given; the n replies of one request share it. */
    id: text('id').notNull(),
    choice: integer('choice').notNull(),
    model: text('model').notNull(),
    revision: text('revision').notNull(),
    /** Body of the request as it was accepted. */
    request: jsonb('request').$type<Record<string, unknown>>().notNull(),
    requested: jsonb('requested').$type<RequestedAttributes>().notNull(),
    applied: jsonb('applied').$type<Label>().notNull(),
    measured: jsonb('measured').$type<Label>(),
    seed: bigint('seed', { mode: 'number' }).notNull(),
    reply: text('reply').notNull(),
    finishReason: text('finish_reason').notNull(),
    promptTokens: integer('prompt_tokens').notNull(),
    completionTokens: integer('completion_tokens').notNull(),
    /** What else the reply told of its steering; null in rows of earlier versions, which kept no more of it than the values measured. */
    steering: jsonb('steering').$type<ToldSteering>(),
    /** Tokens of all candidates, where the reply was chosen among several. */
    spentTokens: integer('spent_tokens'),
    /** The time that the reply told, in Unix seconds: that of its beginning, while `createdAt` is when it was kept. */
    created: bigint('created', { mode: 'number' }),
    createdAt,
  },
  (table) => [
    primaryKey({ columns: [table.id, table.choice] }),
    index('completions_created').on(table.createdAt),
    index('completions_model').on(table.model, table.revision),
  ],
);
