// The only training loop: updates, held-out loss, checkpoints, resume, clean stop. Base models, predictors and steered models all train here.
// Knows no attributes: the task brings its objective and its batches.
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { SteerError } from '../errors.ts';
import type { Network } from '../model/forward.ts';
import type { Lora } from '../model/lora.ts';
import { type LlamaShape, parameterShapes } from '../model/shape.ts';
import type { AdamW } from '../tensor/adamw.ts';
import type { Provider } from '../tensor/session.ts';
import { finalAdapters, finalValues, withAdapters } from './adapted-values.ts';
import type { BatchSource, MicroBatch } from './batches.ts';
import { loadCheckpoint, type Position, saveCheckpoint } from './checkpoint.ts';
import { appendToCurve, beginCurve } from './curve.ts';
import type { Objective } from './objective.ts';
import { learningRateAt } from './schedule.ts';
import { type Parameters, TrainingState } from './state.ts';

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
  /** A checkpoint also after so many seconds without one. */
  checkpointSeconds?: number;
  /** Ends the run after so many looks at the held-out data in a row without a better loss, with the parameters of the best one. */
  patience?: number;
  threads?: number;
  /** cpu when absent. A run may go on with another: checkpoints do not say. */
  provider?: Provider;
}

/** What is trained: a shape, its parameters (with those a task adds, such as a head), a loss and data. */
export interface TrainingTask {
  shape: LlamaShape;
  parameters: Parameters;
  objective(network: Network): Objective;
  training: BatchSource;
  validation: BatchSource | null;
  /** Identifies data and task, so that a checkpoint of another run is not taken up. The order of an object's keys says nothing. */
  identity: unknown;
  /** Told of each checkpoint that is on disk, and of the one a run goes on from; the run waits for it. */
  onCheckpoint?(saved: SavedCheckpoint): Promise<void>;
}

export interface SavedCheckpoint {
  step: number;
  steps: number;
  tokens: number;
  /** Loss of the step's update; null for a checkpoint found from before. */
  loss: number | null;
  evalLoss: number | null;
  /** found: the run goes on from it; schedule: it was due; clock: so that little is lost; stop: the run was asked to; end: it was the last step. */
  reason: 'found' | 'schedule' | 'clock' | 'stop' | 'end';
  /** Every parameter of the task, adapters merged. */
  values(): Map<string, Float32Array>;
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
  /** The adapters by themselves; null without. */
  adapters: Map<string, Float32Array> | null;
  step: number;
  steps: number;
  tokens: number;
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
    const { provider: _, ...decisive } = settings;
    const fingerprint = createHash('sha256')
      .update(JSON.stringify(sorted([task.identity, decisive])))
      .digest('hex');
    const loaded = await loadCheckpoint(runFolder, state, fingerprint);
    if (!loaded) {
      await rm(join(runFolder, bestFolder), { recursive: true, force: true });
      await beginCurve(runFolder);
    }
    const position = loaded ?? { ...start, fingerprint };
    const steps = settings.steps ?? Math.ceil((settings.epochs * task.training.size(0)) / settings.accumulation);
    if (steps < 1)
      throw new SteerError('invalid_dataset', 'The training data is empty: expected at least one sample in the train split.');
    const run: Run = { task, settings, state, position, steps, runFolder };
    if (loaded) await tellCheckpoint(run, null, 'found');
    await runSteps(run, onMetrics, signal);
    const stopped = position.step < steps && !exhausted(run);
    const evalLoss = stopped ? null : await takeBest(run);
    await state.settle();
    const { step, tokens } = position;
    const values = finalValues(task, settings, state);
    return { values, adapters: finalAdapters(task, settings, state), step, steps, tokens, stopped, evalLoss };
  } finally {
    await state.dispose();
  }
}

/** The same value with the keys of every object in one order: a database may have kept them in another. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

const start = { step: 0, epoch: 0, index: 0, tokens: 0, bestLoss: null, evalLoss: null, stale: 0 };

interface Run {
  task: TrainingTask;
  settings: TrainingSettings;
  state: TrainingState;
  position: Position;
  steps: number;
  runFolder: string;
}

async function runSteps(run: Run, onMetrics: (metrics: Metrics) => void, signal: AbortSignal): Promise<void> {
  const { settings, position, steps, runFolder } = run;
  const clockMs = (settings.checkpointSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  let saved = position.step;
  let savedMs = performance.now();
  let loss: number | null = null;
  const save = async (reason: SavedCheckpoint['reason']) => {
    await saveCheckpoint(runFolder, run.state, position, settings.keepCheckpoints);
    await tellCheckpoint(run, loss, reason);
    saved = position.step;
    savedMs = performance.now();
  };
  while (position.step < steps && !exhausted(run) && !signal.aborted) {
    const metrics = await takeStep(run);
    loss = metrics.loss;
    await appendToCurve(runFolder, metrics);
    onMetrics(metrics);
    if (position.step === steps || exhausted(run)) await save('end');
    else if (position.step % settings.checkpointEvery === 0) await save('schedule');
    else if (performance.now() - savedMs > clockMs) await save('clock');
    // The step above never yields to the event loop for long: let messages and signals in.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (saved < position.step) await save('stop');
}

/** One update, and a look at the held-out data where it is due. */
async function takeStep({ task, settings, state, position, steps, runFolder }: Run): Promise<Metrics> {
  const started = performance.now();
  const batches = takeBatches(task.training, position, settings.accumulation);
  const tokens = batches.reduce((total, batch) => total + batch.tokens, 0);
  position.step++;
  position.tokens += tokens;
  const schedule = { ...settings, warmupSteps: Math.max(1, Math.round(settings.warmup * steps)), steps };
  const learningRate = learningRateAt(schedule, position.step);
  const { loss, gradientNorm } = await state.update(batches, learningRate, position.step);
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw diverged(position.step, loss, learningRate);
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
  if (!task.validation || (position.step < steps && position.step % settings.evaluateEvery !== 0)) return metrics;
  const evalLoss = await heldOutLoss(state, task.validation);
  const better = position.bestLoss === null || evalLoss < position.bestLoss;
  position.evalLoss = evalLoss;
  position.stale = better ? 0 : position.stale + 1;
  if (better) position.bestLoss = evalLoss;
  if (better && settings.patience !== undefined) await saveCheckpoint(join(runFolder, bestFolder), state, position, 1);
  return { ...metrics, eval_loss: evalLoss };
}

/** Inside the run folder, where the run may end early. */
const bestFolder = 'best';

function exhausted({ settings, position }: Run): boolean {
  return settings.patience !== undefined && position.stale >= settings.patience;
}

/** Held-out loss of the parameters that come out: those of the best look where the run could end early, else the last ones. */
async function takeBest({ settings, state, position, runFolder }: Run): Promise<number | null> {
  if (settings.patience === undefined || position.stale === 0) return position.evalLoss;
  const best = await loadCheckpoint(join(runFolder, bestFolder), state, position.fingerprint);
  return best ? best.evalLoss : position.evalLoss;
}

async function tellCheckpoint(run: Run, loss: number | null, reason: SavedCheckpoint['reason']): Promise<void> {
  const { task, settings, state, position, steps } = run;
  const { step, tokens, evalLoss } = position;
  await state.settle();
  const values = () => finalValues(task, settings, state);
  await task.onCheckpoint?.({ step, steps, tokens, loss, evalLoss, reason, values });
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
