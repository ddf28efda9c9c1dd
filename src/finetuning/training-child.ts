// The training process of this stage. One at a time in a run folder: one that outlived its parent ends before the next begins.

import { holdRunFolder } from '../store/folder-lock.ts';
import { serveTraining } from '../training/process.ts';
import { type InspectionSpec, inspect } from './inspection.ts';
import { runTrainingSpec, type TrainingSpec } from './training-run.ts';

serveTraining(async (spec: TrainingSpec | InspectionSpec, listener, signal) => {
  const release = await holdRunFolder(spec.runFolder, listener.onNote, signal);
  try {
    return spec.method === 'inspect' ? await inspect(spec, signal) : await runTrainingSpec(spec, listener, signal);
  } finally {
    release();
  }
});
