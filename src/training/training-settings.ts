// What can be set of a training run, and the one table of what holds where nobody sets it: the command line and jobs read the same.

import type { Lora } from '../model/lora.ts';
import { type AdamW, defaultAdamW } from '../tensor/adamw.ts';
import type { Provider } from '../tensor/session.ts';

export interface TrainingSettings {
  /** Passes over the data; the number of updates follows from it unless `steps` or `minutes` say otherwise. auto: by how much data there is. */
  epochs: number | 'auto';
  steps: number | null;
  /** About how long to train: some steps are timed, then the number of updates is fixed. */
  minutes?: number;
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
  /** Updates between two evaluations, and between two checkpoints; auto: so many in a run. */
  evaluateEvery: number | 'auto';
  checkpointEvery: number | 'auto';
  keepCheckpoints: number;
  /** A checkpoint also after so many seconds without one. */
  checkpointSeconds?: number;
  /** Ends the run after so many looks at the held-out data in a row without a better loss, with the parameters of the best one. */
  patience?: number;
  /** Most replies of the held-out data that are read. */
  heldOutReplies?: number;
  threads?: number;
  /** cpu when absent. A run may go on with another: checkpoints do not say. */
  provider?: Provider;
}

/** Methods by their names on a model's card. */
export type Method = 'pretrain' | 'steered' | 'supervised' | 'predictor';

/** Highest learning rates, of runs that train every weight and of those that train adapters. */
export const learningRates: Record<Method, { weights: number; adapters: number }> = {
  pretrain: { weights: 1e-3, adapters: 1e-3 },
  steered: { weights: 3e-4, adapters: 1e-3 },
  supervised: { weights: 3e-4, adapters: 1e-3 },
  predictor: { weights: 3e-4, adapters: 1e-3 },
};

export const defaults = {
  floor: 0.1,
  warmup: 0.05,
  adamw: defaultAdamW,
  keepCheckpoints: 2,
  checkpointSeconds: 30,
  heldOutReplies: 4096,
} as const;

/** alpha of the adapters is so many times their rank. */
const alphaPerRank = 2;

/** What somebody asks of a run; what is left out holds as the table says. */
export interface AskedSettings {
  epochs?: number | 'auto' | undefined;
  steps?: number | null | undefined;
  minutes?: number | null | undefined;
  accumulation: number;
  learningRate?: number | undefined;
  warmup?: number | undefined;
  seed: number;
  loraRank?: number | null | undefined;
  evaluateEvery?: number | 'auto' | undefined;
  checkpointEvery?: number | 'auto' | undefined;
  patience?: number | undefined;
  heldOutReplies?: number | undefined;
}

/** The settings of a run of that method. */
export function settingsOf(method: Method, asked: AskedSettings): TrainingSettings {
  const { loraRank: rank, minutes, patience } = asked;
  const rates = learningRates[method];
  return {
    epochs: asked.epochs ?? 'auto',
    steps: asked.steps ?? null,
    ...(minutes === undefined || minutes === null ? {} : { minutes }),
    accumulation: asked.accumulation,
    learningRate: asked.learningRate ?? (rank ? rates.adapters : rates.weights),
    floor: defaults.floor,
    warmup: asked.warmup ?? defaults.warmup,
    adamw: defaults.adamw,
    seed: asked.seed,
    lora: rank ? { rank, alpha: alphaPerRank * rank } : null,
    evaluateEvery: asked.evaluateEvery ?? 'auto',
    checkpointEvery: asked.checkpointEvery ?? 'auto',
    keepCheckpoints: defaults.keepCheckpoints,
    checkpointSeconds: defaults.checkpointSeconds,
    ...(patience === undefined ? {} : { patience }),
    heldOutReplies: asked.heldOutReplies ?? defaults.heldOutReplies,
  };
}
