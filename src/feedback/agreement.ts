// How far ratings agree: Krippendorff's alpha for intervals, rank correlation. Plain numbers in, a figure out. A figure that the data cannot give is
// null, never 0.
import { mean, ranks, variance } from '../statistics.ts';

/**
 * Krippendorff's alpha with the interval metric. Each unit lists the ratings it got; units with fewer than two count for nothing.
 * Krippendorff, Computing Krippendorff's Alpha-Reliability (2011). Null without such units, or where nothing varies.
 */
export function intervalAlpha(units: readonly (readonly number[])[]): number | null {
  const paired = units.filter((unit) => unit.length > 1);
  const values = paired.flat();
  const expected = squaredDifferences(values) / (values.length * (values.length - 1));
  if (values.length === 0 || expected === 0) return null;
  const observed = paired.reduce((sum, unit) => sum + squaredDifferences(unit) / (unit.length - 1), 0) / values.length;
  return 1 - observed / expected;
}

/** Spearman's correlation with mean ranks for ties; null with fewer than three pairs or where one side never varies. */
export function rankCorrelation(pairs: readonly (readonly [number, number])[]): number | null {
  if (pairs.length < 3) return null;
  const first = ranks(pairs.map(([a]) => a));
  const second = ranks(pairs.map(([, b]) => b));
  const [meanA, meanB] = [mean(first), mean(second)];
  const shared = mean(first.map((rank, i) => (rank - meanA) * (second[i]! - meanB)));
  const scale = Math.sqrt(variance(first) * variance(second));
  return scale === 0 ? null : shared / scale;
}

/** Sum of (x − y)² over all ordered pairs of different places. */
function squaredDifferences(values: readonly number[]): number {
  return 2 * values.length ** 2 * variance(values);
}
