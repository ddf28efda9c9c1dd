// What the training process of a predictor does: trunk from a base model, head from nothing, held-out report at the end.
// Knows files only: samples come as snapshots, models as folders.
import { readSnapshot } from '../datasets/snapshot.ts';
import { SteerError } from '../errors.ts';
import { initialWeights } from '../model/initial-weights.ts';
import { type Model, publishModel, readModel, withControlTokens } from '../model/model.ts';
import { type ModelCard, readModelCard, revisionOf } from '../model/model-folder.ts';
import { datasetsBehind } from '../model/provenance.ts';
import { parameterCount, parameterShapes, type WeightType } from '../model/shape.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { type AttributeSchema, valueIn } from '../steerlm/attributes.ts';
import { promptLayoutVersion } from '../steerlm/prompt-layout.ts';
import { chooseProvider, type ProviderChoice } from '../tensor/providers.ts';
import { train } from '../training/loop.ts';
import type { TrainingListener } from '../training/process.ts';
import type { TrainingSettings } from '../training/training-settings.ts';
import type { SavedCheckpoint } from '../training/training-task.ts';
import { type RatedReading, ratedBatches, readingPlaces } from './batches.ts';
import { readScores } from './distribution.ts';
import { headShapes, predictorObjective } from './graph.ts';
import { ratedReplies, readConversation } from './readings.ts';
import { type PredictorReport, type RatedPair, reportOn } from './report.ts';
import { openScorer } from './scorer.ts';

export interface PredictorSpec {
  name: string;
  /** Folder of the base model. */
  base: string;
  out: string;
  runFolder: string;
  schema: AttributeSchema;
  /** Snapshots of the samples. */
  train: string;
  validation: string;
  datasets: { name: string; hash: string }[];
  dtype: WeightType;
  /** Rows and tokens a row of a micro-batch. */
  B: number;
  T: number;
  /** Most tokens the predictor reads of a conversation, in training and ever after; at most T. */
  readingTokens: number;
  settings: TrainingSettings;
  /** What computes; cpu when absent. Any may go on with what another began. */
  provider?: ProviderChoice;
  /** Models written on the way, at every checkpoint that was due: name and folder without the step they end in. */
  checkpoints?: { name: string; folder: string };
}

export interface PredictorOutcome {
  out: string | null;
  step: number;
  steps: number;
  tokens: number;
  evalLoss: number | null;
  report: PredictorReport | null;
}

interface Rated extends RatedReading {
  words: number;
}

/** Trains a predictor and writes it to `out` with its held-out report. Throws invalid_dataset when nothing is rated. */
export async function runPredictorSpec(
  spec: PredictorSpec,
  listener: TrainingListener,
  signal: AbortSignal,
): Promise<PredictorOutcome> {
  const { schema, settings, B, T } = spec;
  const model = withControlTokens(await readModel(spec.base));
  if (T > model.shape.contextLength) {
    throw new SteerError(
      'invalid_config',
      `Rows of ${T} tokens exceed the context of ${model.shape.contextLength}. Lower --row-tokens.`,
    );
  }
  const limit = Math.min(spec.readingTokens, T);
  const training = await ratedIn(spec.train, schema, model.tokenizer, limit);
  const validation = await ratedIn(spec.validation, schema, model.tokenizer, limit);
  if (training.length === 0) {
    const known = schema.attributes.map(({ name }) => name).join(', ');
    throw new SteerError(
      'invalid_dataset',
      `No reply of the training data is rated for any of ${known}. Import labelled data first.`,
    );
  }
  listener.onNote(
    `${(parameterCount(model.shape) / 1e6).toFixed(2)} M parameters, ${training.length} rated replies, ${validation.length} held out`,
  );
  const head = headShapes(schema, model.shape);
  const R = readingPlaces(training, B, T);
  const { provider, reason } = await chooseProvider(spec.provider ?? 'cpu');
  if (provider !== 'cpu' || spec.provider !== undefined) listener.onNote(reason);
  const result = await train(
    {
      shape: model.shape,
      parameters: { shapes: new Map([...parameterShapes(model.shape), ...head]), values: withHead(model, head, settings.seed) },
      objective: (network) => predictorObjective(model.shape, schema, network, { B, T, R }),
      training: ratedBatches(training, schema, { B, T, R, seed: settings.seed }),
      validation: validation.length > 0 ? ratedBatches(validation, schema, { B, T, R, seed: 0, shuffle: false }) : null,
      identity: await identityOf(spec),
      onCheckpoint: async (saved) => {
        const { step, steps, tokens, loss, evalLoss } = saved;
        const written = await writeCheckpoint(spec, model, saved);
        listener.onCheckpoint?.({ step, steps, tokens, loss, evalLoss, model: written });
      },
    },
    { ...settings, provider },
    spec.runFolder,
    listener.onMetrics,
    signal,
  );
  const { step, steps, tokens, evalLoss } = result;
  if (result.stopped) return { out: null, step, steps, tokens, evalLoss, report: null };
  const trained: Model = { ...model, values: result.values };
  const report = await reportHeldOut(trained, schema, validation);
  const card = await cardOf(spec, spec.name, { eval_loss: evalLoss, held_out: report });
  await publishModel(spec.out, { ...trained, card }, spec.dtype);
  return { out: spec.out, step, steps, tokens, evalLoss, report };
}

