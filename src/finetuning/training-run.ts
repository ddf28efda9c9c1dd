// What a training process of this stage does: pre-train a base model, or fine-tune one, under attributes or without. Started by training-child.ts.
// Knows files only: samples come as snapshots, models as folders.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { SampleContent } from '../datasets/sample.ts';
import { SteerError } from '../errors.ts';
import type { Adapter } from '../model/formats/peft.ts';
import { initialWeights } from '../model/initial-weights.ts';
import { type Model, publishModel, readModel, withControlTokens } from '../model/model.ts';
import { blankCard, type ModelCard, readModelCard, readShape, revisionOf } from '../model/model-folder.ts';
import { datasetsBehind } from '../model/provenance.ts';
import { type LlamaShape, parameterCount, parameterShapes, type WeightType } from '../model/shape.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { trainTokenizer } from '../model/tokenizer/tokenizer-training.ts';
import { privateFolder } from '../private-files.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { controlTokens, promptLayoutVersion } from '../steerlm/prompt-layout.ts';
import { chooseProvider, type ProviderChoice } from '../tensor/providers.ts';
import { train } from '../training/loop.ts';
import type { TrainingListener } from '../training/process.ts';
import type { TrainingSettings } from '../training/training-settings.ts';
import type { SavedCheckpoint, TrainingResult } from '../training/training-task.ts';
import type { LabelDropout } from './label-dropout.ts';
import { lessonOf, samplesOf } from './recipe.ts';
import { plainPieces } from './sequences.ts';

/** Size of a model made from scratch. */
export interface NewModel {
  vocabSize: number;
  hiddenSize: number;
  intermediateSize: number;
  layers: number;
  heads: number;
  kvHeads: number;
  contextLength: number;
  /** Whether some heads start as induction heads, which takes Qwen2's biases; see initialWeights. */
  inductionHeads?: boolean;
}

interface RunFiles {
  /** Name of the model that comes out. */
  name: string;
  out: string;
  runFolder: string;
  /** Snapshots of the samples. */
  train: string;
  validation: string;
  datasets: { name: string; hash: string }[];
  dtype: WeightType;
  /** Rows and tokens a row of a micro-batch. */
  B: number;
  T: number;
  settings: TrainingSettings;
  /** What computes; cpu when absent. Any may go on with what another began. */
  provider?: ProviderChoice;
  /** Models written on the way, at every checkpoint that was due: name and folder without the step they end in. */
  checkpoints?: { name: string; folder: string };
}
export type PretrainingSpec = RunFiles & {
  method: 'pretrain';
  start: { create: NewModel } | { continue: string };
  /** Of conversations, only replies are trained; every token when absent. */
  repliesOnly?: boolean;
};
export type SteeringSpec = RunFiles & { method: 'steered'; base: string; schema: AttributeSchema; dropout: LabelDropout };
/** Plain fine-tuning: the same tokens count, and no label is read. */
export type SupervisedSpec = RunFiles & { method: 'supervised'; base: string };
export type TrainingSpec = PretrainingSpec | SteeringSpec | SupervisedSpec;

export interface TrainingOutcome {
  out: string | null;
  step: number;
  steps: number;
  tokens: number;
  evalLoss: number | null;
}

