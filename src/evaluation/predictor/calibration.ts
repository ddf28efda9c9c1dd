// Whether probabilities and values mean what they say. Pure arithmetic.
import { mean } from '../../statistics.ts';

const bins = 10;

/**
 * Expected calibration error (Guo et al. 2017): mean distance between the probability given to the chosen answer and how often it was right, over
 * ten bins of equal width weighed by what lies in them. `right` holds 1 and 0. NaN of nothing.
 */
export function calibrationError(probabilities: ArrayLike<number>, right: ArrayLike<number>): number {
  return errorOfSurplus(surplusByBin(probabilities, right), probabilities.length);
}

/** Of each bin, the sum of probability less right; those of two sets of answers may be added. */
export function surplusByBin(probabilities: ArrayLike<number>, right: ArrayLike<number>): Float64Array {
  const surplus = new Float64Array(bins);
  for (let i = 0; i < probabilities.length; i++) {
    surplus[Math.min(bins - 1, Math.floor(probabilities[i]! * bins))]! += probabilities[i]! - right[i]!;
  }
  return surplus;
}

/** The calibration error of `count` answers. */
export function errorOfSurplus(surplus: Float64Array, count: number): number {
  return surplus.reduce((sum, each) => sum + Math.abs(each), 0) / count;
}

export interface ReliabilityPoint {
  /** Means of the replies of the bin. */
  predicted: number;
  rated: number;
  n: number;
}

/** Mean rating against mean prediction, in bins of equally many replies by what is predicted. */
export function reliability(pairs: readonly { predicted: number; rated: number }[]): ReliabilityPoint[] {
  const sorted = pairs.toSorted((a, b) => a.predicted - b.predicted);
  const count = Math.min(bins, Math.max(1, Math.floor(sorted.length / 5)));
  const edges = Array.from({ length: count + 1 }, (_, i) => Math.round((i * sorted.length) / count));
  return edges.slice(1).flatMap((end, i) => {
    const bin = sorted.slice(edges[i], end);
    const [predicted, rated] = [mean(bin.map((each) => each.predicted)), mean(bin.map((each) => each.rated))];
    return bin.length > 0 ? [{ predicted, rated, n: bin.length }] : [];
  });
}
