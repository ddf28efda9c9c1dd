// What a training process tells, put away for its job: figures as events now and then, checkpoints as steps of the job at once.
// Checkpoints that are too many go, with the folders of their models.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobContext } from '../jobs/define.ts';
import { newId } from '../store/new-id.ts';
import type { CheckpointNews, TrainingListener } from '../training/process.ts';
import type { Metrics } from '../training/training-task.ts';
import type { FinetuningState, ModelNames } from './job-input.ts';
import { addCheckpoint, retireCheckpoints } from './job-records.ts';

export interface Following {
  listener: TrainingListener;
  /** Aborted with the job, or when a checkpoint could not be put away. */
  signal: AbortSignal;
  /** Waits for what is not put away yet. Throws what kept a checkpoint from it. */
  finish(): Promise<void>;
}

export interface Followed {
  context: JobContext<unknown>;
  /** Renewed with each checkpoint. */
  state: FinetuningState;
  /** Of the checkpoints' models, without the step. */
  names: ModelNames;
  modelsDir: string;
  /** A model was written or removed. */
  onModels(): Promise<void>;
}

const metricsEveryMs = 1_000;
/** Checkpoints of one job that can be served; those an alias names are kept besides. */
const keptCheckpoints = 3;

/** Begins to listen. */
export function follow(followed: Followed): Following {
  const { context } = followed;
  const stop = new AbortController();
  let work: Promise<void> = Promise.resolve();
  let failure: unknown;
  const inTurn = (act: () => Promise<void>, onFailure: (error: unknown) => void) => {
    work = work.then(act).catch(onFailure);
  };
  // An event that is lost is lost; the curve in the run folder has every step.
  const forget = () => {};
  const giveUp = (error: unknown) => {
    failure ??= error;
    stop.abort();
  };
  const isDue = timer();
  return {
    signal: AbortSignal.any([context.signal, stop.signal]),
    listener: {
      onNote: (text) => inTurn(() => context.note('info', text), forget),
      onMetrics: (metrics) => {
        if (isDue(metrics)) inTurn(() => context.metrics(describe(metrics), { ...metrics }), forget);
      },
      onCheckpoint: (checkpoint) => inTurn(() => putAway(followed, checkpoint), giveUp),
    },
    finish: async () => {
      await work;
      if (failure !== undefined) throw failure;
    },
  };
}

/** True for the first step, the last, every look at the held-out data, and otherwise once a second. */
function timer(): (metrics: Metrics) => boolean {
  let last = Number.NEGATIVE_INFINITY;
  return ({ step, steps, eval_loss }) => {
    const now = performance.now();
    if (now - last < metricsEveryMs && step !== steps && eval_loss === undefined) return false;
    last = now;
    return true;
  };
}

function describe({ step, steps, loss, eval_loss }: Metrics): string {
  const heldOut = eval_loss === undefined ? '' : `, validation loss=${eval_loss.toFixed(4)}`;
  return `Step ${step}/${steps}: training loss=${loss.toFixed(4)}${heldOut}`;
}

async function putAway(followed: Followed, { step, steps, tokens, loss, evalLoss, model }: CheckpointNews): Promise<void> {
  const { context, state, names, modelsDir } = followed;
  // A run that goes on from where the job stands has made no step yet.
  if (step === state.step && model === null) return;
  Object.assign(state, { step, tokens });
  let retired: number[] = [];
  const metrics = {
    step,
    ...(loss === null ? {} : { train_loss: loss }),
    ...(evalLoss === null ? {} : { valid_loss: evalLoss }),
  };
  await context.commit({
    cursor: { ...state },
    progress: { phase: 'training', total: steps, completed: step },
    write: async (tx) => {
      if (model === null) return;
      await addCheckpoint(tx, { id: newId('ftckpt-'), jobId: context.id, step, model, metrics });
      retired = await retireCheckpoints(tx, context.id, keptCheckpoints);
    },
  });
  if (model === null) return;
  for (const old of retired) await rm(join(modelsDir, `${names.folder}${old}`), { recursive: true, force: true });
  await followed.onModels();
  await context.note('info', `Checkpoint of step ${step} can be served as ${model}.`, { step, model });
}
