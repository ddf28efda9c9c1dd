// A training run as the training commands share it: its folders, its data, its progress, what is said at the end, and the model's
// row in the database. What is trained, and how, is the command's.
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { findDataset } from '../datasets/samples.ts';
import { splitMeaning } from '../datasets/split.ts';
import { datasetSource, fileSource, type TrainingData, writeTrainingData } from '../datasets/training-data.ts';
import { isDiskFull, SteerError } from '../errors.ts';
import { learntSchema, unseenText } from '../finetuning/base-schema.ts';
import { describeModel, recordModel } from '../finetuning/model-record.ts';
import { exists } from '../model/formats/json-file.ts';
import { checkPlace } from '../model/model.ts';
import { readShape } from '../model/model-folder.ts';
import { counted } from '../number-text.ts';
import { makeFolder, makePrivateFolder, privateFolder } from '../private-files.ts';
import { type AttributeSchema, maxLevel } from '../steerlm/attributes.ts';
import { listCheckpoints, stepOf } from '../training/checkpoint.ts';
import { paceFile } from '../training/pace.ts';
import { endedEarly, type TrainingListener } from '../training/process.ts';
import type { RunSpec } from '../training/recipe.ts';
import type { RunOutcome } from '../training/run.ts';
import { type Method, settingsOf } from '../training/training-settings.ts';
import type { Metrics } from '../training/training-task.ts';
import { noteLabels } from './label-lines.ts';
import { openProgressLine, reportTraining } from './progress.ts';
import { interruptedStatus, note, type Surroundings, say } from './surroundings.ts';
import { rowTokensOf, type TrainingOptions } from './training-options.ts';
import { withStore } from './with-store.ts';

/** What a command trains. */
interface Asked {
  method: Method;
  /** Folder of the model to start from; absent for one from nothing. */
  base?: string | undefined;
  /** Most tokens of a row; that of the base when absent. */
  context?: number;
  schema?: AttributeSchema | null;
}

/** A run whose folders are made and whose data is written. */
export interface PreparedRun {
  spec: RunSpec;
  /** Attributes of the data, or those asked for, as far as they are labelled or known to a steered base; null without labels. */
  schema: AttributeSchema | null;
}

/**
 * Prepares a run, starts it with its progress shown, and tells what came out; null when it was stopped. Throws conflict when a finished model is in
 * the way, invalid_config for a bad name.
 */
export async function trainByCommand<Report>(
  surroundings: Surroundings,
  options: TrainingOptions,
  asked: Asked,
  start: (run: PreparedRun, listener: TrainingListener) => Promise<RunOutcome<Report>>,
): Promise<RunOutcome<Report> | null> {
  const run = await prepareRun(surroundings, options, asked);
  const outcome = await followRun(surroundings, run.spec.runFolder, (listener) => start(run, listener));
  if (outcome) await concludeRun(surroundings.config(), options, outcome);
  return outcome;
}

async function prepareRun(
  { config, signal }: Surroundings,
  options: TrainingOptions,
  { method, base, schema = null, ...rest }: Asked,
): Promise<PreparedRun> {
  const { name, dtype, batchRows: B, publish = false } = options;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
    throw new SteerError(
      'invalid_config',
      `--name: expected letters, digits, dots, dashes and underscores, got ${JSON.stringify(name)}.`,
    );
  }
  const context = rest.context ?? (await readShape(base!)).contextLength;
  const { modelsDir, dataDir, executionProvider: provider } = config();
  const out = options.out ?? join(modelsDir, name);
  const runFolder = options.runFolder ?? join(dataDir, 'runs', name);
  if (base !== undefined && resolve(base) === resolve(out)) {
    throw new SteerError('invalid_config', `The model would be written over its base ${out}. Choose another --name or --out.`);
  }
  await checkPlace(out);
  makeRunFolder(runFolder, options.runFolder === undefined);
  if (!publish) await clearRun(runFolder, out, options.fresh === true);
  note('reading the data');
  const data = await gatherData(config(), options, schema, runFolder, signal);
  const learnt = await tellData(data, method, base);
  const { train, validation, datasets } = data;
  const files = { name, out, runFolder, train, validation, datasets, dtype };
  const settings = settingsOf(method, options);
  return { spec: { ...files, B, T: rowTokensOf(options, context), settings, provider, publish }, schema: learnt };
}

function makeRunFolder(runFolder: string, ours: boolean): void {
  try {
    // One that somebody named may hold other things, which are none of ours.
    if (ours) makePrivateFolder(runFolder);
    else makeFolder(runFolder, privateFolder);
  } catch (cause) {
    if (isDiskFull(cause)) throw cause;
    const { code, message } = cause as NodeJS.ErrnoException;
    const remedy = ours ? 'Set another DATA_DIR' : 'Choose another --run-folder';
    throw new SteerError('invalid_config', `The run folder ${runFolder} cannot be made (${code ?? message}). ${remedy}.`, {
      cause,
    });
  }
}

/** Says whose labels are learnt and of which attributes; answers these. A base model learns none. */
async function tellData(data: TrainingData, method: Method, base: string | undefined): Promise<AttributeSchema | null> {
  const { counts, makers, labelled } = data;
  note(`${counted(counts.train, 'sample')} to train on, ${counts.validation} held out; ${splitMeaning}`);
  if (method === 'pretrain' || data.schema === null) return data.schema;
  noteLabels(makers);
  const { schema, unseen } = await learntSchema(data.schema, labelled, method === 'steered' ? base : undefined);
  const told = schema.attributes.map((each) => `${each.name} 0–${maxLevel(each)} (${labelled.get(each.name) ?? 0})`);
  note(`Attributes and their labels to train on: ${told.join(', ')}.`);
  if (unseen.length > 0) note(unseenText(unseen));
  return schema;
}

