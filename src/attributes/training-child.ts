// The training process of a predictor.
import { serveTraining } from '../llama/training-process.ts';
import { runPredictorSpec } from './training-run.ts';

serveTraining(runPredictorSpec);
