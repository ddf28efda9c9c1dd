// LoRA adapters in the layout of Hugging Face PEFT, out and in: adapter_config.json and adapter_model.safetensors. An adapter may also hold
// parameters whole, in place of the base model's; those of a grown vocabulary come so.
import { join } from 'node:path';
import { makeFolder } from '../../private-files.ts';
import { type Adapter, adapterShapes, type Lora, type LowRank, type LowRanks, mergeAdapter, projection } from '../lora.ts';
import { cardName, readModelCard } from '../model-folder.ts';
import { type LlamaShape, parameterShapes } from '../shape.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import type { Model } from '../whole-model.ts';
import { exists, writeJson } from './json-file.ts';
import { alphaOf, type PeftConfig, passedOverBy, readPeftConfig, refuseAdapter } from './peft-config.ts';
import { openTensorFile, type TensorFile, writeTensorFile } from './safetensors.ts';

const configName = 'adapter_config.json';
const weightsName = 'adapter_model.safetensors';
const prefix = 'base_model.model.';
const vocabularyTables = ['model.embed_tokens.weight', 'lm_head.weight'];

/** Writes the two files that PeftModel.from_pretrained reads. `model` gives the shape, and embeddings where the vocabulary grew. */
export async function writeAdapter(
  folder: string,
  { lora, values, base, grown }: Adapter,
  { shape, values: parameters }: Pick<Model, 'shape' | 'values'>,
): Promise<void> {
  const own = adapterShapes(shape, lora);
  const whole = grown ? [...parameterShapes(shape)].filter(([name]) => vocabularyTables.includes(name)) : [];
  const theirs = (name: string) => `${prefix}${name}.weight`;
  const shapes = new Map([
    ...[...own].map(([name, dims]): [string, number[]] => [theirs(name), dims]),
    ...whole.map(([name, dims]): [string, number[]] => [prefix + name, dims]),
  ]);
  const tensors = [
    ...[...own.keys()].map((name): [string, Float32Array] => [theirs(name), values.get(name)!]),
    ...whole.map(([name]): [string, Float32Array] => [prefix + name, parameters.get(name)!]),
  ];
  makeFolder(folder);
  await writeTensorFile(join(folder, weightsName), shapes, tensors, 'F32');
  await writeJson(join(folder, configName), configOf(own, lora, base));
}

function configOf(adapters: ReadonlyMap<string, unknown>, { rank, alpha }: Lora, base: string): object {
  const targets = new Set([...adapters.keys()].map((name) => name.split('.').at(-2)));
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base,
    ...{ r: rank, lora_alpha: alpha, lora_dropout: 0, target_modules: [...targets], bias: 'none' },
    ...{ fan_in_fan_out: false, init_lora_weights: true, inference_mode: true, modules_to_save: null },
    ...{ use_rslora: false, use_dora: false, rank_pattern: {}, alpha_pattern: {} },
  };
}

/**
 * The model with a PEFT adapter merged into it. A vocabulary that the adapter brings larger, its tokenizer and its card take the place of the
 * model's. Throws invalid_model naming what cannot be merged.
 */
export async function mergePeft(model: Model, folder: string): Promise<Model> {
  const config = await readPeftConfig(join(folder, configName));
  const path = join(folder, weightsName);
  const file = await openTensorFile(path);
  try {
    const start = untied(await withBrought(model, file, folder), file, config);
    const values = new Map(start.values);
    for (const name of file.shapes.keys()) {
      const found = targetOf(name, { file, path, config }, start.shape, model.card.name);
      // A B is merged with its A.
      if (!found) continue;
      const { at, target, dims } = found;
      if (at === undefined) {
        values.set(target, await readWhole(file, path, name, dims));
        continue;
      }
      const { down, up, ...lora } = await readLowRank({ file, path, config }, name, at, dims);
      values.set(target, mergeAdapter(values.get(target)!, down, up, lora));
    }
    const merged = { ...start, values };
    return model.shape.tiedEmbeddings && !start.shape.tiedEmbeddings ? retied(merged, config, path) : merged;
  } finally {
    await file.close();
  }
}

/**
 * A PEFT adapter that stays apart from its base, a model of this shape. Throws invalid_model naming what only a merged model can have: embeddings, an
 * output projection, biases.
 */
export async function readAdapter(folder: string, shape: LlamaShape): Promise<LowRanks> {
  const config = await readPeftConfig(join(folder, configName));
  const path = join(folder, weightsName);
  const file = await openTensorFile(path);
  try {
    const opened = { file, path, config };
    const lowRanks = new Map<string, LowRank>();
    for (const name of file.shapes.keys()) {
      const found = targetOf(name, opened, shape, 'the model');
      if (!found) continue;
      const { at, target, dims } = found;
      if (at === undefined || !projection.test(target))
        throw refuseAdapter(path, `${name}, which cannot stay apart from a model`);
      lowRanks.set(at, await readLowRank(opened, name, at, dims));
    }
    return lowRanks;
  } finally {
    await file.close();
  }
}

