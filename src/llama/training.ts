// The only training loop: updates, held-out loss, checkpoints, resume, clean stop. Base models, predictors and steered models all train here.
// Knows no attributes: the task brings its objective and its batches.
import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { SteerError } from '../errors.ts';
import type { AdamW } from '../tensor/adamw.ts';
import type { BatchSource, MicroBatch } from './batches.ts';
import { loadCheckpoint, type Position, saveCheckpoint } from './checkpoint.ts';
import type { Network } from './forward.ts';
import { adapterShapes, type Lora, mergeAdapter } from './lora.ts';
import type { Objective } from './objective.ts';
import { learningRateAt } from './schedule.ts';
import { type LlamaShape, parameterShapes } from './shape.ts';
import { type Parameters, TrainingState } from './training-state.ts';
import { initialWeights } from './weights.ts';

export interface TrainingSettings {
  /** Passes over the data; the number of updates follows from it unless `steps` says otherwise. */
  epochs: number;
  steps: number | null;
  /** Micro-batches of one update. */
  accumulation: number;
  learningRate: number;
  /** Lowest learning rate as a share of the highest. */
  floor: number;
  /** Share of the updates over which the learning rate rises. */
  warmup: number;
  adamw: AdamW;
  seed: number;
  lora: Lora | null;
  /** Updates between two evaluations, and between two checkpoints. */
  evaluateEvery: number;
  checkpointEvery: number;
  keepCheckpoints: number;
  threads?: number;
}

/** What is trained: a shape, its parameters (with those a task adds, such as a head), a loss and data. */
export interface TrainingTask {
  shape: LlamaShape;
  parameters: Parameters;
  objective(network: Network): Objective;
  training: BatchSource;
  validation: BatchSource | null;
  /** Identifies data and task, so that a checkpoint of another run is not taken up. */
  identity: string;
}

/** Named as TRL names them. */
export interface Metrics {
  step: number;
  steps: number;
  epoch: number;
  loss: number;
  grad_norm: number;
  learning_rate: number;
  num_tokens: number;
  tokens_per_second: number;
  eval_loss?: number;
}

export interface TrainingResult {
  /** Every parameter of the task, adapters merged. */
  values: Map<string, Float32Array>;
  step: number;
  steps: number;
  /** Ended by the signal before its last step; the last checkpoint is kept. */
  stopped: boolean;
  /** Mean held-out loss at the end; null without validation data or when stopped. */
  evalLoss: number | null;
}

/** Trains to the end or until the signal aborts, taking up the newest checkpoint in `runFolder` if there is one. */
export async function train(
  task: TrainingTask,
  settings: TrainingSettings,
  runFolder: string,
  onMetrics: (metrics: Metrics) => void,
  signal: AbortSignal,
): Promise<TrainingResult> {
  const trunk = new Set(parameterShapes(task.shape).keys());
  const state = await TrainingState.open(
    task.shape,
    trunk,
    withAdapters(task, settings),
    (network) => task.objective(network),
    settings,
  );
  try {
    const fingerprint = createHash('sha256')
      .update(JSON.stringify([task.identity, settings]))
      .digest('hex');
    const loaded = await loadCheckpoint(runFolder, state, fingerprint);
    const position = loaded ?? { step: 0, epoch: 0, index: 0, tokens: 0, bestLoss: null, fingerprint };
    const steps = settings.steps ?? Math.ceil((settings.epochs * task.training.size(0)) / settings.accumulation);
    if (steps < 1)
      throw new SteerError('invalid_dataset', 'The training data is empty: expected at least one sample in the train split.');
    const evalLoss = await runSteps(task, settings, state, position, steps, runFolder, onMetrics, signal);
    return { values: finalValues(task, settings, state), step: position.step, steps, stopped: position.step < steps, evalLoss };
  } finally {
    await state.dispose();
  }
}

