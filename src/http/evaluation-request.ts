// From the body of an evaluation request to the input of its job: names resolved, and what can be refused without reading data or models refused.
import { findDataset } from '../datasets/samples.ts';
import { EvaluationInput, type EvaluationRequest, inFields, steeringTask } from '../evaluation/evaluation-input.ts';
import { baseNamed, notBase, notSteered } from '../evaluation/likelihood/measure.ts';
import { refuseScales } from '../evaluation/predictor/measure.ts';
import { refuseSeen, seenByName } from '../evaluation/seen-data.ts';
import { labellersOf, refuseChooser, refuseShared, sharedTraining } from '../evaluation/steering/judge-independence.ts';
import { attributesOfAll, refuseUnclear } from '../evaluation/steering/task.ts';
import { findModel, type ModelCard, type ModelKind, type Models } from '../registry/models.ts';
import type { Db } from '../store/connect.ts';
import { named, refusal } from './refusals.ts';

type Dataset = Awaited<ReturnType<typeof findDataset>>;
type RequestOf<Kind extends EvaluationRequest['kind']> = Extract<EvaluationRequest, { kind: Kind }>;

/** Throws `model_not_found`, `not_found`, `invalid_dataset` or `invalid_request` naming the field. */
export async function toEvaluationInput(
  db: Db,
  models: Models,
  model: string,
  request: EvaluationRequest,
): Promise<EvaluationInput> {
  const card = evaluated(models, model, request.kind === 'predictor' ? 'predictor' : 'language');
  const dataset = await named('dataset', () => findDataset(db, request.dataset));
  const shared = { model: card.id, dataset: dataset.id };
  try {
    refuseSeenByName(card, dataset, request);
    if (request.kind === 'predictor') refuseScales(card, dataset);
    const resolved = await resolve(db, models, card, dataset, request);
    return EvaluationInput.parse({ ...request, ...resolved, ...shared });
  } catch (error) {
    throw inFields(error);
  }
}

function evaluated(models: Models, id: string, kind: ModelKind): ModelCard {
  const card = findModel(models, id, [kind, kind === 'predictor' ? 'language' : 'predictor']);
  if (card.kind === kind) return card;
  throw refusal('kind', `expected one for a ${card.kind === 'predictor' ? 'predictor' : 'language model'}, which ${card.id} is`);
}

function refuseSeenByName(card: ModelCard, { name }: Dataset, { split, force }: EvaluationRequest): void {
  refuseSeen(seenByName(name, card), { model: card.id, data: name, split, force });
}

/** Names among the request's own fields as ids. */
async function resolve(
  db: Db,
  models: Models,
  card: ModelCard,
  dataset: Dataset,
  request: EvaluationRequest,
): Promise<Partial<EvaluationRequest>> {
  if (request.kind === 'steering') return await steering(db, models, card, dataset, request);
  if (request.kind === 'likelihood') return await likelihood(db, models, card, request);
  return {};
}

async function steering(
  db: Db,
  models: Models,
  card: ModelCard,
  dataset: Dataset,
  request: RequestOf<'steering'>,
): Promise<Partial<RequestOf<'steering'>>> {
  refuseUnclear(steeringTask({ ...request, model: card.id }));
  const find = (param: string, name: string, kind: ModelKind) => named(param, () => findModel(models, name, [kind]));
  const judge = await find('judge', request.judge, 'predictor');
  const chooser = request.chooser === null ? null : await find('chooser', request.chooser, 'predictor');
  const base = request.base === null ? null : await find('base', request.base, 'language');
  const controls: { name: string; card: ModelCard }[] = [];
  for (const [i, { name, model }] of request.controls.entries())
    controls.push({ name, card: await find(`controls.${i}.model`, model, 'language') });
  const alone = { judge, chooser: null, controls: [] };
  await named(card.schema.attributes.length === 0 ? 'kind' : 'judge', () => attributesOfAll(card, alone));
  if (chooser) await named('chooser', () => attributesOfAll(card, { ...alone, chooser }));
  // Of what is served under one name there is one revision.
  if (chooser) refuseChooser({ ...chooser, revision: chooser.id }, { revision: judge.id }, request.force);
  for (const [i, { card: other }] of controls.entries()) {
    await named(`controls.${i}.model`, () => attributesOfAll(card, { ...alone, controls: [other] }));
    refuseSeenByName(other, dataset, request);
  }
  await refuseJudge(db, judge, [card, ...controls.map((control) => control.card)], request.force);
  return {
    judge: judge.id,
    chooser: chooser?.id ?? null,
    base: base?.id ?? null,
    controls: controls.map(({ name, card: { id } }) => ({ name, model: id })),
  };
}

/** As far as names of models and datasets tell. */
async function refuseJudge(db: Db, judge: ModelCard, models: readonly ModelCard[], force: boolean): Promise<void> {
  const described = ({ id, datasets }: ModelCard, revision: string) => ({ name: id, datasets, revision });
  const labellers = await labellersOf(
    db,
    models.flatMap(({ datasets }) => datasets.map(({ name }) => name)),
  );
  const found = models.map((model) => sharedTraining(described(model, ''), described(judge, ''), labellers));
  await named('judge', () => {
    for (const shared of found) refuseShared(shared, force);
  });
}

async function likelihood(
  db: Db,
  models: Models,
  card: ModelCard,
  request: RequestOf<'likelihood'>,
): Promise<Partial<RequestOf<'likelihood'>>> {
  const fail = (param: string, error: Error) =>
    named(param, () => {
      throw error;
    });
  if (card.schema.attributes.length === 0) await fail('kind', notSteered(card.id, 'base'));
  const name = baseNamed(card.id, request.base ?? card.base);
  const base = await named('base', () => findModel(models, name, ['language']));
  if (base.schema.attributes.length > 0) await fail('base', notBase(base.id, 'steered'));
  const stored = async (param: 'training_data' | 'replies') => {
    const given = request[param];
    return given === null ? null : (await named(param, () => findDataset(db, given))).id;
  };
  return { base: base.id, training_data: await stored('training_data'), replies: await stored('replies') };
}