/**
 * The model with an output projection of its own where the adapter brings something for that, or new embeddings alone: PEFT trains a copy of
 * what it is to save, and the other of two tied tables stays as it was.
 */
function untied(model: Model, file: TensorFile, { modules_to_save: saved, ensure_weight_tying: tie }: PeftConfig): Model {
  const { shape, values } = model;
  if (!shape.tiedEmbeddings) return model;
  const brings = [...file.shapes.keys()].some((name) => name.startsWith(`${prefix}lm_head.`));
  const copied = !tie && (saved ?? []).some((name) => name.split('.').at(-1) === 'embed_tokens');
  if (!brings && !copied) return model;
  const head = values.get('model.embed_tokens.weight')!;
  return { ...model, shape: { ...shape, tiedEmbeddings: false }, values: new Map([...values, ['lm_head.weight', head]]) };
}

/** Tied again where both tables came out alike. */
function retied(model: Model, config: PeftConfig, path: string): Model {
  const [table, head] = ['model.embed_tokens.weight', 'lm_head.weight'].map((name) => model.values.get(name)!);
  if (Buffer.compare(bytesOf(table!), bytesOf(head!)) === 0) {
    const values = new Map([...model.values].filter(([name]) => name !== 'lm_head.weight'));
    return { ...model, values, shape: { ...model.shape, tiedEmbeddings: true } };
  }
  if (config.ensure_weight_tying) throw refuseAdapter(path, 'ensure_weight_tying and two tables that differ');
  if (table!.length !== head!.length) throw refuseAdapter(path, 'a larger vocabulary without an lm_head of its size');
  return model;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

interface OpenAdapter {
  file: TensorFile;
  path: string;
  config: PeftConfig;
}

/**
 * What a tensor of an adapter is for: a parameter, and where it is a lora_A, the projection `at` that has it as weight. Undefined for a lora_B, which
 * is read with its A.
 */
function targetOf(
  name: string,
  { file, path, config }: OpenAdapter,
  shape: LlamaShape,
  model: string,
): { at: string | undefined; target: string; dims: readonly number[] } | undefined {
  const [, at, half] = /^base_model\.model\.(.*)\.lora_([AB])(?:\.\w+)?\.weight$/.exec(name) ?? [];
  if (half === 'B' && file.shapes.has(name.replace('.lora_B', '.lora_A'))) return;
  const target = at === undefined ? name.replace(prefix, '').replace(/\.base_layer\.bias$/, '.bias') : `${at}.weight`;
  const dims = parameterShapes(shape).get(target);
  if (!name.startsWith(prefix) || !dims) throw refuseAdapter(path, `${name}, of which ${model} has no parameter`);
  if (half === 'B') throw refuseAdapter(path, `${name} without its lora_A`);
  const by = at === undefined ? null : passedOverBy(config, at);
  if (by !== null) throw refuseAdapter(path, `${name}, which ${by} of ${configName} passes over`);
  return { at, target, dims };
}

async function readLowRank(
  { file, path, config }: OpenAdapter,
  name: string,
  at: string,
  [out, inner]: readonly number[],
): Promise<LowRank> {
  const other = name.replace('.lora_A', '.lora_B');
  const [down, up] = [file.shapes.get(name)!, file.shapes.get(other)];
  const rank = down[0]!;
  if (down.join() !== `${rank},${inner}` || up?.join() !== `${out},${rank}`) {
    throw refuseAdapter(
      path,
      `${name} [${down.join(', ')}] and ${other} [${up?.join(', ') ?? 'missing'}] for a weight [${out}, ${inner}]`,
    );
  }
  return { rank, alpha: alphaOf(config, at, rank), down: await file.read(name), up: await file.read(other) };
}

async function readWhole(file: TensorFile, path: string, name: string, dims: readonly number[]): Promise<Float32Array> {
  const found = file.shapes.get(name)!;
  if (found.join() === dims.join()) return await file.read(name);
  throw refuseAdapter(path, `${name} [${found.join(', ')}] for [${dims.join(', ')}]`);
}

/** The model with the adapter's vocabulary where that is larger, and with the tokenizer and card that lie beside the adapter. */
async function withBrought(model: Model, file: TensorFile, folder: string): Promise<Model> {
  const rows = file.shapes.get(prefix + vocabularyTables[0])?.[0] ?? model.shape.vocabSize;
  const shape: LlamaShape = { ...model.shape, vocabSize: Math.max(rows, model.shape.vocabSize) };
  const tokenizer = (await exists(join(folder, 'tokenizer.json')))
    ? await Tokenizer.open(folder, shape.vocabSize)
    : model.tokenizer;
  const card = (await exists(join(folder, cardName))) ? await readModelCard(folder) : model.card;
  return { ...model, shape, tokenizer, card };
}
