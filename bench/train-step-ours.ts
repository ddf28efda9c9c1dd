// One process of bench/train-step: our training step at 5.8 M parameters, and the runtime's own matrix-product peak.
import { performance } from 'node:perf_hooks';
import { initialWeights } from '../src/model/initial-weights.ts';
import { parameterCount, parameterShapes } from '../src/model/shape.ts';
import { defaultAdamW } from '../src/tensor/adamw.ts';
import { emitOnnx } from '../src/tensor/onnx.ts';
import { input, matmul } from '../src/tensor/primitives.ts';
import { Session } from '../src/tensor/session.ts';
import { nextTokenObjective } from '../src/training/objective.ts';
import { TrainingState } from '../src/training/state.ts';
import { benchShape as shape } from './bench-shape.ts';
import { median } from './results.ts';
import { randomBatch } from './training-batch.ts';

const [B, T, threads] = [16, 128, 2];

async function stepTimes(seconds: number): Promise<number[]> {
  const shapes = parameterShapes(shape);
  const state = await TrainingState.open(
    shape,
    new Set(shapes.keys()),
    { shapes, values: new Map(initialWeights(shape, 1)) },
    (network) => nextTokenObjective(shape, network, B, T),
    { adamw: defaultAdamW, accumulation: 1, lora: null, threads },
  );
  const batch = randomBatch(shape.vocabSize, B, T);
  const times: number[] = [];
  const end = performance.now() + 1000 * seconds;
  for (let step = 1; performance.now() < end; step++) {
    const started = performance.now();
    await state.update([batch], 1e-3, step);
    if (step > 3) times.push(performance.now() - started);
  }
  await state.dispose();
  return times;
}

async function sgemmGflops(): Promise<number> {
  const size = 2048;
  const square = { data: new Float32Array(size * size).fill(0.5), shape: [size, size] };
  const product = matmul(input('a', 'float32', [size, size]), input('b', 'float32', [size, size]));
  const session = await Session.open(emitOnnx({ product }), { threads });
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 12; i++) {
    const started = performance.now();
    await session.run({ a: square, b: square });
    best = Math.min(best, performance.now() - started);
  }
  await session.dispose();
  return (2 * size ** 3) / best / 1e6;
}

const ms = median(await stepTimes(Number(process.argv[2] ?? 15)));
const gflops = (6 * parameterCount(shape) * B * T) / ms / 1e6;
process.stdout.write(
  `${JSON.stringify({ tokens_per_s: (1000 * B * T) / ms, step_ms_median: ms, gflops, sgemm_gflops: await sgemmGflops() })}\n`,
);
