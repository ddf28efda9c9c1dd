// How well predicted values follow ratings, per attribute, beside what a mean and a length-only baseline reach. Pure arithmetic.
import type { AttributeSchema } from '../steerlm.ts';

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

/** One line of figures per attribute that was rated at least twice. */
export function reportOn(schema: AttributeSchema, pairs: ReadonlyMap<string, readonly RatedPair[]>): PredictorReport {
  const report: PredictorReport = {};
  for (const { name, levels } of schema.attributes) {
    const rated = pairs.get(name) ?? [];
    if (rated.length > 1) report[name] = reportAttribute(rated, levels.length === 2);
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

export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Linear correlation; 0 when one side does not vary. */
export function pearson(a: readonly number[], b: readonly number[]): number {
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [a[i]! - ma, b[i]! - mb];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}

/** Rank correlation, ties sharing their mean rank. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  return pearson(ranks(a), ranks(b));
}

/** Chance that a positive (rated above 0.5) is predicted above a negative; 0.5 when one kind is missing. */
export function areaUnderCurve(rated: readonly number[], predicted: readonly number[]): number {
  const rank = ranks(predicted);
  const positives = rated.flatMap((value, i) => (value > 0.5 ? [rank[i]!] : []));
  const negatives = rated.length - positives.length;
  if (positives.length === 0 || negatives === 0) return 0.5;
  const sum = positives.reduce((a, b) => a + b, 0);
  return (sum - (positives.length * (positives.length + 1)) / 2) / (positives.length * negatives);
}

/** Ranks from 1, equal values sharing the mean of their places. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]!);
  const result = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1]!] === values[order[start]!]) end++;
    for (let k = start; k <= end; k++) result[order[k]!] = (start + end) / 2 + 1;
    start = end + 1;
  }
  return result;
}
