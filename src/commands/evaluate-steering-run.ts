// What steer evaluate steering does: finds and checks models, judge and prompts, has each model asked in turn, writes the report.
import { join } from 'node:path';
import { openPredictor } from '../attributes/open-predictor.ts';
import type { Config } from '../config.ts';
import { SteerError } from '../errors.ts';
import { noteCurves } from '../evaluation/card-curves.ts';
import { openFluency } from '../evaluation/fluency.ts';
import { refuseChooser } from '../evaluation/judge-independence.ts';
import { labelSlopes } from '../evaluation/leakage.ts';
import { openReportFolder, writeReport } from '../evaluation/report-files.ts';
import {
  attributesJudged,
  type EvaluationOptions,
  evaluateCondition,
  repliesPlanned,
} from '../evaluation/steering-evaluation.ts';
import { type ConditionReport, type SteeringReportHead, steeringReportFiles } from '../evaluation/steering-report.ts';
import type { Condition } from '../evaluation/steering-run.ts';
import { readModelCard } from '../llama/model-folder.ts';
import { engineOptions, openLanguage } from '../model-registry/open.ts';
import type { Conversation } from '../steerlm.ts';
import type { SteeringOptions } from './evaluate-steering.ts';
import { gatherSteering, type Party, type Predictors } from './evaluate-steering-data.ts';
import { findModelFolder } from './model-folders.ts';
import { bar, openProgressLine } from './progress.ts';
import { note, type Surroundings, say } from './surroundings.ts';

interface Disposable {
  dispose(): Promise<void>;
}

/** Runs the evaluation, writes the report and says it. */
export async function evaluateSteering(surroundings: Surroundings, options: SteeringOptions): Promise<void> {
  refuseUnclear(options);
  const opened: Disposable[] = [];
  const keep = <T extends Disposable>(model: T): T => {
    opened.push(model);
    return model;
  };
  try {
    await evaluateWith(surroundings, options, keep);
  } finally {
    for (const model of opened) await model.dispose();
  }
}

async function evaluateWith(
  surroundings: Surroundings,
  options: SteeringOptions,
  keep: <T extends Disposable>(model: T) => T,
): Promise<void> {
  const config = surroundings.config();
  const predictors = await openPredictors(config, options, keep);
  const parties = await partiesOf(config, options);
  const { schema, attributes } = agreement(parties, predictors);
  const chooserIsJudge =
    predictors.chooser !== null && refuseChooser(predictors.chooser, predictors.judge, options.force === true);
  const own = parties[0]!;
  const out = options.out ?? join(own.folder, 'evaluation');
  const base = options.base === undefined ? null : await findModelFolder(config, options.base, ['language']);
  const fluency = base === null ? null : keep(await openFluency(base, { threads: engineOptions.threads }));
  const found = await gatherSteering(surroundings, options, { parties, predictors, schema });
  await openReportFolder(out);
  const evaluation: EvaluationOptions = {
    ...options,
    attributes,
    targets: options.grid,
    unlabelled: fluency !== null,
    data: labelSlopes(attributes, found.labels),
    fluency: fluency ? (conversations, signal) => fluency.read(conversations, signal) : undefined,
    signal: surroundings.signal,
  };
  const conditions = await askAll(config, options, { parties, predictors, prompts: found.prompts, evaluation, chooserIsJudge });
  const { id, revision } = predictors.judge;
  const { seeds, grid, maxTokens, temperature, topP, seed, draws, precision = config.engine.precision } = options;
  const head: SteeringReportHead = {
    model: { ...conditions[0]!.model, precision },
    judge: { name: id, revision },
    judge_shares_training: found.shared !== null,
    shared: found.shared,
    prompts: { ...found.source, count: found.prompts.length },
    base: fluency?.id ?? null,
    settings: { seeds, targets: grid, max_tokens: maxTokens, temperature, top_p: topP, seed, draws },
    attributes,
    not_measured: schema.attributes.map(({ name }) => name).filter((name) => !attributes.includes(name)),
    created_at: new Date().toISOString(),
  };
  const files = steeringReportFiles(head, schema, conditions);
  await writeReport(out, files);
  say(files['steering.md'].trimEnd());
  note(`Wrote ${Object.keys(files).join(', ')} to ${out}.`);
  if (options.out !== undefined || head.judge_shares_training) return;
  await noteCurves(own.folder, head, conditions[0]!);
  note(`What is obtained for what is requested stands on the card of ${own.card.name}: steering.calibrated uses it.`);
}

function refuseUnclear({ dataset, prompts, bestOf, chooser }: SteeringOptions): void {
  if ((dataset === undefined) === (prompts === undefined))
    throw new SteerError('invalid_request', 'Expected either --dataset NAME or --prompts FILE to take prompts from.');
  if ((bestOf === undefined) !== (chooser === undefined))
    throw new SteerError(
      'invalid_request',
      'Expected --best-of N and --chooser MODEL together: the one says how many, the other which.',
    );
}

