// A training run as the three training commands share it: its folders, its data, its progress, what is said at the end, and the model's
// row in the database. What is trained, and how, is the command's.
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { findDataset } from '../datasets/samples.ts';
import { datasetSource, fileSource, type TrainingData, writeTrainingData } from '../datasets/training-data.ts';
import { SteerError } from '../errors.ts';
import { describeModel, recordModel } from '../finetuning/model-record.ts';
import { exists } from '../model/formats/json-file.ts';
import { makePrivateFolder, privateFolder } from '../private-files.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { ProviderChoice } from '../tensor/providers.ts';
import { listCheckpoints, stepOf } from '../training/checkpoint.ts';
import { endedEarly, type TrainingListener } from '../training/process.ts';
import type { Metrics } from '../training/training-task.ts';
import { openProgressLine, reportTraining } from './progress.ts';
import { interruptedStatus, note, type Surroundings, say } from './surroundings.ts';
import { settingsOf, type TrainingOptions } from './training-options.ts';
import { withStore } from './with-store.ts';

/** Everything a run needs but the shape of its rows and its base. */
export interface PreparedRun {
  name: string;
  out: string;
  runFolder: string;
  train: string;
  validation: string;
  datasets: { name: string; hash: string }[];
  provider: ProviderChoice;
  /** Attributes of the data, or those asked for; null without labels. */
  schema: AttributeSchema | null;
}

interface Outcome {
  out: string | null;
  step: number;
  steps: number;
  evalLoss: number | null;
}

/** Makes the folders and writes the data of a run. Throws conflict when a finished model is in the way, invalid_config for a bad name. */
export async function prepareRun(
  { config, signal }: Surroundings,
  options: TrainingOptions,
  rest: { base?: string | undefined; schema?: AttributeSchema | null },
): Promise<PreparedRun> {
  const { name } = options;
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(name)) {
    throw new SteerError(
      'invalid_config',
      `--name: expected letters, digits, dots, dashes and underscores, got ${JSON.stringify(name)}.`,
    );
  }
  const settings = config();
  const out = options.out ?? join(settings.modelsDir, name);
  const runFolder = options.runFolder ?? join(settings.dataDir, 'runs', name);
  if (rest.base !== undefined && resolve(rest.base) === resolve(out)) {
    throw new SteerError('invalid_config', `The model would be written over its base ${out}. Choose another --name or --out.`);
  }
  await clearRun(runFolder, out, options.fresh === true);
  if (options.runFolder === undefined) makePrivateFolder(runFolder);
  // A folder of that name may hold other things, which are none of ours.
  else await mkdir(runFolder, { recursive: true, mode: privateFolder });
  const { train, validation, datasets, schema } = await gatherData(settings, options, rest.schema ?? null, runFolder, signal);
  return { name, out, runFolder, train, validation, datasets, provider: settings.executionProvider, schema };
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

/** Parts of a spec every run has. */
export function sharedSpec({ schema: _, ...files }: PreparedRun, options: TrainingOptions, T: number) {
  return { ...files, dtype: options.dtype, B: options.batchRows, T, settings: settingsOf(options) };
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
  for (const name of [...checkpoints, 'tokenizer', 'best']) await rm(join(runFolder, name), { recursive: true, force: true });
}

/** Runs the training with its progress shown; null when it was stopped, which is told. */
export async function followRun<O extends Outcome>(
  { signal }: Surroundings,
  runFolder: string,
  run: (listener: TrainingListener) => Promise<O>,
): Promise<O | null> {
  const line = openProgressLine();
  const report = reportTraining(line);
  let last: { step: number; steps: number } | undefined;
  const onMetrics = (metrics: Metrics) => {
    last = metrics;
    report.onMetrics(metrics);
  };
  let outcome: O | undefined;
  try {
    outcome = await run({ ...report, onMetrics });
  } catch (error) {
    if (!signal.aborted || !endedEarly(error)) throw withWayOut(error);
  } finally {
    line.close();
  }
  if (outcome?.out) return outcome;
  const where = outcome ? `Stopped at step ${outcome.step} of ${outcome.steps}.` : await whereItEnded(last, runFolder);
  say(`${where} Run the same command again to continue from there.`);
  process.exitCode = interruptedStatus;
  return null;
}

/** Of a process that was ended before it could answer: where it was, and where the next one begins. */
async function whereItEnded(last: { step: number; steps: number } | undefined, runFolder: string): Promise<string> {
  const newest = (await listCheckpoints(runFolder)).at(-1);
  const kept = newest === undefined ? 'without a checkpoint' : `the newest checkpoint is of step ${stepOf(newest)}`;
  if (last) return `The training process was ended after step ${last.step} of ${last.steps}; ${kept}.`;
  return newest === undefined ? 'Stopped before its first step.' : `Stopped before a further step; ${kept}.`;
}

/** The refusal of another run's checkpoint does not know this command line. */
function withWayOut(error: unknown): unknown {
  if (!(error instanceof SteerError && error.code === 'conflict')) return error;
  return new SteerError('conflict', `${error.message} To start over, add --fresh.`, { cause: error });
}

/** Says what was made and, where the data came from the database, records the model there. */
export async function concludeRun(config: Config, options: TrainingOptions, { out, steps, evalLoss }: Outcome): Promise<void> {
  const heldOut = evalLoss === null ? '' : `, held-out loss ${evalLoss.toFixed(3)}`;
  say(`Wrote ${out}: ${steps} steps${heldOut}.`);
  if (options.dataset.length === 0 || out === null) return;
  try {
    const record = await describeModel(out);
    await withStore(config, (db) => recordModel(db, record));
  } catch (error) {
    // The database was free when the run began and may be in use hours later; the model is there all the same.
    note(`warning: the model is not recorded in the database: ${(error as Error).message}`);
  }
}
