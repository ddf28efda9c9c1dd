// npm run models:build: makes everything under models/ from the corpus beside this file: base model, predictor, steered model.
// Takes up where it stopped: each run keeps its checkpoints under data/runs until its model is written.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { trainPredictor } from '../src/attributes/train-predictor.ts';
import { openProgressLine, reportTraining } from '../src/commands/progress.ts';
import type { SampleContent } from '../src/datasets/sample.ts';
import { writeSnapshot } from '../src/datasets/snapshot.ts';
import { finetune } from '../src/finetuning/finetune.ts';
import type { TrainingSettings } from '../src/llama/training.ts';
import { gameCharacters } from '../src/schemas.ts';
import { defaultAdamW } from '../src/tensor/adamw.ts';
import { generateCorpus } from './corpus/grammar.ts';

const names = { base: 'npc-base', predictor: 'npc-predictor', steered: 'npc' };
const size = { vocabSize: 4096, hiddenSize: 256, intermediateSize: 688, layers: 6, heads: 8, kvHeads: 8, contextLength: 512 };
const [B, T] = [8, 256];
/** Conversations each model is made from; every run has a seed of its own, so the predictor judges replies it was not trained beside. */
const recipes = {
  base: { seed: 1, conversations: 16_000, learningRate: 1.5e-3 },
  predictor: { seed: 2, conversations: 7_000, learningRate: 5e-4 },
  steered: { seed: 3, conversations: 28_000, learningRate: 8e-4 },
};
const heldOutConversations = 400;

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

function settings({ seed, learningRate }: { seed: number; learningRate: number }): TrainingSettings {
  return {
    epochs: 1,
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

async function filesOf(model: keyof typeof recipes) {
  const { seed, conversations } = recipes[model];
  const runFolder = `data/runs/${names[model]}`;
  await mkdir(runFolder, { recursive: true });
  const files = { train: `${runFolder}/train.jsonl`, validation: `${runFolder}/validation.jsonl` };
  const split = { train: [] as SampleContent[], validation: [] as SampleContent[] };
  for (const item of generateCorpus({ seed, conversations })) {
    split[item.split].push({ kind: 'conversation', conversation: item.conversation });
  }
  const { hash } = await writeSnapshot(files.train, split.train);
  await writeSnapshot(files.validation, split.validation.slice(0, heldOutConversations));
  const datasets = [{ name: `corpus seed ${seed}, ${conversations} conversations`, hash }];
  return { ...files, runFolder, datasets, dtype: 'float16' as const, B, T, name: names[model], out: `models/${names[model]}` };
}

/** Makes one model unless it is there already; answers whether the build may go on. */
async function make(
  model: keyof typeof recipes,
  run: (files: Awaited<ReturnType<typeof filesOf>>) => Promise<{ out: string | null }>,
): Promise<boolean> {
  if (existsSync(`models/${names[model]}/steerlm.json`)) {
    process.stdout.write(`models/${names[model]} is there; remove it to make it again\n`);
    return true;
  }
  const { out } = await run(await filesOf(model));
  if (out === null) process.stdout.write('Stopped; the same command continues from the last checkpoint.\n');
  return out !== null;
}

const base = `models/${names.base}`;
const made =
  (await make('base', (files) =>
    finetune(
      { ...files, method: 'pretrain', start: { create: size }, settings: settings(recipes.base) },
      reportTraining(openProgressLine()),
      stop.signal,
    ),
  )) &&
  (await make('predictor', (files) =>
    trainPredictor(
      { ...files, base, schema: gameCharacters, readingTokens: T, settings: settings(recipes.predictor) },
      reportTraining(openProgressLine()),
      stop.signal,
    ),
  )) &&
  (await make('steered', (files) =>
    finetune(
      {
        ...files,
        method: 'steered',
        base,
        schema: gameCharacters,
        dropout: { label: 0.1, attribute: 0.1 },
        settings: settings(recipes.steered),
      },
      reportTraining(openProgressLine()),
      stop.signal,
    ),
  ));
if (made) await writeFile('models/default', `${names.steered}\n`);
