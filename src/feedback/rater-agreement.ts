// How far raters agree with each other, question by question. The figures themselves are agreement.ts's.

import { quadraticKappa } from '../statistics.ts';
import type { Db } from '../store/connect.ts';
import { intervalAlpha } from './agreement.ts';
import { weightedMean } from './compare.ts';
import { groupBy } from './group.ts';
import { loadRatings, type Rating } from './ratings.ts';

export interface QuestionAgreement {
  /** Name of an attribute, or the question of thumbs or preferences. */
  question: string;
  raters: number;
  /** Replies, or pairs of them, that at least two rated. */
  items: number;
  ratings: number;
  /** Krippendorff's, intervals. */
  alpha: number | null;
  /** Quadratic-weighted, mean over pairs of raters by what they share. */
  kappa: number | null;
  /** Pairs of raters that share enough. */
  pairs: number;
}

/** Agreement by question among raters with weight; two raters are compared where they share at least `minShared` items. */
export async function agreementByQuestion(db: Db, minShared: number): Promise<QuestionAgreement[]> {
  const questions = groupBy(
    (await loadRatings(db)).filter(({ weight }) => weight > 0),
    ({ question }) => question,
  );
  return [...questions]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([question, ratings]) => {
      const units = [...groupBy(ratings, ({ item }) => item).values()].filter((unit) => unit.length > 1);
      const { kappa, pairs } = pairwiseKappa(units, minShared);
      return {
        question,
        raters: new Set(ratings.map(({ rater }) => rater)).size,
        items: units.length,
        ratings: ratings.length,
        alpha: intervalAlpha(units.map((unit) => unit.map(({ value }) => value))),
        kappa,
        pairs,
      };
    });
}

function pairwiseKappa(units: readonly Rating[][], minShared: number): { kappa: number | null; pairs: number } {
  const shared = new Map<string, [number, number][]>();
  for (const unit of units) {
    const sorted = unit.toSorted((a, b) => (a.rater < b.rater ? -1 : 1));
    for (const [i, first] of sorted.entries()) {
      for (const second of sorted.slice(i + 1)) {
        const key = `${first.rater} ${second.rater}`;
        const pairs = shared.get(key);
        if (pairs) pairs.push([first.value, second.value]);
        else shared.set(key, [[first.value, second.value]]);
      }
    }
  }
  const enough = [...shared.values()].filter((pairs) => pairs.length >= minShared);
  const kappas = enough.map((pairs) => ({ value: quadraticKappa(pairs), weight: pairs.length }));
  const known = kappas.flatMap(({ value, weight }) => (value === null ? [] : [{ value, weight }]));
  return { kappa: weightedMean(known), pairs: enough.length };
}
