// Models whose weights 8 bits hold exactly, so that the runtime in fp32 says what the kernels ought to.

import { initialWeights } from '../../../src/model/initial-weights.ts';
import type { LlamaShape } from '../../../src/model/shape.ts';
import type { Model } from '../../../src/model/whole-model.ts';
import { tinyShape } from '../../model/tiny-shape.ts';
import { readGolden } from '../models.ts';

type Weighted = Pick<Model, 'shape' | 'values'>;

/** Norms of queries and keys, heads that share keys, and widths that divide into no whole number of tiles. */
const size = {
  vocabSize: 67,
  hiddenSize: 56,
  intermediateSize: 88,
  heads: 6,
  headDim: 40,
  contextLength: 256,
  normEpsilon: 1e-6,
};
const normed: LlamaShape = { ...tinyShape, ...size, modelType: 'qwen3', queryKeyNorm: true };

/** A window that ends within a block, some blocks back. */
const windowed: LlamaShape = { ...normed, slidingWindow: 37, windowedLayers: [1] };
const made: Record<string, LlamaShape> = { normed, windowed };

export const kernelModels = [
  'gqa',
  'qwen2',
  'tied-llama3-rope',
  'mistral',
  'normed',
  'windowed',
  'gemma3',
  'granite',
  'smollm3',
] as const;

export async function exactModel(name: (typeof kernelModels)[number]): Promise<Weighted> {
  const own = made[name];
  const { shape, values } = own ? { shape: own, values: initialWeights(own, 5) } : await readGolden(name);
  const exact = [...values].map(([key, data]): [string, Float32Array] => {
    const matrix = /embed|proj\.weight|lm_head/.test(key);
    return [key, matrix ? rounded(data, columnsOf(shape, key)) : data];
  });
  return { shape, values: new Map(exact) };
}

function columnsOf({ hiddenSize, intermediateSize, heads, headDim }: LlamaShape, key: string): number {
  if (key.includes('down_proj')) return intermediateSize;
  return key.includes('o_proj') ? heads * headDim : hiddenSize;
}

/** Each row as the multiples of a 127th of its largest number. */
function rounded(data: Float32Array, columns: number): Float32Array {
  const result = new Float32Array(data.length);
  for (let start = 0; start < data.length; start += columns) {
    const row = data.subarray(start, start + columns);
    const scale = Math.fround(Math.max(...row.map(Math.abs)) / 127);
    for (let k = 0; k < columns; k++) result[start + k] = Math.round(row[k]! / scale) * scale;
  }
  return result;
}
