// The training process of this stage, which also looks through the data of jobs.

import { holdRunFolder } from '../store/folder-lock.ts';
import { serveTraining } from '../training/process.ts';
import { type InspectionSpec, inspect } from './inspection.ts';
import { runTrainingSpec } from './training-run.ts';
import type { TrainingSpec } from './training-spec.ts';

serveTraining(holdRunFolder, async (spec: TrainingSpec | InspectionSpec, listener, signal) =>
  spec.method === 'inspect' ? await inspect(spec, signal) : await runTrainingSpec(spec, listener, signal),
);
