// Weights in the graph and weights in a file are the same weights; and fewer bits change what the model says only so much.

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { causalBias, forwardTrunk, logits } from '../../src/model/forward.ts';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { type LoadedNetwork, loadNetwork, type Precision, precisions } from '../../src/model/loaded-network.ts';
import { writeShape } from '../../src/model/model-folder.ts';
import { type LlamaShape, parameterCount } from '../../src/model/shape.ts';
import { saveWeights } from '../../src/model/weights.ts';
import { int64 } from '../../src/tensor/int64.ts';
import { emitOnnx } from '../../src/tensor/onnx.ts';
import { input } from '../../src/tensor/primitives.ts';
import { Session } from '../../src/tensor/session.ts';
import { tinyShape } from './tiny-shape.ts';

/** Widths that are no whole blocks. */
const shape = {
  ...tinyShape,
  modelType: 'qwen2' as const,
  vocabSize: 90,
  hiddenSize: 48,
  intermediateSize: 80,
  headDim: 12,
  attentionBias: true,
};
const untied = { ...shape, tiedEmbeddings: false };
const ids = [5, 17, 3, 89, 0, 41];

/** Temporary files of the code under test go here, so that what is left over shows. */
let folder: string;
const before = process.env.TMPDIR;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'loaded-network-'));
  process.env.TMPDIR = folder;
});
afterEach(async () => {
  if (before === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = before;
  await rm(folder, { recursive: true });
});

/** Projections that matter beside the residual stream, biases that are not 0. */
function loud(of: LlamaShape): Map<string, Float32Array> {
  const louder = (name: string, x: number, i: number) =>
    name.endsWith('.bias') ? Math.sin(i) : name.includes('_proj') ? 8 * x : x;
  return new Map([...initialWeights(of, 3)].map(([name, values]) => [name, values.map((x, i) => louder(name, x, i))]));
}

/** Everything through a file, two rows or so at a time. */
const throughFile = { mostInMemory: 0, piece: 100 };

async function scoresOf({ network, folder: weights, dispose }: LoadedNetwork, of: LlamaShape): Promise<Float32Array> {
  const positions = input('positions', 'int64', ['B', 'T']);
  const tokens = { ids: input('ids', 'int64', ['B', 'T']), positions, bias: causalBias(positions) };
  const scores = logits(of, network, forwardTrunk(of, network, tokens).hidden);
  const session = await Session.open(emitOnnx({ scores }), { threads: 1, folder: weights });
  await dispose();
  const T = ids.length;
  const places = ids.map((_, i) => i);
  const answer = await session.run({ ids: int64(ids, [1, T]), positions: int64(places, [1, T]) });
  await session.dispose();
  return answer.scores!.data as Float32Array;
}

it.each(precisions)('%s: the same scores from the graph and from a file, which is gone afterwards', async (precision) => {
  for (const of of [shape, untied]) {
    const model = { shape: of, values: loud(of) };
    const inGraph = await loadNetwork(model, precision);
    const inFile = await loadNetwork(model, precision, { limits: throughFile });
    expect(inGraph.folder).toBeUndefined();
    expect(await readdir(folder)).toHaveLength(1);
    expect(inFile.weightBytes).toBe(inGraph.weightBytes);
    const expected = await scoresOf(inGraph, of);
    expect(expected.every(Number.isFinite)).toBe(true);
    expect(await scoresOf(inFile, of)).toEqual(expected);
    expect(await readdir(folder)).toEqual([]);
  }
});

it.each(precisions)('%s: a folder reads as the model in it', async (precision) => {
  const values = loud(untied);
  await writeShape(folder, untied, 'float32', {});
  await saveWeights(folder, untied, values, 'float32');
  const [fromFolder, fromMemory] = [
    await loadNetwork(folder, precision, { limits: throughFile }),
    await loadNetwork({ shape: untied, values }, precision),
  ];
  expect(fromFolder.shape).toEqual(untied);
  expect(await scoresOf(fromFolder, untied)).toEqual(await scoresOf(fromMemory, untied));
});

it('rounds to 8 bits with little loss and to 4 with more, and takes that much less room', async () => {
  const model = { shape: untied, values: loud(untied) };
  const found = async (precision: Precision) => {
    const loaded = await loadNetwork(model, precision);
    return { scores: await scoresOf(loaded, untied), bytes: loaded.weightBytes };
  };
  const exact = await found('fp32');
  expect(exact.bytes).toBe(4 * parameterCount(untied));
  const distance = ({ scores }: typeof exact) =>
    Math.hypot(...scores.map((score, i) => score - exact.scores[i]!)) / Math.hypot(...exact.scores);
  const [int8, int4] = [await found('int8'), await found('int4')];
  expect(distance(int8)).toBeLessThan(0.03);
  expect(distance(int8)).toBeGreaterThan(0.0005);
  expect(distance(int4)).toBeLessThan(0.2);
  expect(distance(int4)).toBeGreaterThan(3 * distance(int8));
  expect(int8.bytes).toBeLessThan(0.4 * exact.bytes);
  expect(int4.bytes).toBeLessThan(0.8 * int8.bytes);
});

it('says where room is missing, and leaves nothing behind when the weights are amiss', async () => {
  const values = loud(shape);
  process.env.TMPDIR = join(folder, 'nowhere');
  await expect(loadNetwork({ shape, values }, 'int4', { limits: throughFile })).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringMatching(/Expected room for 1 MiB .*ENOENT.*TMPDIR/),
  });
  process.env.TMPDIR = folder;
  values.delete('model.norm.weight');
  await expect(loadNetwork({ shape, values }, 'int4', { limits: throughFile })).rejects.toThrow();
  expect(await readdir(folder)).toEqual([]);
});
