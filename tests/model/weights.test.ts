import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeTensorFile } from '../../src/model/formats/safetensors.ts';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { parameterShapes } from '../../src/model/shape.ts';
import { openWeights, saveWeights } from '../../src/model/weights.ts';
import { tinyShape } from './tiny-shape.ts';

const shape = tinyShape;
const seed = 11;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weights-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function readAll(given = shape, extra?: Map<string, number[]>): Promise<Map<string, Float32Array>> {
  const weights = await openWeights(folder, given, extra);
  const all = new Map<string, Float32Array>();
  for (const name of weights.names) all.set(name, await weights.read(name));
  await weights.close();
  return all;
}

/** Writes tensors as shards with an index, `split` of them in the first. */
async function writeShards(tensors: Map<string, Float32Array>, split: number): Promise<void> {
  const shapes = parameterShapes(shape);
  const map: Record<string, string> = {};
  const names = [...tensors.keys()];
  for (const [file, part] of [
    ['model-1.safetensors', names.slice(0, split)] as const,
    ['model-2.safetensors', names.slice(split)] as const,
  ]) {
    for (const name of part) map[name] = file;
    const partShapes = new Map(part.map((name) => [name, shapes.get(name)!]));
    await writeTensorFile(
      join(folder, file),
      partShapes,
      part.map((name): [string, Float32Array] => [name, tensors.get(name)!]),
      'F32',
    );
  }
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify({ metadata: { total_size: 1 }, weight_map: map }));
}

test('what is saved is read, extras last', async () => {
  const extra = new Map([
    ['score.weight', [3, 16]],
    ['score.bias', [3]],
  ]);
  const initial = new Map(initialWeights(shape, seed, extra));
  await saveWeights(folder, shape, initial, 'float32', extra);
  const read = await readAll(shape, extra);
  expect([...read.keys()].slice(-2)).toEqual(['score.weight', 'score.bias']);
  expect(read).toEqual(initial);
});

test('float16 and bfloat16 are read as float32', async () => {
  const initial = new Map(initialWeights(shape, seed));
  for (const [dtype, error] of [['float16', 2 ** -11] as const, ['bfloat16', 2 ** -8] as const]) {
    await saveWeights(folder, shape, initial, dtype);
    const read = (await readAll()).get('model.embed_tokens.weight')!;
    for (const [i, value] of initial.get('model.embed_tokens.weight')!.entries()) {
      expect(Math.abs(read[i]! - value)).toBeLessThanOrEqual(error * Math.abs(value) + 2 ** -25);
    }
  }
});

test('shards are read through their index', async () => {
  const initial = new Map(initialWeights(shape, seed));
  await writeShards(initial, 7);
  expect(await readAll()).toEqual(initial);
});

test('gate and up of a Granite 4, one under the other in the file, are read apart, whole and in part', async () => {
  const initial = new Map(initialWeights(shape, seed));
  const shapes = new Map(parameterShapes(shape));
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `model.layers.${layer}`;
    const take = (name: string) => {
      const [values, dims] = [initial.get(`${at}.mlp.${name}_proj.weight`)!, shapes.get(`${at}.mlp.${name}_proj.weight`)!];
      initial.delete(`${at}.mlp.${name}_proj.weight`);
      shapes.delete(`${at}.mlp.${name}_proj.weight`);
      return { values, dims };
    };
    const [gate, up, down] = [take('gate'), take('up'), take('down')];
    initial.set(`${at}.shared_mlp.input_linear.weight`, Float32Array.of(...gate.values, ...up.values));
    shapes.set(`${at}.shared_mlp.input_linear.weight`, [gate.dims[0]! + up.dims[0]!, gate.dims[1]!]);
    initial.set(`${at}.shared_mlp.output_linear.weight`, down.values);
    shapes.set(`${at}.shared_mlp.output_linear.weight`, down.dims);
  }
  await writeTensorFile(join(folder, 'model.safetensors'), shapes, initial, 'F32');
  const whole = new Map(initialWeights(shape, seed));
  expect(await readAll()).toEqual(whole);
  const weights = await openWeights(folder, shape);
  const name = 'model.layers.1.mlp.up_proj.weight';
  expect(await weights.read(name, { start: 5, end: 21 })).toEqual(whole.get(name)!.slice(5, 21));
  await weights.close();
});

test('a shard that is not there, and an index that points elsewhere, are named', async () => {
  await writeShards(new Map(initialWeights(shape, seed)), 7);
  await rm(join(folder, 'model-2.safetensors'));
  await expect(openWeights(folder, shape)).rejects.toMatchObject({
    code: 'invalid_model',
    message: expect.stringContaining('model-2.safetensors'),
  });
  const index = { weight_map: { 'model.norm.weight': '../secret.safetensors' } };
  await writeFile(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
  await expect(openWeights(folder, shape)).rejects.toMatchObject({ message: expect.stringContaining('beside the index') });
});

test('a folder without weights says so', async () => {
  await expect(openWeights(folder, shape)).rejects.toMatchObject({
    code: 'invalid_model',
    message: expect.stringContaining('found neither'),
  });
});

test('missing, misshapen and unknown tensors are named', async () => {
  await saveWeights(folder, shape, initialWeights(shape, seed), 'float32');
  const deeper = openWeights(folder, { ...shape, layers: 3 });
  await expect(deeper).rejects.toMatchObject({
    message: expect.stringMatching(/lack model\.layers\.2\.input_layernorm\.weight, .* and 5 more/),
  });
  const shallower = openWeights(folder, { ...shape, layers: 1 });
  await expect(shallower).rejects.toMatchObject({ message: expect.stringContaining('hold model.layers.1.') });
  const larger = openWeights(folder, { ...shape, vocabSize: 41 });
  await expect(larger).rejects.toMatchObject({
    message: expect.stringContaining('embed_tokens.weight to be [41, 16] by config.json, found [40, 16]'),
  });
  const untied = openWeights(folder, { ...shape, tiedEmbeddings: false });
  await expect(untied).rejects.toMatchObject({ message: expect.stringContaining('tie_word_embeddings') });
});

test.each([Number.NaN, Number.NEGATIVE_INFINITY])('a parameter that holds %d is refused by its name and folder', async (odd) => {
  const values = new Map(initialWeights(shape, seed));
  values.get('model.norm.weight')![3] = odd;
  await saveWeights(folder, shape, values, 'float32');
  const weights = await openWeights(folder, shape);
  await expect(weights.read('model.norm.weight').finally(weights.close)).rejects.toMatchObject({
    code: 'invalid_model',
    message: expect.stringContaining(`${folder}: model.norm.weight holds what is no finite number`),
  });
});

test('names without model., a stored copy of tied embeddings and rotary buffers are tolerated', async () => {
  const initial = new Map(initialWeights(shape, seed));
  const written = new Map([...initial].map(([name, values]): [string, Float32Array] => [name.replace(/^model\./, ''), values]));
  written.set('lm_head.weight', initial.get('model.embed_tokens.weight')!);
  written.set('layers.0.self_attn.rotary_emb.inv_freq', Float32Array.of(1, 0.01));
  const shapes = new Map(
    [...written].map(([name, values]) => [name, parameterShapes(shape).get(`model.${name}`) ?? [values.length]]),
  );
  await writeTensorFile(join(folder, 'model.safetensors'), shapes, written, 'F32');
  expect(await readAll()).toEqual(initial);
});
