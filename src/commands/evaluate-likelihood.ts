// steer evaluate likelihood: what a steered model makes of labels, its base and its training data, told from likelihoods alone.
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { repliesOf } from '../attributes/readings.ts';
import { readSamples } from '../datasets/read.ts';
import type { Sample } from '../datasets/sample.ts';
import { findDataset, type LabelChoice } from '../datasets/samples.ts';
import { datasetSource, fileSource, type TrainingSource } from '../datasets/training-data.ts';
import { SteerError } from '../errors.ts';
import { chooseReplies, type LabelledReply } from '../evaluation/labelled-replies.ts';
import { evaluateLikelihood } from '../evaluation/likelihood-evaluation.ts';
import { type LikelihoodReportHead, likelihoodReportFiles } from '../evaluation/likelihood-report.ts';
import { measureNovelty, type Novelty } from '../evaluation/novelty.ts';
import { openReportFolder, writeReport } from '../evaluation/report-files.ts';
import { refuseSeen, seenInTraining } from '../evaluation/seen-data.ts';
import { type ModelCard, readModelCard, revisionOf } from '../llama/model-folder.ts';
import { engineOptions } from '../model-registry/open.ts';
import { type AttributeSchema, type Conversation, promptLayoutVersion } from '../steerlm.ts';
import type { Db } from '../store/connect.ts';
import { type Split, splits } from '../store/schema.ts';
import { findModelFolder } from './model-folders.ts';
import { labelChoice, whole } from './option-values.ts';
import { bar, openProgressLine } from './progress.ts';
import { note, type Surroundings, say } from './surroundings.ts';
import { withStore } from './with-store.ts';

interface LikelihoodOptions {
  model?: string;
  base?: string;
  dataset?: string;
  data?: string;
  trainingData?: string;
  replies?: string;
  split: Split | 'all';
  labels: LabelChoice;
  limit: number;
  out?: string;
  force?: boolean;
  seed: number;
}

/** The command. */
export function evaluateLikelihoodCommand(surroundings: Surroundings): Command {
  return new Command('likelihood')
    .summary('measure steering without generating')
    .description(
      'Reads held-out replies under their own labels and under others: what each attribute tells the model, and which level it takes a reply for. Beside that, its distance from the base, what it remembers of its training data, and how fluent replies are to the base.',
    )
    .option('--model <model>', 'steered model: a name in MODELS_DIR or a path (default: the default model)')
    .option('--base <model>', 'model that never saw a label (default: the one the card names)')
    .option('--dataset <name>', 'dataset in the database with labelled conversations')
    .option('--data <file>', 'file with labelled conversations, without a database, in any format import reads')
    .addOption(new Option('--split <split>', 'replies that are read').choices([...splits, 'all']).default('validation'))
    .option('--labels <choice>', 'labels that count: latest, or sources by preference', labelChoice, 'latest')
    .option(
      '--training-data <file>',
      'what the model was trained on, to see what it remembers; its training split counts (default: that of the data, where the model was trained on it)',
    )
    .option('--replies <file>', 'conversations that end with replies the model wrote, for their fluency and novelty')
    .option('--limit <n>', 'most replies, drawn by the seed', whole(2), 200)
    .option('--out <folder>', 'where the report is written (default: evaluation/ in the folder of the model)')
    .option('--force', 'evaluate even on data the model was trained on, and mark the report')
    .option('--seed <n>', 'seed of everything random', whole(0), 0)
    .addHelpText(
      'after',
      '\nExample:\n  steer evaluate likelihood --model npc --base npc-base --dataset talk\n  steer evaluate likelihood --model npc --data held-out.jsonl --split all --limit 200 --out report',
    )
    .action((options: LikelihoodOptions) => evaluate(surroundings, options));
}

async function evaluate(surroundings: Surroundings, options: LikelihoodOptions): Promise<void> {
  if ((options.dataset === undefined) === (options.data === undefined)) {
    throw new SteerError('invalid_request', 'Expected either --dataset NAME or --data FILE with labelled conversations.');
  }
  const model = await openModel(surroundings, options);
  const out = options.out ?? join(model.folder, 'evaluation');
  await openReportFolder(out);
  const { head, heldOut, itsTraining } = await gather(surroundings, options, model);
  const { trained = itsTraining, written, novelty } = await gatherBeside(surroundings, options, model.schema);
  const line = openProgressLine();
  try {
    const evaluation = await evaluateLikelihood({
      model: model.folder,
      base: model.base,
      heldOut,
      trained,
      written,
      threads: engineOptions.threads,
      seed: options.seed,
      onProgress: (what, done, total) => line.show(`${bar(done / total)} ${what} ${done}/${total}`, done === total),
      signal: surroundings.signal,
    });
    line.close();
    const files = likelihoodReportFiles(head, model.schema, evaluation, novelty);
    await writeReport(out, files);
    say(files['likelihood.md'].trimEnd());
    note(`Wrote ${Object.keys(files).join(', ')} to ${out}.`);
  } finally {
    line.close();
  }
}

interface SteeredModel {
  folder: string;
  base: string;
  card: ModelCard;
  schema: AttributeSchema;
}

