// An evaluation of a predictor from its task to its report: checks the data, scores it, turns that into figures.
import { join } from 'node:path';
import type { ChosenLabels } from '../../datasets/label-makers.ts';
import { SteerError } from '../../errors.ts';
import { type ModelCard, readModelCard } from '../../model/model-folder.ts';
import type { Predictor } from '../../predictor/predictor.ts';
import { type AttributeSchema, maxLevel } from '../../steerlm/attributes.ts';
import type { Split } from '../../store/schema.ts';
import { type EvaluationModels, keepingOpen } from '../found-models.ts';
import { makersIn, type OpenData, type WithData } from '../open-data.ts';
import { openReportFolder } from '../report/report-files.ts';
import { refuseSeen, seenInTraining } from '../seen-data.ts';
import { evaluatePredictor, type PredictorEvaluation } from './evaluation.ts';
import { gatherRated, type RatedData } from './rated-data.ts';
import { type PredictorReportHead, predictorReportFiles } from './report.ts';

export interface PredictorTask {
  model: string | undefined;
  split: Split | 'all';
  limit?: number | undefined;
  force: boolean;
  seed: number;
}

export interface PredictorSetting {
  models: EvaluationModels;
  withData: WithData;
  /** Where the report goes; absent means evaluation/ in the folder of the model. */
  out?: string | undefined;
  onProgress?(done: number, total: number): void;
  /** Whose labels are read, once the data is looked at; not of a file, which has only its own. */
  onLabels?(labels: ChosenLabels): void;
  signal: AbortSignal;
}

export const predictorDefaults = { labels: ['human', 'import', 'rule'] } as const;

export interface MeasuredPredictor {
  head: PredictorReportHead;
  evaluation: PredictorEvaluation;
  files: ReturnType<typeof predictorReportFiles>;
  /** Of the report, which can be written to. */
  out: string;
}

/** Throws what finding the model, reading the data and the checks throw; nothing is written. */
export async function measurePredictor(
  task: PredictorTask,
  { models, withData, signal, onProgress, onLabels, ...setting }: PredictorSetting,
): Promise<MeasuredPredictor> {
  const found = await models.predictor(task.model);
  const out = setting.out ?? join(found.folder, 'evaluation');
  return await keepingOpen(async (keep) => {
    const predictor = keep(await found.open());
    await openReportFolder(out);
    const card = await readModelCard(found.folder);
    const { head, rated } = await withData((data) => gather(data, task, { predictor, card }, signal));
    if (head.label_makers) onLabels?.(head.label_makers);
    const listening = onProgress ? { onProgress } : {};
    const evaluation = await evaluatePredictor(predictor, rated, { seed: task.seed, signal, ...listening });
    return { head, evaluation, files: predictorReportFiles(head, predictor.schema, evaluation), out };
  });
}

async function gather(
  { source, asTrained, labels }: OpenData,
  { split, limit, seed, force }: PredictorTask,
  { predictor: { schema, id, revision }, card }: { predictor: Predictor; card: ModelCard },
  signal: AbortSignal,
): Promise<{ head: PredictorReportHead; rated: RatedData }> {
  refuseScales({ id, schema }, source);
  const seen = await seenInTraining(asTrained, card, schema, signal);
  const seenNow = refuseSeen(seen, { model: id, data: source.name, split, force });
  const makers = await makersIn({ source }, split, schema);
  const rated = await gatherRated(source, schema, { split, limit, seed, signal });
  const head = {
    model: { name: id, revision },
    data: { name: source.name, hash: seen.hash, split, labels },
    label_makers: makers,
    seen_in_training: seenNow,
    settings: { seed, limit: limit ?? null },
    created_at: new Date().toISOString(),
  };
  return { head, rated };
}

/** A rating of 4 is another thing on a scale to 9. Throws invalid_dataset. */
export function refuseScales(
  { id, schema }: { id: string; schema: AttributeSchema },
  { name: data, schema: its }: { name: string; schema: AttributeSchema | null },
): void {
  for (const attribute of schema.attributes) {
    const theirs = its?.attributes.find(({ name, aliases }) => name === attribute.name || aliases.includes(attribute.name));
    if (!theirs || theirs.levels.length === attribute.levels.length) continue;
    throw new SteerError(
      'invalid_dataset',
      `${data} rates ${attribute.name} from 0 to ${maxLevel(theirs)}, ${id} from 0 to ${maxLevel(attribute)}. Bring the data to the scale of the predictor and import it again.`,
    );
  }
}
