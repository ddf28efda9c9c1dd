// The whole circle on real dialogues: tokenizer and base model, predictor from human labels, labelling, steered fine-tuning, serving over HTTP,
// and how well predictor and steering hold on files no stage has seen. `--quick` turns the same circle small.
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import type { SampleContent } from '../src/datasets/sample.ts';
import { writeSnapshot } from '../src/datasets/snapshot.ts';
import { finetune } from '../src/finetuning/finetune.ts';
import type { NewModel } from '../src/finetuning/training-spec.ts';
import { openPredictor } from '../src/predictor/open.ts';
import type { Predictor } from '../src/predictor/predictor.ts';
import { trainPredictor } from '../src/predictor/train.ts';
import type { Label } from '../src/steerlm/attributes.ts';
import type { Conversation } from '../src/steerlm/conversation.ts';
import { defaultAdamW } from '../src/tensor/adamw.ts';
import type { TrainingListener } from '../src/training/process.ts';
import type { TrainingSettings } from '../src/training/training-settings.ts';
import { type CircleData, circleSchema, loadCircleData, type Split } from './circle-data.ts';
import { predictorTable, steeringTable } from './circle-report.ts';
import { recordSection } from './results.ts';

export interface Scale {
  share: number;
  size: NewModel;
  baseEpochs: number;
  predictorEpochs: number;
  tuningEpochs: number;
  readingTokens: number;
  prompts: number;
}

/** The size the circle's figures are of. */
export const full: Scale = {
  share: 1,
  size: { vocabSize: 4096, hiddenSize: 256, intermediateSize: 688, layers: 6, heads: 8, kvHeads: 8, contextLength: 512 },
  baseEpochs: 1.25,
  predictorEpochs: 1.25,
  tuningEpochs: 1,
  readingTokens: 80,
  prompts: 40,
};
const quick: Scale = {
  share: 0.08,
  size: { vocabSize: 1024, hiddenSize: 96, intermediateSize: 256, layers: 3, heads: 4, kvHeads: 4, contextLength: 512 },
  baseEpochs: 3,
  predictorEpochs: 2,
  tuningEpochs: 3,
  readingTokens: 64,
  prompts: 8,
};

export const out = 'bench/out/circle';
const [B, T] = [8, 256];
const signal = new AbortController().signal;

export function settings(epochs: number, learningRate: number): TrainingSettings {
  return {
    epochs,
    steps: null,
    accumulation: 1,
    learningRate,
    floor: 0.1,
    warmup: 0.05,
    adamw: defaultAdamW,
    seed: 1,
    lora: null,
    evaluateEvery: 400,
    checkpointEvery: 200,
    keepCheckpoints: 1,
  };
}

export function listener(stage: string): TrainingListener {
  let last = 0;
  return {
    onNote: (text) => process.stdout.write(`${stage}: ${text}\n`),
    onMetrics({ step, steps, loss, eval_loss, tokens_per_second }) {
      if (step !== steps && performance.now() - last < 15_000 && eval_loss === undefined) return;
      last = performance.now();
      const held = eval_loss === undefined ? '' : `, held-out ${eval_loss.toFixed(3)}`;
      process.stdout.write(
        `${stage}: step ${step}/${steps}, loss ${loss.toFixed(3)}${held}, ${tokens_per_second.toFixed(0)} tokens/s\n`,
      );
    },
  };
}

export async function snapshots(stage: string, { train, validation }: Split, runFolder = `${out}/runs/${stage}`) {
  await mkdir(runFolder, { recursive: true });
  const files = { train: `${runFolder}/train.jsonl`, validation: `${runFolder}/validation.jsonl` };
  const { hash } = await writeSnapshot(files.train, train);
  await writeSnapshot(files.validation, validation);
  return { ...files, runFolder, datasets: [{ name: stage, hash }], dtype: 'float16' as const, B, T };
}

export async function pretrain(data: CircleData, scale: Scale): Promise<void> {
  const files = await snapshots('base', data.pretraining);
  const start = { create: scale.size };
  await finetune(
    { ...files, method: 'pretrain', name: 'base', out: `${out}/base`, start, settings: settings(scale.baseEpochs, 1.5e-3) },
    listener('base'),
    signal,
  );
}

