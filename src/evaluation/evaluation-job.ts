// Evaluation as a job: what each step measured is kept with the place where the next attempt goes on, and the report is written at the end, so that a
// job that ends early leaves the one there was.

import { type ChosenLabels, describeLabels } from '../datasets/label-makers.ts';
import { findDataset } from '../datasets/samples.ts';
import { datasetSource } from '../datasets/training-data.ts';
import { SteerError } from '../errors.ts';
import { defineJob, type JobContext, type JobDefinition } from '../jobs/define.ts';
import { counted } from '../number-text.ts';
import type { JobProgress } from '../store/work-schema.ts';
import {
  EvaluationInput,
  evaluationKind,
  type InputOf,
  inFields,
  likelihoodTask,
  predictorTask,
  steeringTask,
} from './evaluation-input.ts';
import { likelihoodHeadline, predictorHeadline, steeringHeadline } from './headline.ts';
import type { LikelihoodParts } from './likelihood/evaluation.ts';
import { measureLikelihood } from './likelihood/measure.ts';
import { storedData, type WithData } from './open-data.ts';
import { measurePredictor } from './predictor/measure.ts';
import { writeReport } from './report/report-files.ts';
import { evaluationModels, type ServedModels } from './served-models.ts';
import { measureSteering, writeSteeringReport } from './steering/measure.ts';
import type { ConditionReport } from './steering/report-data.ts';

export interface EvaluationJobOptions {
  models: ServedModels;
  /** Threads of the models that likelihoods are computed with. */
  threads?: number;
}

/** The definition for a process that has these models. */
export function evaluationJob(options: EvaluationJobOptions): JobDefinition {
  return defineJob({
    name: evaluationKind,
    queue: 'inference',
    input: EvaluationInput,
    run: (context) => evaluate(context, options),
  });
}

type Context = JobContext<EvaluationInput>;
type Result = Record<string, unknown>;

/** What is measured already, and what that depends on: models and data as they were. */
interface State {
  facts: Record<string, string> | null;
  conditions: ConditionReport[];
  likelihood: LikelihoodParts | null;
}

async function evaluate(context: Context, { models, threads }: EvaluationJobOptions): Promise<Result> {
  const { input } = context;
  const steps = new Steps(context);
  const setting = { models: evaluationModels(models, context.signal, threads), signal: context.signal, steps };
  try {
    await models.refresh();
    const { label_makers, ...figures } = await measure(context, setting);
    await models.refresh();
    const report = `/v1/models/${encodeURIComponent(input.model)}/report`;
    return { kind: input.kind, model: input.model, report, label_makers, figures };
  } catch (error) {
    throw inFields(error);
  }
}

interface Setting {
  models: ReturnType<typeof evaluationModels>;
  signal: AbortSignal;
  steps: Steps;
}

function measure(context: Context, setting: Setting): Promise<Result> {
  const { input } = context;
  if (input.kind === 'steering') return steering(context, input, setting);
  if (input.kind === 'predictor') return predictor(context, input, setting);
  return likelihood(context, input, setting);
}

function dataOf({ db, input }: Context, labels: Parameters<typeof storedData>[2]): WithData {
  return async (read) => await read(storedData(db, await findDataset(db, input.dataset), labels));
}

/** Tells whose labels are read; an event that is lost is lost. */
function noter(context: Context, option: ((sources: string) => string) | null): (labels: ChosenLabels) => void {
  return (labels) => {
    for (const line of describeLabels(labels, option)) void context.note('info', line, { ...labels }).catch(() => {});
  };
}

async function steering(context: Context, input: InputOf<'steering'>, { models, signal, steps }: Setting): Promise<Result> {
  const { state } = steps;
  const measured = await measureSteering(steeringTask(input), {
    models,
    withData: dataOf(context, 'latest'),
    kept: state.conditions,
    onBegin: (facts) => steps.begin(facts, state.conditions.length > 0),
    onReply: (completed, total, phase) => steps.tell({ phase, completed, total }),
    onCondition: async (conditions, completed, total) => {
      const { name } = conditions.at(-1)!;
      await steps.keep({ conditions: [...conditions] }, { phase: name, completed, total });
      await context.note('info', `Measured: ${name}, ${completed} of ${counted(total, 'reply')}.`);
    },
    onLabels: noter(context, null),
    signal,
  });
  await steps.writing();
  const { unfit } = await writeSteeringReport(measured, { curves: true });
  if (unfit !== undefined) await context.note('warn', `The card of ${measured.head.model.name} stays as it is: ${unfit}.`);
  return { label_makers: measured.head.label_makers, ...steeringHeadline(measured.head, measured.conditions) };
}

