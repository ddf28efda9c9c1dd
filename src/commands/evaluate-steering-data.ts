// The prompts of steer evaluate steering, with the checks that they, and the judge, are not what the models were trained with. The database is
// free again before anything is written by a model.
import type { Predictor } from '../attributes/predictor.ts';
import { findDataset } from '../datasets/samples.ts';
import { datasetSource, fileSource, type TrainingSource } from '../datasets/training-data.ts';
import { type Labeller, labellersOf, refuseShared, sharedTraining } from '../evaluation/judge-independence.ts';
import { refuseSeen, seenInTraining } from '../evaluation/seen-data.ts';
import { type GatheredPrompts, gatherPrompts } from '../evaluation/steering-prompts.ts';
import { type Condition, inSystemText } from '../evaluation/steering-run.ts';
import { encodePrompt, readModelText } from '../generation/model-text.ts';
import { type ModelCard, revisionOf } from '../llama/model-folder.ts';
import { type AttributeSchema, type Conversation, type Label, layOutPrompt } from '../steerlm.ts';
import type { Split } from '../store/schema.ts';
import type { SteeringOptions } from './evaluate-steering.ts';
import type { Surroundings } from './surroundings.ts';
import { withStore } from './with-store.ts';

/** A model that is asked, and in which ways. */
export interface Party {
  control: boolean;
  folder: string;
  card: ModelCard;
  conditions: Condition[];
}

export interface Predictors {
  judge: Predictor;
  judgeCard: ModelCard;
  chooser: Predictor | null;
}

export interface SteeringData extends GatheredPrompts {
  source: { source: string; hash: string; split: string; seen_in_training: boolean };
  /** What the judge has in common with a model; null when nothing is known. */
  shared: string | null;
}

interface Checked {
  parties: readonly Party[];
  predictors: Predictors;
  schema: AttributeSchema;
}

/** Throws invalid_request for a judge or prompts that the models were trained with unless forced, and what reading the data throws. */
export async function gatherSteering(
  { config, signal }: Surroundings,
  options: SteeringOptions,
  checked: Checked,
): Promise<SteeringData> {
  const { dataset, prompts: file, split = dataset === undefined ? 'all' : 'validation' } = options;
  const read = async (source: TrainingSource, labellers: readonly Labeller[]): Promise<SteeringData> => {
    const shared = await judgeShares(checked, labellers, options.force === true);
    const { hash, seen } = await seenByAny(source, checked, split, options.force === true);
    const fits = await fitsAll(checked, options);
    const { promptsCount: count, seed } = options;
    const gathered = await gatherPrompts(source, { schema: checked.schema, split, count, seed, fits, signal });
    return { ...gathered, shared, source: { source: source.name, hash, split, seen_in_training: seen } };
  };
  if (file !== undefined) return await read(fileSource(file), []);
  return await withStore(config(), async (db) => {
    const source = datasetSource(db, await findDataset(db, dataset!), 'latest');
    const trainedOn = checked.parties.flatMap(({ card }) => card.datasets.map(({ name }) => name));
    return await read(source, await labellersOf(db, trainedOn));
  });
}

async function judgeShares(
  { parties, predictors: { judge, judgeCard } }: Checked,
  labellers: readonly Labeller[],
  force: boolean,
): Promise<string | null> {
  const described = { ...judgeCard, revision: judge.revision };
  let first: string | null = null;
  for (const { folder, card } of parties) {
    const shared = sharedTraining({ ...card, revision: await revisionOf(folder) }, described, labellers);
    refuseShared(shared, force);
    first ??= shared;
  }
  return first;
}

async function seenByAny(
  source: TrainingSource,
  { parties, schema }: Checked,
  split: Split | 'all',
  force: boolean,
): Promise<{ hash: string; seen: boolean }> {
  let seen = false;
  let hash = '';
  for (const { card } of parties) {
    const found = await seenInTraining(source, card, schema);
    seen = refuseSeen(found, { model: card.name, data: source.name, split, force }) || seen;
    hash = found.hash;
  }
  return { hash, seen };
}

/** Whether each model can read a prompt under any label and still has room for the reply. */
async function fitsAll(
  { parties, schema }: Checked,
  { maxTokens, textInstruction }: SteeringOptions,
): Promise<(conversation: Conversation) => boolean> {
  const texts = await Promise.all(parties.map(({ folder }) => readModelText(folder)));
  const all: Label = Object.fromEntries(schema.attributes.map(({ name, cap }) => [name, cap]));
  return ({ system, turns }) => {
    const told = textInstruction ? inSystemText(schema, system, all) : system;
    return texts.every(({ tokenizer, contextLength }) => {
      try {
        const prompt = encodePrompt(tokenizer, layOutPrompt(schema, { system: told, turns }, all), contextLength);
        return prompt.length + maxTokens <= contextLength;
      } catch {
        // Refused for its characters alone.
        return false;
      }
    });
  };
}