async function runSteps(
  task: TrainingTask,
  settings: TrainingSettings,
  state: TrainingState,
  position: Position,
  steps: number,
  runFolder: string,
  onMetrics: (metrics: Metrics) => void,
  signal: AbortSignal,
): Promise<number | null> {
  const schedule = { ...settings, warmupSteps: Math.max(1, Math.round(settings.warmup * steps)), steps };
  let evalLoss: number | null = null;
  let saved = position.step;
  while (position.step < steps && !signal.aborted) {
    const started = performance.now();
    const batches = takeBatches(task.training, position, settings.accumulation);
    const tokens = batches.reduce((total, batch) => total + batch.tokens, 0);
    position.step++;
    position.tokens += tokens;
    const learningRate = learningRateAt(schedule, position.step);
    const { loss, gradientNorm } = await state.update(batches, learningRate, position.step);
    if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw diverged(position.step, loss, learningRate);
    const last = position.step === steps;
    const metrics: Metrics = {
      step: position.step,
      steps,
      epoch: position.epoch + position.index / task.training.size(position.epoch),
      loss,
      grad_norm: gradientNorm,
      learning_rate: learningRate,
      num_tokens: position.tokens,
      tokens_per_second: tokens / ((performance.now() - started) / 1000),
    };
    if (task.validation && (last || position.step % settings.evaluateEvery === 0)) {
      evalLoss = await heldOutLoss(state, task.validation);
      metrics.eval_loss = evalLoss;
      position.bestLoss = Math.min(position.bestLoss ?? evalLoss, evalLoss);
    }
    onMetrics(metrics);
    if (last || position.step % settings.checkpointEvery === 0) {
      await saveCheckpoint(runFolder, state, position, settings.keepCheckpoints);
      saved = position.step;
    }
    // The step above never yields to the event loop for long: let messages and signals in.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (saved < position.step) await saveCheckpoint(runFolder, state, position, settings.keepCheckpoints);
  return evalLoss;
}

function diverged(step: number, loss: number, learningRate: number): SteerError {
  return new SteerError(
    'training_failed',
    `The loss became ${loss} at step ${step} with learning rate ${learningRate.toPrecision(3)}. Lower the learning rate; the last checkpoint is kept.`,
  );
}

function takeBatches(source: BatchSource, position: Position, count: number): MicroBatch[] {
  return Array.from({ length: count }, () => {
    if (position.index >= source.size(position.epoch)) {
      position.epoch++;
      position.index = 0;
    }
    return source.fetch(position.epoch, position.index++);
  });
}

/** Mean loss per unit of weight over the whole validation set. */
async function heldOutLoss(state: TrainingState, source: BatchSource): Promise<number> {
  let total = 0;
  let weight = 0;
  for (let index = 0; index < source.size(0); index++) {
    const batch = source.fetch(0, index);
    total += await state.evaluate(batch);
    weight += batch.weight;
  }
  return total / weight;
}

function withAdapters(task: TrainingTask, { lora, seed }: TrainingSettings): Parameters {
  if (!lora) return task.parameters;
  const values = new Map(task.parameters.values);
  const adapters = adapterShapes(task.shape, lora);
  const names = new Set(adapters.keys());
  for (const [name, data] of initialWeights(task.shape, seed, adapters)) {
    // B starts at zero, so the first step starts from the base model itself.
    if (names.has(name)) values.set(name, name.endsWith('.lora_B') ? data.fill(0) : data);
  }
  return { shapes: task.parameters.shapes, values };
}

function finalValues(task: TrainingTask, { lora }: TrainingSettings, state: TrainingState): Map<string, Float32Array> {
  return new Map(
    [...task.parameters.shapes.keys()].map((name) => {
      const at = name.replace(/\.weight$/, '');
      const merges = lora && state.tensors.has(`${at}.lora_A`);
      const value = state.value(name);
      return [name, merges ? mergeAdapter(value, state.value(`${at}.lora_A`), state.value(`${at}.lora_B`), lora) : value];
    }),
  );
}
