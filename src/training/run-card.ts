// The card of a model that a training run made: recipe, length, data and lineage.
import { blankCard, type ModelCard, readModelCard, revisionOf } from '../model/model-folder.ts';
import { datasetsBehind } from '../model/provenance.ts';
import type { Recipe, RunSpec } from './recipe.ts';
import type { TrainingSettings } from './training-settings.ts';
import type { Progress } from './training-task.ts';

/** The card of the model of that name, as of a step. */
export async function cardOf(
  { B, T, settings, datasets }: RunSpec,
  { method, base, card }: Recipe<unknown>,
  name: string,
  progress: Progress,
  report?: unknown,
): Promise<ModelCard> {
  const parent = base === undefined ? null : await readModelCard(base);
  const { evalLoss } = progress;
  const measured = {
    ...(evalLoss === null ? {} : { eval_loss: evalLoss }),
    ...(report === undefined || report === null ? {} : { held_out: report }),
  };
  return {
    ...blankCard(name),
    ...card.kind(parent),
    baseModel: card.namesBase && parent && base ? { name: parent.name, revision: await revisionOf(base) } : null,
    datasets: datasetsBehind(datasets, parent, card.teaches),
    recipe: { method, rows: B, row_tokens: T, ...lengthOf(settings, progress), ...card.details },
    measured: Object.keys(measured).length === 0 ? null : measured,
    createdAt: new Date().toISOString(),
  };
}

/** The settings, with the updates made and what was planned: a run that was lengthened has more than one cycle. */
function lengthOf({ epochs, minutes, steps, ...settings }: TrainingSettings, { step, cycles }: Progress) {
  const asked = steps !== null ? {} : minutes !== undefined ? { minutes } : { epochs };
  return { ...asked, ...settings, steps: step, cycles };
}
