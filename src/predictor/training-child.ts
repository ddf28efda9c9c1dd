// The training process of a predictor.

import { holdRunFolder } from '../store/folder-lock.ts';
import { serveTraining } from '../training/process.ts';
import { runPredictorSpec } from './training-run.ts';

serveTraining(holdRunFolder, runPredictorSpec);