/** Throws invalid_config without a source, and what reading a dataset or file throws. */
async function gatherData(
  config: Config,
  { dataset, data, labels, maxSamples }: TrainingOptions,
  schema: AttributeSchema | null,
  folder: string,
  signal: AbortSignal,
): Promise<TrainingData> {
  if (dataset.length + data.length === 0)
    throw new SteerError('invalid_config', 'Expected data to train on: name it with --dataset NAME or --data FILE.');
  const files = data.map(fileSource);
  const rest = { folder, schema, maxSamples, signal };
  if (dataset.length === 0) return await writeTrainingData(files, rest);
  return await withStore(config, async (db) => {
    const stored = await Promise.all(dataset.map(async (name) => datasetSource(db, await findDataset(db, name), labels)));
    return await writeTrainingData([...stored, ...files], rest);
  });
}

async function clearRun(runFolder: string, out: string, fresh: boolean): Promise<void> {
  const checkpoints = await listCheckpoints(runFolder);
  if (!fresh && checkpoints.length > 0) {
    note(`continuing from ${join(runFolder, checkpoints.at(-1)!)}`);
    return;
  }
  if (!fresh && (await exists(join(out, 'config.json')))) {
    throw new SteerError(
      'conflict',
      `There is a model in ${out} already. Choose another --name or --out, or replace it: --fresh.`,
    );
  }
  // A tokenizer without a checkpoint belongs to a run that never began, perhaps on other data.
  for (const name of [...checkpoints, 'tokenizer', 'best', paceFile])
    await rm(join(runFolder, name), { recursive: true, force: true });
}

/** Runs the training with its progress shown; null when it was stopped, which is told. */
async function followRun<Report>(
  { signal }: Surroundings,
  runFolder: string,
  run: (listener: TrainingListener) => Promise<RunOutcome<Report>>,
): Promise<RunOutcome<Report> | null> {
  const line = openProgressLine();
  const report = reportTraining(line);
  let timing = false;
  const onTiming = (isTiming: boolean) => {
    timing = isTiming;
  };
  // A terminal is told by whoever hears the signal; a log should say so too. A run whose steps are being timed stops at once.
  const tell = () => process.stderr.isTTY || timing || note('stopping after the step in hand');
  signal.addEventListener('abort', tell, { once: true });
  let last: Reached | undefined;
  const onMetrics = (metrics: Metrics) => {
    last = metrics;
    report.onMetrics(metrics);
  };
  let outcome: RunOutcome<Report> | undefined;
  try {
    outcome = await run({ ...report, onMetrics, onTiming });
  } catch (error) {
    if (!signal.aborted || !endedEarly(error)) throw withWayOut(error);
  } finally {
    signal.removeEventListener('abort', tell);
    line.close();
  }
  if (outcome?.out) return outcome;
  say(await howItStopped(outcome ?? null, last, runFolder));
  process.exitCode = interruptedStatus;
  return null;
}

interface Reached {
  step: number;
  steps: number;
}

/** Where a run stands that was stopped, also one whose process was ended before it could answer, and how it goes on. */
async function howItStopped(outcome: Reached | null, last: Reached | undefined, runFolder: string): Promise<string> {
  const newest = (await listCheckpoints(runFolder)).at(-1);
  const again = 'Run the same command again to continue from there';
  if (newest === undefined) {
    const where = last ? `after step ${last.step} of ${last.steps}, without a checkpoint` : 'before its first step';
    return `Stopped ${where}. Run the same command again to begin anew.`;
  }
  if (outcome) return `Stopped at step ${outcome.step} of ${outcome.steps}. ${again}, or with --publish for the model as it is.`;
  const where = last
    ? `The training process was ended after step ${last.step} of ${last.steps}`
    : 'Stopped before a further step';
  return `${where}; the newest checkpoint is of step ${stepOf(newest)}. ${again}, or with --publish for the model as it is.`;
}

/** The refusal of another run's checkpoint, or of a shorter run, does not know this command line. */
function withWayOut(error: unknown): unknown {
  if (!(error instanceof SteerError && error.code === 'conflict')) return error;
  return new SteerError('conflict', `${error.message} To start over, add --fresh.`, { cause: error });
}

/** Says what was made and, where the data came from the database, records the model there. */
async function concludeRun(config: Config, options: TrainingOptions, outcome: RunOutcome<unknown>): Promise<void> {
  const { out, step, steps, evalLoss } = outcome;
  const heldOut = evalLoss === null ? '' : `, held-out loss ${evalLoss.toFixed(3)}`;
  const made = `${step === steps ? '' : `${step} of `}${counted(steps, 'step')}${heldOut}`;
  if (outcome.finished) {
    say(
      `${out} is finished: ${made}. Nothing was trained or written; more --steps, --epochs or --minutes go on, --fresh starts over.`,
    );
  } else say(`Wrote ${out}: ${made}.`);
  if (options.dataset.length === 0 || out === null) return;
  try {
    const record = await describeModel(out);
    await withStore(config, (db) => recordModel(db, record));
  } catch (error) {
    // The database was free when the run began and may be in use hours later; the model is there all the same.
    note(`warning: the model is not recorded in the database: ${(error as Error).message}`);
  }
}
