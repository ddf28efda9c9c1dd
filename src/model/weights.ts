// The parameters of a Llama-shaped model in its folder: one model.safetensors, shards listed by model.safetensors.index.json, or one GGUF file.
// Knows names and shapes, not what is computed with them.
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { faultText } from '../shape-faults.ts';
import { ggufHeader, ggufOf } from './formats/gguf-folder.ts';
import { openGgufTensors } from './formats/gguf-tensors.ts';
import { exists, readJson } from './formats/json-file.ts';
import { type FloatType, openTensorFile, type Part, type TensorFile, writeTensorFile } from './formats/safetensors.ts';
import type { FourBitRows } from './four-bits.ts';
import { type LlamaShape, parameterShapes, type WeightType } from './shape.ts';

export interface Weights {
  /** Every parameter of the shape, extras last, in order. */
  readonly names: string[];
  /** The parameter as float32, row-major, or a part of it. Throws invalid_model where a number is not finite. */
  read(name: string, part?: Part): Promise<Float32Array>;
  /** Bits of a number as the file holds it, scales apart. */
  storedBits(name: string): number;
  /** Whole rows of a parameter whose numbers are stored in 4 bits. Throws invalid_model where a scale is not finite. */
  readFours(name: string, part: Part): Promise<FourBitRows>;
  close(): Promise<void>;
}

const noExtra: ReadonlyMap<string, number[]> = new Map();
const fileName = 'model.safetensors';
const indexName = 'model.safetensors.index.json';
const floatTypes: Record<WeightType, FloatType> = { float32: 'F32', float16: 'F16', bfloat16: 'BF16' };

const indexSchema = z.looseObject({
  weight_map: z.record(z.string(), z.string().regex(/^[^/\\]+\.safetensors$/, 'must name a .safetensors file beside the index')),
});

/**
 * Opens the weights of a folder and checks that every parameter of `shape` (and of `extra`, e.g. a predictor's head) is there with its shape.
 * Throws invalid_model naming what is missing, misshapen or unknown.
 */
