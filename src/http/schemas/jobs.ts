// Jobs, their events and their rows as callers see them.
import { z } from '@hono/zod-openapi';
import { failures } from '../../errors.ts';
import type { Job, JobEvent } from '../../jobs/jobs.ts';
import type { LabelledReply } from '../../predictor/labelled-rows.ts';
import { eventLevels, jobStatuses, requestedActions } from '../../store/work-schema.ts';
import { pageFields, pageOf } from './pages.ts';
import { jsonReply } from './route-parts.ts';

const Time = z.int().openapi({ description: 'Unix seconds' });

export const JobObject = z
  .object({
    id: z.string(),
    object: z.literal('job'),
    kind: z.string().openapi({ description: '`label`, `batch`, `evaluate`, …' }),
    status: z.enum(jobStatuses),
    wish: z.enum(requestedActions).nullable().openapi({ description: 'What was asked of a running job and is not done yet' }),
    input: z.record(z.string(), z.unknown()),
    progress: z.object({
      phase: z.string().nullable(),
      total: z.int().nullable(),
      completed: z.int(),
      failed: z.int(),
      cached: z.int().openapi({ description: 'Of the completed, those answered from earlier results' }),
    }),
    rows_per_second: z.number().nullable().openapi({ description: 'Over the time it ran' }),
    eta_seconds: z.int().nullable(),
    result: z.record(z.string(), z.unknown()).nullable(),
    error: z
      .object({ code: z.enum(Object.keys(failures) as [string, ...string[]]), message: z.string(), param: z.string().nullable() })
      .nullable(),
    attempt: z.int().openapi({ description: 'How often a worker has taken it' }),
    created_at: Time,
    started_at: Time.nullable(),
    finished_at: Time.nullable(),
  })
  .openapi('Job');

/** Replies of a request that starts a job. */
export const startedJob = {
  200: jsonReply('The job that was made under this Idempotency-Key before', JobObject),
  202: jsonReply('The job, waiting for a worker', JobObject),
};

export const JobList = pageOf(JobObject).openapi('JobList');

export const JobQuery = z.object({
  ...pageFields,
  kind: z.string().max(64).optional(),
  status: z.enum(jobStatuses).optional(),
});

export const JobEventObject = z
  .object({
    id: z.string(),
    object: z.literal('job.event'),
    created_at: Time,
    level: z.enum(eventLevels),
    type: z.enum(['message', 'metrics']),
    message: z.string(),
    data: z.record(z.string(), z.unknown()).nullable(),
  })
  .openapi('JobEvent');

export const JobEventList = pageOf(JobEventObject).openapi('JobEventList');

export const LabelledRow = z
  .object({
    row: z.int().openapi({ description: 'Place of the sample in the dataset, from 0' }),
    sample_id: z.int(),
    source: z.string().nullable().openapi({ description: 'What the input calls the record' }),
    turn: z.int().openapi({ description: 'Place of the turn in the conversation, from 0' }),
    attributes: z.record(
      z.string(),
      z.object({
        value: z.number(),
        level: z.int().openapi({ description: 'Nearest to the value, as exports write it' }),
        confidence: z.number().nullable(),
      }),
    ),
    unlike: z.boolean().optional().openapi({
      description:
        'Whether the reply is unlike what the predictor was trained on, so that its labels say little; absent where that is unknown',
    }),
    predictor: z.string(),
    revision: z.string(),
  })
  .openapi('LabelledRow');

export const FailedRow = z.object({ row: z.int(), code: z.string(), message: z.string() }).openapi('FailedRow');

export function toUnix(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}

/** The job as callers see it. */
export function toJobObject(job: Job): z.infer<typeof JobObject> {
  const { phase = null, total, completed, failed, cached } = job.progress;
  const rows = completed + failed;
  const rowsPerSecond = paceOf(job, rows);
  const left = total !== null && rowsPerSecond ? Math.ceil((total - rows) / rowsPerSecond) : null;
  return {
    id: job.id,
    object: 'job',
    kind: job.kind,
    status: job.status,
    wish: job.requestedAction,
    input: job.input,
    progress: { phase, total, completed, failed, cached },
    rows_per_second: rowsPerSecond,
    eta_seconds: job.finishedAt === null ? left : null,
    result: job.result,
    error: job.error && { param: null, ...job.error },
    attempt: job.attempt,
    created_at: toUnix(job.createdAt),
    started_at: job.startedAt && toUnix(job.startedAt),
    finished_at: job.finishedAt && toUnix(job.finishedAt),
  };
}

/** Rows a second; a job too short for a heartbeat is timed by the clock. */
function paceOf({ runningMs, startedAt, finishedAt }: Job, rows: number): number | null {
  const clockMs = startedAt ? (finishedAt ?? new Date()).getTime() - startedAt.getTime() : 0;
  const ms = runningMs > 0 ? runningMs : clockMs;
  return rows === 0 || ms <= 0 ? null : Math.round((10_000 * rows) / ms) / 10;
}

/** The event as callers see it. */
export function toJobEvent({ id, createdAt, level, type, message, data }: JobEvent): z.infer<typeof JobEventObject> {
  return { id: String(id), object: 'job.event', created_at: toUnix(createdAt), level, type, message, data };
}

/** One line of a labelling job's output. */
export function toLabelledRow(
  { row, sampleId, source, turn, attributes, unlike }: LabelledReply,
  { predictor, revision }: { predictor: string; revision: string },
): z.infer<typeof LabelledRow> {
  return { row, sample_id: sampleId, source, turn, attributes, ...(unlike === null ? {} : { unlike }), predictor, revision };
}
