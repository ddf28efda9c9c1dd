// The only training loop: updates, held-out loss, checkpoints, resume, clean stop. Base models, predictors and steered models all train here.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { SteerError } from '../errors.ts';
import { parameterShapes } from '../model/shape.ts';
import { finalAdapters, finalValues, withAdapters } from './adapted-values.ts';
import { takeBatches } from './batches.ts';
import { loadCheckpoint, type Position, readPosition, saveCheckpoint } from './checkpoint.ts';
import { appendToCurve, beginCurve } from './curve.ts';
import { decisiveOf, fingerprintOf } from './fingerprint.ts';
import { type Look, lookAt } from './held-out.ts';
import { plannedSteps, stepsOf } from './run-length.ts';
import { checkpointsOfRun, cyclesTo, intervalOf, learningRateAt, looksOfRun } from './schedule.ts';
import { type Parameters, TrainingState } from './state.ts';
import type { TrainingSettings } from './training-settings.ts';
import type { Metrics, SavedCheckpoint, TrainingResult, TrainingTask } from './training-task.ts';

/** Trains to the end or until the signal aborts, taking up the newest checkpoint in `runFolder` if there is one. */
export async function train(
  task: TrainingTask,
  settings: TrainingSettings,
  runFolder: string,
  onMetrics: (metrics: Metrics) => void,
  signal: AbortSignal,
): Promise<TrainingResult> {
  const fingerprint = fingerprintOf(task, settings);
  const decisive = decisiveOf(task, settings);
  // What is refused is refused before anything is built.
  const found = await readPosition(runFolder, { fingerprint, decisive });
  const planned = plannedSteps(task, settings);
  if (found && planned !== null) cyclesTo(planned, found);
  task.onNote?.('building the graph of a training step; of a large model that takes a minute');
  const parameters = withAdapters(task, settings);
  const state = await openState(task, settings, parameters);
  try {
    const steps = await stepsOf(task, settings, { runFolder, fingerprint, state, parameters, signal });
    const loaded = await loadCheckpoint(runFolder, state, { fingerprint, decisive }, task.onNote);
    if (!loaded) {
      await rm(join(runFolder, bestFolder), { recursive: true, force: true });
      await beginCurve(runFolder);
    }
    const position: Position = { ...(loaded ?? start), fingerprint, decisive };
    const cycles = cyclesTo(steps, position);
    // A run that had ended early goes on when it is lengthened.
    if (cycles.length > position.cycles.length) Object.assign(position, { cycles, stale: 0 });
    const run: Run = { task, settings, state, position, steps, runFolder, look: null };
    if (loaded) await tellCheckpoint(run, null, 'found');
    await runSteps(run, onMetrics, signal);
    return await resultOf(run, position.step < steps && !exhausted(run));
  } finally {
    await state.dispose();
  }
}

/** What a run has come to, by its newest checkpoint; nothing is trained. Throws `not_found` where there is none. */
export async function takeNewest(task: TrainingTask, settings: TrainingSettings, runFolder: string): Promise<TrainingResult> {
  const wanted = { fingerprint: fingerprintOf(task, settings), decisive: decisiveOf(task, settings) };
  if (!(await readPosition(runFolder, wanted))) {
    const message = `Expected a checkpoint to publish in ${runFolder}, found none. Train first; an interrupted run leaves one.`;
    throw new SteerError('not_found', message);
  }
  const state = await openState(task, { ...settings, evaluatesOnly: true }, withAdapters(task, settings));
  try {
    const position = (await loadCheckpoint(runFolder, state, wanted, task.onNote))!;
    const look = task.validation && (await lookAt(state, task.validation));
    if (look) position.evalLoss = look.loss;
    const run: Run = { task, settings, state, position, steps: position.cycles.at(-1)!.to, runFolder, look };
    const result = await resultOf(run, false);
    return { ...result, stopped: position.step < run.steps };
  } finally {
    await state.dispose();
  }
}

function openState(
  task: TrainingTask,
  settings: TrainingSettings & { evaluatesOnly?: boolean },
  parameters: Parameters,
): Promise<TrainingState> {
  const trunk = new Set(parameterShapes(task.shape).keys());
  return TrainingState.open(task.shape, trunk, parameters, (network) => task.objective(network), settings);
}

const start = { step: 0, epoch: 0, index: 0, tokens: 0, bestLoss: null, evalLoss: null, stale: 0, cycles: [] };

interface Run {
  task: TrainingTask;
  settings: TrainingSettings;
  state: TrainingState;
  position: Position;
  steps: number;
  runFolder: string;
  /** The newest look at the held-out data, while the parameters are those it was taken with. */
  look: Look | null;
}

