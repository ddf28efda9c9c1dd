// What it takes to train a model that learns something within seconds, for tests and benches that need one.

import { defaultAdamW } from '../src/tensor/adamw.ts';
import type { TrainingSettings } from '../src/training/training-settings.ts';

/** The model to begin with. */
export const quickSize = {
  vocabSize: 320,
  hiddenSize: 32,
  intermediateSize: 64,
  layers: 2,
  heads: 2,
  kvHeads: 1,
  contextLength: 128,
};

/** Goes straight through: neither looks at held-out data nor keeps checkpoints on the way. */
export function quickSettings(epochs: number, learningRate = 1e-2): TrainingSettings {
  return {
    epochs,
    steps: null,
    accumulation: 1,
    learningRate,
    floor: 0.1,
    warmup: 0.1,
    adamw: defaultAdamW,
    seed: 1,
    lora: null,
    evaluateEvery: 1000,
    checkpointEvery: 1000,
    keepCheckpoints: 1,
  };
}

/** Listens to a training and says nothing. */
export const quiet = { onMetrics: () => {}, onNote: () => {} };
