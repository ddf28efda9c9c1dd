// Fine-tuning as a job: sample (bootstrapping only), prepare, train in a process of its own, conclude. Every attempt goes on from the last
// checkpoint; what a crash repeats leads to the same figures, since a run is a function of its plan.
import { readdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { eq } from 'drizzle-orm';
import { writeDerived } from '../datasets/derived.ts';
import { holdName } from '../datasets/numbers.ts';
import { findDataset } from '../datasets/samples.ts';
import { splitMeaning } from '../datasets/split.ts';
import { publish, writeVersion } from '../datasets/unpublished.ts';
import { SteerError } from '../errors.ts';
import { storeFile } from '../files/files.ts';
import { defineJob, type JobContext, type JobDefinition } from '../jobs/define.ts';
import { exists } from '../model/formats/json-file.ts';
import { counted } from '../number-text.ts';
import { makePrivateFolder } from '../private-files.ts';
import { batchResults } from '../store/work-schema.ts';
import type { ProviderChoice } from '../tensor/providers.ts';
import { readCurve } from '../training/curve.ts';
import { endedEarly, type TrainingListener } from '../training/process.ts';
import type { RunOutcome } from '../training/run.ts';
import type { Metrics } from '../training/training-task.ts';
import { readDerived, sampleReplies } from './bootstrapping.ts';
import { finetune } from './finetune.ts';
import { type Following, follow } from './follow.ts';
import {
  type BootstrapOptions,
  checkpointNamesOf,
  FinetuningInput,
  type FinetuningResult,
  type FinetuningState,
  finetuningKind,
  namesOf,
  stateOf,
  type TrainingPlan,
} from './job-input.ts';
import { listCheckpoints } from './job-records.ts';
import { removeOldRuns, takeOverRun, trimRun } from './kept-runs.ts';
import { describeModel, recordModel } from './model-record.ts';
import type { TrainingModels } from './models.ts';
import { prepareTraining } from './plan.ts';
import type { TrainingSpec } from './training-spec.ts';

/** The spec of a predictor's training, which is another room's. */
type RatingSpec = Omit<Extract<TrainingSpec, { method: 'steered' }>, 'method' | 'dropout'> & { readingTokens: number };

export interface FinetuningOptions {
  models: TrainingModels;
  /** Where finished models and checkpoints that can be served go. */
  modelsDir: string;
  /** Where runs keep their data and state, below `runs/`. */
  dataDir: string;
  /** What computes the training; cpu when absent. */
  provider?: ProviderChoice;
  /** Most bytes an uploaded file may unpack to. */
  unpackedBytes?: number | undefined;
  trainPredictor(spec: RatingSpec, listener: TrainingListener, signal: AbortSignal): Promise<RunOutcome<unknown>>;
}

/** The job definitions of this room. */
export function finetuningJobs(options: FinetuningOptions): JobDefinition[] {
  return [
    defineJob({ name: finetuningKind, queue: 'training', input: FinetuningInput, run: (context) => run(context, options) }),
  ];
}

type Context = JobContext<FinetuningInput>;

async function run(context: Context, options: FinetuningOptions): Promise<Record<string, unknown>> {
  const state = stateOf(context.cursor);
  if (state.result) return { ...state.result };
  const { models, dataDir } = options;
  const runs = resolve(dataDir, 'runs');
  await removeOldRuns(context, runs);
  await models.refresh();
  const runFolder = join(runs, context.id);
  if (context.input.continues !== null && state.plan === null) await takeOverRun(context, state, runs);
  const input = await bootstrapped(context, models, state);
  const plan = await planned(context, options, state, input, runFolder);
  const outcome = await train(context, options, state, input, plan, runFolder);
  return await conclude(context, options, state, outcome, runFolder);
}

/** The input to train by: that of a bootstrapping job names, once its replies are sampled, the dataset made of them. */
async function bootstrapped(context: Context, models: TrainingModels, state: FinetuningState): Promise<FinetuningInput> {
  const { input } = context;
  if (!input.bootstrap) return input;
  if (state.dataset === null) await storeReplies(context, models, input.bootstrap, state);
  return { ...input, training: { dataset: state.dataset! }, validation: null, labels: 'latest' };
}

async function storeReplies(context: Context, models: TrainingModels, options: BootstrapOptions, state: FinetuningState) {
  const { input, db } = context;
  await sampleReplies(context, models, options, state);
  const { name } = await findDataset(db, 'dataset' in input.training ? input.training.dataset : '');
  const rater = await models.predictor(options.predictor);
  const { schema } = await models.language(input.model);
  const samples = () => readDerived(db, context.id, schema, rater);
  const derived = { name: `${name.slice(0, 90)}-bootstrap`, format: 'bootstrap', schema, samples };
  const { dataset, stored } = await writeVersion(db, async (dataset) => {
    const written = await writeDerived(db, dataset, derived);
    await context.commit({
      cursor: { ...state, dataset },
      progress: { phase: 'storing' },
      write: async (tx) => {
        await holdName(tx, derived.name);
        await publish(tx, dataset, written);
        await tx.delete(batchResults).where(eq(batchResults.jobId, context.id));
      },
    });
    return { dataset, stored: written.sampleCount };
  });
  state.dataset = dataset;
  await context.note('info', `${counted(stored, 'reply')} to train on: kept as the dataset ${derived.name}.`, {
    dataset,
    replies: stored,
  });
}

/** The plan as the first attempt made it, or made now: data read, reported on and, where it cannot be learnt from, refused. */
async function planned(
  context: Context,
  { models, unpackedBytes }: FinetuningOptions,
  state: FinetuningState,
  input: FinetuningInput,
  runFolder: string,
): Promise<TrainingPlan> {
  if (state.plan && (await exists(join(runFolder, 'validation.jsonl')))) return state.plan;
  if (state.plan) {
    const message =
      'The data of the run is not on this machine, so the training begins anew. Machines that work together share DATA_DIR.';
    await context.note('warn', message);
    Object.assign(state, { plan: null, step: 0, tokens: 0 });
  }
  makePrivateFolder(runFolder);
  const onNote = (text: string) => void context.note('info', text).catch(() => {});
  const base = models.folderOf(input.model);
  const { db, signal } = context;
  const { report, refusal, plan } = await prepareTraining(db, { input, base, runFolder, unpackedBytes, onNote, signal });
  Object.assign(state, { report, plan: refusal ? null : plan });
  await context.commit({ cursor: { ...state }, progress: { phase: 'training', total: plan.steps, completed: 0 } });
  const { samples, replies, tokens } = report;
  await context.note(
    refusal ? 'error' : 'info',
    `Looked through the data: ${samples.train} training and ${counted(samples.validation, 'validation sample')}${input.validation === null ? ` (${splitMeaning})` : ''}, ${counted(replies, 'reply')}, ${counted(tokens.total, 'token')}.`,
    { ...report },
  );
  if (refusal) throw refusal;
  return plan;
}

/** Deaths of the process without a new checkpoint in between after which it will not go better the next time. */
const mostDeaths = 3;

async function train(
  context: Context,
  options: FinetuningOptions,
  state: FinetuningState,
  input: FinetuningInput,
  plan: TrainingPlan,
  runFolder: string,
): Promise<RunOutcome<unknown>> {
  const { models, modelsDir } = options;
  const names = checkpointNamesOf(namesOf(context.id, input));
  // Not those half written: the process of an earlier attempt may be at it still.
  await removeStrayCheckpoints(context, modelsDir, [names.folder]);
  const alsoHalfWritten = [names.folder, `.${names.folder}`];
  for (let deaths = 0; ; ) {
    const before = state.step;
    const following = follow({ context, state, names, modelsDir, onModels: () => models.refresh() });
    try {
      const outcome = await startTraining(options, input, plan, specFiles(context, options, input, plan, runFolder), following);
      await following.finish();
      // One that a process of an earlier attempt wrote on its way out comes late.
      if (outcome.out !== null) await removeStrayCheckpoints(context, modelsDir, alsoHalfWritten);
      if (outcome.out !== null) return outcome;
      throw new SteerError('cancelled', `Stopped at step ${outcome.step} of ${outcome.steps}.`);
    } catch (error) {
      await following.finish();
      if (!endedEarly(error) || context.signal.aborted) throw error;
      deaths = state.step > before ? 1 : deaths + 1;
      if (deaths >= mostDeaths) {
        await removeStrayCheckpoints(context, modelsDir, alsoHalfWritten);
        throw gaveUp(error);
      }
      await context.note('warn', `The training process ended early; going on from step ${state.step}.`);
    }
  }
}

function gaveUp(cause: unknown): SteerError {
  return new SteerError(
    'training_failed',
    `The training process ended early ${mostDeaths} times without getting further, perhaps for want of memory. Lower batch_size or row_tokens.`,
    { cause },
  );
}

function specFiles(
  context: Context,
  { modelsDir, models, provider }: FinetuningOptions,
  input: FinetuningInput,
  plan: TrainingPlan,
  runFolder: string,
) {
  const names = namesOf(context.id, input);
  const steps = checkpointNamesOf(names);
  return {
    name: names.model,
    out: resolve(modelsDir, names.folder),
    base: models.folderOf(input.model),
    runFolder,
    train: join(runFolder, 'train.jsonl'),
    validation: join(runFolder, 'validation.jsonl'),
    datasets: plan.datasets,
    dtype: 'float32' as const,
    B: plan.B,
    T: plan.T,
    settings: plan.settings,
    ...(provider === undefined ? {} : { provider }),
    checkpoints: { name: steps.model, folder: resolve(modelsDir, steps.folder) },
  };
}

async function startTraining(
  { trainPredictor }: FinetuningOptions,
  { method }: FinetuningInput,
  { schema, dropout, T }: TrainingPlan,
  files: ReturnType<typeof specFiles>,
  { listener, signal }: Following,
): Promise<RunOutcome<unknown>> {
  if (method === 'supervised' || schema === null) return await finetune({ ...files, method: 'supervised' }, listener, signal);
  if (method === 'predictor') return await trainPredictor({ ...files, schema, readingTokens: T }, listener, signal);
  return await finetune({ ...files, method: 'steered', schema, dropout }, listener, signal);
}

/** A checkpoint's model whose worker died before it was put away is nobody's. */
async function removeStrayCheckpoints({ db, id }: Context, modelsDir: string, beginnings: readonly string[]): Promise<void> {
  const known = new Set((await listCheckpoints(db, id, { limit: 1000 })).map(({ step }) => `${beginnings[0]}${step}`));
  const found = (await readdir(modelsDir)).filter((name) => beginnings.some((beginning) => name.startsWith(beginning)));
  for (const name of found.filter((each) => !known.has(each))) await rm(join(modelsDir, name), { recursive: true, force: true });
}

async function conclude(
  context: Context,
  { models }: FinetuningOptions,
  state: FinetuningState,
  outcome: RunOutcome<unknown>,
  runFolder: string,
): Promise<Record<string, unknown>> {
  const { step, tokens, evalLoss } = outcome;
  const folder = outcome.out!;
  const record = await describeModel(folder);
  const curve = await readCurve(runFolder, step);
  const file = await storeFile(context.db, {
    filename: 'step_metrics.csv',
    purpose: 'fine-tune-results',
    content: csvOf(curve),
    signal: context.signal,
  });
  const result: FinetuningResult = {
    model: record.name,
    folder: basename(folder),
    revision: record.revision,
    steps: step,
    trained_tokens: tokens,
    eval_loss: evalLoss,
    result_file: file.id,
  };
  Object.assign(state, { step, tokens, result });
  await context.commit({
    cursor: { ...state },
    progress: { phase: 'done', total: step, completed: step },
    write: (tx) => recordModel(tx, record),
  });
  await models.refresh();
  await context.note('info', `The model ${record.name} is ready.`, { model: record.name, revision: record.revision });
  await trimRun(runFolder);
  return { ...result };
}

async function* csvOf(curve: readonly Metrics[]): AsyncGenerator<Uint8Array> {
  yield Buffer.from('step,train_loss,valid_loss,learning_rate,grad_norm,epoch,num_tokens\n');
  for (const at of curve) {
    const figures = [at.step, at.loss, at.eval_loss ?? '', at.learning_rate, at.grad_norm, at.epoch, at.num_tokens];
    yield Buffer.from(`${figures.join()}\n`);
  }
}
