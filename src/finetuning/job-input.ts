// What a fine-tuning job is asked to do and how far it is, as its row keeps both; the names its models will have. Runs nothing.
import { z } from 'zod';
import { createJob, type Job } from '../jobs/jobs.ts';
import { recordOf } from '../record-of.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Db } from '../store/connect.ts';
import { labelSources } from '../store/schema.ts';
import { defaults, type TrainingSettings } from '../training/training-settings.ts';
import type { ValidationReport } from './inspection.ts';
import { defaultDropout, type LabelDropout } from './label-dropout.ts';

export const finetuningKind = 'fine_tune';

/**
 * steerlm: replies under the attributes they were labelled with. supervised: replies alone. predictor: ratings of replies.
 * bootstrap: replies of a steered model under the attributes a predictor finds in them (SteerLM's fourth step).
 */
export const finetuningMethods = ['steerlm', 'predictor', 'supervised', 'bootstrap'] as const;

const auto = z.literal('auto');
const share = z.number().min(0).max(1);

/** What a caller may set of the training; `auto` leaves it to the data. */
export const hyperparameters = z.strictObject({
  n_epochs: z.union([auto, z.number().gt(0).max(1000)]).default('auto'),
  n_steps: z.int().min(1).max(10_000_000).nullable().default(null).describe('Updates in all, in place of epochs'),
  minutes: z
    .number()
    .min(0.01)
    .max(1_000_000)
    .nullable()
    .default(null)
    .describe('About how long to train, in place of epochs: up to ten steps are timed, then the number of updates is fixed'),
  /** Rows of one update; a row holds as many samples as fit. */
  batch_size: z.union([auto, z.int().min(1).max(1024)]).default('auto'),
  learning_rate: z.union([auto, z.number().gt(0).max(1)]).default('auto'),
  learning_rate_multiplier: z.union([auto, z.number().gt(0).max(100)]).default('auto'),
  /** Tokens of a row. */
  row_tokens: z.union([auto, z.int().min(16).max(65_536)]).default('auto'),
  lora_rank: z.int().min(1).max(256).nullable().default(null),
  label_dropout: share.default(defaultDropout.label),
  attribute_dropout: share.default(defaultDropout.attribute),
  partial_labels: share.default(defaultDropout.partial),
  early_stopping: z
    .strictObject({ patience: z.int().min(1).max(1000) })
    .nullable()
    .default(null),
  /** Updates between two looks at the held-out data, and between two checkpoints that can be served. */
  evaluate_every: z.union([auto, z.int().min(1)]).default('auto'),
  checkpoint_every: z.union([auto, z.int().min(1)]).default('auto'),
  held_out_replies: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(defaults.heldOutReplies)
    .describe('Most replies read of the held-out data, whose loss is told'),
});
export type Hyperparameters = z.output<typeof hyperparameters>;

const levels = z.union([z.number().min(0), z.array(z.number().min(0)).min(1).max(100)]);

export const bootstrapOptions = z.strictObject({
  /** Predictor that says what the replies really are. */
  predictor: z.string(),
  samples_per_prompt: z.int().min(1).max(64).default(4),
  /** Prompts taken of the dataset; all when absent. */
  max_prompts: z.int().min(1).nullable().default(null),
  /** Level or levels asked for, by attribute; each prompt draws one. Attributes not named draw from all levels up to their cap. */
  attributes: recordOf(z.string(), levels).default({}),
  temperature: z.number().gt(0).max(2).default(1),
  top_k: z.int().min(0).default(50),
  max_tokens: z.int().min(1).nullable().default(null),
});
export type BootstrapOptions = z.output<typeof bootstrapOptions>;

const source = z.union([z.object({ file: z.string() }), z.object({ dataset: z.string() })]);

