// Models of one layer, or some, with random weights, written in milliseconds: whole folders as training leaves them, to list, load, break and train on.

import { initialWeights } from '../src/model/initial-weights.ts';
import { writeModel } from '../src/model/model.ts';
import { headShapes } from '../src/predictor/graph.ts';
import type { AttributeSchema } from '../src/steerlm/attributes.ts';
import { gameCharacters } from '../src/steerlm/schemas.ts';
import { tinyShape } from './model/tiny-shape.ts';
import { smallTokenizer } from './model/tokenizer/small-tokenizer.ts';

const shape = { ...tinyShape, vocabSize: smallTokenizer.size, layers: 1, heads: 2, headDim: 8 };

export interface TinyModel {
  kind: 'base' | 'steered' | 'predictor';
  name: string;
  /** Attributes it follows or rates; those of game characters unless told. */
  schema?: AttributeSchema;
  contextLength?: number;
  layers?: number;
  seed?: number;
}

/** Writes the model into a folder of its own, made on the first of June 2024. */
export async function writeTinyModel(folder: string, model: TinyModel): Promise<void> {
  const { kind, name, schema = gameCharacters, contextLength = shape.contextLength, layers = 1, seed = 1 } = model;
  const own = { ...shape, contextLength, layers };
  const steering =
    kind === 'base' ? { attributeSchema: null, promptLayoutVersion: null } : { attributeSchema: schema, promptLayoutVersion: 1 };
  const made = {
    description: null,
    baseModel: null,
    datasets: [],
    recipe: {},
    measured: null,
    createdAt: '2024-06-01T12:00:00Z',
  };
  const values = new Map(initialWeights(own, seed, kind === 'predictor' ? headShapes(schema, own) : undefined));
  const card = { kind, name, ...steering, ...made };
  await writeModel(folder, { shape: own, tokenizer: smallTokenizer, values, card }, 'float32');
}
