// Files of steering vectors for tests, and a model of three layers that they are for.
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { readShape } from '../../../src/model/model-folder.ts';
import { addVectors } from '../../../src/model/vectors/kept-vectors.ts';
import { modelBaseOf } from '../../../src/model/vectors/model-base.ts';
import { type VectorRange, writeVectorFile } from '../../../src/model/vectors/vector-file.ts';
import { randomStream } from '../../../src/random.ts';
import { ggufFile, type Tensor, text, uint32 } from '../formats/gguf-file.ts';
import { tinyShape } from '../tiny-shape.ts';

export const layers = 3;
export const width = tinyShape.hiddenSize;

/** A folder for one test file. */
export function openScratch(): (...names: string[]) => string {
  const folder = mkdtempSync(join(tmpdir(), 'steer-vectors-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (...names) => join(folder, ...names);
}

export const row = (from: number, length = width) => Float32Array.from({ length }, (_, i) => from + i / 100);

/** Gives the model in the folder vectors of these numbers, (layers, D), each from -1 to 1 unless told. */
export async function giveVectors(
  folder: string,
  vectors: Record<string, Float32Array>,
  range: VectorRange = [-1, 1],
): Promise<void> {
  const { layers, hiddenSize: width } = await readShape(folder);
  const scratch = mkdtempSync(join(tmpdir(), 'steer-given-'));
  const path = join(scratch, 'given.safetensors');
  const given = Object.entries(vectors).map(([name, values]) => [name, { layers, width, values, range }] as const);
  await writeVectorFile(path, { base: await modelBaseOf(folder), vectors: new Map(given) });
  await addVectors(folder, path);
  rmSync(scratch, { recursive: true });
}

/** Numbers of a vector for the model in the folder, the same for the same seed. */
export async function numbersFor(folder: string, seed: number, size: number): Promise<Float32Array> {
  const { layers, hiddenSize } = await readShape(folder);
  const random = randomStream(seed, 'vector');
  return Float32Array.from({ length: layers * hiddenSize }, () => size * (2 * random() - 1));
}

/** A direction as a tensor of the file. */
export function direction(layer: number, numbers: Float32Array = row(layer)): Tensor {
  return { name: `direction.${layer}`, shape: [numbers.length], data: new Uint8Array(numbers.buffer) };
}

export interface ControlVectorSaying {
  architecture?: string;
  hint?: string;
  tensors?: Tensor[];
}

/** As llama-cvector-generator writes it, but for what a test says; its count of layers is wrong. */
export async function writeControlFile(
  path: string,
  { architecture = 'controlvector', hint = 'llama', tensors }: ControlVectorSaying = {},
) {
  const values = {
    'general.architecture': text(architecture),
    'controlvector.model_hint': text(hint),
    'controlvector.layer_count': uint32(77),
  };
  await writeFile(path, ggufFile(Object.entries(values), tensors ?? [direction(1), direction(2)]));
  return path;
}