/** Throws invalid_request for a model without attributes, a base that knows labels, or none to be found. */
async function openModel({ config }: Surroundings, options: LikelihoodOptions): Promise<SteeredModel> {
  const folder = await findModelFolder(config(), options.model, ['language']);
  const card = await readModelCard(folder);
  if (card.kind !== 'steered' || !card.attributeSchema) {
    throw new SteerError(
      'invalid_request',
      `Expected a steered model, ${card.name} is a ${card.kind} model. Make one with: steer finetune.`,
    );
  }
  if (card.promptLayoutVersion !== promptLayoutVersion) {
    const found = `${folder} was trained with prompt layout ${card.promptLayoutVersion}`;
    throw new SteerError('invalid_model', `${found}, this program writes ${promptLayoutVersion}.`);
  }
  const named = options.base ?? card.baseModel?.name;
  if (named === undefined) {
    throw new SteerError(
      'invalid_request',
      `The card of ${card.name} names no base. Name a model that never saw a label: --base.`,
    );
  }
  const base = await findModelFolder(config(), named, ['language']);
  const { kind, name } = await readModelCard(base);
  if (kind !== 'base') {
    throw new SteerError('invalid_request', `Expected a base model that never saw a label, ${name} is a ${kind} model.`);
  }
  return { folder, base, card, schema: card.attributeSchema };
}

interface Gathered {
  head: LikelihoodReportHead;
  heldOut: LabelledReply[];
  /** Of the training split, where the model was trained on that and the report is on the other. */
  itsTraining: LabelledReply[] | undefined;
}

/** Reads the data; the database is free again before anything is computed. */
async function gather(
  { config, signal }: Surroundings,
  options: LikelihoodOptions,
  { folder, base, card, schema }: SteeredModel,
): Promise<Gathered> {
  const { dataset, data, labels, split, limit, seed, force = false } = options;
  const read = async (source: TrainingSource, asTrained: TrainingSource): Promise<Gathered> => {
    const seen = await seenInTraining(asTrained, card, schema);
    const seenNow = refuseSeen(seen, { model: card.name, data: source.name, split, force });
    const choose = (side: Split | undefined) => chooseReplies(source.samples(), { schema, split: side, limit, seed, signal });
    const heldOut = await choose(split === 'all' ? undefined : split);
    if (heldOut.length < 2) throw unlabelled(source.name, schema, split, heldOut.length);
    const head = {
      model: { name: card.name, revision: await revisionOf(folder) },
      base: { name: (await readModelCard(base)).name, revision: await revisionOf(base) },
      data: { name: source.name, hash: seen.hash, split, labels: data === undefined ? labels : 'those of the file' },
      seen_in_training: seenNow,
      settings: { seed, limit },
      created_at: new Date().toISOString(),
    };
    const itsTraining = split === 'validation' && seen.splits.includes('train') && !seenNow ? await choose('train') : undefined;
    return { head, heldOut, itsTraining };
  };
  if (data !== undefined) return await read(fileSource(data), fileSource(data));
  return await withStore(config(), async (db: Db) => {
    const stored = await findDataset(db, dataset!);
    return await read(datasetSource(db, stored, labels), datasetSource(db, stored, 'latest'));
  });
}

function unlabelled(data: string, schema: AttributeSchema, split: string, found: number): SteerError {
  const where = split === 'all' ? data : `the ${split} split of ${data}`;
  const known = schema.attributes.map(({ name }) => name).join(', ');
  const remedy = 'Name another --split, or data with labels of these attributes.';
  return new SteerError(
    'invalid_dataset',
    `${where} has ${found} replies labelled with any of ${known}; it takes two. ${remedy}`,
  );
}

interface Beside {
  trained?: LabelledReply[];
  written?: { conversation: Conversation; group: string }[];
  novelty: Novelty | null;
}

async function gatherBeside(
  { signal }: Surroundings,
  { trainingData, replies, limit, seed }: LikelihoodOptions,
  schema: AttributeSchema,
): Promise<Beside> {
  const trained =
    trainingData === undefined
      ? {}
      : { trained: await chooseReplies(readSamples(trainingData), { schema, split: 'train', limit, seed, signal }) };
  if (replies === undefined) return { ...trained, novelty: null };
  const written = await lastReplies(readSamples(replies));
  const texts = written.map(({ conversation }) => conversation.turns.at(-1)!.content);
  const novelty = trainingData === undefined ? null : await measureNovelty(texts, trainingTexts(trainingData, signal));
  return { ...trained, written, novelty };
}

async function lastReplies(samples: AsyncIterable<Sample>): Promise<{ conversation: Conversation; group: string }[]> {
  const found: { conversation: Conversation; group: string }[] = [];
  for await (const { content, conversationId } of samples) {
    const last = [...repliesOf(content)].at(-1);
    if (last) found.push({ conversation: last.conversation, group: conversationId });
  }
  return found;
}

/** Replies and texts of the training split, one at a time. */
async function* trainingTexts(file: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const { content, split } of readSamples(file)) {
    if (signal.aborted) throw new SteerError('cancelled', 'Stopped while reading the data.');
    if (split !== 'train') continue;
    if (content.kind === 'text') yield content.text;
    else for (const { role, content: said } of content.conversation.turns) if (role === 'assistant') yield said;
  }
}
