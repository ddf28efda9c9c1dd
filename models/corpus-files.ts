// What a training run reads of the corpus: conversations drawn by a seed, as the files of a run, with the settings all runs share.
import { mkdir } from 'node:fs/promises';
import type { SampleContent } from '../src/datasets/sample.ts';
import { writeSnapshot } from '../src/datasets/snapshot.ts';
import type { Conversation } from '../src/steerlm/conversation.ts';
import { defaultAdamW } from '../src/tensor/adamw.ts';
import type { TrainingSettings } from '../src/training/training-settings.ts';
import { type CorpusItem, generateCorpus, generateExchanges } from './corpus/grammar.ts';
import { heldOut } from './recipes.ts';

/** One run over conversations of the corpus. */
export interface CorpusRun {
  seed: number;
  conversations: number;
  epochs: number;
  learningRate: number;
  /** Rows of a batch, and tokens of a row. */
  B: number;
  T: number;
  /** Share of replies beside the point; see generateCorpus. */
  strays?: number;
  /** Lines that are said again or ask for what was just said, as many beside each conversation. */
  copies?: number;
  /** Share of invented names made of any letters; see generateCorpus. */
  spelled?: number;
  /** Shares among exchanges; see generateExchanges. */
  repeats?: number;
  lookups?: number;
}

/** Conversations on either side of a run. */
type Sides = Record<CorpusItem['split'], SampleContent[]>;

/** The conversations of a run, and the copies between them, which are there to learn from alone. */
export function* conversationsOf(run: CorpusRun): Generator<Pick<CorpusItem, 'conversation' | 'split'>> {
  const { seed, conversations, copies = 0, spelled } = run;
  const shares = { repeats: 0.2, lookups: 0.8, ...(spelled !== undefined && { spelled }) };
  const copied = generateExchanges({ seed, conversations: Math.ceil(conversations * copies), ...shares });
  let due = 0;
  for (const item of generateCorpus(run)) {
    yield item;
    for (due += copies; due >= 1; due--) {
      const { value: conversation } = copied.next();
      if (conversation) yield { conversation, split: 'train' };
    }
  }
}

/** Writes what `choose` makes of each conversation into the folder. */
export async function corpusFiles(
  runFolder: string,
  run: CorpusRun,
  choose: (item: Pick<CorpusItem, 'conversation'>) => Conversation = ({ conversation }) => conversation,
) {
  const sides: Sides = { train: [], validation: [] };
  for (const item of conversationsOf(run)) sides[item.split].push({ kind: 'conversation', conversation: choose(item) });
  return await writeFiles(runFolder, run, sides);
}

/** Whole conversations among the exchanges, for the tokenizer to have seen them. */
const wholeAmongExchanges = 600;

/** Writes as many exchanges that stand alone. */
export async function exchangeFiles(runFolder: string, run: CorpusRun) {
  const sides: Sides = { train: [], validation: [] };
  for (const { conversation, split } of generateCorpus({ ...run, conversations: wholeAmongExchanges }))
    sides[split].push({ kind: 'conversation', conversation });
  for (const conversation of generateExchanges(run)) sides.train.push({ kind: 'conversation', conversation });
  sides.validation.push(...sides.train.splice(-heldOut));
  return await writeFiles(runFolder, run, sides);
}

async function writeFiles(runFolder: string, run: CorpusRun, split: Sides) {
  const { seed, conversations, B, T } = run;
  await mkdir(runFolder, { recursive: true });
  const files = { train: `${runFolder}/train.jsonl`, validation: `${runFolder}/validation.jsonl` };
  const { hash } = await writeSnapshot(files.train, split.train);
  await writeSnapshot(files.validation, split.validation.slice(0, heldOut));
  const datasets = [{ name: `corpus seed ${seed}, ${conversations} conversations`, hash }];
  return { ...files, runFolder, datasets, dtype: 'float16' as const, B, T, settings: settings(run) };
}

function settings({ seed, epochs, learningRate }: CorpusRun): TrainingSettings {
  return {
    epochs,
    steps: null,
    accumulation: 1,
    learningRate,
    floor: 0.05,
    warmup: 0.03,
    adamw: defaultAdamW,
    seed,
    lora: null,
    evaluateEvery: 500,
    checkpointEvery: 250,
    keepCheckpoints: 1,
  };
}
