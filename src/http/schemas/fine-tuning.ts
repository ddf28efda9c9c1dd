// Fine-tuning in OpenAI's shapes, with the methods of SteerLM beside `supervised` and what was found in the data beside the job.
import { z } from '@hono/zod-openapi';
import { WrittenSchema } from '../../datasets/attribute-schema.ts';
import { failures } from '../../errors.ts';
import {
  bootstrapOptions,
  type FinetuningInput,
  type FinetuningState,
  finetuningMethods,
  hyperparameters,
  readFinetuningJob,
} from '../../finetuning/job-input.ts';
import type { Checkpoint } from '../../finetuning/job-records.ts';
import type { Job, JobEvent } from '../../jobs/jobs.ts';
import { recordOf } from '../../record-of.ts';
import { labelSources } from '../../store/schema.ts';
import { eventLevels } from '../../store/work-schema.ts';
import { checkpointsOfRun, intervalOf, looksOfRun } from '../../training/schedule.ts';
import { toUnix } from './jobs.ts';
import { ChosenLabelsObject } from './label-makers.ts';
import { pageOf } from './pages.ts';

const Name = z.string().max(256);
const Asked = z.looseObject(hyperparameters.shape).partial();

const labelled = {
  hyperparameters: hyperparameters.optional(),
  schema: z.union([Name, WrittenSchema]).optional().openapi({
    description: 'Attributes to train under: a built-in schema, a model, or a schema; absent takes those of the data',
  }),
  attributes: z.array(Name).min(1).optional().openapi({ description: 'Some of them; each must be labelled somewhere' }),
  labels: z
    .array(z.enum(labelSources))
    .min(1)
    .optional()
    .openapi({ description: 'Makers of labels by preference, where a turn has several; absent takes the newest' }),
};

const methods = {
  steerlm: z.strictObject(labelled),
  predictor: z.strictObject(labelled),
  supervised: z.strictObject({ hyperparameters: hyperparameters.optional() }),
  bootstrap: z.strictObject({ ...bootstrapOptions.shape, hyperparameters: hyperparameters.optional() }),
};

const Method = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('steerlm'), steerlm: methods.steerlm.default({}) }),
  z.strictObject({ type: z.literal('predictor'), predictor: methods.predictor.default({}) }),
  z.strictObject({ type: z.literal('supervised'), supervised: methods.supervised.default({}) }),
  z.strictObject({ type: z.literal('bootstrap'), bootstrap: methods.bootstrap }),
]);
export type Method = z.infer<typeof Method>;

const mostKeys = 16;

export const FineTuningRequest = z
  .looseObject({
    model: Name.openapi({ description: 'Language model to start from' }),
    training_file: Name.nullish().openapi({ description: 'Uploaded file in any format that can be imported' }),
    training_dataset: Name.nullish().openapi({
      description: 'Dataset, in place of a file; of a bootstrapping job its prompts are taken',
    }),
    validation_file: Name.nullish(),
    validation_dataset: Name.nullish().openapi({
      description: 'Without validation data, conversations that the split holds out are',
    }),
    method: Method.nullish().openapi({ description: 'Absent means `supervised`' }),
    continue_from: Name.nullish().openapi({
      description:
        'Job that has ended, whose run is made longer: its last checkpoint is trained on until as many epochs, steps or minutes in all as are asked for here. Everything else is as it was in that job and may be left out.',
    }),
    hyperparameters: Asked.nullish().openapi({ description: 'Older place of `method.*.hyperparameters`' }),
    seed: z
      .int()
      .min(0)
      .max(2 ** 31 - 1)
      .nullish(),
    suffix: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'expected up to 64 letters, digits, dots, dashes and underscores')
      .nullish()
      .openapi({ description: 'Part of the name of the model that comes out' }),
    metadata: recordOf(z.string().max(64), z.string().max(512))
      .refine((metadata) => Object.keys(metadata).length <= mostKeys, `expected at most ${mostKeys} keys`)
      .nullish(),
    integrations: z.array(z.unknown()).max(0, 'this server has none; leave it out').nullish(),
  })
  .openapi('FineTuningRequest');
export type FineTuningRequest = z.infer<typeof FineTuningRequest>;

