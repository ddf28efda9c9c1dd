// How well predicted values follow ratings, per attribute, beside what a mean and a length-only baseline reach. Pure arithmetic.
import { areaUnderCurve, mean, pearson, spearman } from '../statistics.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';

export interface RatedPair {
  rated: number;
  predicted: number;
  /** Words of the reply, for the length-only baseline. */
  words: number;
}

export interface AttributeReport {
  n: number;
  mae: number;
  mse: number;
  /** Error of always answering the mean rating. */
  mse_mean: number;
  pearson: number;
  spearman: number;
  /** Rank correlation of the reply's length alone, taken with the sign that helps it. */
  spearman_length: number;
  /** Only for attributes of two levels. */
  auc: number | null;
  auc_length: number | null;
}

export type PredictorReport = Record<string, AttributeReport>;

/** Fewest held-out ratings of an attribute that say anything of it: a correlation takes two. */
export const leastRatings = 2;

/** One line of figures per attribute that was rated often enough. */
export function reportOn(schema: AttributeSchema, pairs: ReadonlyMap<string, readonly RatedPair[]>): PredictorReport {
  const report: PredictorReport = {};
  for (const { name, levels } of schema.attributes) {
    const rated = pairs.get(name) ?? [];
    if (rated.length >= leastRatings) report[name] = reportAttribute(rated, levels.length === 2);
  }
  return report;
}

function reportAttribute(pairs: readonly RatedPair[], binary: boolean): AttributeReport {
  const rated = pairs.map((pair) => pair.rated);
  const predicted = pairs.map((pair) => pair.predicted);
  const words = pairs.map((pair) => pair.words);
  const middle = mean(rated);
  const aucLength = binary ? areaUnderCurve(rated, words) : null;
  return {
    n: pairs.length,
    mae: mean(pairs.map((pair) => Math.abs(pair.rated - pair.predicted))),
    mse: mean(pairs.map((pair) => (pair.rated - pair.predicted) ** 2)),
    mse_mean: mean(rated.map((value) => (value - middle) ** 2)),
    pearson: pearson(rated, predicted),
    spearman: spearman(rated, predicted),
    spearman_length: Math.abs(spearman(rated, words)),
    auc: binary ? areaUnderCurve(rated, predicted) : null,
    auc_length: aucLength === null ? null : Math.max(aucLength, 1 - aucLength),
  };
}
