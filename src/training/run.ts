// A training run from its spec to a published model, the same for every method: model and data, what computes, identity, training, the models of
// checkpoints, card. The method is a recipe.
import { SteerError } from '../errors.ts';
import type { Adapter } from '../model/lora.ts';
import { publishModel, readModel, withControlTokens } from '../model/model.ts';
import { readModelCard, readShape, revisionOf } from '../model/model-folder.ts';
import { parameterCount, parameterShapes } from '../model/shape.ts';
import type { Model } from '../model/whole-model.ts';
import { chooseProvider } from '../tensor/providers.ts';
import { takeNewest, train } from './loop.ts';
import { keepOutcome, readOutcome } from './outcome-file.ts';
import type { TrainingListener } from './process.ts';
import type { Recipe, RecipeData, RunSpec } from './recipe.ts';
import { cardOf } from './run-card.ts';
import type { SavedCheckpoint, TrainingResult, TrainingTask } from './training-task.ts';

export interface RunOutcome<Report = null> {
  /** Folder of the model; null when the run was stopped. */
  out: string | null;
  step: number;
  steps: number;
  tokens: number;
  evalLoss: number | null;
  /** Of the held-out data, where the recipe makes one. */
  report: Report | null;
  /** The run had ended before and its model is there: nothing was trained or written. */
  finished?: true;
}

/** Trains and, unless stopped, writes the model to `out`. Throws invalid_dataset for data that teaches nothing, invalid_model for a broken base. */
export async function makeRun<Report = null>(
  spec: RunSpec,
  recipe: Recipe<Report>,
  listener: TrainingListener,
  signal: AbortSignal,
): Promise<RunOutcome<Report>> {
  const { onNote } = listener;
  onNote('reading model and data');
  const model = recipe.start ? await recipe.start(onNote) : withControlTokens(await readModel(recipe.base!));
  if (spec.T > model.shape.contextLength) {
    throw new SteerError(
      'invalid_config',
      `Rows of ${spec.T} tokens exceed the context of ${model.shape.contextLength}. Lower --row-tokens.`,
    );
  }
  const data = await recipe.read(model);
  onNote(`${(parameterCount(model.shape) / 1e6).toFixed(2)} M parameters, ${data.told}`);
  const { provider, reason } = await chooseProvider(spec.provider ?? 'cpu');
  if (provider !== 'cpu' || spec.provider !== undefined) onNote(reason);
  const task = await taskOf(spec, recipe, { model, data, listener });
  const settings = { ...spec.settings, provider };
  // A job is told of the checkpoint it finds, also of the last one.
  const tellsFinished = !spec.publish && !spec.checkpoints;
  const finished = tellsFinished ? await readOutcome<RunOutcome<Report>>(spec, task, settings) : null;
  if (finished) return { ...finished, finished: true };
  const result = spec.publish
    ? await takeNewest(task, settings, spec.runFolder)
    : await train(task, settings, spec.runFolder, listener.onMetrics, signal);
  const { step, steps, tokens, evalLoss } = result;
  const progress = { step, steps, tokens, evalLoss };
  if (result.stopped && !spec.publish) return { out: null, ...progress, report: null };
  const report = (result.readings && data.report?.(result.readings)) ?? null;
  const card = await cardOf(spec, recipe, spec.name, result, report);
  const adapter = await adapterOf(spec, recipe, { model, data, result });
  await publishModel(spec.out, { ...model, values: result.values, card, adapter, ground: data.ground }, spec.dtype);
  const outcome = { out: spec.out, ...progress, report };
  if (tellsFinished) await keepOutcome(spec, task, settings, outcome);
  return outcome;
}

interface Opened<Report> {
  model: Model;
  data: RecipeData<Report>;
}

async function taskOf<Report>(
  spec: RunSpec,
  recipe: Recipe<Report>,
  { model, data, listener }: Opened<Report> & { listener: TrainingListener },
): Promise<TrainingTask> {
  const { training, validation, objective, head } = data;
  const { method, base, identity } = recipe;
  const { B, T, datasets } = spec;
  const revision = base === undefined ? null : await revisionOf(base);
  return {
    shape: model.shape,
    parameters: {
      shapes: new Map([...parameterShapes(model.shape), ...(head?.shapes ?? [])]),
      values: new Map([...model.values, ...(head?.values ?? [])]),
    },
    ...{ training, validation, objective },
    identity: { method, base: revision, datasets, B, T, ...identity },
    onNote: listener.onNote,
    ...(listener.onTiming && { onTiming: listener.onTiming }),
    onCheckpoint: async (saved) => {
      const { step, steps, tokens, loss, evalLoss } = saved;
      const written = await writeCheckpoint(spec, recipe, { ...model, ground: data.ground }, saved);
      listener.onCheckpoint?.({ step, steps, tokens, loss, evalLoss, model: written });
    },
  };
}

/** Name of the model written from a checkpoint; null for one that only serves to go on from. */
async function writeCheckpoint(
  spec: RunSpec,
  recipe: Recipe<unknown>,
  model: Model,
  saved: SavedCheckpoint,
): Promise<string | null> {
  if (!spec.checkpoints || (saved.reason !== 'schedule' && saved.reason !== 'stop')) return null;
  const name = `${spec.checkpoints.name}${saved.step}`;
  const card = await cardOf(spec, recipe, name, saved);
  await publishModel(`${spec.checkpoints.folder}${saved.step}`, { ...model, values: saved.values(), card }, spec.dtype);
  return name;
}

/** The adapters to be written beside the model; none where a head was trained with them, which is no part of an adapter. */
async function adapterOf<Report>(
  { settings: { lora } }: RunSpec,
  { base }: Recipe<Report>,
  { model, data, result }: Opened<Report> & { result: TrainingResult },
): Promise<Adapter | undefined> {
  if (!lora || !result.adapters || base === undefined || data.head) return;
  const { vocabSize } = await readShape(base);
  return { lora, values: result.adapters, base: (await readModelCard(base)).name, grown: model.shape.vocabSize > vocabSize };
}
