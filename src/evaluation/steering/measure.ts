// An evaluation of steering from its task to its report: finds and checks models, judge and prompts, and has each model asked in turn. Told what
// is measured already, it goes on from there.
import { join } from 'node:path';
import type { ChosenLabels } from '../../datasets/label-makers.ts';
import { readModelCard } from '../../model/model-folder.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import { type EvaluationModels, keepingOpen } from '../found-models.ts';
import { openFluency } from '../likelihood/fluency.ts';
import type { WithData } from '../open-data.ts';
import { openReportFolder, writeReport } from '../report/report-files.ts';
import { noteCurves, unfitForCard } from './card-curves.ts';
import { gatherSteering, type Party, type Predictors, partyOf, type SteeringData } from './data.ts';
import { type EvaluationOptions, evaluateCondition, repliesPlanned } from './evaluation.ts';
import { refuseChooser } from './judge-independence.ts';
import { labelSlopes } from './leakage.ts';
import { steeringReportFiles } from './report.ts';
import type { ConditionReport, JudgeGround, SteeringReportHead } from './report-data.ts';
import type { Condition } from './run.ts';
import { attributesOfAll, conditionsOf, controlCondition, refuseUnclear, type SteeringTask } from './task.ts';

export interface SteeringListener {
  /** Once all is checked: what the figures will depend on beside the task. Throwing ends the evaluation. */
  onBegin?(facts: Record<string, string>): Promise<void>;
  /** After each reply. */
  onReply?(done: number, total: number, condition: string): void;
  /** Whose labels are read, once the data is looked at; not of a file, which has only its own. */
  onLabels?(labels: ChosenLabels): void;
  /** With all there are so far. Throwing ends the evaluation. */
  onCondition?(conditions: readonly ConditionReport[], done: number, total: number): Promise<void>;
}

export interface SteeringSetting extends SteeringListener {
  models: EvaluationModels;
  withData: WithData;
  /** Where the report goes; absent means evaluation/ in the folder of the model. */
  out?: string | undefined;
  /** Conditions of an earlier attempt, in order. */
  kept?: readonly ConditionReport[];
  signal: AbortSignal;
}

export interface MeasuredSteeringRun {
  head: SteeringReportHead;
  schema: AttributeSchema;
  conditions: readonly ConditionReport[];
  /** Of the model. */
  folder: string;
  /** Of the report, which can be written to. */
  out: string;
}

/** Throws what finding models, reading data, the checks and the models throw; nothing is written. */
export async function measureSteering(task: SteeringTask, setting: SteeringSetting): Promise<MeasuredSteeringRun> {
  refuseUnclear(task);
  const { models, withData, signal, kept = [] } = setting;
  return await keepingOpen(async (keep) => {
    const predictors = await openPredictors(models, task, keep);
    const parties = await partiesOf(models, task);
    const base = task.base === undefined ? null : await models.language(task.base);
    const own = parties[0]!;
    const { schema } = own;
    const attributes = agreement(parties, predictors);
    const chooserIsJudge = predictors.chooser !== null && refuseChooser(predictors.chooser, predictors.judge, task.force);
    const data = await withData((open) => gatherSteering(open, task, { parties, predictors, schema }, signal));
    const out = setting.out ?? join(own.found.folder, 'evaluation');
    await openReportFolder(out);
    if (data.makers) setting.onLabels?.(data.makers);
    await setting.onBegin?.(factsOf(parties, predictors, data));
    const fluency = base && keep(await openFluency(base.folder, { threads: models.threads }));
    const evaluation: EvaluationOptions = {
      ...task,
      attributes,
      targets: task.grid,
      unlabelled: fluency !== null,
      data: labelSlopes(attributes, data.labels),
      fluency: fluency ? (conversations, stop) => fluency.read(conversations, stop) : undefined,
      signal,
    };
    const asking = { parties, predictors, prompts: data.prompts, schema, evaluation, chooserIsJudge };
    const conditions = await askAll(asking, kept, setting);
    const head = headOf(task, { own, predictors, data, conditions, base: fluency?.id ?? null, schema, attributes });
    return { head, schema, conditions, folder: own.found.folder, out };
  });
}

/** Writes the report, and the curves onto the card of the model where they are fit for it; else says why not. */
export async function writeSteeringReport(
  { head, schema, conditions, folder, out }: MeasuredSteeringRun,
  { curves }: { curves: boolean },
): Promise<{ files: ReturnType<typeof steeringReportFiles>; unfit: string | undefined }> {
  const files = steeringReportFiles(head, schema, conditions);
  await writeReport(out, files);
  const unfit = unfitForCard(head, conditions[0]!);
  if (curves && unfit === undefined) await noteCurves(folder, head, conditions[0]!);
  return { files, unfit };
}

async function openPredictors(
  models: EvaluationModels,
  { judge, chooser }: SteeringTask,
  keep: <Model extends { dispose(): Promise<void> }>(model: Model) => Model,
): Promise<Predictors> {
  const found = await models.predictor(judge);
  return {
    judge: keep(await found.open()),
    judgeCard: await readModelCard(found.folder),
    chooser: chooser === undefined ? null : keep(await (await models.predictor(chooser)).open()),
  };
}

