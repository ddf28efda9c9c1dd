// A batch as its callers see it, over the job that works on it: made from an uploaded file, looked at, cancelled.
// validating → failed | in_progress → finalizing → completed | expired | cancelled; cancelling in between where somebody asked for it.
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { findFile } from '../files/files.ts';
import { cancelJob, createJob, type Job } from '../jobs/jobs.ts';
import type { Db } from '../store/connect.ts';
import { problemShape } from './input.ts';

export const batchKind = 'batch';

/** What a line of a batch may ask for. */
export const batchEndpoints = ['/v1/attributes/score', '/v1/chat/completions', '/v1/completions'] as const;

/** As OpenAI names it; nothing longer or shorter is offered. */
export const completionWindow = '24h';
const windowS = 24 * 60 * 60;

export const BatchInput = z.object({
  input_file_id: z.string(),
  endpoint: z.enum(batchEndpoints),
  metadata: z.record(z.string(), z.string()).nullable(),
  /** Unix seconds; what is not answered by then is given up. */
  expires_at: z.int(),
});
export type BatchInput = z.infer<typeof BatchInput>;

/** How far a batch is. Times are Unix seconds. */
export const BatchCursor = z.object({
  phase: z.enum(['failed', 'in_progress', 'finalizing', 'done']),
  /** Requests of the file. */
  total: z.int().default(0),
  /** Requests answered: all before this one, from 0. */
  row: z.int().default(0),
  inProgressAt: z.int().optional(),
  cancellingAt: z.int().optional(),
  finalizingAt: z.int().optional(),
  /** Why no more is answered; set when finalizing begins. */
  ending: z.enum(['completed', 'cancelled', 'expired']).optional(),
  outputFileId: z.string().nullable().default(null),
  errorFileId: z.string().nullable().default(null),
  /** What is wrong with the input file. */
  problems: z.array(problemShape).default([]),
});
export type BatchCursor = z.infer<typeof BatchCursor>;

export function nowS(): number {
  return Math.floor(Date.now() / 1000);
}

export interface NewBatch {
  inputFileId: string;
  endpoint: (typeof batchEndpoints)[number];
  metadata: Record<string, string> | null;
  idempotency?: { key: string; requestHash: string } | undefined;
}

/** Makes the batch's job. Throws `not_found` for an unknown file, `invalid_request` for one uploaded for something else. */
export async function createBatch(db: Db, batch: NewBatch): Promise<{ job: Job; created: boolean }> {
  const details = { param: 'input_file_id' };
  const file = await findFile(db, batch.inputFileId).catch((cause) => {
    if (cause instanceof SteerError && cause.code === 'not_found')
      throw new SteerError('not_found', cause.message, { cause, details });
    throw cause;
  });
  if (file.purpose !== 'batch') {
    const message = `Expected a file uploaded with purpose batch, ${file.id} has purpose ${file.purpose}.`;
    throw new SteerError('invalid_request', message, { details });
  }
  const { endpoint, metadata, idempotency } = batch;
  const input: BatchInput = { input_file_id: file.id, endpoint, metadata, expires_at: nowS() + windowS };
  return await createJob(db, { kind: batchKind, prefix: 'batch_', input, idempotency });
}

/** Asks for the end of a batch; answers that are there already still go to its files. Throws `not_found`, or `conflict` for one that has ended. */
export async function cancelBatch(db: Db, id: string): Promise<Job> {
  return await cancelJob(db, id, { settle: true });
}

export type BatchStatus =
  | 'validating'
  | 'failed'
  | 'in_progress'
  | 'finalizing'
  | 'completed'
  | 'expired'
  | 'cancelling'
  | 'cancelled';

export interface Batch {
  job: Job;
  input: BatchInput;
  status: BatchStatus;
  /** null until the file has been read. */
  cursor: BatchCursor | null;
}

/** The batch a job stands for. */
export function toBatch(job: Job): Batch {
  const cursor = BatchCursor.nullable().parse(job.cursor);
  return { job, input: BatchInput.parse(job.input), cursor, status: statusOf(job, cursor) };
}

function statusOf({ status, requestedAction }: Job, cursor: BatchCursor | null): BatchStatus {
  if (status === 'failed' || status === 'cancelled') return status;
  if (status === 'succeeded') return cursor?.ending === 'expired' ? 'expired' : 'completed';
  if (requestedAction === 'cancel') return 'cancelling';
  if (cursor === null) return 'validating';
  return cursor.phase === 'in_progress' ? 'in_progress' : 'finalizing';
}
