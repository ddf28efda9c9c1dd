// What an evaluation is asked for as a job: the options of steer evaluate as fields, with the same defaults. Runs nothing.
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { createJob, type Job } from '../jobs/jobs.ts';
import { opposites } from '../steerlm/guidance.ts';
import type { Db } from '../store/connect.ts';
import { labelSources, splits } from '../store/schema.ts';
import { type LikelihoodTask, likelihoodDefaults } from './likelihood/measure.ts';
import { type PredictorTask, predictorDefaults } from './predictor/measure.ts';
import { controlName, type SteeringTask, steeringDefaults } from './steering/task.ts';

export const evaluationKind = 'evaluate';

const name = z.string().min(1).max(256);
const labels = z.union([z.literal('latest'), z.array(z.enum(labelSources)).min(1)]);
const limit = (least: number) => z.int().min(least).max(1_000_000);
const shared = {
  dataset: name.describe('Id, name (its newest version), `name@3`, or `name@` and 8 or more digits of the hash'),
  split: z.enum([...splits, 'all']).default('validation'),
  force: z.boolean().default(false).describe('Evaluates what would be refused as biased, and marks the report'),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0)
    .describe('Of everything random'),
};

const control = z.strictObject({
  name: z.string().regex(controlName, 'expected up to 40 letters, digits, spaces, dots, dashes and underscores'),
  model: name,
});

const predictor = z.strictObject({
  kind: z.literal('predictor'),
  ...shared,
  labels: labels.default([...predictorDefaults.labels]).describe('Ratings that count: `latest`, or sources by preference'),
  limit: limit(1).nullable().default(null).describe('Most replies judged, drawn by whole conversations; null takes all'),
});

const steering = z.strictObject({
  kind: z.literal('steering'),
  ...shared,
  judge: name.describe('Predictor that judges: one that learnt from other data than the model'),
  prompts_count: z.int().min(2).max(10_000).default(steeringDefaults.promptsCount).describe('Prompts, drawn by the seed'),
  seeds: z.int().min(1).max(64).default(steeringDefaults.seeds).describe('Replies to each prompt at each level'),
  grid: z.int().min(0).max(256).default(steeringDefaults.grid).describe('Random targets in all attributes for each prompt'),
  strength: z
    .array(z.number().min(0).max(5))
    .max(16)
    .default([...steeringDefaults.strength])
    .describe('How far replies are pushed, each compared with the plain prompt'),
  against: z.enum(opposites).default(steeringDefaults.against).describe('What strengths push away from'),
  best_of: z.int().min(2).max(64).nullable().default(null).describe('Compares with the best of so many, chosen by `chooser`'),
  chooser: name.nullable().default(null).describe('Predictor that chooses among candidates: another one than the judge'),
  controls: z
    .array(control)
    .max(16)
    .refine((each) => new Set(each.map((one) => one.name)).size === each.length, 'expected no two of one name')
    .default([])
    .describe('Other models to compare with, asked the same; without a label where one knows no attributes'),
  text_instruction: z.boolean().default(false).describe('Compares with levels described in the system text in place of a label'),
  base: name.nullable().default(null).describe('Model that never saw a label, to measure the perplexity of replies'),
  max_tokens: z.int().min(1).max(65_536).default(steeringDefaults.maxTokens).describe('Most tokens of a reply'),
  temperature: z.number().min(0).max(2).default(steeringDefaults.temperature).describe('0 picks the likeliest token'),
  top_p: z.number().min(0).max(1).default(steeringDefaults.topP),
  frequency_penalty: z.number().min(-2).max(2).default(steeringDefaults.frequencyPenalty),
  draws: z.int().min(10).max(100_000).default(steeringDefaults.draws).describe('Of the intervals and of the permutation test'),
});

const likelihood = z.strictObject({
  kind: z.literal('likelihood'),
  ...shared,
  labels: labels.default('latest').describe('Labels that count: `latest`, or sources by preference'),
  base: name.nullable().default(null).describe('Model that never saw a label; null takes the one the card names'),
  limit: limit(2).default(likelihoodDefaults.limit).describe('Most replies, drawn by the seed'),
  training_data: name
    .nullable()
    .default(null)
    .describe('Dataset the model was trained on, to see what it remembers; null takes `dataset` where it was that'),
  replies: name
    .nullable()
    .default(null)
    .describe('Dataset of conversations that end with replies the model wrote, for their fluency and novelty'),
});

/** What a caller asks of a model. */
export const EvaluationRequest = z.discriminatedUnion('kind', [predictor, steering, likelihood]);
export type EvaluationRequest = z.output<typeof EvaluationRequest>;

const made = { model: z.string() };

/** The same with the model; models and datasets by their ids. */
export const EvaluationInput = z.discriminatedUnion('kind', [
  predictor.extend(made),
  steering.extend(made),
  likelihood.extend(made),
]);
export type EvaluationInput = z.output<typeof EvaluationInput>;
export type InputOf<Kind extends EvaluationInput['kind']> = Extract<EvaluationInput, { kind: Kind }>;

/** Makes the job, or answers the one made under the same key. Throws `conflict`. */
export async function createEvaluationJob(
  db: Db,
  input: EvaluationInput,
  idempotency?: { key: string; requestHash: string },
): Promise<{ job: Job; created: boolean }> {
  return await createJob(db, { kind: evaluationKind, prefix: 'job_', input, idempotency });
}

export function predictorTask({ limit: most, ...rest }: InputOf<'predictor'>): PredictorTask {
  return { ...rest, limit: most ?? undefined };
}

export function likelihoodTask({ base, ...rest }: InputOf<'likelihood'>): LikelihoodTask {
  return { ...rest, base: base ?? undefined };
}

export function steeringTask(input: InputOf<'steering'>): SteeringTask {
  const { model, judge, split, seeds, grid, strength, against, controls, temperature, draws, force, seed } = input;
  return {
    ...{ model, judge, split, seeds, grid, strength, against, controls, temperature, draws, force, seed },
    promptsCount: input.prompts_count,
    bestOf: input.best_of ?? undefined,
    chooser: input.chooser ?? undefined,
    textInstruction: input.text_instruction,
    base: input.base ?? undefined,
    maxTokens: input.max_tokens,
    topP: input.top_p,
    frequencyPenalty: input.frequency_penalty,
  };
}

const fields = new Set([predictor, steering, likelihood].flatMap(({ shape }) => Object.keys(shape)));

/** The failure of a check in the words of who sends fields: `--max-tokens` is theirs as `max_tokens`, and the first one named is what it is about. */
export function inFields(error: unknown): unknown {
  if (!(error instanceof SteerError)) return error;
  let first: string | undefined;
  const message = error.message.replaceAll(/(?<=^|\s)--([a-z-]+)/g, (option, spelled: string) => {
    const field = spelled.replaceAll('-', '_');
    if (!fields.has(field)) return option;
    first ??= field;
    return field;
  });
  const param = error.details.param ?? first;
  return new SteerError(error.code, message, { cause: error, details: { ...error.details, ...(param ? { param } : {}) } });
}
