// The training process of a predictor. One at a time in a run folder: one that outlived its parent ends before the next begins.

import { holdRunFolder } from '../store/folder-lock.ts';
import { serveTraining } from '../training/process.ts';
import { type PredictorSpec, runPredictorSpec } from './training-run.ts';

serveTraining(async (spec: PredictorSpec, listener, signal) => {
  const release = await holdRunFolder(spec.runFolder, listener.onNote, signal);
  try {
    return await runPredictorSpec(spec, listener, signal);
  } finally {
    release();
  }
});
