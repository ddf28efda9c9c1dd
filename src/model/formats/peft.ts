// LoRA adapters in the layout of Hugging Face PEFT, out and in: adapter_config.json and adapter_model.safetensors. An adapter may also hold
// parameters whole, in place of the base model's; those of a grown vocabulary come so.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SteerError } from '../../errors.ts';
import { adapterShapes, type Lora, mergeAdapter } from '../lora.ts';
import type { Model } from '../model.ts';
import { cardName, readModelCard } from '../model-folder.ts';
import { type LlamaShape, parameterShapes } from '../shape.ts';
import { Tokenizer } from '../tokenizer/tokenizer.ts';
import { exists, readJson, writeJson } from './json-file.ts';
import { openTensorFile, type TensorFile, writeTensorFile } from './safetensors.ts';

/** What was trained beside a fixed base model. */
export interface Adapter {
  lora: Lora;
  /** By the names of adapterShapes. */
  values: ReadonlyMap<string, Float32Array>;
  /** Name of the base model, as PEFT looks for it. */
  base: string;
  /** The vocabulary is larger than that of the base, so the adapter brings its embeddings. */
  grown: boolean;
}

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
  await mkdir(folder, { recursive: true });
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

const configSchema = z.looseObject({
  peft_type: z.literal('LORA', 'only LoRA adapters are read'),
  r: z.int().min(1),
  lora_alpha: z.number(),
  use_rslora: z.boolean().nullish(),
  use_dora: z.literal(false, 'weight-decomposed adapters (DoRA) are not read').nullish(),
  fan_in_fan_out: z.literal(false, 'expected false, weights are (out, in)').nullish(),
  alpha_pattern: z
    .record(z.string(), z.number())
    .refine((own) => Object.keys(own).every((name) => /^[\w.]+$/.test(name)), 'expected names of modules, no other pattern')
    .nullish(),
});
type Config = z.infer<typeof configSchema>;

/**
 * The model with a PEFT adapter merged into it. A vocabulary that the adapter brings larger, its tokenizer and its card take the place of the
 * model's. Throws invalid_model naming what cannot be merged.
 */
export async function mergePeft(model: Model, folder: string): Promise<Model> {
  const config = await readConfig(join(folder, configName));
  const path = join(folder, weightsName);
  const file = await openTensorFile(path);
  try {
    const brought = await withBrought(model, file, folder);
    const values = new Map(brought.values);
    for (const name of file.shapes.keys()) {
      const [, at, half] = /^base_model\.model\.(.*)\.lora_([AB])(?:\.\w+)?\.weight$/.exec(name) ?? [];
      // A B is merged with its A; and where embeddings are tied the projection is the table once more.
      if (half === 'B' && file.shapes.has(name.replace('.lora_B', '.lora_A'))) continue;
      if (model.shape.tiedEmbeddings && name === `${prefix}lm_head.weight`) continue;
      const target = at === undefined ? name.replace(prefix, '') : `${at}.weight`;
      const dims = parameterShapes(brought.shape).get(target);
      if (!name.startsWith(prefix) || !dims) throw refuse(path, `${name}, of which ${model.card.name} has no parameter`);
      if (half === 'B') throw refuse(path, `${name} without its lora_A`);
      if (at === undefined) values.set(target, await readWhole(file, path, name, dims));
      else
        values.set(target, await mergeTarget(file, path, name, values.get(target)!, dims, (rank) => scaleOf(config, at, rank)));
    }
    return { ...brought, values };
  } finally {
    await file.close();
  }
}

/** Kinds of adapters that are applied in another way, by the field that asks for them. */
const otherKinds = [
  ...['layer_replication', 'alora_invocation_tokens', 'arrow_config', 'use_qalora', 'use_bdlora', 'kasa_config'],
  ...['monteclora_config', 'velora_config', 'target_parameters', 'trainable_token_indices'],
];

async function readConfig(path: string): Promise<Config> {
  const parsed = configSchema.safeParse(await readJson(path));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SteerError('invalid_model', `${path}: ${issue?.path.join('.')}: ${issue?.message}.`);
  }
  const other = otherKinds.find((field) => parsed.data[field]);
  if (other === undefined) return parsed.data;
  throw refuse(path, `${other}, which is not followed here`);
}

function refuse(path: string, found: string): SteerError {
  return new SteerError(
    'invalid_model',
    `${path}: found ${found}. Merge the adapter with PEFT itself and bring the whole model.`,
  );
}

/** The alpha of mergeAdapter, which divides it by the rank. */
function scaleOf({ lora_alpha, alpha_pattern, use_rslora }: Config, module: string, rank: number): number {
  const own = Object.entries(alpha_pattern ?? {}).find(([name]) => module === name || module.endsWith(`.${name}`));
  const alpha = own ? own[1] : lora_alpha;
  return use_rslora ? alpha * Math.sqrt(rank) : alpha;
}

async function mergeTarget(
  file: TensorFile,
  path: string,
  name: string,
  weight: Float32Array,
  [out, inner]: readonly number[],
  alphaOf: (rank: number) => number,
): Promise<Float32Array> {
  const other = name.replace('.lora_A', '.lora_B');
  const [down, up] = [file.shapes.get(name)!, file.shapes.get(other)];
  const rank = down[0]!;
  if (down.join() !== `${rank},${inner}` || up?.join() !== `${out},${rank}`) {
    throw refuse(
      path,
      `${name} [${down.join(', ')}] and ${other} [${up?.join(', ') ?? 'missing'}] for a weight [${out}, ${inner}]`,
    );
  }
  return mergeAdapter(weight, await file.read(name), await file.read(other), { rank, alpha: alphaOf(rank) });
}

async function readWhole(file: TensorFile, path: string, name: string, dims: readonly number[]): Promise<Float32Array> {
  const found = file.shapes.get(name)!;
  if (found.join() === dims.join()) return await file.read(name);
  throw refuse(path, `${name} [${found.join(', ')}] for [${dims.join(', ')}]`);
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
