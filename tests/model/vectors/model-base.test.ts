// What a model is known by: the same however its weights are stored, and another for another model.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exportGguf } from '../../../src/model/formats/gguf.ts';
import { initialWeights } from '../../../src/model/initial-weights.ts';
import { writeModel } from '../../../src/model/model.ts';
import { blankCard } from '../../../src/model/model-folder.ts';
import type { LlamaShape, WeightType } from '../../../src/model/shape.ts';
import { modelBaseOf } from '../../../src/model/vectors/model-base.ts';
import { randomStream } from '../../../src/random.ts';
import { tinyShape } from '../tiny-shape.ts';
import { smallTokenizer } from '../tokenizer/small-tokenizer.ts';
import { openScratch } from './vector-files.ts';

const at = openScratch();
const plain: LlamaShape = { ...tinyShape, vocabSize: smallTokenizer.size, heads: 2, headDim: 8 };

/** Norms as training leaves them, between the steps of bfloat16. */
async function write(name: string, type: WeightType, seed = 1, shape = plain): Promise<string> {
  const random = randomStream(seed);
  const values = new Map(
    [...initialWeights(shape, seed)].map(([key, data]) => [key, key.endsWith('norm.weight') ? data.map(() => random()) : data]),
  );
  await writeModel(at(name), { shape, tokenizer: smallTokenizer, card: blankCard(name), values }, type);
  return at(name);
}

async function asGguf(folder: string, type: 'f32' | 'f16' | 'bf16'): Promise<string> {
  const to = `${folder}-${type}`;
  await mkdir(to);
  await exportGguf(folder, join(to, 'model.gguf'), type);
  return to;
}

it('is the same in float32, in bfloat16 and as GGUF', async () => {
  const whole = await write('whole', 'float32');
  const base = await modelBaseOf(whole);
  const others = [
    await write('half', 'bfloat16'),
    await asGguf(whole, 'f32'),
    await asGguf(whole, 'f16'),
    await asGguf(whole, 'bf16'),
  ];
  for (const folder of others) expect(await modelBaseOf(folder), folder).toEqual(base);
});

it('is another for other norms, and for another shape', async () => {
  const base = await modelBaseOf(await write('one', 'float32', 1));
  const other = await modelBaseOf(await write('two', 'float32', 2));
  expect(other).toEqual({ ...base, norms_sha256: expect.not.stringContaining(base.norms_sha256) });
  expect(await modelBaseOf(await write('wide', 'float32', 1, { ...plain, intermediateSize: 64 }))).not.toEqual(base);
});

it('follows the files', async () => {
  const folder = await write('changed', 'float32', 1);
  const before = await modelBaseOf(folder);
  await write('changed', 'float32', 3);
  expect(await modelBaseOf(folder)).not.toEqual(before);
});
