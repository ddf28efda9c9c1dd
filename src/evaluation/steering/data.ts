// The prompts of an evaluation of steering, with the checks that they, and the judge, are not what the models were trained with.

import type { ChosenLabels } from '../../datasets/label-makers.ts';
import type { TrainingSource } from '../../datasets/training-data.ts';
import { encodePrompt, layOut, readModelText } from '../../generation/model-text.ts';
import { type ModelCard, revisionOf } from '../../model/model-folder.ts';
import type { Predictor } from '../../predictor/predictor.ts';
import type { AttributeSchema, Label } from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import { isUpstream } from '../../upstream/settings.ts';
import { readUpstreamModel } from '../../upstream/upstream-model.ts';
import type { FoundLanguage } from '../found-models.ts';
import { makersIn, type OpenData } from '../open-data.ts';
import { refuseSeen, seenInTraining } from '../seen-data.ts';
import { type Labeller, labellersOf, refuseShared, sharedTraining } from './judge-independence.ts';
import { leavesRoom, type Reader } from './prompt-room.ts';
import { type GatheredPrompts, gatherPrompts } from './prompts.ts';
import { type Condition, inSystemText } from './run.ts';
import type { SteeringTask } from './task.ts';

/** A model that is asked, and in which ways. */
export interface Party {
  control: boolean;
  found: FoundLanguage;
  card: ModelCard;
  /** Of its folder. */
  revision: string;
  schema: AttributeSchema;
  reader: Reader;
  conditions: Condition[];
}

export interface Predictors {
  judge: Predictor;
  judgeCard: ModelCard;
  chooser: Predictor | null;
}

export interface SteeringData extends GatheredPrompts {
  source: { source: string; hash: string; split: string; seen_in_training: boolean };
  makers: ChosenLabels | null;
  /** What the judge has in common with a model; null when nothing is known. */
  shared: string | null;
}

/** Models and judge, whose attributes fit each other. */
export interface Gathering {
  parties: readonly Party[];
  predictors: Predictors;
  schema: AttributeSchema;
}

/** A model with the evaluated conditions. Throws invalid_model. */
export async function partyOf(found: FoundLanguage, card: ModelCard, control: boolean, conditions: Condition[]): Promise<Party> {
  return { control, found, card, conditions, ...(await readAsked(found.folder)) };
}

/** What has to be known of a model before it is opened, which only one is at a time. */
async function readAsked(folder: string): Promise<Pick<Party, 'revision' | 'schema' | 'reader'>> {
  if (await isUpstream(folder)) {
    const known = await readUpstreamModel(folder);
    return { revision: known.revision, schema: known.schema, reader: known };
  }
  const text = await readModelText(folder);
  const { tokenizer, contextLength, schema, chat } = text;
  const reader: Reader = {
    contextLength,
    schema,
    chat,
    layOut: (conversation, label) => layOut(text, conversation, label),
    encode: (pieces) => encodePrompt(tokenizer, pieces, contextLength),
  };
  return { revision: await revisionOf(folder), schema, reader };
}

/** Throws invalid_request for a judge or prompts that the models were trained with unless forced, and what reading the data throws. */
export async function gatherSteering(
  { source, db }: OpenData,
  task: SteeringTask,
  gathering: Gathering,
  signal: AbortSignal,
): Promise<SteeringData> {
  const { split, promptsCount: count, seed, force } = task;
  const trainedOn = gathering.parties.flatMap(({ card }) => card.datasets.map(({ name }) => name));
  const shared = judgeShares(gathering, db ? await labellersOf(db, trainedOn) : [], force);
  const { hash, seen } = await seenByAny(source, gathering, { split, force }, signal);
  const fits = fitsAll(gathering, task);
  const gathered = await gatherPrompts(source, { schema: gathering.schema, split, count, seed, fits, signal });
  const makers = await makersIn({ source }, 'all', gathering.schema);
  return { ...gathered, makers, shared, source: { source: source.name, hash, split, seen_in_training: seen } };
}

function judgeShares(
  { parties, predictors: { judge, judgeCard } }: Gathering,
  labellers: readonly Labeller[],
  force: boolean,
): string | null {
  const described = { ...judgeCard, revision: judge.revision };
  const found = parties.map(({ card, revision }) => sharedTraining({ ...card, revision }, described, labellers));
  for (const shared of found) refuseShared(shared, force);
  return found.find((shared) => shared !== null) ?? null;
}

async function seenByAny(
  source: TrainingSource,
  { parties, schema }: Gathering,
  { split, force }: Pick<SteeringTask, 'split' | 'force'>,
  signal: AbortSignal,
): Promise<{ hash: string; seen: boolean }> {
  let seen = false;
  let hash = '';
  for (const { card } of parties) {
    const found = await seenInTraining(source, card, schema, signal);
    seen = refuseSeen(found, { model: card.name, data: source.name, split, force }) || seen;
    hash = found.hash;
  }
  return { hash, seen };
}

/**
 * Whether each model can read a prompt under any label and still has room for the reply, and its last line where levels are told in words. More is
 * not asked: words take so much that else only short conversations would be left, for every condition.
 */
function fitsAll(
  { parties, schema }: Gathering,
  { maxTokens, textInstruction }: SteeringTask,
): (conversation: Conversation) => Promise<boolean> {
  const all: Label = Object.fromEntries(schema.attributes.map(({ name, cap }) => [name, cap]));
  return async ({ system, turns }) => {
    const inWords = { system: inSystemText(schema, system, all), turns: turns.slice(-1) };
    for (const { reader } of parties) {
      if (!(await leavesRoom(reader, { system, turns }, { label: all, maxTokens }))) return false;
      if (textInstruction && !(await leavesRoom(reader, inWords, { label: {}, maxTokens }))) return false;
    }
    return true;
  };
}