async function openPredictors(
  config: Config,
  { judge, chooser }: SteeringOptions,
  keep: <T extends Disposable>(model: T) => T,
): Promise<Predictors> {
  const folder = await findModelFolder(config, judge, ['predictor']);
  const open = async (at: string) => keep(await openPredictor(at, engineOptions));
  return {
    judge: await open(folder),
    judgeCard: await readModelCard(folder),
    chooser: chooser === undefined ? null : await open(await findModelFolder(config, chooser, ['predictor'])),
  };
}

/** The model that is evaluated, and the controls. */
async function partiesOf(config: Config, options: SteeringOptions): Promise<Party[]> {
  const plain: Condition = { name: 'plain prompt', strength: 1, against: 'null', bestOf: 1, inWords: false };
  const { strength, against, bestOf, textInstruction } = options;
  const away = against === 'opposite' ? ', against the opposite' : '';
  const conditions = [
    ...strength.map((x) => (x === 1 ? plain : { ...plain, name: `strength ${x}${away}`, strength: x, against })),
    ...(bestOf === undefined ? [] : [{ ...plain, name: `best of ${bestOf}`, bestOf }]),
    ...(textInstruction ? [{ ...plain, name: 'asked in words', inWords: true }] : []),
  ];
  const asked = [
    { model: options.model, control: false, conditions },
    ...options.control.map(({ name, model }) => ({ model, control: true, conditions: [{ ...plain, name }] })),
  ];
  const parties: Party[] = [];
  for (const { model, ...rest } of asked) {
    const folder = await findModelFolder(config, model, ['language']);
    parties.push({ ...rest, folder, card: await readModelCard(folder) });
  }
  return parties;
}

/** What all can be asked for and judged by. Throws invalid_request when a control or the chooser lacks an attribute, or means other levels by it. */
function agreement(parties: readonly Party[], { judge, chooser }: Predictors) {
  const none = { name: 'none', version: 0, attributes: [] };
  const [own, ...controls] = parties.map(({ card }) => ({ id: card.name, schema: card.attributeSchema ?? none }));
  const attributes = attributesJudged(own!.schema, judge, own!.id);
  const others = [
    ...controls.map(({ id, schema }) => ({ id, known: attributesJudged(schema, judge, id) })),
    ...(chooser ? [{ id: chooser.id, known: attributesJudged(own!.schema, chooser, own!.id) }] : []),
  ];
  for (const { id, known } of others) {
    const missing = attributes.filter((name) => !known.includes(name));
    if (missing.length === 0) continue;
    throw new SteerError(
      'invalid_request',
      `Expected ${id} to know every attribute of ${own!.id}, but it lacks ${missing.join(', ')}. Compare models of one schema.`,
    );
  }
  return { schema: own!.schema, attributes };
}

interface Asking {
  parties: readonly Party[];
  predictors: Predictors;
  prompts: readonly Conversation[];
  evaluation: EvaluationOptions;
  chooserIsJudge: boolean;
}

/** One model after the other, so that only one is in memory. */
async function askAll(config: Config, options: SteeringOptions, asking: Asking): Promise<ConditionReport[]> {
  const { parties, predictors, prompts, evaluation, chooserIsJudge } = asking;
  const { judge, chooser } = predictors;
  const schema = parties[0]!.card.attributeSchema!;
  const each = repliesPlanned(schema, prompts.length, evaluation);
  const total = each * parties.flatMap(({ conditions }) => conditions).length;
  const every = Math.max(1, Math.round(total / 20));
  const precision = options.precision ?? config.engine.precision;
  const { executionProvider: provider, upstreamApiKey: apiKey } = config;
  const reports: ConditionReport[] = [];
  const line = openProgressLine();
  let done = 0;
  try {
    for (const { folder, control, conditions } of parties) {
      const model = await openLanguage(folder, { ...engineOptions, precision, provider }, { apiKey, onFault: note });
      try {
        for (const condition of conditions) {
          const onReply = () => {
            done++;
            line.show(`${bar(done / total)} reply ${done}/${total}  ${condition.name}`, done % every === 0 || done === total);
          };
          const chosen = condition.bestOf > 1 ? chooser : null;
          const put = { ...condition, chooser: chosen ?? undefined };
          const figures = await evaluateCondition({ model, judge, schema }, put, prompts, { ...evaluation, onReply });
          const { name, strength, against, bestOf: best_of, inWords: text_instruction } = condition;
          reports.push({
            ...{ name, control, model: { name: model.id, revision: model.revision }, strength, against, best_of },
            chooser: chosen && { name: chosen.id, revision: chosen.revision },
            chooser_is_judge: chosen !== null && chooserIsJudge,
            text_instruction,
            ...figures,
          });
        }
      } finally {
        await model.dispose();
      }
    }
    return reports;
  } finally {
    line.close();
  }
}
