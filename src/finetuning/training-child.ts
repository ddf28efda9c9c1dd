// The training process of this stage.
import { serveTraining } from '../llama/training-process.ts';
import { runTrainingSpec } from './training-run.ts';

serveTraining(runTrainingSpec);