export async function learnToRate(data: CircleData, scale: Scale): Promise<void> {
  const files = await snapshots('predictor', data.dialogues);
  const { readingTokens } = scale;
  await trainPredictor(
    {
      ...files,
      T: readingTokens * 3,
      readingTokens,
      name: 'predictor',
      base: `${out}/base`,
      out: `${out}/models/predictor`,
      schema: circleSchema,
      settings: settings(scale.predictorEpochs, 5e-4),
    },
    listener('predictor'),
    signal,
  );
}

/** The role-play set with the predictor's levels as labels. */
async function labelRolePlay(predictor: Predictor, rolePlay: Conversation[]): Promise<SampleContent[]> {
  const scores = await predictor.score(rolePlay, signal);
  return rolePlay.map((conversation, i) => {
    const label: Label = Object.fromEntries(Object.entries(scores[i]!.attributes).map(([name, { value }]) => [name, value]));
    const turns = conversation.turns.with(-1, { ...conversation.turns.at(-1)!, label });
    return { kind: 'conversation', conversation: { ...conversation, turns } };
  });
}

async function tune(data: CircleData, labelled: SampleContent[], scale: Scale): Promise<void> {
  const cut = Math.floor(labelled.length * 0.95);
  const files = await snapshots('steered', {
    train: [...data.dialogues.train, ...labelled.slice(0, cut)],
    validation: [...data.dialogues.validation, ...labelled.slice(cut)],
  });
  await finetune(
    {
      ...files,
      method: 'steered',
      name: 'steered',
      base: `${out}/base`,
      out: `${out}/models/steered`,
      schema: circleSchema,
      dropout: { label: 0.1, attribute: 0.15, partial: 0.5 },
      settings: settings(scale.tuningEpochs, 6e-4),
    },
    listener('steered'),
    signal,
  );
}

/** Minutes of each stage so far: with --keep a circle that was interrupted goes on, and so does its clock. */
async function readMinutes(): Promise<Record<string, number>> {
  return JSON.parse(await readFile(`${out}/minutes.json`, 'utf8').catch(() => '{}'));
}

/** Turns the circle and writes its tables; `--keep` takes up an interrupted one. */
export async function run(args: string[]): Promise<void> {
  const small = args.includes('--quick');
  const scale = small ? quick : full;
  const data = await loadCircleData(scale.share);
  if (!data) return;
  if (!args.includes('--keep')) await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const minutes = await readMinutes();
  const stage = async <R>(name: string, work: () => Promise<R>): Promise<R> => {
    const started = performance.now();
    const result = await work();
    minutes[name] = (minutes[name] ?? 0) + (performance.now() - started) / 60_000;
    await writeFile(`${out}/minutes.json`, JSON.stringify(minutes));
    return result;
  };
  await stage('base', () => pretrain(data, scale));
  await stage('predictor', () => learnToRate(data, scale));
  const predictor = await openPredictor(`${out}/models/predictor`);
  const labelled = await stage('label', () => labelRolePlay(predictor, data.rolePlay));
  await stage('steered', () => tune(data, labelled, scale));
  const predicted = await stage('test predictor', () => predictorTable(predictor, data));
  await predictor.dispose();
  await cp(`${out}/base`, `${out}/models/base`, { recursive: true });
  const steering = await stage('test steering', () => steeringTable(`${out}/models`, data.test, scale.prompts));
  const total = Object.values(minutes).reduce((sum, value) => sum + value, 0);
  const stages = Object.entries(minutes).map(([name, value]) => `${name} ${value.toFixed(1)}`);
  const times = `${total.toFixed(1)} minutes: ${stages.join(', ')}.`;
  const report = `${times}\n\n${predicted}\n\n${steering}`;
  // A small circle shows that everything fits together; its figures say nothing and are not kept.
  if (small) process.stdout.write(`\n${report}\n`);
  else await recordSection('circle', report);
}