const Time = z.int().openapi({ description: 'Unix seconds' });
const Tuned = z.record(z.string(), z.unknown()).openapi({ description: 'As resolved; `auto` until the data has been looked at' });

const ValidationReport = z
  .object({
    samples: z.object({ train: z.int(), validation: z.int() }),
    turns: z.int(),
    replies: z.int(),
    unused: z.int().openapi({ description: 'Training samples without anything to learn from' }),
    bad_lines: z.object({
      count: z.int(),
      first: z.array(z.object({ file: z.string(), line: z.int(), message: z.string() })),
    }),
    labels: z.record(
      z.string(),
      z.object({ labelled: z.int(), share: z.number(), levels: z.array(z.int()).openapi({ description: 'Replies by level' }) }),
    ),
    tokens: z.object({
      total: z.int(),
      longest: z.int(),
      histogram: z.array(z.object({ up_to: z.int(), samples: z.int() })),
    }),
    context_length: z.int(),
    row_tokens: z.int(),
    label_makers: z.array(ChosenLabelsObject).optional().openapi({ description: 'Whose labels were taken of each dataset' }),
    truncated_share: z.number().openapi({ description: 'Share of the training samples that do not fit a row' }),
    rows: z.int(),
  })
  .openapi('FineTuningReport');

export const FineTuningJob = z
  .object({
    id: z.string(),
    object: z.literal('fine_tuning.job'),
    created_at: Time,
    finished_at: Time.nullable(),
    estimated_finish: Time.nullable(),
    organization_id: z.literal('steer'),
    model: z.string(),
    fine_tuned_model: z.string().nullable().openapi({ description: 'What to ask for once the job has succeeded' }),
    status: z.enum(['validating_files', 'queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled']),
    training_file: z.string().nullable(),
    training_dataset: z.string().nullable(),
    validation_file: z.string().nullable(),
    validation_dataset: z.string().nullable(),
    method: z.looseObject({ type: z.enum(finetuningMethods) }),
    hyperparameters: Tuned,
    seed: z.int(),
    suffix: z.string().nullable(),
    trained_tokens: z.int().nullable(),
    result_files: z.array(z.string()).openapi({ description: 'A CSV with the figures of every step' }),
    error: z
      .object({
        code: z.enum(Object.keys(failures) as [string, ...string[]]),
        message: z.string(),
        param: z.string().nullable(),
      })
      .nullable(),
    integrations: z.array(z.string()),
    metadata: z.record(z.string(), z.string()),
    continue_from: z.string().nullable().openapi({ description: 'Job whose run this one made longer' }),
    progress: z.object({ phase: z.string().nullable(), step: z.int(), total: z.int().nullable() }),
    validation_report: ValidationReport.nullable().openapi({ description: 'What was found in the data before any compute' }),
    bootstrapped_dataset: z.string().nullable().openapi({ description: 'Dataset a bootstrapping job made of its replies' }),
  })
  .openapi('FineTuningJob');

export const FineTuningJobList = pageOf(FineTuningJob).openapi('FineTuningJobList');

export const FineTuningEvent = z
  .object({
    id: z.string(),
    object: z.literal('fine_tuning.job.event'),
    created_at: Time,
    level: z.enum(eventLevels),
    message: z.string(),
    type: z.enum(['message', 'metrics']),
    data: z.record(z.string(), z.unknown()).nullable(),
  })
  .openapi('FineTuningEvent');

export const FineTuningEventList = pageOf(FineTuningEvent).openapi('FineTuningEventList');

export const FineTuningCheckpoint = z
  .object({
    id: z.string(),
    object: z.literal('fine_tuning.job.checkpoint'),
    created_at: Time,
    fine_tuning_job_id: z.string(),
    fine_tuned_model_checkpoint: z.string().openapi({ description: 'A model that can be asked for' }),
    step_number: z.int(),
    metrics: z.object({ step: z.int(), train_loss: z.number().optional(), valid_loss: z.number().optional() }),
  })
  .openapi('FineTuningCheckpoint');

export const FineTuningCheckpointList = pageOf(FineTuningCheckpoint).openapi('FineTuningCheckpointList');