async function predictor(context: Context, input: InputOf<'predictor'>, { models, signal, steps }: Setting): Promise<Result> {
  const { head, evaluation, files, out } = await measurePredictor(predictorTask(input), {
    models,
    withData: dataOf(context, input.labels),
    onProgress: (completed, total) => steps.tell({ phase: 'scoring', completed, total }),
    onLabels: noter(context, null),
    signal,
  });
  await steps.writing();
  await writeReport(out, files);
  return { label_makers: head.label_makers, ...predictorHeadline(head, evaluation) };
}

async function likelihood(context: Context, input: InputOf<'likelihood'>, { models, signal, steps }: Setting): Promise<Result> {
  const { state } = steps;
  const { db } = context;
  const sourceOf = async (id: string | null) =>
    id === null ? undefined : datasetSource(db, await findDataset(db, id), input.labels);
  const { head, evaluation, files, out } = await measureLikelihood(likelihoodTask(input), {
    models,
    withData: dataOf(context, input.labels),
    trainingData: await sourceOf(input.training_data),
    replies: await sourceOf(input.replies),
    kept: state.likelihood ?? undefined,
    onBegin: (facts) => steps.begin(facts, state.likelihood !== null),
    onProgress: (phase, completed, total) => steps.tell({ phase, completed, total }),
    onLabels: noter(context, (sources) => `labels ${JSON.stringify(sources.split(','))}`),
    onPhase: (parts) => steps.keep({ likelihood: parts }, {}),
    signal,
  });
  await steps.writing();
  await writeReport(out, files);
  return { label_makers: head.label_makers, ...likelihoodHeadline(head, evaluation) };
}

/** Between two commits that only tell how far the work is. */
const tellEveryMs = 2_000;

/** The state of one attempt, committed step by step; commits follow one another. */
class Steps {
  readonly state: State;
  readonly #context: Context;
  #telling: Promise<void> = Promise.resolve();
  #toldMs = Number.NEGATIVE_INFINITY;

  constructor(context: Context) {
    this.#context = context;
    this.state = { facts: null, conditions: [], likelihood: null, ...(context.cursor as Partial<State> | null) };
  }

  /** Throws conflict where figures are kept that were measured of other models or data. */
  async begin(facts: Record<string, string>, anyKept: boolean): Promise<void> {
    const { facts: before } = this.state;
    const changed = Object.keys({ ...before, ...facts }).find((name) => before?.[name] !== facts[name]);
    if (anyKept && changed !== undefined) {
      const message = `${changed} is another than when the evaluation began, so its figures would not go together. Start it again.`;
      throw new SteerError('conflict', message);
    }
    await this.keep({ facts }, {});
  }

  /** Commits what was measured. Throws `cancelled` when the job is no longer this worker's. */
  async keep(found: Partial<State>, progress: Partial<JobProgress>): Promise<void> {
    Object.assign(this.state, found);
    await this.#telling;
    await this.#context.commit({ cursor: { ...this.state }, progress });
  }

  /** Every other second at most; what cannot be told now is told with the next step. */
  tell(progress: Partial<JobProgress>): void {
    const now = performance.now();
    if (now - this.#toldMs < tellEveryMs) return;
    this.#toldMs = now;
    const step = { cursor: { ...this.state }, progress };
    this.#telling = this.#telling.then(() => this.#context.commit(step)).catch(() => {});
  }

  /** The last look before files are written, which no database holds back. Throws `cancelled`. */
  async writing(): Promise<void> {
    await this.keep({}, { phase: 'writing' });
    if (this.#context.signal.aborted) throw new SteerError('cancelled', 'The evaluation was stopped; nothing was written.');
  }
}
