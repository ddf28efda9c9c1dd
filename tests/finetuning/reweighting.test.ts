// SteerLM 2.0's objective on a toy language: what is aimed at, the distance to it, and that training closes it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groupBatches, type ReplyGroup, reweightingObjective, targetWeights } from '../../src/finetuning/reweighting.ts';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { type LlamaShape, parameterShapes } from '../../src/model/shape.ts';
import { randomStream } from '../../src/random.ts';
import { defaultAdamW } from '../../src/tensor/adamw.ts';
import { type Metrics, train } from '../../src/training/loop.ts';

const shape: LlamaShape = {
  modelType: 'llama',
  vocabSize: 16,
  hiddenSize: 16,
  intermediateSize: 32,
  layers: 1,
  heads: 2,
  kvHeads: 2,
  headDim: 8,
  contextLength: 16,
  ropeTheta: 10_000,
  ropeScaling: null,
  normEpsilon: 1e-5,
  tiedEmbeddings: false,
  attentionBias: false,
  queryKeyNorm: false,
};
const [n, T] = [3, 12];

/** Replies of one token after a prompt of two; a new model finds all of them about as likely, 1 in 16. */
function groups(count: number): ReplyGroup[] {
  const random = randomStream('groups');
  return Array.from({ length: count }, () => {
    const prompt = [Math.floor(random() * 16), Math.floor(random() * 16)];
    return Array.from({ length: n }, (_, i) => ({
      ids: [...prompt, 4 * i + Math.floor(random() * 4)],
      weights: [0, 0, 1],
      label: i === 0 ? Math.log(0.8) : Math.log(0.1),
      base: -3,
      proposal: -Math.log(16),
    }));
  });
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-reweighting-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(data: ReplyGroup[], epochs: number): Promise<Metrics[]> {
  const curve: Metrics[] = [];
  await train(
    {
      shape,
      parameters: { shapes: parameterShapes(shape), values: new Map(initialWeights(shape, 1)) },
      objective: (network) => reweightingObjective(shape, network, n, T),
      training: groupBatches(data, { n, T, seed: 1 }),
      validation: null,
      identity: epochs,
    },
    {
      ...{
        epochs,
        steps: null,
        accumulation: 4,
        learningRate: 1e-2,
        floor: 0.1,
        warmup: 0.05,
        adamw: defaultAdamW,
        seed: 1,
        lora: null,
      },
      ...{ evaluateEvery: 1000, checkpointEvery: 1000, keepCheckpoints: 1, threads: 1 },
    },
    join(folder, `run-${epochs}`),
    (metrics) => curve.push(metrics),
    new AbortController().signal,
  );
  return curve;
}

describe('what is aimed at', () => {
  test('is the softmax of label + base − proposal, whatever the size of the numbers', () => {
    const reply = { ids: [1, 2], weights: [0, 1] };
    const weights = targetWeights([
      { ...reply, label: -1000, base: -50, proposal: -40 },
      { ...reply, label: -1001, base: -50, proposal: -41 },
      { ...reply, label: -1000, base: -49, proposal: -40 },
    ]);
    const total = 2 + Math.E;
    expect(weights[0]).toBeCloseTo(1 / total, 12);
    expect(weights[1]).toBeCloseTo(1 / total, 12);
    expect(weights[2]).toBeCloseTo(Math.E / total, 12);
  });
});

describe('training', () => {
  test('starts at the distance between what is aimed at and what the replies were written with, and closes it', async () => {
    const curve = await run(groups(40), 30);
    // KL of (.8, .1, .1) from three alike; the new model is a little off uniform.
    const start = 0.8 * Math.log(0.8 * 3) + 0.2 * Math.log(0.1 * 3);
    expect(Math.abs(curve[0]!.loss - start)).toBeLessThan(0.1 * start);
    expect(curve.at(-1)!.loss).toBeLessThan(0.05 * start);
  });

  test('a group with fewer replies is learnt as if there were no others', async () => {
    const pairs = groups(40).map((group) =>
      group.slice(0, 2).map((reply, i) => ({ ...reply, label: Math.log(i === 0 ? 0.9 : 0.1) })),
    );
    const curve = await run(pairs, 31);
    const start = 0.9 * Math.log(0.9 * 2) + 0.1 * Math.log(0.1 * 2);
    expect(Math.abs(curve[0]!.loss - start)).toBeLessThan(0.1 * start);
    expect(curve.at(-1)!.loss).toBeLessThan(0.05 * start);
  });

  test('leaves a model alone whose replies are what is aimed at', async () => {
    const even = groups(8).map((group) => group.map((reply) => ({ ...reply, label: Math.log(1 / 3) })));
    const [first] = await run(even, 1);
    expect(first!.loss).toBeLessThan(0.01);
    expect(first!.grad_norm).toBeLessThan(0.2);
  });
});
