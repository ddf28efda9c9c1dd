// Models that Hugging Face transformers wrote, read here, and models written here, read by transformers: how far apart the scores are.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { readShape, writeShape } from '../../src/model/model-folder.ts';
import { type LlamaShape, parameterShapes, type WeightType } from '../../src/model/shape.ts';
import { saveWeights } from '../../src/model/weights.ts';
import { randomStream } from '../../src/random.ts';
import { runPeer } from '../peer.ts';
import { table } from '../results.ts';
import { furthest, scoresOf } from './scores.ts';

/** Scores of the same model may differ by rounding alone. */
export const mostApart = 1e-3;

interface Theirs {
  name: string;
  folder: string;
  files: number;
  ids: number[];
  scores: number[][];
}

interface Ours {
  name: string;
  folder: string;
}

const small: LlamaShape = {
  ...{ modelType: 'llama', vocabSize: 320, hiddenSize: 64, intermediateSize: 160, layers: 2, heads: 4, kvHeads: 2, headDim: 16 },
  ...{ contextLength: 512, ropeTheta: 10_000, ropeScaling: null, normEpsilon: 1e-5 },
  ...{ tiedEmbeddings: false, attentionBias: false, queryKeyNorm: false },
};
const stretched = { factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalContextLength: 64 };

/** One of each kind, tied and untied, in the three types weights are stored in. */
export const ourShapes: { name: string; shape: LlamaShape; dtype: WeightType }[] = [
  { name: 'llama, grouped heads, untied', shape: small, dtype: 'float32' },
  {
    name: 'llama, Llama-3 rope scaling, tied, bf16',
    shape: { ...small, ropeTheta: 500_000, ropeScaling: stretched, tiedEmbeddings: true },
    dtype: 'bfloat16',
  },
  { name: 'qwen2, tied', shape: { ...small, modelType: 'qwen2', attentionBias: true, tiedEmbeddings: true }, dtype: 'float32' },
  { name: 'qwen3, untied, bf16', shape: { ...small, modelType: 'qwen3', queryKeyNorm: true, headDim: 24 }, dtype: 'bfloat16' },
  {
    name: 'mistral, one key head, untied, fp16',
    shape: { ...small, modelType: 'mistral', kvHeads: 1, headDim: 32 },
    dtype: 'float16',
  },
];

/** Starting values by chance alone, made wide, norms and biases with them, so that every parameter shows in the scores. */
export function* wideWeights(shape: LlamaShape, seed: number): Generator<[string, Float32Array]> {
  const biases = new Map([...parameterShapes(shape)].filter(([name]) => name.endsWith('.bias')));
  for (const [name, values] of initialWeights({ ...shape, attentionBias: false }, seed, biases)) {
    const random = randomStream(`${seed}/${name}`);
    const flat = name.endsWith('norm.weight') || name.endsWith('.bias');
    yield [name, values.map((value) => (flat ? value + 0.6 * (random() - 0.5) : 4 * value))];
  }
}

/** A folder of config and weights, as training writes them. */
export async function writeOurs(folder: string, shape: LlamaShape, dtype: WeightType, seed: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await saveWeights(folder, shape, wideWeights(shape, seed), dtype);
  await writeShape(folder, shape, dtype, { eos: 2 });
}

export function randomIds(vocabSize: number, count: number, seed: string): number[] {
  const random = randomStream(seed);
  return Array.from({ length: count }, () => Math.floor(random() * vocabSize));
}

async function theirsRead(scratch: string): Promise<(string | number)[][]> {
  const rows: (string | number)[][] = [];
  for (const { name, folder, files, ids, scores } of await runPeer<Theirs[]>('../interop/models.py', ['write', scratch])) {
    rows.push([name, 'transformers', 'here', files, furthest(await scoresOf(folder, ids), scores)]);
  }
  return rows;
}

async function oursRead(scratch: string): Promise<(string | number)[][]> {
  const written: Ours[] = [{ name: 'the shipped model, fp16', folder: 'models/npc' }];
  for (const [seed, { name, shape, dtype }] of ourShapes.entries()) {
    const folder = join(scratch, `ours-${seed}`);
    await writeOurs(folder, shape, dtype, seed);
    written.push({ name, folder });
  }
  const asked = await Promise.all(
    written.map(async ({ folder }) => ({ folder, ids: randomIds((await readShape(folder)).vocabSize, 96, folder) })),
  );
  const task = join(scratch, 'ours.json');
  await writeFile(task, JSON.stringify(asked));
  const answers = await runPeer<number[][][]>('../interop/models.py', ['read', task]);
  const rows: (string | number)[][] = [];
  for (const [i, { name, folder }] of written.entries()) {
    rows.push([name, 'here', 'transformers', 1, furthest(await scoresOf(folder, asked[i]!.ids), answers[i]!)]);
  }
  return rows;
}

/** A table, and whether every difference is within `mostApart`. */
export async function modelsTravel(scratch: string): Promise<{ text: string; holds: boolean }> {
  const rows = [...(await theirsRead(scratch)), ...(await oursRead(scratch))];
  const shown = rows.map((row) => row.with(4, (row[4] as number).toExponential(1)));
  return {
    text: table(['model, random weights', 'written by', 'read by', 'files', 'scores differ by at most'], shown),
    holds: rows.every((row) => (row[4] as number) <= mostApart),
  };
}
