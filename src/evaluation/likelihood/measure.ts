// An evaluation by likelihood from its task to its report: finds and checks model, base and data, and reads replies. Told what is measured
// already, it goes on from there.
import { join } from 'node:path';
import type { ChosenLabels } from '../../datasets/label-makers.ts';
import type { Sample } from '../../datasets/sample.ts';
import type { TrainingSource } from '../../datasets/training-data.ts';
import { SteerError } from '../../errors.ts';
import { type ModelCard, readModelCard, revisionOf } from '../../model/model-folder.ts';
import { counted } from '../../number-text.ts';
import { repliesOf } from '../../predictor/readings.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import { isTarget, promptLayoutVersion } from '../../steerlm/prompt-layout.ts';
import type { Split } from '../../store/schema.ts';
import type { EvaluationModels } from '../found-models.ts';
import { makersIn, type OpenData, type WithData } from '../open-data.ts';
import { openReportFolder } from '../report/report-files.ts';
import { refuseSeen, seenInTraining } from '../seen-data.ts';
import { evaluateLikelihood, type LikelihoodEvaluation, type LikelihoodParts } from './evaluation.ts';
import { chooseReplies, type LabelledReply } from './labelled-replies.ts';
import { measureNovelty, type Novelty } from './novelty.ts';
import { type LikelihoodReportHead, likelihoodReportFiles } from './report.ts';

export interface LikelihoodTask {
  model: string | undefined;
  /** Absent means the one the card names. */
  base?: string | undefined;
  split: Split | 'all';
  limit: number;
  force: boolean;
  seed: number;
}

export const likelihoodDefaults = { limit: 200 } as const;

export interface LikelihoodSetting {
  models: EvaluationModels;
  withData: WithData;
  /** What the model was trained on; its training split counts. */
  trainingData?: TrainingSource | undefined;
  /** Conversations that end with replies the model wrote. */
  replies?: TrainingSource | undefined;
  /** Where the report goes; absent means evaluation/ in the folder of the model. */
  out?: string | undefined;
  /** What an earlier attempt found. */
  kept?: LikelihoodParts | undefined;
  /** Once all is checked: what the figures will depend on beside the task. Throwing ends the evaluation. */
  onBegin?(facts: Record<string, string>): Promise<void>;
  onProgress?(what: string, done: number, total: number): void;
  /** Whose labels are read, once the data is looked at; not of a file, which has only its own. */
  onLabels?(labels: ChosenLabels): void;
  /** After each part, with all there is so far. Throwing ends the evaluation. */
  onPhase?(parts: LikelihoodParts): Promise<void>;
  signal: AbortSignal;
}

export interface MeasuredLikelihood {
  head: LikelihoodReportHead;
  evaluation: LikelihoodEvaluation;
  files: ReturnType<typeof likelihoodReportFiles>;
  /** Of the report, which can be written to. */
  out: string;
}

/** Throws what finding the models, reading the data and the checks throw; nothing is written. */
export async function measureLikelihood(task: LikelihoodTask, setting: LikelihoodSetting): Promise<MeasuredLikelihood> {
  const { models, withData, signal, kept, onProgress, onPhase } = setting;
  const model = await findModels(models, task);
  const out = setting.out ?? join(model.folder, 'evaluation');
  await openReportFolder(out);
  const { head, heldOut, itsTraining } = await withData((data) => gather(data, task, model, signal));
  if (head.label_makers) setting.onLabels?.(head.label_makers);
  const { trained = itsTraining, written, novelty } = await gatherBeside(setting, task, model.schema);
  await setting.onBegin?.({ [head.model.name]: head.model.revision, [head.base.name]: head.base.revision, data: head.data.hash });
  const evaluation = await evaluateLikelihood({
    model: model.folder,
    base: model.base,
    heldOut,
    trained,
    written,
    threads: models.threads,
    seed: task.seed,
    kept,
    ...(onProgress ? { onProgress } : {}),
    ...(onPhase ? { onPhase } : {}),
    signal,
  });
  return { head, evaluation, files: likelihoodReportFiles(head, model.schema, evaluation, novelty), out };
}

interface SteeredModel {
  folder: string;
  base: string;
  card: ModelCard;
  schema: AttributeSchema;
}

/** Throws invalid_request for a model without attributes, a base that knows labels, or none to be found. */
async function findModels(models: EvaluationModels, { model, base: named }: LikelihoodTask): Promise<SteeredModel> {
  const { folder } = await models.language(model);
  const card = await readModelCard(folder);
  if (card.kind !== 'steered' || !card.attributeSchema) throw notSteered(card.name, card.kind);
  if (card.promptLayoutVersion !== promptLayoutVersion) {
    const found = `${folder} was trained with prompt layout ${card.promptLayoutVersion}`;
    throw new SteerError('invalid_model', `${found}, this program writes ${promptLayoutVersion}.`);
  }
  const { folder: base } = await models.language(baseNamed(card.name, named ?? card.baseModel?.name));
  const { kind, name } = await readModelCard(base);
  if (kind !== 'base') throw notBase(name, kind);
  return { folder, base, card, schema: card.attributeSchema };
}

