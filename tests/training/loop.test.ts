// The training loop on a toy language: it learns, stops cleanly, and a resumed run follows the very curve of one that never stopped.

import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { parameterShapes } from '../../src/model/shape.ts';
import { randomStream } from '../../src/random.ts';
import { defaultAdamW } from '../../src/tensor/adamw.ts';
import { packedBatches } from '../../src/training/batches.ts';
import { listCheckpoints } from '../../src/training/checkpoint.ts';
import { readCurve } from '../../src/training/curve.ts';
import { type Metrics, type SavedCheckpoint, type TrainingSettings, type TrainingTask, train } from '../../src/training/loop.ts';
import { nextTokenObjective } from '../../src/training/objective.ts';
import type { Sequence } from '../../src/training/packing.ts';
import { tinyShape } from '../model/tiny-shape.ts';

const shape = { ...tinyShape, vocabSize: 24, intermediateSize: 32, heads: 2, kvHeads: 1, headDim: 8, contextLength: 32 };
const settings: TrainingSettings = {
  epochs: 3,
  steps: null,
  accumulation: 2,
  learningRate: 1e-2,
  floor: 0.1,
  warmup: 0.1,
  adamw: defaultAdamW,
  seed: 7,
  lora: null,
  evaluateEvery: 5,
  checkpointEvery: 4,
  keepCheckpoints: 2,
  threads: 1,
};
const [B, T] = [4, 16];

/** Each sequence counts upwards from a random start; epochs differ, as with label dropout. */
function* sequences(count: number, epoch: number): Generator<Sequence> {
  const random = randomStream(3, epoch);
  for (let i = 0; i < count; i++) {
    const length = 5 + Math.floor(random() * 20);
    const start = Math.floor(random() * 24);
    yield { ids: Array.from({ length }, (_, j) => (start + j) % 24), weights: new Float32Array(length).fill(1) };
  }
}