export const FinetuningInput = z.object({
  method: z.enum(finetuningMethods),
  /** Id of the model to start from. */
  model: z.string(),
  /** What to train on; of a bootstrapping job, where the prompts come from. */
  training: source,
  validation: source.nullable(),
  /** Labels that count where a turn has several. */
  labels: z.union([z.literal('latest'), z.array(z.enum(labelSources)).min(1)]),
  /** Attributes asked for; null takes those of the data. */
  schema: z.custom<AttributeSchema>().nullable(),
  /** Names chosen from the schema; null takes all that are labelled. */
  attributes: z.array(z.string()).nullable(),
  hyperparameters,
  bootstrap: bootstrapOptions.nullable(),
  seed: z.int().min(0),
  /** Id of an ended job whose run is made longer; all but the length is that job's. */
  continues: z.string().nullable().default(null),
  suffix: z.string(),
  metadata: z.record(z.string(), z.string()),
});
export type FinetuningInput = z.output<typeof FinetuningInput>;

/** What is settled before the first step and holds for every attempt, so that a resumed run follows the same curve. */
export interface TrainingPlan {
  schema: AttributeSchema | null;
  datasets: { name: string; hash: string }[];
  settings: TrainingSettings;
  /** Rows and tokens a row of a micro-batch. */
  B: number;
  T: number;
  dropout: LabelDropout;
  /** Updates as far as can be told beforehand; null where they follow from minutes. */
  steps: number | null;
  updatesPerEpoch: number;
}

export interface FinetuningResult {
  model: string;
  folder: string;
  revision: string;
  steps: number;
  trained_tokens: number;
  eval_loss: number | null;
  /** Id of the file with the curve. */
  result_file: string;
}

export interface FinetuningState {
  /** Prompts a bootstrapping job has sampled replies to, then the dataset made of them. */
  sampled: number;
  dataset: string | null;
  report: ValidationReport | null;
  plan: TrainingPlan | null;
  /** As of the last checkpoint. */
  step: number;
  tokens: number;
  /** Set when all is done: whoever comes after a crash need only say so. */
  result: FinetuningResult | null;
}

const noState: FinetuningState = { sampled: 0, dataset: null, report: null, plan: null, step: 0, tokens: 0, result: null };

/** State from a job's cursor, which this room alone writes. */
export function stateOf(cursor: unknown): FinetuningState {
  return { ...noState, ...(cursor as Partial<FinetuningState> | null) };
}

/** What a job was made for and how far it is. */
export function readFinetuningJob({ input, cursor }: Pick<Job, 'input' | 'cursor'>): {
  input: FinetuningInput;
  state: FinetuningState;
} {
  return { input: FinetuningInput.parse(input), state: stateOf(cursor) };
}

/** Makes the job, or answers the one made under the same key. Throws `conflict`. */
export async function createFinetuningJob(
  db: Db,
  input: FinetuningInput,
  idempotency?: { key: string; requestHash: string },
): Promise<{ job: Job; created: boolean }> {
  return await createJob(db, { kind: finetuningKind, prefix: 'ftjob-', input, idempotency });
}

export interface ModelNames {
  /** On the wire. */
  model: string;
  /** Folder below the models folder. */
  folder: string;
}

/** Names of the model that comes out of a job: `ft:<base>:<suffix>:<id>`, and a folder name any file system takes. */
export function namesOf(jobId: string, { model, suffix }: Pick<FinetuningInput, 'model' | 'suffix'>): ModelNames {
  const id = jobId.replace(/^ftjob-/, '').slice(0, 8);
  // A model made from a fine-tuned one is named after the same base.
  const base = /^ft:([^:]+):/.exec(model)?.[1] ?? model;
  const safe = (text: string) => text.replaceAll(/[^A-Za-z0-9._-]/g, '-').slice(0, 40);
  const folder = ['ft', safe(base), safe(suffix), id].filter((part) => part !== '').join('-');
  return { model: `ft:${base}:${suffix}:${id}`, folder };
}

/** Names of the models written at its checkpoints, without the step they end in. */
export function checkpointNamesOf({ model, folder }: ModelNames): ModelNames {
  return { model: `${model}:ckpt-step-`, folder: `${folder}-step-` };
}
