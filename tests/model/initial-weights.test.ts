// Starting values: what is drawn by chance, and the heads that start as induction heads, by what a model does with them before any training.

import { expect, test } from 'vitest';
import { furtherEmbeddings, initialWeights } from '../../src/model/initial-weights.ts';
import type { WeightSource } from '../../src/model/loaded-network.ts';
import type { LlamaShape } from '../../src/model/shape.ts';
import { randomStream } from '../../src/random.ts';
import { scoresOf } from './scores.ts';
import { tinyShape } from './tiny-shape.ts';

const size = { vocabSize: 600, hiddenSize: 96, intermediateSize: 128, layers: 3, heads: 6, kvHeads: 6, headDim: 16 };
const plain: LlamaShape = { ...tinyShape, ...size };
const biased: LlamaShape = { ...plain, modelType: 'qwen2', attentionBias: true };
const seed = 11;

test('norms are 1, biases 0, the rest normal, residual projections smaller; the seed decides', () => {
  const shape = { ...plain, vocabSize: 4000 };
  const initial = new Map(initialWeights(shape, seed));
  expect(initial.get('model.layers.0.input_layernorm.weight')!.every((value) => value === 1)).toBe(true);
  const embeddings = initial.get('model.embed_tokens.weight')!;
  expect(mean(embeddings)).toBeCloseTo(0, 3);
  expect(deviation(embeddings)).toBeCloseTo(0.02, 3);
  // About 4.6 % of a normal sample lies beyond two deviations.
  expect(embeddings.filter((value) => Math.abs(value) > 0.04).length / embeddings.length).toBeCloseTo(0.0455, 2);
  expect(deviation(initial.get('model.layers.1.mlp.down_proj.weight')!) / (0.02 / Math.sqrt(6))).toBeCloseTo(1, 1);
  expect(new Map(initialWeights(shape, seed))).toEqual(initial);
  const first = (given: number) => [...initialWeights(plain, given)][0]![1][0];
  expect(new Set(Array.from({ length: 100 }, (_, given) => first(given))).size).toBe(100);
  const layers = [0, 1].map((layer) => initial.get(`model.layers.${layer}.mlp.up_proj.weight`)!);
  expect(layers[0]).not.toEqual(layers[1]);
});

test('induction heads fill a third of the heads of the first two layers, where there are biases', () => {
  const [without, starts] = [new Map(initialWeights(plain, seed)), new Map(initialWeights(biased, seed))];
  const wired = [...starts].filter(([name, values]) => {
    const chance = without.get(name);
    return chance ? !same(chance, values) : values.some((value) => value !== 0);
  });
  const attention = 'self_attn.';
  const expected = ['0.q_proj.bias', '0.k_proj.bias', '1.q_proj.weight', '1.k_proj.weight', '1.o_proj.weight'];
  expect(wired.map(([name]) => name.replace('model.layers.', '').replace(attention, '')).sort()).toEqual(expected.sort());
  const rows = starts.get('model.layers.1.self_attn.q_proj.weight')!;
  const changed = rows.findLastIndex((value, i) => value !== without.get('model.layers.1.self_attn.q_proj.weight')![i]);
  expect(Math.floor(changed / (plain.headDim * plain.hiddenSize))).toBe(1);
  const shallow = { ...biased, layers: 1 };
  for (const [name, values] of initialWeights(shallow, seed))
    if (name.endsWith('bias')) expect(values.some(Boolean), name).toBe(false);
});

test.each([
  ['own keys', biased, 0.02],
  ['grouped keys', { ...biased, kvHeads: 3 }, 0.02],
  ['none without biases', plain, null],
])('before any training, what follows a token that stood before is likelier than by chance: %s', async (_, shape, gain) => {
  const random = randomStream(seed, 'words');
  const halves = Array.from({ length: 40 }, () => Array.from({ length: 10 }, () => Math.floor(random() * shape.vocabSize)));
  const model = { shape, values: new Map(initialWeights(shape, seed)) };
  const read = await Promise.all(halves.map((half) => surprises(model, [...half, ...half])));
  // Of the nine tokens whose one before stands in the same half, the first time and again.
  const nats = (from: number) => average(read.flatMap((found) => found.slice(from, from + 9)));
  const [first, again] = [nats(0), nats(10)];
  const gained = first - again;
  if (gain === null) expect(Math.abs(gained)).toBeLessThan(0.01);
  else expect(gained).toBeGreaterThan(gain);
});

test('rows for further tokens lie about the mean of those there are, which stay', () => {
  const width = 8;
  const old = Float32Array.from({ length: 50 * width }, (_, i) => (i % width) + (Math.floor(i / width) % 2 ? 0.5 : -0.5));
  const grown = furtherEmbeddings(old, 400, width);
  expect(grown.subarray(0, old.length)).toEqual(old);
  for (let d = 0; d < width; d++) {
    const column = Float32Array.from({ length: 400 }, (_, row) => grown[old.length + row * width + d]!);
    expect(mean(column)).toBeCloseTo(d, 1);
    expect(deviation(column.map((value) => value - d))).toBeCloseTo(0.02, 2);
  }
});

/** −ln p of every token after the first. */
async function surprises(model: WeightSource, ids: readonly number[]): Promise<number[]> {
  const scores = await scoresOf(model, ids);
  const V = scores.length / ids.length;
  return ids.slice(1).map((id, i) => {
    const row = scores.subarray(i * V, (i + 1) * V);
    const highest = row.reduce((most, score) => Math.max(most, score));
    return highest + Math.log(row.reduce((sum, score) => sum + Math.exp(score - highest), 0)) - row[id]!;
  });
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function same(a: Float32Array, b: Float32Array): boolean {
  return a.every((value, i) => value === b[i]);
}

function mean(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function deviation(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}
