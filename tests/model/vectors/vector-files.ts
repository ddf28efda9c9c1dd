// Files of steering vectors for tests, and a model of three layers that they are for.
import { mkdtempSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
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