/** Trains and, unless stopped, writes the model to `out`. Throws invalid_dataset for empty data, invalid_model for a base that does not load. */
export async function runTrainingSpec(
  spec: TrainingSpec,
  listener: TrainingListener,
  signal: AbortSignal,
): Promise<TrainingOutcome> {
  const training = await samplesOf(spec.train);
  const model =
    spec.method === 'pretrain' ? await startingModel(spec, training, listener) : withControlTokens(await readModel(spec.base));
  if (spec.T > model.shape.contextLength) {
    throw new SteerError(
      'invalid_config',
      `Rows of ${spec.T} tokens exceed the context of ${model.shape.contextLength}. Lower --row-tokens.`,
    );
  }
  const { told, ...recipe } = await lessonOf(spec, model, training);
  const { settings } = spec;
  listener.onNote(`${(parameterCount(model.shape) / 1e6).toFixed(2)} M parameters, ${told}`);
  const { provider, reason } = await chooseProvider(spec.provider ?? 'cpu');
  if (provider !== 'cpu' || spec.provider !== undefined) listener.onNote(reason);
  const result = await train(
    {
      shape: model.shape,
      parameters: { shapes: parameterShapes(model.shape), values: model.values },
      ...recipe,
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
  if (result.stopped) return { out: null, ...progressOf(result) };
  const written = {
    values: result.values,
    card: await cardOf(spec, spec.name, result),
    adapter: await adapterOf(spec, model, result),
  };
  await publishModel(spec.out, { ...model, ...written }, spec.dtype);
  return { out: spec.out, ...progressOf(result) };
}

async function adapterOf(spec: TrainingSpec, { shape }: Model, { adapters }: TrainingResult): Promise<Adapter | undefined> {
  const base = startOf(spec);
  const { lora } = spec.settings;
  if (!lora || !adapters || base === undefined) return;
  const { vocabSize } = await readShape(base);
  return { lora, values: adapters, base: (await readModelCard(base)).name, grown: shape.vocabSize > vocabSize };
}

function progressOf({ step, steps, tokens, evalLoss }: TrainingResult) {
  return { step, steps, tokens, evalLoss };
}

/** What a checkpoint must agree with: everything but where files lie. */
async function identityOf(spec: TrainingSpec): Promise<object> {
  const { out: _, runFolder: __, train: ___, validation: ____, checkpoints: _____, provider: ______, ...rest } = spec;
  return 'base' in rest ? { ...rest, base: await revisionOf(rest.base) } : rest;
}

/** Name of the model written from a checkpoint; null for one that only serves to go on from. */
async function writeCheckpoint(spec: TrainingSpec, model: Model, saved: SavedCheckpoint): Promise<string | null> {
  if (!spec.checkpoints || (saved.reason !== 'schedule' && saved.reason !== 'stop')) return null;
  const name = `${spec.checkpoints.name}${saved.step}`;
  const card = await cardOf(spec, name, saved);
  await publishModel(`${spec.checkpoints.folder}${saved.step}`, { ...model, values: saved.values(), card }, spec.dtype);
  return name;
}

async function startingModel(spec: PretrainingSpec, samples: SampleContent[], listener: TrainingListener): Promise<Model> {
  if ('continue' in spec.start) return withControlTokens(await readModel(spec.start.continue));
  const { inductionHeads = false, ...size } = spec.start.create;
  const tokenizer = await tokenizerOfRun(join(spec.runFolder, 'tokenizer'), samples, size.vocabSize, listener);
  const shape: LlamaShape = {
    ...size,
    vocabSize: tokenizer.size,
    modelType: inductionHeads ? 'qwen2' : 'llama',
    headDim: size.hiddenSize / size.heads,
    ropeTheta: 10_000,
    ropeScaling: null,
    normEpsilon: 1e-5,
    tiedEmbeddings: true,
    attentionBias: inductionHeads,
    queryKeyNorm: false,
  };
  return { shape, tokenizer, values: new Map(initialWeights(shape, spec.settings.seed)), card: blankCard(spec.name) };
}

/** The run's own tokenizer: trained once, then read again whenever the run is taken up. */
async function tokenizerOfRun(
  folder: string,
  samples: SampleContent[],
  vocabSize: number,
  listener: TrainingListener,
): Promise<Tokenizer> {
  const kept = await Tokenizer.open(folder).catch(() => null);
  if (kept) return kept;
  listener.onNote(`training a tokenizer of ${vocabSize} tokens`);
  const json = await trainTokenizer(textsOf(samples), { vocabSize, addedTokens: Object.values(controlTokens) });
  const tokenizer = Tokenizer.fromJson(json, folder);
  await mkdir(folder, { recursive: true, mode: privateFolder });
  await tokenizer.save(folder);
  return tokenizer;
}

/** What the samples say, and the spelling of their labels: a base model never reads labels, the steered one made from it does. */
function* textsOf(samples: SampleContent[]): Generator<string> {
  for (const sample of samples) {
    for (const piece of plainPieces(sample)) if ('text' in piece) yield piece.text;
    if (sample.kind === 'text') continue;
    for (const { label } of sample.conversation.turns) {
      if (label)
        yield Object.entries(label)
          .map(([name, value]) => `${name}:${Math.round(value)}`)
          .join(',');
    }
  }
}

async function cardOf(spec: TrainingSpec, name: string, { evalLoss }: { evalLoss: number | null }): Promise<ModelCard> {
  const { B, T, settings } = spec;
  const from = startOf(spec);
  const parent = from === undefined ? null : await readModelCard(from);
  const card: ModelCard = {
    ...blankCard(name),
    datasets: datasetsBehind(spec.datasets, parent, spec.method === 'pretrain' ? 'texts' : 'labels'),
    recipe: {
      method: spec.method,
      rows: B,
      row_tokens: T,
      ...settings,
      ...(spec.method === 'steered' ? { dropout: spec.dropout } : {}),
      ...(spec.method === 'pretrain' && spec.repliesOnly ? { replies_only: true } : {}),
    },
    measured: evalLoss === null ? null : { eval_loss: evalLoss },
    createdAt: new Date().toISOString(),
  };
  if (spec.method === 'pretrain' || !parent || from === undefined) return card;
  const baseModel = { name: parent.name, revision: await revisionOf(from) };
  if (spec.method === 'steered')
    return { ...card, kind: 'steered', attributeSchema: spec.schema, promptLayoutVersion, baseModel };
  // What the base could be steered by, it still can.
  const { kind, attributeSchema, promptLayoutVersion: layout } = parent;
  return { ...card, kind, attributeSchema, promptLayoutVersion: layout, baseModel };
}

/** Folder of the model a run goes on from; undefined for one from nothing. */
function startOf(spec: TrainingSpec): string | undefined {
  if (spec.method !== 'pretrain') return spec.base;
  return 'continue' in spec.start ? spec.start.continue : undefined;
}
