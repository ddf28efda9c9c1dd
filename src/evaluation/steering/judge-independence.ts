// Whether a predictor may judge a model: it must have learnt from other data, or it would find in the replies what both took from there, its
// own mistakes included. As far as cards and labels tell.
import { and, eq, inArray } from 'drizzle-orm';
import { SteerError } from '../../errors.ts';
import type { ModelCard } from '../../model/model-folder.ts';
import type { Db } from '../../store/connect.ts';
import { datasets, labels, samples } from '../../store/schema.ts';

type Described = Pick<ModelCard, 'name' | 'datasets'> & { revision: string };

/** Who labelled data. */
export interface Labeller {
  author: string;
  revision: string | null;
}

/** The predictors whose labels stand in stored datasets of these names. */
export async function labellersOf(db: Db, names: readonly string[]): Promise<Labeller[]> {
  if (names.length === 0) return [];
  return await db
    .selectDistinct({ author: labels.author, revision: labels.revision })
    .from(labels)
    .innerJoin(samples, eq(samples.id, labels.sampleId))
    .innerJoin(datasets, eq(datasets.id, samples.datasetId))
    .where(and(eq(labels.source, 'model'), inArray(datasets.name, [...names])));
}

/** What model and judge have in common, as a sentence goes on; null when nothing is known. */
export function sharedTraining(model: Described, judge: Described, labellers: readonly Labeller[] = []): string | null {
  const labelled = labellers.some(({ author, revision }) => author === judge.name || revision === judge.revision);
  if (labelled) return `${judge.name} labelled the data ${model.name} was trained on`;
  const both = judge.datasets.find(({ name, hash }) => model.datasets.some((own) => own.hash === hash || own.name === name));
  return both ? `${judge.name} and ${model.name} were both trained on ${both.name}` : null;
}

/** Whether the judge is biased. Throws invalid_request with the reason unless forced. */
export function refuseShared(shared: string | null, force: boolean): boolean {
  if (shared === null || force) return shared !== null;
  throw new SteerError(
    'invalid_request',
    `Expected a judge that learnt from other data, but ${shared}, so it would find its own mistakes right. Train another on a disjoint part, or add --force to have the report marked judge_shares_training.`,
  );
}

/** Whether candidates are chosen by the judge itself. Throws invalid_request unless forced. */
export function refuseChooser(chooser: { id: string; revision: string }, judge: { revision: string }, force: boolean): boolean {
  if (chooser.revision !== judge.revision) return false;
  if (force) return true;
  throw new SteerError(
    'invalid_request',
    `Expected another predictor than the judge to choose among candidates: ${chooser.id} would choose what it likes to see itself. Name another --chooser, or add --force to have the report marked chooser_is_judge.`,
  );
}
