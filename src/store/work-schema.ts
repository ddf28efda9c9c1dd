// Tables of what outlives a request: files, jobs with their events and failed rows, results of batches, checkpoints, names of models. Part of the
// schema in schema.ts.
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import type { FailureCode } from '../errors.ts';

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => 'bytea' });
const instant = (name: string) => timestamp(name, { withTimezone: true });
const createdAt = instant('created_at').notNull().defaultNow();

export const files = pgTable('files', {
  id: text('id').primaryKey(),
  filename: text('filename').notNull(),
  purpose: text('purpose').notNull(),
  bytes: bigint('bytes', { mode: 'number' }).notNull(),
  /** SHA-256 of the content; null while it is being uploaded, and such a file is not there yet. */
  hash: text('hash'),
  createdAt,
});

/** The content of a file in pieces, so that neither a sender nor a reader ever holds all of it, and every machine can read it. */
export const fileChunks = pgTable(
  'file_chunks',
  {
    fileId: text('file_id')
      .notNull()
      .references(() => files.id, { onDelete: 'cascade' }),
    index: integer('index').notNull(),
    data: bytea('data').notNull(),
  },
  (table) => [primaryKey({ columns: [table.fileId, table.index] })],
);

/**
 * queued → running → succeeded | failed | cancelled; running → paused → queued again. A running job whose worker died goes back to queued.
 * `requestedAction` is what somebody asked for and the worker has not done yet.
 */
export const jobStatuses = ['queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof jobStatuses)[number];
export const requestedActions = ['pause', 'cancel'] as const;

/** How far a job is; `phase` is the job's own word. */
export interface JobProgress {
  phase?: string;
  total: number | null;
  completed: number;
  failed: number;
  /** Rows answered from earlier results. */
  cached: number;
  /** Of a labelling: replies with labels, and those of them that are unlike what the predictor was trained on, where it knows. */
  replies?: number;
  unlike?: number;
}

export interface JobFailure {
  code: FailureCode;
  message: string;
  param?: string;
}

export const jobs = pgTable(
  'jobs',
  {
    id: text('id').primaryKey(),
    /** Name of its definition. */
    kind: text('kind').notNull(),
    status: text('status', { enum: jobStatuses }).notNull().default('queued'),
    requestedAction: text('wish', { enum: requestedActions }),
    input: jsonb('input').$type<Record<string, unknown>>().notNull(),
    /** Where the next attempt goes on; the job's own business, committed together with its results. */
    cursor: jsonb('cursor').$type<unknown>(),
    progress: jsonb('progress').$type<JobProgress>().notNull(),
    result: jsonb('result').$type<Record<string, unknown>>(),
    error: jsonb('error').$type<JobFailure>(),
    /** The caller's Idempotency-Key with a hash of what it asked for. */
    idempotencyKey: text('idempotency_key'),
    requestHash: text('request_hash'),
    /** Counts claims; only the worker of the newest may write. */
    attempt: integer('attempt').notNull().default(0),
    /** Claims since the last commit whose worker died; a job that kills its workers is given up in the end. */
    stalls: integer('stalls').notNull().default(0),
    worker: text('worker'),
    heartbeatAt: instant('heartbeat_at'),
    /** Seconds spent running over all attempts, for pace and remaining time. */
    runningMs: bigint('running_ms', { mode: 'number' }).notNull().default(0),
    createdAt,
    startedAt: instant('started_at'),
    finishedAt: instant('finished_at'),
  },
  (table) => [
    uniqueIndex('jobs_idempotency').on(table.kind, table.idempotencyKey),
    index('jobs_status').on(table.status, table.heartbeatAt),
    index('jobs_created').on(table.createdAt, table.id),
  ],
);

export const eventLevels = ['info', 'warn', 'error'] as const;

export const jobEvents = pgTable(
  'job_events',
  {
    id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    jobId: text('job_id')
      .notNull()
      .references(() => jobs.id, { onDelete: 'cascade' }),
    level: text('level', { enum: eventLevels }).notNull(),
    type: text('type', { enum: ['message', 'metrics'] }).notNull(),
    message: text('message').notNull(),
    data: jsonb('data').$type<Record<string, unknown>>(),
    createdAt,
  },
  (table) => [index('job_events_job').on(table.jobId, table.id)],
);

/** Rows a job could not do; the others went on. */
export const jobErrors = pgTable(
  'job_errors',
  {
    jobId: text('job_id')
      .notNull()
      .references(() => jobs.id, { onDelete: 'cascade' }),
    /** Place of the row in the input, from 0. */
    row: integer('row').notNull(),
    code: text('code').$type<FailureCode>().notNull(),
    message: text('message').notNull(),
  },
  (table) => [primaryKey({ columns: [table.jobId, table.row] })],
);

/** Answers of a batch until they become its output file. */
export const batchResults = pgTable(
  'batch_results',
  {
    jobId: text('job_id')
      .notNull()
      .references(() => jobs.id, { onDelete: 'cascade' }),
    row: integer('row').notNull(),
    /** Succeeded rows go to the output file, the others to the error file. */
    ok: boolean('ok').notNull(),
    /** The line of the file. */
    line: jsonb('line').$type<Record<string, unknown>>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.jobId, table.row] })],
);

/** Checkpoints of fine-tuning jobs that can be served. */
export const checkpoints = pgTable(
  'checkpoints',
  {
    id: text('id').primaryKey(),
    jobId: text('job_id')
      .notNull()
      .references(() => jobs.id, { onDelete: 'cascade' }),
    step: integer('step').notNull(),
    /** Name to ask for it by. */
    model: text('model').notNull(),
    metrics: jsonb('metrics').$type<Record<string, number>>().notNull(),
    createdAt,
  },
  (table) => [uniqueIndex('checkpoints_step').on(table.jobId, table.step)],
);

export const modelAliases = pgTable('model_aliases', {
  alias: text('alias').primaryKey(),
  model: text('model').notNull(),
  updatedAt: instant('updated_at').notNull().defaultNow(),
});