/** Why a model cannot be evaluated so. */
export function notSteered(name: string, kind: string): SteerError {
  const message = `Expected a steered model, ${name} is a ${kind} model. Make one with: steer finetune.`;
  return new SteerError('invalid_request', message);
}

/** Why a model cannot be what another is compared with. */
export function notBase(name: string, kind: string): SteerError {
  return new SteerError('invalid_request', `Expected a base model that never saw a label, ${name} is a ${kind} model.`);
}

/** Throws invalid_request where no base is named. */
export function baseNamed(model: string, base: string | null | undefined): string {
  if (base !== null && base !== undefined) return base;
  const message = `The card of ${model} names no base. Name a model that never saw a label: --base.`;
  throw new SteerError('invalid_request', message);
}

interface Gathered {
  head: LikelihoodReportHead;
  heldOut: LabelledReply[];
  /** Of the training split, where the model was trained on that and the report is on the other. */
  itsTraining: LabelledReply[] | undefined;
}

async function gather(
  { source, asTrained, labels }: OpenData,
  { split, limit, seed, force }: LikelihoodTask,
  { folder, base, card, schema }: SteeredModel,
  signal: AbortSignal,
): Promise<Gathered> {
  const seen = await seenInTraining(asTrained, card, schema, signal);
  const seenNow = refuseSeen(seen, { model: card.name, data: source.name, split, force });
  const choose = (side: Split | undefined) => chooseReplies(source.samples(), { schema, split: side, limit, seed, signal });
  const heldOut = await choose(split === 'all' ? undefined : split);
  if (heldOut.length < 2) throw unlabelled(source.name, schema, split, heldOut.length);
  const head = {
    model: { name: card.name, revision: await revisionOf(folder) },
    base: { name: (await readModelCard(base)).name, revision: await revisionOf(base) },
    data: { name: source.name, hash: seen.hash, split, labels: labels ?? 'those of the file' },
    label_makers: await makersIn({ source }, split, schema),
    seen_in_training: seenNow,
    settings: { seed, limit },
    created_at: new Date().toISOString(),
  };
  const itsTraining = split === 'validation' && seen.splits.includes('train') && !seenNow ? await choose('train') : undefined;
  return { head, heldOut, itsTraining };
}

function unlabelled(data: string, schema: AttributeSchema, split: string, found: number): SteerError {
  const where = split === 'all' ? data : `the ${split} split of ${data}`;
  const known = schema.attributes.map(({ name }) => name).join(', ');
  const remedy = 'Name another --split, or data with labels of these attributes.';
  return new SteerError(
    'invalid_dataset',
    `${where} has ${counted(found, 'reply')} labelled with any of ${known}; it takes two. ${remedy}`,
  );
}

interface Beside {
  trained?: LabelledReply[];
  written?: { conversation: Conversation; group: string }[];
  novelty: Novelty | null;
}

async function gatherBeside(
  { trainingData, replies, signal }: LikelihoodSetting,
  { limit, seed }: LikelihoodTask,
  schema: AttributeSchema,
): Promise<Beside> {
  const choice = { schema, split: 'train' as const, limit, seed, signal };
  const trained = trainingData ? { trained: await chooseReplies(trainingData.samples(), choice) } : {};
  if (!replies) return { ...trained, novelty: null };
  const written = await lastReplies(replies.samples(), signal);
  const texts = written.map(({ conversation }) => conversation.turns.at(-1)!.content);
  const novelty = trainingData ? await measureNovelty(texts, trainingTexts(trainingData, signal)) : null;
  return { ...trained, written, novelty };
}

async function lastReplies(
  samples: AsyncIterable<Sample>,
  signal: AbortSignal,
): Promise<{ conversation: Conversation; group: string }[]> {
  const found: { conversation: Conversation; group: string }[] = [];
  for await (const { content, conversationId } of samples) {
    if (signal.aborted) throw new SteerError('cancelled', 'Stopped while reading the data.');
    const last = [...repliesOf(content)].at(-1);
    if (last) found.push({ conversation: last.conversation, group: conversationId });
  }
  return found;
}

/** Replies and texts of the training split, one at a time. */
async function* trainingTexts(source: TrainingSource, signal: AbortSignal): AsyncGenerator<string> {
  for await (const { content, split } of source.samples()) {
    if (signal.aborted) throw new SteerError('cancelled', 'Stopped while reading the data.');
    if (split !== 'train') continue;
    if (content.kind === 'text') yield content.text;
    else for (const turn of content.conversation.turns) if (isTarget(turn)) yield turn.content;
  }
}
