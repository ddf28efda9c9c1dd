// A toy language to train on, for tests of runs: sequences that count upwards, a model that learns it in seconds, runs in a folder.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { parameterShapes } from '../../src/model/shape.ts';
import { randomStream } from '../../src/random.ts';
import { defaultAdamW } from '../../src/tensor/adamw.ts';
import { packedBatches } from '../../src/training/batches.ts';
import { train } from '../../src/training/loop.ts';
import { nextTokenObjective } from '../../src/training/objective.ts';
import type { Sequence } from '../../src/training/packing.ts';
import type { TrainingSettings } from '../../src/training/training-settings.ts';
import type { Metrics, SavedCheckpoint, TrainingTask } from '../../src/training/training-task.ts';
import { tinyShape } from '../model/tiny-shape.ts';

export const shape = { ...tinyShape, vocabSize: 24, intermediateSize: 32, heads: 2, kvHeads: 1, headDim: 8, contextLength: 32 };
export const settings: TrainingSettings = {
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

export function task(identity = 'counting'): TrainingTask {
  return {
    shape,
    parameters: { shapes: parameterShapes(shape), values: new Map(initialWeights(shape, 1)) },
    objective: (network) => nextTokenObjective(shape, network, B, T),
    training: packedBatches((epoch) => sequences(60, epoch), { B, T, seed: 5 }),
    validation: packedBatches(() => sequences(10, -1), { B, T, seed: 0, shuffle: false }),
    identity,
  };
}

/** Where the runs of a test file are. */
export const folder = mkdtempSync(join(tmpdir(), 'steer-training-'));
afterAll(() => rmSync(folder, { recursive: true }));

export async function run(
  name: string,
  stopAfter = Number.POSITIVE_INFINITY,
  changed: Partial<TrainingSettings> = {},
  onNote = (_: string) => {},
) {
  const curve: Metrics[] = [];
  const stop = new AbortController();
  const onMetrics = (metrics: Metrics) => {
    curve.push(metrics);
    if (curve.length === stopAfter) stop.abort();
  };
  const saved: Omit<SavedCheckpoint, 'values'>[] = [];
  const onCheckpoint = async ({ values: _, ...checkpoint }: SavedCheckpoint) => void saved.push(checkpoint);
  const result = await train(
    { ...task(), onCheckpoint, onNote },
    { ...settings, ...changed },
    join(folder, name),
    onMetrics,
    stop.signal,
  );
  return { curve, result, saved };
}

export const shown = ({ step, loss, grad_norm, learning_rate, eval_loss }: Metrics) => ({
  step,
  loss,
  grad_norm,
  learning_rate,
  eval_loss,
});