/** The model that is evaluated, and the controls. */
async function partiesOf(models: EvaluationModels, task: SteeringTask): Promise<Party[]> {
  const asked = [
    { model: task.model, control: false, conditions: conditionsOf(task) },
    ...task.controls.map(({ name, model }) => ({ model, control: true, conditions: [controlCondition(name)] })),
  ];
  const parties: Party[] = [];
  for (const { model, control, conditions } of asked) {
    const found = await models.language(model);
    parties.push(await partyOf(found, await readModelCard(found.folder), control, conditions));
  }
  return parties;
}

function agreement(parties: readonly Party[], { judge, chooser }: Predictors): string[] {
  const [own, ...controls] = parties.map(({ card, schema }) => ({ id: card.name, schema }));
  return attributesOfAll(own!, { judge, chooser, controls });
}

function factsOf(parties: readonly Party[], { judge, chooser }: Predictors, data: SteeringData): Record<string, string> {
  const languages = parties.map(({ card, revision, found }) => [card.name, `${revision} ${found.precision}`]);
  const rated = [judge, ...(chooser ? [chooser] : [])].map(({ id, revision }) => [id, revision]);
  return Object.fromEntries([...languages, ...rated, [`data ${data.source.source}`, data.source.hash]]);
}

interface Asking {
  parties: readonly Party[];
  predictors: Predictors;
  prompts: SteeringData['prompts'];
  schema: AttributeSchema;
  evaluation: EvaluationOptions;
  chooserIsJudge: boolean;
}

/** One model after the other, so that only one is in memory. */
async function askAll(asking: Asking, kept: readonly ConditionReport[], listener: SteeringListener): Promise<ConditionReport[]> {
  const { parties, prompts, schema, evaluation } = asking;
  const each = repliesPlanned(schema, prompts.length, evaluation);
  const total = each * parties.flatMap(({ conditions }) => conditions).length;
  const reports = [...kept];
  let before = 0;
  for (const party of parties) {
    const left = party.conditions.slice(Math.max(0, kept.length - before));
    before += party.conditions.length;
    if (left.length === 0) continue;
    await keepingOpen(async (keep) => {
      const model = keep(await party.found.open());
      for (const condition of left) {
        let done = reports.length * each;
        const onReply = () => listener.onReply?.(++done, total, condition.name);
        reports.push(await reportOf({ ...asking, evaluation: { ...evaluation, onReply } }, party, model, condition));
        await listener.onCondition?.(reports, reports.length * each, total);
      }
    });
  }
  return reports;
}

async function reportOf(
  { predictors: { judge, chooser }, prompts, schema, evaluation, chooserIsJudge }: Asking,
  { control }: Party,
  model: Parameters<typeof evaluateCondition>[0]['model'],
  condition: Condition,
): Promise<ConditionReport> {
  const chosen = condition.bestOf > 1 ? chooser : null;
  const put = { ...condition, chooser: chosen ?? undefined };
  const figures = await evaluateCondition({ model, judge, schema }, put, prompts, evaluation);
  const { name, strength, against, bestOf: best_of, inWords: text_instruction } = condition;
  return {
    ...{ name, control, model: { name: model.id, revision: model.revision }, strength, against, best_of },
    chooser: chosen && { name: chosen.id, revision: chosen.revision },
    chooser_is_judge: chosen !== null && chooserIsJudge,
    text_instruction,
    without_label: model.schema.attributes.length === 0,
    ...figures,
  };
}

interface Measured {
  own: Party;
  predictors: Predictors;
  data: SteeringData;
  conditions: readonly ConditionReport[];
  base: string | null;
  schema: AttributeSchema;
  attributes: string[];
}

function groundOfAll(conditions: readonly ConditionReport[]): { ground?: JudgeGround } {
  const found = conditions.flatMap(({ ground }) => ground ?? []);
  const total = (of: keyof JudgeGround) => found.reduce((sum, ground) => sum + ground[of], 0);
  return found.length > 0 ? { ground: { replies: total('replies'), unlike: total('unlike') } } : {};
}

function headOf(
  { seeds, grid, maxTokens, temperature, topP, frequencyPenalty, seed, draws }: SteeringTask,
  { own, predictors, data, conditions, base, schema, attributes }: Measured,
): SteeringReportHead {
  const { id, revision } = predictors.judge;
  return {
    model: { ...conditions[0]!.model, precision: own.found.precision },
    judge: { name: id, revision },
    judge_shares_training: data.shared !== null,
    shared: data.shared,
    ...groundOfAll(conditions),
    prompts: { ...data.source, count: data.prompts.length },
    label_makers: data.makers,
    base,
    settings: {
      seeds,
      targets: grid,
      max_tokens: maxTokens,
      temperature,
      top_p: topP,
      frequency_penalty: frequencyPenalty,
      seed,
      draws,
    },
    attributes,
    not_measured: schema.attributes.map(({ name }) => name).filter((name) => !attributes.includes(name)),
    created_at: new Date().toISOString(),
  };
}
