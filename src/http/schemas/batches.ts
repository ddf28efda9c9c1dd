// Batches as OpenAI's protocol has them.
import { z } from '@hono/zod-openapi';
import { type Batch, batchEndpoints, completionWindow } from '../../batches/batch.ts';
import { recordOf } from '../../record-of.ts';
import { toUnix } from './jobs.ts';
import { pageOf } from './pages.ts';

const mostKeys = 16;
/** Postgres stores neither U+0000 nor half a surrogate pair. */
const text = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[^\0\p{Surrogate}]*$/u, 'expected text without U+0000 and half surrogate pairs');

const Metadata = recordOf(text(64), text(512))
  .refine((metadata) => Object.keys(metadata).length <= mostKeys, `expected at most ${mostKeys} keys`)
  .openapi({ description: `At most ${mostKeys} keys of up to 64 characters, values up to 512` });

export const BatchBody = z
  .looseObject({
    input_file_id: z.string().max(128).openapi({ description: 'A file uploaded with purpose `batch`' }),
    endpoint: z.enum(batchEndpoints),
    completion_window: z.literal(completionWindow),
    metadata: Metadata.nullish(),
  })
  .openapi('BatchRequest');

const Time = z.int().nullable().openapi({ description: 'Unix seconds' });

export const BatchObject = z
  .object({
    id: z.string(),
    object: z.literal('batch'),
    endpoint: z.string(),
    errors: z
      .object({
        object: z.literal('list'),
        data: z.array(
          z.object({
            code: z.string(),
            line: z.int().nullable().openapi({ description: 'Line of the input file, from 1' }),
            message: z.string(),
            param: z.string().nullable(),
          }),
        ),
      })
      .nullable(),
    input_file_id: z.string(),
    completion_window: z.string(),
    status: z.enum(['validating', 'failed', 'in_progress', 'finalizing', 'completed', 'expired', 'cancelling', 'cancelled']),
    output_file_id: z.string().nullable(),
    error_file_id: z.string().nullable(),
    created_at: z.int().openapi({ description: 'Unix seconds' }),
    in_progress_at: Time,
    expires_at: Time,
    finalizing_at: Time,
    completed_at: Time,
    failed_at: Time,
    expired_at: Time,
    cancelling_at: Time,
    cancelled_at: Time,
    request_counts: z.object({ total: z.int(), completed: z.int(), failed: z.int() }),
    metadata: z.record(z.string(), z.string()).nullable(),
  })
  .openapi('Batch');

export const BatchList = pageOf(BatchObject).openapi('BatchList');

/** The batch as callers see it. */
export function toBatchObject({ job, input, cursor, status }: Batch): z.infer<typeof BatchObject> {
  const { total, completed, failed } = job.progress;
  const ended = job.finishedAt && toUnix(job.finishedAt);
  return {
    id: job.id,
    object: 'batch',
    endpoint: input.endpoint,
    errors: status === 'failed' ? toErrors({ job, cursor }) : null,
    input_file_id: input.input_file_id,
    completion_window: completionWindow,
    status,
    output_file_id: cursor?.outputFileId ?? null,
    error_file_id: cursor?.errorFileId ?? null,
    created_at: toUnix(job.createdAt),
    in_progress_at: cursor?.inProgressAt ?? null,
    expires_at: input.expires_at,
    finalizing_at: cursor?.finalizingAt ?? null,
    completed_at: status === 'completed' ? ended : null,
    failed_at: status === 'failed' ? ended : null,
    expired_at: status === 'expired' ? ended : null,
    cancelling_at: cursor?.cancellingAt ?? null,
    cancelled_at: status === 'cancelled' ? ended : null,
    request_counts: { total: total ?? 0, completed, failed },
    metadata: input.metadata,
  };
}

/** What is wrong with the input, or else why the job failed. */
function toErrors({ job, cursor }: Pick<Batch, 'job' | 'cursor'>): z.infer<typeof BatchObject>['errors'] {
  const { code = 'internal_error', message = 'The batch failed.' } = job.error ?? {};
  const problems = cursor?.problems ?? [];
  return { object: 'list', data: problems.length > 0 ? problems : [{ code, line: null, message, param: null }] };
}
