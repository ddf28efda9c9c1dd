// Models of random numbers, one of each kind that can be read and written: for tests of formats, and for the programs they are exchanged with.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseShape } from '../../src/model/config-json.ts';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { type Adapter, adapterShapes, type Lora, type LowRank, type LowRanks } from '../../src/model/lora.ts';
import { blankCard, writeModelCard, writeShape } from '../../src/model/model-folder.ts';
import { type LlamaShape, parameterShapes, type WeightType } from '../../src/model/shape.ts';
import { saveWeights } from '../../src/model/weights.ts';
import type { Model } from '../../src/model/whole-model.ts';
import { randomStream } from '../../src/random.ts';
import { tinyShape } from './tiny-shape.ts';

/** Kinds of tests/golden/tokenizers-*.json. */
export const tokenizerKinds = ['gpt2', 'llama3', 'qwen2', 'smollm', 'llama2'];

const small: LlamaShape = {
  ...tinyShape,
  vocabSize: 320,
  hiddenSize: 64,
  intermediateSize: 160,
  headDim: 16,
  contextLength: 512,
  tiedEmbeddings: false,
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

/** Families that are not written as GGUF. */
export const furtherShapes: typeof ourShapes = [
  {
    name: 'gemma 3, windows, linear rope scaling, tied, bf16',
    shape: parseShape(
      {
        ...{ model_type: 'gemma3_text', vocab_size: 320, hidden_size: 48, intermediate_size: 160, num_hidden_layers: 3 },
        ...{ num_attention_heads: 4, num_key_value_heads: 2, head_dim: 24, max_position_embeddings: 512, sliding_window: 32 },
        ...{ sliding_window_pattern: 3, query_pre_attn_scalar: 40, rope_scaling: { rope_type: 'linear', factor: 8 } },
      },
      'a small Gemma 3',
    ),
    dtype: 'bfloat16',
  },
  {
    name: 'granite, untied',
    shape: {
      ...{ ...small, modelType: 'granite', embeddingMultiplier: 6, attentionMultiplier: 0.15 },
      ...{ residualMultiplier: 0.3, logitsScaling: 2 },
    },
    dtype: 'float32',
  },
  {
    name: 'smollm3, tied, bf16',
    shape: { ...small, modelType: 'smollm3', unrotatedLayers: [0], tiedEmbeddings: true },
    dtype: 'bfloat16',
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

/** A tiny model of each kind, each with another kind of tokenizer. Gives its vocabulary. */
export async function writeTiny(folder: string, seed: number): Promise<number> {
  const { shape, dtype } = ourShapes[seed]!;
  const vocabSize = 768;
  await writeOurs(folder, { ...shape, vocabSize }, dtype, seed);
  await giveTokenizer(folder, tokenizerKinds[seed]!);
  // Without a card a model is named like its folder.
  await writeModelCard(folder, blankCard('tiny'));
  return vocabSize;
}

/** Puts the tokenizer of a golden file into a model's folder. */
export async function giveTokenizer(folder: string, kind: string): Promise<void> {
  const { tokenizer } = JSON.parse(await readFile(`tests/golden/tokenizers-${kind}.json`, 'utf8')) as { tokenizer: object };
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
}

/** Every number of every projection's adapter drawn anew. */
export function randomAdapter({ shape }: Pick<Model, 'shape'>, rest: Omit<Adapter, 'values'>): Adapter {
  const values = [...adapterShapes(shape, rest.lora)].map(([name, dims]): [string, Float32Array] => {
    const random = randomStream(name);
    return [name, Float32Array.from({ length: dims[0]! * dims[1]! }, () => 0.4 * (random() - 0.5))];
  });
  return { ...rest, values: new Map(values) };
}

/** Random adapters of the projections that match, which change what a model says about as much as a trained one does. */
export function randomLowRanks(shape: LlamaShape, lora: Lora, seed: string, which = /./): LowRanks {
  const shapes = adapterShapes(shape, lora);
  const projections = [...shapes.keys()]
    .filter((name) => name.endsWith('.lora_A'))
    .map((name) => name.slice(0, -'.lora_A'.length));
  const random = randomStream(seed);
  const numbers = (name: string, deviation: number) =>
    Float32Array.from({ length: shapes.get(name)!.reduce((a, b) => a * b, 1) }, () => deviation * (random() - 0.5));
  return new Map(
    projections
      .filter((name) => which.test(name))
      .map((name): [string, LowRank] => {
        return [name, { ...lora, down: numbers(`${name}.lora_A`, 0.6), up: numbers(`${name}.lora_B`, 0.6) }];
      }),
  );
}
