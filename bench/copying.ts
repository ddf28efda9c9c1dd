// How soon does a new model look things up? Held-out lines of words in no order that are said again, among the exchanges the shipped models begin
// with: with and without induction heads among the starting values, and with the players' words trained or only read.
import { rm } from 'node:fs/promises';
import { generateExchanges } from '../models/corpus/grammar.ts';
import { drawRepeat } from '../models/corpus/lookups.ts';
import { createRandom } from '../models/corpus/random.ts';
import { pretrainingSequence } from '../src/finetuning/sequences.ts';
import { initialWeights } from '../src/model/initial-weights.ts';
import { readShape } from '../src/model/model-folder.ts';
import { type LlamaShape, parameterShapes } from '../src/model/shape.ts';
import { Tokenizer } from '../src/model/tokenizer/tokenizer.ts';
import { defaultAdamW } from '../src/tensor/adamw.ts';
import { packedBatches } from '../src/training/batches.ts';
import { train } from '../src/training/loop.ts';
import { nextTokenObjective } from '../src/training/objective.ts';
import { recordSection, table } from './results.ts';

const [B, T] = [4, 256];
const steps = 300;
const everySteps = 100;
/** Enough lines for that many steps, so that none is seen twice. */
const lines = 10_000;
const runFolder = 'data/bench/copying';
const shipped = 'models/npc-base';

interface Arm {
  name: string;
  /** Attention biases, with which induction heads are among the starting values. */
  wired: boolean;
  repliesOnly: boolean;
}

const arms: readonly Arm[] = [
  { name: 'induction heads, replies trained', wired: true, repliesOnly: true },
  { name: 'induction heads, every token trained', wired: true, repliesOnly: false },
  { name: 'chance alone, replies trained', wired: false, repliesOnly: true },
];

/** Nats per token of the held-out repeats at every hundredth step. */
async function curveOf({ wired, repliesOnly }: Arm, tokenizer: Tokenizer): Promise<number[]> {
  const shape: LlamaShape = {
    ...(await readShape(shipped)),
    vocabSize: tokenizer.size,
    modelType: wired ? 'qwen2' : 'llama',
    attentionBias: wired,
  };
  const random = createRandom(91);
  const held = Array.from({ length: 60 }, () => drawRepeat(random));
  const taught = [...generateExchanges({ seed: 92, conversations: lines, repeats: 0.3, lookups: 0.35 })];
  const rows = (conversations: typeof held, masked: boolean) =>
    conversations.map((conversation) => pretrainingSequence(tokenizer, { kind: 'conversation', conversation }, masked));
  const curve: number[] = [];
  await rm(runFolder, { recursive: true, force: true });
  await train(
    {
      shape,
      parameters: { shapes: parameterShapes(shape), values: new Map(initialWeights(shape, 1)) },
      objective: (network) => nextTokenObjective(shape, network, B, T),
      training: packedBatches(() => rows(taught, repliesOnly), { B, T, seed: 1 }),
      validation: packedBatches(() => rows(held, true), { B, T, seed: 0, shuffle: false }),
      identity: 'copying',
    },
    {
      epochs: 10,
      steps,
      accumulation: 1,
      learningRate: 2e-3,
      floor: 1,
      warmup: 0.1,
      adamw: defaultAdamW,
      seed: 1,
      lora: null,
      evaluateEvery: everySteps,
      checkpointEvery: steps,
      keepCheckpoints: 1,
    },
    runFolder,
    ({ eval_loss }) => {
      if (eval_loss !== undefined) curve.push(eval_loss);
    },
    new AbortController().signal,
  );
  await rm(runFolder, { recursive: true, force: true });
  return curve;
}

/** Trains each arm and writes its curve. */
export async function run(): Promise<void> {
  const tokenizer = await Tokenizer.open(shipped);
  const rows: string[][] = [];
  for (const arm of arms) {
    const curve = await curveOf(arm, tokenizer);
    rows.push([arm.name, ...curve.map((nats) => nats.toFixed(2))]);
    process.stdout.write(`${rows.at(-1)!.join('  ')}\n`);
  }
  const head = ['starting values', ...Array.from({ length: steps / everySteps }, (_, i) => `step ${(i + 1) * everySteps}`)];
  const what = `Held-out lines of 2 to 16 words in no order, said again: nats per token of the reply. New models of the shipped shape, ${B * T} tokens a step; three lines in ten are repeats, three and a half ask for something that was said, the rest are exchanges.`;
  await recordSection('copying', `${what}\n\n${table(head, rows)}`);
}
