// The recipe of a predictor: trunk from a base model, head from nothing, rated replies as data, and a report on those held out.
// Knows files only: samples come as snapshots, models as folders.

import { readSnapshot } from '../datasets/snapshot.ts';
import { SteerError } from '../errors.ts';
import { initialWeights } from '../model/initial-weights.ts';
import type { LlamaShape } from '../model/shape.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import type { Model } from '../model/whole-model.ts';
import { counted } from '../number-text.ts';
import { own } from '../own.ts';
import type { AttributeSchema, Label } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { promptLayoutVersion } from '../steerlm/prompt-layout.ts';
import type { Tensor } from '../tensor/session.ts';
import { drawHeldOut } from '../training/held-out.ts';
import type { TrainingListener } from '../training/process.ts';
import type { Recipe, RecipeData, RunSpec } from '../training/recipe.ts';
import { makeRun, type RunOutcome } from '../training/run.ts';
import { defaults } from '../training/training-settings.ts';
import { type RatedReading, ratedBatches, readingPlaces } from './batches.ts';
import { readScores } from './distribution.ts';
import { headShapes, levelCounts, predictorObjective } from './graph.ts';
import { learnGround } from './learn-ground.ts';
import { ratedReplies, readConversation } from './readings.ts';
import { type PredictorReport, type RatedPair, reportOn } from './report.ts';

export interface PredictorSpec extends RunSpec {
  /** Folder of the base model. */
  base: string;
  schema: AttributeSchema;
  /** Most tokens the predictor reads of a conversation, in training and ever after; at most T. */
  readingTokens: number;
}

export type PredictorOutcome = RunOutcome<PredictorReport>;

/** Trains a predictor and writes it to `out` with its held-out report. Throws invalid_dataset when nothing is rated. */
export function runPredictorSpec(
  spec: PredictorSpec,
  listener: TrainingListener,
  signal: AbortSignal,
): Promise<PredictorOutcome> {
  return makeRun(spec, recipeOf(spec), listener, signal);
}

function recipeOf(spec: PredictorSpec): Recipe<PredictorReport> {
  const { schema, base } = spec;
  const readingTokens = Math.min(spec.readingTokens, spec.T);
  return {
    method: 'predictor',
    base,
    identity: { schema, readingTokens },
    read: (model) => readRated(spec, readingTokens, model),
    card: {
      kind: () => ({ kind: 'predictor', attributeSchema: schema, promptLayoutVersion }),
      namesBase: true,
      teaches: 'labels',
      details: { reading_tokens: readingTokens },
    },
  };
}

async function readRated(spec: PredictorSpec, limit: number, { shape, tokenizer }: Model): Promise<RecipeData<PredictorReport>> {
  const { schema, settings, B, T } = spec;
  const read = (replies: Rated[]) => replies.map((reply) => toReading(tokenizer, reply, limit));
  const taught = await ratedIn(spec.train, schema);
  const training = read(taught);
  if (training.length === 0) {
    const known = schema.attributes.map(({ name }) => name).join(', ');
    throw new SteerError(
      'invalid_dataset',
      `No reply of the training data is rated for any of ${known}. Import labelled data first.`,
    );
  }
  const rated = await ratedIn(spec.validation, schema);
  const heldOut = read(drawHeldOut(rated, settings.heldOutReplies ?? defaults.heldOutReplies));
  const R = readingPlaces(training, B, T);
  const validation = heldOut.length > 0 ? ratedBatches(heldOut, schema, { B, T, R, seed: 0, shuffle: false }) : null;
  return {
    training: ratedBatches(training, schema, { B, T, R, seed: settings.seed }),
    validation,
    objective: (network) => predictorObjective(shape, schema, network, { B, T, R }),
    told: `${counted(training.length, 'rated reply')}, ${rated.length} held out${heldOut.length < rated.length ? `, ${heldOut.length} of them read` : ''}`,
    ground: learnGround(repliesIn(taught), repliesIn(rated)),
    head: headOf(shape, schema, settings.seed),
    report: (readings) => reportOf(schema, readings, (batch) => validation?.readingsOf(batch) ?? []),
  };
}

interface Rated {
  conversation: Conversation;
  label: Label;
}

/** The replies rated for an attribute of the schema. */
async function ratedIn(path: string, schema: AttributeSchema): Promise<Rated[]> {
  const rated: Rated[] = [];
  for await (const sample of readSnapshot(path)) {
    for (const reply of ratedReplies(sample)) {
      if (schema.attributes.some(({ name }) => own(reply.label, name) !== undefined)) rated.push(reply);
    }
  }
  return rated;
}

function repliesIn(rated: readonly Rated[]): string[] {
  return rated.map(({ conversation }) => conversation.turns.at(-1)!.content);
}

interface MeasuredReading extends RatedReading {
  words: number;
}

function toReading(tokenizer: Tokenizer, { conversation, label }: Rated, limit: number): MeasuredReading {
  const words = conversation.turns.at(-1)!.content.split(/\s+/).filter(Boolean).length;
  return { ids: readConversation(tokenizer, conversation, limit).ids, label, words };
}

function headOf(shape: LlamaShape, schema: AttributeSchema, seed: number) {
  const shapes = headShapes(schema, shape);
  return { shapes, values: new Map([...initialWeights(shape, seed, shapes)].filter(([name]) => shapes.has(name))) };
}

/** From log probabilities (R, L) of each micro-batch of held-out readings, in their places. */
function reportOf(
  schema: AttributeSchema,
  logProbabilities: readonly Tensor[],
  readingsOf: (batch: number) => readonly MeasuredReading[],
): PredictorReport {
  const L = levelCounts(schema).reduce((a, b) => a + b, 0);
  const pairs = new Map<string, RatedPair[]>(schema.attributes.map(({ name }) => [name, []]));
  logProbabilities.forEach(({ data }, batch) => {
    readingsOf(batch).forEach(({ label, words }, place) => {
      const row = (data as Float32Array).subarray(place * L, (place + 1) * L).map(Math.exp);
      for (const [name, { value }] of Object.entries(readScores(schema, row))) {
        const rating = own(label, name);
        if (rating !== undefined) pairs.get(name)!.push({ rated: rating, predicted: value, words });
      }
    });
  });
  return reportOn(schema, pairs);
}
