// The recipes of this stage: a base model, and fine-tuning under attributes or without. Started by training-child.ts.
// Knows files only: samples come as snapshots, models as folders.

import { promptLayoutVersion } from '../steerlm/prompt-layout.ts';
import type { TrainingListener } from '../training/process.ts';
import type { Recipe } from '../training/recipe.ts';
import { makeRun, type RunOutcome } from '../training/run.ts';
import { newModel } from './new-model.ts';
import { readSampleData } from './recipe-data.ts';
import type { PretrainingSpec, SteeringSpec, TrainingSpec } from './training-spec.ts';

/** Trains by the spec's method; see makeRun. */
export function runTrainingSpec(spec: TrainingSpec, listener: TrainingListener, signal: AbortSignal): Promise<RunOutcome> {
  return makeRun(spec, recipeOf(spec), listener, signal);
}

function recipeOf(spec: TrainingSpec): Recipe {
  switch (spec.method) {
    case 'pretrain':
      return pretrained(spec);
    case 'steered':
      return steered(spec);
    case 'supervised':
      return { ...tuned, method: 'supervised', base: spec.base, identity: {}, read: (model) => readSampleData(spec, model) };
  }
}

/** What the base could be steered by, the model made from it still can. */
const tuned: Pick<Recipe, 'card'> = {
  card: {
    kind: (parent) => ({
      kind: parent!.kind,
      attributeSchema: parent!.attributeSchema,
      // It learns this layout's turns, whatever it chatted in before.
      promptLayoutVersion,
    }),
    namesBase: true,
    teaches: 'labels',
    details: {},
  },
};

function steered(spec: SteeringSpec): Recipe {
  const { base, schema, dropout } = spec;
  return {
    method: 'steered',
    base,
    identity: { schema, dropout },
    read: (model) => readSampleData(spec, model),
    card: {
      kind: () => ({ kind: 'steered', attributeSchema: schema, promptLayoutVersion }),
      namesBase: true,
      teaches: 'labels',
      details: { dropout },
    },
  };
}

function pretrained(spec: PretrainingSpec): Recipe {
  const { start, repliesOnly = false } = spec;
  return {
    method: 'pretrain',
    base: 'continue' in start ? start.continue : undefined,
    ...('create' in start ? { start: (onNote) => newModel(spec, start.create, onNote) } : {}),
    identity: { repliesOnly, ...('create' in start ? start : {}) },
    read: (model) => readSampleData(spec, model),
    card: {
      kind: () => ({ kind: 'base', attributeSchema: null, promptLayoutVersion: null }),
      namesBase: false,
      teaches: 'texts',
      details: repliesOnly ? { replies_only: true } : {},
    },
  };
}
