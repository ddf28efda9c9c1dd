// From the data and settings of a fine-tuning job to its plan: snapshots in the run folder, the report on them, and every setting resolved. Refuses
// here, before any compute, what cannot be learnt from.

import { type ChosenLabels, describeLabels } from '../datasets/label-makers.ts';
import { findDataset } from '../datasets/samples.ts';
import {
  type BadLine,
  datasetSource,
  type TrainingData,
  type TrainingSource,
  uploadSource,
  writeTrainingData,
} from '../datasets/training-data.ts';
import { SteerError } from '../errors.ts';
import { findFile } from '../files/files.ts';
import { counted } from '../number-text.ts';
import { own } from '../own.ts';
import { type AttributeSchema, findAttribute } from '../steerlm/attributes.ts';
import type { Db } from '../store/connect.ts';
import type { Split } from '../store/schema.ts';
import { epochsFor } from '../training/schedule.ts';
import { type Method, settingsOf } from '../training/training-settings.ts';
import { schemaOver, unseenText } from './base-schema.ts';
import { inspectData } from './finetune.ts';
import type { Inspection, ValidationReport } from './inspection.ts';
import type { FinetuningInput, Hyperparameters, TrainingPlan } from './job-input.ts';

export interface Preparation {
  input: FinetuningInput;
  /** Folder of the model to start from. */
  base: string;
  runFolder: string;
  /** Most bytes an uploaded file may unpack to. */
  unpackedBytes?: number | undefined;
  onNote(text: string): void;
  signal: AbortSignal;
}

export interface Prepared {
  report: ValidationReport;
  /** What speaks against training on it; the plan is there otherwise. */
  refusal: SteerError | null;
  plan: TrainingPlan;
}

const badLinesTold = 20;

/** Writes the snapshots and resolves the settings. Throws what reading the data throws. */
export async function prepareTraining(db: Db, preparation: Preparation): Promise<Prepared> {
  const { input, runFolder, signal } = preparation;
  const first: BadLine[] = [];
  let count = 0;
  const onBadLine = (line: BadLine) => {
    if (count++ < badLinesTold) first.push(line);
  };
  const sources = await sourcesOf(db, preparation);
  const data = await writeTrainingData(sources, { folder: runFolder, schema: input.schema, onBadLine, signal });
  const asked = askedSchema(input, data.schema);
  const found = await inspectData(
    {
      method: 'inspect',
      runFolder,
      base: preparation.base,
      train: data.train,
      validation: data.validation,
      schema: asked,
      rated: input.method === 'predictor',
      rowTokens: input.hyperparameters.row_tokens,
    },
    preparation.onNote,
    signal,
  );
  const makers = input.method === 'supervised' ? [] : data.makers;
  const report: ValidationReport = { ...found, bad_lines: { count, first }, label_makers: makers };
  const chosen = input.attributes || input.schema ? asked : labelledOnly(asked, found);
  const refusal = refusalOf(input, chosen, report);
  const keeps = input.method === 'steerlm' && !input.attributes && !input.schema;
  const schema = chosen && keeps ? await schemaOver(preparation.base, chosen) : chosen;
  tellLabels(preparation, makers, asked, schema);
  return { report, refusal, plan: planOf(input, schema, data, found) };
}

/** Whose labels are learnt, and which attributes of the data are not, since none of it is labelled for them. */
function tellLabels(
  { input: { method, bootstrap }, onNote }: Preparation,
  makers: readonly ChosenLabels[],
  asked: AttributeSchema | null,
  schema: AttributeSchema | null,
): void {
  // The replies of a bootstrapping job are labelled by its predictor alone.
  const option = bootstrap ? null : (sources: string) => `method.${method}.labels ${JSON.stringify(sources.split(','))}`;
  for (const line of makers.flatMap((each) => describeLabels(each, option))) onNote(line);
  const learnt = new Set(schema?.attributes.map(({ name }) => name));
  const unseen = asked?.attributes.map(({ name }) => name).filter((name) => !learnt.has(name)) ?? [];
  if (schema && unseen.length > 0) onNote(unseenText(unseen));
}

async function sourcesOf(db: Db, { input, unpackedBytes }: Preparation): Promise<TrainingSource[]> {
  const { training, validation, labels, method } = input;
  const open = async (source: FinetuningInput['training'], side?: Split): Promise<TrainingSource> => {
    if ('file' in source) return uploadSource(db, await findFile(db, source.file), { side, unpackedBytes });
    // The replies of a bootstrapping job are labelled by its predictor alone.
    const choice = method === 'bootstrap' ? (['model'] as const) : labels;
    return datasetSource(db, await findDataset(db, source.dataset), choice, side);
  };
  if (validation === null) return [await open(training)];
  return [await open(training, 'train'), await open(validation, 'validation')];
}