/** What a checkpoint must agree with: everything but where files lie. */
async function identityOf(spec: PredictorSpec): Promise<object> {
  const { out: _, runFolder: __, train: ___, validation: ____, checkpoints: _____, provider: ______, ...rest } = spec;
  return { ...rest, base: await revisionOf(spec.base) };
}

/** Name of the model written from a checkpoint; null for one that only serves to go on from. */
async function writeCheckpoint(spec: PredictorSpec, model: Model, saved: SavedCheckpoint): Promise<string | null> {
  if (!spec.checkpoints || (saved.reason !== 'schedule' && saved.reason !== 'stop')) return null;
  const name = `${spec.checkpoints.name}${saved.step}`;
  const card = await cardOf(spec, name, { eval_loss: saved.evalLoss });
  await publishModel(`${spec.checkpoints.folder}${saved.step}`, { ...model, values: saved.values(), card }, spec.dtype);
  return name;
}

async function ratedIn(path: string, schema: AttributeSchema, tokenizer: Tokenizer, limit: number): Promise<Rated[]> {
  const rated: Rated[] = [];
  for await (const sample of readSnapshot(path)) {
    for (const { conversation, label } of ratedReplies(sample)) {
      if (!schema.attributes.some(({ name }) => valueIn(label, name) !== undefined)) continue;
      const words = conversation.turns.at(-1)!.content.split(/\s+/).filter(Boolean).length;
      rated.push({ ids: readConversation(tokenizer, conversation, limit).ids, label, words });
    }
  }
  return rated;
}

function withHead(model: Model, head: ReadonlyMap<string, number[]>, seed: number): Map<string, Float32Array> {
  const values = new Map(model.values);
  for (const [name, data] of initialWeights(model.shape, seed, head)) if (head.has(name)) values.set(name, data);
  return values;
}

async function reportHeldOut(model: Model, schema: AttributeSchema, rated: readonly Rated[]): Promise<PredictorReport> {
  const scorer = await openScorer(model, schema);
  const pairs = new Map<string, RatedPair[]>(schema.attributes.map(({ name }) => [name, []]));
  const rows = await scorer.score(rated.map(({ ids }) => ids));
  rows.forEach((row, i) => {
    const { label, words } = rated[i]!;
    for (const [name, { value }] of Object.entries(readScores(schema, row))) {
      const rating = valueIn(label, name);
      if (rating !== undefined) pairs.get(name)!.push({ rated: rating, predicted: value, words });
    }
  });
  await scorer.dispose();
  return reportOn(schema, pairs);
}

async function cardOf(spec: PredictorSpec, name: string, measured: Record<string, unknown>): Promise<ModelCard> {
  const base = await readModelCard(spec.base);
  return {
    kind: 'predictor',
    name,
    attributeSchema: spec.schema,
    promptLayoutVersion,
    baseModel: { name: base.name, revision: await revisionOf(spec.base) },
    datasets: datasetsBehind(spec.datasets, base, 'labels'),
    recipe: {
      method: 'predictor',
      rows: spec.B,
      row_tokens: spec.T,
      reading_tokens: Math.min(spec.readingTokens, spec.T),
      ...spec.settings,
    },
    measured,
    createdAt: new Date().toISOString(),
  };
}