function task(identity = 'counting'): TrainingTask {
  return {
    shape,
    parameters: { shapes: parameterShapes(shape), values: new Map(initialWeights(shape, 1)) },
    objective: (network) => nextTokenObjective(shape, network, B, T),
    training: packedBatches((epoch) => sequences(60, epoch), { B, T, seed: 5 }),
    validation: packedBatches(() => sequences(10, -1), { B, T, seed: 0, shuffle: false }),
    identity,
  };
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-training-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function run(name: string, stopAfter = Number.POSITIVE_INFINITY, changed: Partial<TrainingSettings> = {}) {
  const curve: Metrics[] = [];
  const stop = new AbortController();
  const onMetrics = (metrics: Metrics) => {
    curve.push(metrics);
    if (curve.length === stopAfter) stop.abort();
  };
  const saved: Omit<SavedCheckpoint, 'values'>[] = [];
  const onCheckpoint = async ({ values: _, ...checkpoint }: SavedCheckpoint) => void saved.push(checkpoint);
  const result = await train(
    { ...task(), onCheckpoint },
    { ...settings, ...changed },
    join(folder, name),
    onMetrics,
    stop.signal,
  );
  return { curve, result, saved };
}

const shown = ({ step, loss, grad_norm, learning_rate, eval_loss }: Metrics) => ({
  step,
  loss,
  grad_norm,
  learning_rate,
  eval_loss,
});

it('learns, and reports what it does', async () => {
  const { curve, result } = await run('whole');
  expect(result.stopped).toBe(false);
  expect(curve).toHaveLength(result.steps);
  expect(result.evalLoss).toBeLessThan(0.6 * curve[0]!.loss);
  expect(curve.at(-1)!.num_tokens).toBeGreaterThan(1000);
  expect(await listCheckpoints(join(folder, 'whole'))).toHaveLength(2);
});

it('continues the same curve after a stop', async () => {
  const { curve: expected } = await run('reference');
  const first = await run('stopped', 6);
  expect(first.result.stopped).toBe(true);
  const second = await run('stopped');
  const curve = [...first.curve, ...second.curve];
  expect(curve.map(shown)).toEqual(expected.map(shown));
  expect((await readCurve(join(folder, 'stopped'))).map(shown)).toEqual(expected.map(shown));
  expect(first.saved.map(({ step, reason }) => [step, reason])).toEqual([
    [4, 'schedule'],
    [6, 'stop'],
  ]);
  expect(second.saved[0]).toMatchObject({ step: 6, reason: 'found', loss: null });
  expect(second.saved.at(-1)).toMatchObject({ step: expected.length, reason: 'end', loss: expected.at(-1)!.loss });
});

it('keeps the whole curve in its folder, also where a crash made it repeat steps', async () => {
  const { curve } = await run('crashed', 7);
  // As if the process had died after step 7 with its last checkpoint at step 4, in the middle of a line.
  await rm(join(folder, 'crashed', 'step-00000007'), { recursive: true });
  await appendFile(join(folder, 'crashed', 'metrics.jsonl'), '\n{"step":8,"lo');
  const { curve: again, result } = await run('crashed');
  expect(again[0]!.step).toBe(5);
  expect(again.slice(0, 3).map(shown)).toEqual(curve.slice(4).map(shown));
  const whole = await readCurve(join(folder, 'crashed'));
  expect(whole.map(({ step }) => step)).toEqual(Array.from({ length: result.steps }, (_, i) => i + 1));
});

it('ends early once the held-out loss stops falling, with the parameters of the best look, and stays ended', async () => {
  const harsh = { learningRate: 0.3, floor: 1, evaluateEvery: 2, patience: 3, epochs: 10 };
  const { curve, result } = await run('early', 99, harsh);
  const looks = curve.flatMap(({ eval_loss }) => eval_loss ?? []);
  expect(result.stopped).toBe(false);
  expect(result.step).toBeLessThan(result.steps);
  expect(result.evalLoss).toBe(Math.min(...looks));
  expect(looks.lastIndexOf(result.evalLoss!)).toBe(looks.length - 1 - harsh.patience);
  const again = await run('early', 99, harsh);
  expect(again.curve).toEqual([]);
  expect(again.result).toMatchObject({ step: result.step, stopped: false, evalLoss: result.evalLoss });
  expect(again.result.values.get('model.embed_tokens.weight')).toEqual(result.values.get('model.embed_tokens.weight'));
});

it('saves by the clock where updates are slow', async () => {
  const { saved } = await run('clock', 3, { checkpointEvery: 1000, checkpointSeconds: 0 });
  expect(saved.map(({ step, reason }) => [step, reason])).toEqual([
    [1, 'clock'],
    [2, 'clock'],
    [3, 'clock'],
  ]);
});

it('refuses the checkpoint of a run with other settings', async () => {
  await run('settings', 2);
  await expect(run('settings', 2, { learningRate: 1e-3 })).rejects.toMatchObject({ code: 'conflict' });
});

it('takes up a checkpoint whatever the order its settings are told in', async () => {
  await run('reordered', 2);
  const { checkpointEvery, ...rest } = settings;
  const reordered = { ...rest, adamw: Object.fromEntries(Object.entries(defaultAdamW).toReversed()) as never, checkpointEvery };
  const result = await train(task(), reordered, join(folder, 'reordered'), () => {}, new AbortController().signal);
  expect(result.stopped).toBe(false);
});

it('ends a run whose loss is no number', async () => {
  await expect(run('diverged', 99, { learningRate: 1e30 })).rejects.toMatchObject({ code: 'training_failed' });
});

it('trains adapters only, and merges them into the model they came from', async () => {
  const { curve, result } = await run('lora', 99, { lora: { rank: 4, alpha: 8 }, learningRate: 3e-2 });
  expect(result.evalLoss).toBeLessThan(curve[0]!.loss);
  const before = new Map(initialWeights(shape, 1));
  expect(result.values.get('model.embed_tokens.weight')).toEqual(before.get('model.embed_tokens.weight'));
  expect(result.values.get('model.layers.0.mlp.up_proj.weight')).not.toEqual(before.get('model.layers.0.mlp.up_proj.weight'));
  const merged = task();
  const again = await train(
    { ...merged, parameters: { shapes: merged.parameters.shapes, values: result.values } },
    { ...settings, steps: 1, learningRate: 0 },
    join(folder, 'merged'),
    () => {},
    new AbortController().signal,
  );
  expect(again.evalLoss).toBeCloseTo(result.evalLoss!, 4);
});