/** Saving by the clock takes at most one part in so many of the time. */
const mostSaving = 20;

async function runSteps(run: Run, onMetrics: (metrics: Metrics) => void, signal: AbortSignal): Promise<void> {
  const { settings, position, steps, runFolder } = run;
  const checkpointEvery = intervalOf(settings.checkpointEvery, steps, checkpointsOfRun);
  let clockMs = (settings.checkpointSeconds ?? Number.POSITIVE_INFINITY) * 1000;
  let saved = position.step;
  let savedMs = performance.now();
  let loss: number | null = null;
  const save = async (reason: SavedCheckpoint['reason']) => {
    const startedMs = performance.now();
    await saveCheckpoint(runFolder, run.state, position, settings.keepCheckpoints);
    await tellCheckpoint(run, loss, reason);
    saved = position.step;
    savedMs = performance.now();
    if (clockMs > 0) clockMs = Math.max(clockMs, mostSaving * (savedMs - startedMs));
  };
  while (position.step < steps && !exhausted(run) && !signal.aborted) {
    const metrics = await takeStep(run);
    loss = metrics.loss;
    await appendToCurve(runFolder, metrics);
    onMetrics(metrics);
    if (position.step === steps || exhausted(run)) await save('end');
    else if (position.step % checkpointEvery === 0) await save('schedule');
    else if (performance.now() - savedMs > clockMs) await save('clock');
    // The step above never yields to the event loop for long: let messages and signals in.
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (saved < position.step) await save('stop');
}

/** One update, and a look at the held-out data where it is due. */
async function takeStep(run: Run): Promise<Metrics> {
  const { task, settings, state, position, steps } = run;
  const started = performance.now();
  const batches = takeBatches(task.training, position, settings.accumulation);
  const tokens = batches.reduce((total, batch) => total + batch.tokens, 0);
  position.step++;
  position.tokens += tokens;
  const learningRate = learningRateAt(settings, position.cycles, position.step);
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
  run.look = null;
  const evaluateEvery = intervalOf(settings.evaluateEvery, steps, looksOfRun);
  if (!task.validation || (position.step < steps && position.step % evaluateEvery !== 0)) return metrics;
  run.look = await lookAt(state, task.validation);
  await noteLook(run, run.look.loss);
  return { ...metrics, eval_loss: run.look.loss };
}

async function noteLook({ settings, state, position, runFolder }: Run, evalLoss: number): Promise<void> {
  const better = position.bestLoss === null || evalLoss < position.bestLoss;
  position.evalLoss = evalLoss;
  position.stale = better ? 0 : position.stale + 1;
  if (better) position.bestLoss = evalLoss;
  if (better && settings.patience !== undefined) await saveCheckpoint(join(runFolder, bestFolder), state, position, 1);
}

/** Inside the run folder, where the run may end early. */
const bestFolder = 'best';

function exhausted({ settings, position }: Run): boolean {
  return settings.patience !== undefined && position.stale >= settings.patience;
}

/** The parameters that come out: those of the best look where the run could end early, else the last ones. */
async function resultOf(run: Run, stopped: boolean): Promise<TrainingResult> {
  const { task, settings, state, position, steps, runFolder } = run;
  let { evalLoss } = position;
  if (!stopped && settings.patience !== undefined && position.stale > 0) {
    const best = await loadCheckpoint(join(runFolder, bestFolder), state, position);
    if (best) [run.look, evalLoss] = [null, best.evalLoss];
  }
  if (!stopped && task.validation && state.tellsReadings) run.look ??= await lookAt(state, task.validation);
  await state.settle();
  const { step, tokens, cycles } = position;
  return {
    values: finalValues(task, settings, state),
    adapters: finalAdapters(task, settings, state),
    ...{ step, steps, cycles, tokens, stopped },
    evalLoss: stopped ? null : evalLoss,
    readings: run.look?.readings ?? null,
  };
}

async function tellCheckpoint(run: Run, loss: number | null, reason: SavedCheckpoint['reason']): Promise<void> {
  const { task, settings, state, position, steps } = run;
  const { step, tokens, evalLoss, cycles } = position;
  await state.settle();
  const values = () => finalValues(task, settings, state);
  await task.onCheckpoint?.({ step, steps, cycles, tokens, loss, evalLoss, reason, values });
}

function diverged(step: number, loss: number, learningRate: number): SteerError {
  return new SteerError(
    'training_failed',
    `The loss became ${loss} at step ${step} with learning rate ${learningRate.toPrecision(3)}. Lower the learning rate; the last checkpoint is kept.`,
  );
}