export async function openWeights(
  folder: string,
  shape: LlamaShape,
  extra: ReadonlyMap<string, number[]> = noExtra,
): Promise<Weights> {
  const gguf = await ggufOf(folder);
  const files = gguf === undefined ? await openFiles(folder) : [await openGgufTensors(await ggufHeader(gguf))];
  const close = async () => {
    await Promise.all(files.map((file) => file.close()));
  };
  try {
    const homes = new Map(files.flatMap((file) => [...file.shapes].flatMap(([name, shape]) => homesOf(file, name, shape))));
    const expected = new Map([...parameterShapes(shape), ...extra]);
    checkNames(gguf === undefined ? { where: folder, by: 'config.json' } : { where: gguf, by: 'its header' }, expected, homes);
    return {
      names: [...expected.keys()],
      read: async (name, part) => {
        const home = homes.get(name);
        if (!home) throw new SteerError('invalid_model', `The weights in ${folder} have no tensor ${name}.`);
        return finite(await home.file.read(home.name, within(home, part)), `${folder}: ${name}`);
      },
      storedBits(name) {
        const { file, name: stored } = homes.get(name)!;
        return file.bits?.(stored) ?? 32;
      },
      async readFours(name, part) {
        const home = homes.get(name)!;
        const rows = await home.file.readFours!(home.name, within(home, part)!);
        finite(rows.scales, `${folder}: ${name}`);
        finite(rows.bases, `${folder}: ${name}`);
        return rows;
      },
      close,
    };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** A single number that is none would make every score of the model none. */
function finite(numbers: Float32Array, where: string): Float32Array {
  let none = 0;
  // Counted, not iterated: ten times as fast, and every number of the model passes here.
  for (let i = 0; i < numbers.length; i++) none += numbers[i]! * 0;
  if (none === 0) return numbers;
  throw new SteerError('invalid_model', `${where} holds what is no finite number. Copy the model again, or train it anew.`);
}

async function openFiles(folder: string): Promise<TensorFile[]> {
  const opened = await Promise.allSettled((await weightFiles(folder)).map((name) => openTensorFile(join(folder, name))));
  const files = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = opened.find((result) => result.status === 'rejected');
  if (failed) {
    await Promise.all(files.map((file) => file.close()));
    throw failed.reason;
  }
  return files;
}

/** Names of the safetensors files that hold a folder's weights. Throws invalid_model when there are none or the index is malformed. */
export async function weightFiles(folder: string): Promise<string[]> {
  if (await exists(join(folder, fileName))) return [fileName];
  const indexPath = join(folder, indexName);
  if (!(await exists(indexPath))) {
    throw new SteerError(
      'invalid_model',
      `Expected ${fileName} or ${indexName} in ${folder}, found neither. Check the model folder.`,
    );
  }
  const index = indexSchema.safeParse(await readJson(indexPath));
  if (!index.success) {
    throw new SteerError('invalid_model', `${indexPath}: ${faultText(index.error, 'content')}.`);
  }
  return [...new Set(Object.values(index.data.weight_map))].sort();
}

/** Name, size and time of change of every file that holds a folder's weights. */
export async function weightStamps(folder: string): Promise<[name: string, bytes: number, changedMs: number][]> {
  const gguf = await ggufOf(folder);
  const names = gguf === undefined ? await weightFiles(folder) : [basename(gguf)];
  return await Promise.all(
    names.map(async (name): Promise<[string, number, number]> => {
      const { size, mtimeMs } = await stat(join(folder, name));
      return [name, size, mtimeMs];
    }),
  );
}

/** Where a parameter lies: a tensor of a file, or some of its rows. */
interface Home {
  file: TensorFile;
  name: string;
  shape: number[];
  /** Its first number in the tensor, where it is not the whole of it. */
  start?: number;
}

/** The parameters that a tensor holds. Granite 4 has gate and up one under the other. */
function homesOf(file: TensorFile, name: string, shape: number[]): [string, Home][] {
  const [, at, projection] = /^(?:model\.)?(layers\.\d+)\.shared_mlp\.(input|output)_linear\.weight$/.exec(name) ?? [];
  if (at === undefined) return [[canonicalName(name), { file, name, shape }]];
  if (projection === 'output') return [[`model.${at}.mlp.down_proj.weight`, { file, name, shape }]];
  const [rows = 0, columns = 0] = shape;
  return ['gate', 'up'].map((half, i) => [
    `model.${at}.mlp.${half}_proj.weight`,
    { file, name, shape: [rows / 2, columns], start: (i * rows * columns) / 2 },
  ]);
}

/** The part of a tensor's numbers that a part of a parameter is; undefined where it is all of them. */
function within({ shape, start }: Home, part: Part | undefined): Part | undefined {
  if (start === undefined) return part;
  const { start: from, end } = part ?? { start: 0, end: shape.reduce((product, size) => product * size, 1) };
  return { start: start + from, end: start + end };
}

/** Checkpoints saved from the bare trunk leave out the leading `model.`. */
function canonicalName(name: string): string {
  return /^(embed_tokens|layers|norm)\./.test(name) ? `model.${name}` : name;
}

function checkNames(
  { where, by }: { where: string; by: string },
  expected: ReadonlyMap<string, number[]>,
  homes: ReadonlyMap<string, Home>,
): void {
  const missing = [...expected.keys()].filter((name) => !homes.has(name));
  if (missing.length > 0) {
    const hint = missing[0] === 'lm_head.weight' ? ' Does config.json lack "tie_word_embeddings": true?' : '';
    throw new SteerError('invalid_model', `The weights in ${where} lack ${listed(missing)}.${hint}`);
  }
  for (const [name, shape] of expected) {
    const found = homes.get(name)!.shape;
    if (found.join() !== shape.join()) {
      throw new SteerError(
        'invalid_model',
        `${where}: expected ${name} to be [${shape.join(', ')}] by ${by}, found [${found.join(', ')}].`,
      );
    }
  }
  const unknown = [...homes.keys()].filter((name) => !expected.has(name) && !isIgnored(name));
  if (unknown.length > 0) {
    throw new SteerError('invalid_model', `The weights in ${where} hold ${listed(unknown)}, which ${by} does not describe.`);
  }
}

/** Buffers older checkpoints stored, and the output projection some store although it is tied to the embeddings. */
function isIgnored(name: string): boolean {
  return name.endsWith('.rotary_emb.inv_freq') || name === 'lm_head.weight';
}

function listed(names: string[]): string {
  const more = names.length > 4 ? ` and ${names.length - 4} more` : '';
  return `${names.slice(0, 4).join(', ')}${more}`;
}

/** Writes model.safetensors, whole or not at all, from every parameter of `shape` and `extra`, in any order. Throws invalid_model if one is amiss. */
export async function saveWeights(
  folder: string,
  shape: LlamaShape,
  tensors: Iterable<[string, Float32Array]> | AsyncIterable<[string, Float32Array]>,
  dtype: WeightType,
  extra: ReadonlyMap<string, number[]> = noExtra,
): Promise<void> {
  const shapes = new Map([...parameterShapes(shape), ...extra]);
  await writeTensorFile(join(folder, fileName), shapes, tensors, floatTypes[dtype]);
}