/** Attributes to train under; null where labels do not matter. */
function askedSchema({ method, attributes }: FinetuningInput, schema: AttributeSchema | null): AttributeSchema | null {
  if (method === 'supervised' || schema === null || attributes === null) return method === 'supervised' ? null : schema;
  const names = new Set(attributes.map((name) => findAttribute(schema, name).name));
  return { ...schema, attributes: schema.attributes.filter(({ name }) => names.has(name)) };
}

/** The attributes of the data that some reply is labelled with, where nobody said which to learn. */
function labelledOnly(schema: AttributeSchema | null, { labels }: Inspection): AttributeSchema | null {
  const attributes = schema?.attributes.filter(({ name }) => (own(labels, name)?.labelled ?? 0) > 0) ?? [];
  return schema && attributes.length > 0 ? { ...schema, attributes } : null;
}

function refusalOf(input: FinetuningInput, schema: AttributeSchema | null, report: ValidationReport): SteerError | null {
  const param = 'file' in input.training ? 'training_file' : 'training_dataset';
  const refuse = (message: string) => new SteerError('invalid_dataset', message, { details: { param } });
  const { count, first } = report.bad_lines;
  if (count > 0) {
    const told = first.slice(0, 5).map(({ file, line, message }) => `${file}, line ${line}: ${message}`);
    return refuse(`${counted(count, 'line')} cannot be read. ${told.join('; ')}. Correct the file and upload it anew.`);
  }
  const { row_tokens: T, context_length: most } = report;
  if (T > most) {
    const details = { param: 'hyperparameters.row_tokens' };
    return new SteerError(
      'invalid_request',
      `Expected rows of at most ${most} tokens, the context of ${input.model}; got ${T}.`,
      { details },
    );
  }
  if (report.rows === 0 && (input.method === 'supervised' || report.replies === 0))
    return refuse(
      `Expected conversations with replies to learn from, found none in ${counted(report.samples.train, 'training sample')}.`,
    );
  if (input.method === 'supervised') return null;
  if (schema === null) return refuse('No reply of the training data is labelled. Label it first, or import data with labels.');
  const bare = schema.attributes.filter(({ name }) => own(report.labels, name)?.labelled === 0).map(({ name }) => name);
  if (bare.length === 0) return null;
  return refuse(
    `No reply of the training data is labelled for ${bare.join(', ')}. Label it for that, or leave ${bare.length === 1 ? 'it' : 'them'} out of method.attributes.`,
  );
}

const rowsOfMicroBatch = 16;

function planOf(
  { hyperparameters: asked, seed, method }: FinetuningInput,
  schema: AttributeSchema | null,
  { datasets }: TrainingData,
  found: Inspection,
): TrainingPlan {
  const batch =
    asked.batch_size === 'auto' ? Math.min(16, Math.max(4, 2 ** Math.floor(Math.log2(found.rows / 32)))) : asked.batch_size;
  const accumulation = Math.ceil(batch / rowsOfMicroBatch);
  const B = Math.ceil(batch / accumulation);
  const updatesPerEpoch = Math.max(1, Math.ceil(Math.ceil(found.rows / B) / accumulation));
  const { length, steps } = lengthOf(asked, updatesPerEpoch);
  const settings = settingsOf(recipeNames[method], {
    ...{ ...length, accumulation, seed },
    loraRank: asked.lora_rank,
    learningRate: asked.learning_rate === 'auto' ? undefined : asked.learning_rate,
    evaluateEvery: asked.evaluate_every,
    checkpointEvery: asked.checkpoint_every,
    patience: asked.early_stopping?.patience,
    heldOutReplies: asked.held_out_replies,
  });
  const multiplier = asked.learning_rate_multiplier === 'auto' ? 1 : asked.learning_rate_multiplier;
  return {
    schema,
    datasets,
    B,
    T: found.row_tokens,
    dropout: { label: asked.label_dropout, attribute: asked.attribute_dropout, partial: asked.partial_labels },
    steps,
    updatesPerEpoch,
    settings: { ...settings, learningRate: settings.learningRate * multiplier },
  };
}

/** How long to train, as settings say it, and about how many updates that is; null where they follow from minutes. */
export function lengthOf({ n_epochs, n_steps, minutes }: Hyperparameters, updatesPerEpoch: number) {
  const epochs = n_epochs === 'auto' ? epochsFor(updatesPerEpoch) : n_epochs;
  const ofEpochs = Math.max(1, Math.ceil(epochs * updatesPerEpoch));
  return {
    length: { epochs, steps: n_steps, ...(minutes === null ? {} : { minutes }) },
    steps: n_steps ?? (minutes === null ? ofEpochs : null),
  };
}

/** What trains the model of a job. */
const recipeNames: Record<FinetuningInput['method'], Method> = {
  steerlm: 'steered',
  bootstrap: 'steered',
  supervised: 'supervised',
  predictor: 'predictor',
};
