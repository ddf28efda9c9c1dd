// What a rater is like: bias, spread and agreement with what the others said of the same replies. Numbers only, no database.
import { mean, quadraticKappa, variance } from '../statistics.ts';
import { rankCorrelation } from './agreement.ts';

/** A rating and the mean of the other raters that count. */
export interface ComparedRating {
  value: number;
  consensus: number;
}

export interface RaterFigures {
  /** Ratings that others judged as well. */
  compared: number;
  /** Mean of rating − consensus of the others. */
  bias: number | null;
  /** Standard deviation of the same. */
  spread: number | null;
  meanAbsoluteError: number | null;
  /** Quadratic-weighted kappa against the consensus. */
  kappa: number | null;
  /** Spearman's correlation with the consensus. */
  rankCorrelation: number | null;
}

/** The figures of one rater; null where too little was compared. */
export function raterFigures(ratings: readonly ComparedRating[]): RaterFigures {
  const residuals = ratings.map(({ value, consensus }) => value - consensus);
  const pairs = ratings.map(({ value, consensus }) => [value, consensus] as const);
  const some = ratings.length > 0;
  return {
    compared: ratings.length,
    bias: some ? mean(residuals) : null,
    spread: ratings.length > 1 ? Math.sqrt(variance(residuals)) : null,
    meanAbsoluteError: some ? mean(residuals.map(Math.abs)) : null,
    kappa: quadraticKappa(pairs),
    rankCorrelation: rankCorrelation(pairs),
  };
}