/** The job as OpenAI's clients read it. */
export function toFineTuningJob(job: Job): z.infer<typeof FineTuningJob> {
  const { input, state } = readFinetuningJob(job);
  const { phase = null, total } = job.progress;
  const tuned = tunedOf(input, state);
  const file = (source: FinetuningInput['validation']) => (source && 'file' in source ? source.file : null);
  const dataset = (source: FinetuningInput['validation']) => (source && 'dataset' in source ? source.dataset : null);
  return {
    id: job.id,
    object: 'fine_tuning.job',
    created_at: toUnix(job.createdAt),
    finished_at: job.finishedAt && toUnix(job.finishedAt),
    estimated_finish: estimatedFinish(job),
    organization_id: 'steer',
    model: input.model,
    fine_tuned_model: job.status === 'succeeded' ? (state.result?.model ?? null) : null,
    status: job.status === 'running' && state.plan === null && !input.bootstrap ? 'validating_files' : job.status,
    training_file: file(input.training),
    training_dataset: dataset(input.training),
    validation_file: file(input.validation),
    validation_dataset: dataset(input.validation),
    method: { type: input.method, [input.method]: { ...methodOf(input), hyperparameters: tuned } },
    hyperparameters: tuned,
    seed: input.seed,
    suffix: input.suffix === '' ? null : input.suffix,
    trained_tokens: state.result?.trained_tokens ?? null,
    result_files: state.result ? [state.result.result_file] : [],
    error: job.error && { param: null, ...job.error },
    integrations: [],
    metadata: input.metadata,
    continue_from: input.continues,
    progress: { phase, step: state.step, total },
    validation_report: state.report,
    bootstrapped_dataset: state.dataset,
  };
}

/** What was asked for, with every `auto` that is settled replaced by what it came to. */
function tunedOf({ hyperparameters: asked }: FinetuningInput, { plan }: FinetuningState): Record<string, unknown> {
  if (!plan) return asked;
  const { settings, B, T, steps } = plan;
  const interval = (every: number | 'auto', times: number) => (steps === null ? every : intervalOf(every, steps, times));
  return {
    ...asked,
    n_epochs: settings.epochs,
    batch_size: B * settings.accumulation,
    learning_rate: settings.learningRate,
    learning_rate_multiplier: asked.learning_rate_multiplier === 'auto' ? 1 : asked.learning_rate_multiplier,
    row_tokens: T,
    evaluate_every: interval(settings.evaluateEvery, looksOfRun),
    checkpoint_every: interval(settings.checkpointEvery, checkpointsOfRun),
  };
}

function methodOf({ method, bootstrap, schema, attributes, labels }: FinetuningInput): object {
  if (method === 'bootstrap') return bootstrap ?? {};
  if (method === 'supervised') return {};
  const own = schema === null ? {} : { schema };
  return { ...own, ...(attributes === null ? {} : { attributes }), ...(labels === 'latest' ? {} : { labels }) };
}

/** By the pace of the steps so far, unix seconds. */
function estimatedFinish({ status, progress: { phase, total, completed }, runningMs }: Job): number | null {
  if (status !== 'running' || phase !== 'training' || total === null || completed === 0 || runningMs === 0) return null;
  return Math.round((Date.now() + (runningMs / completed) * (total - completed)) / 1000);
}

/** The event as OpenAI's clients read it. */
export function toFineTuningEvent({ id, createdAt, level, type, message, data }: JobEvent): z.infer<typeof FineTuningEvent> {
  const created_at = toUnix(createdAt);
  return { id: `ftevent-${id}`, object: 'fine_tuning.job.event', created_at, level, message, type, data };
}

/** The checkpoint as OpenAI's clients read it. */
export function toFineTuningCheckpoint({
  id,
  createdAt,
  jobId,
  model,
  step,
  metrics,
}: Checkpoint): z.infer<typeof FineTuningCheckpoint> {
  return {
    id,
    object: 'fine_tuning.job.checkpoint',
    created_at: toUnix(createdAt),
    fine_tuning_job_id: jobId,
    fine_tuned_model_checkpoint: model,
    step_number: step,
    metrics: { step, ...metrics },
  };
}
