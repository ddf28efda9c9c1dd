// Figures over plain lists of numbers: location, correlation, agreement, lines, and how far a figure would move with other data. A correlation of
// something that never varies is 0.
import { randomStream } from './random.ts';

/** Arithmetic mean; 0 of nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Variance around the mean, divided by n. */
export function variance(values: readonly number[]): number {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
}

/** Value below which the share `at` (0 to 1) of the values lie, between neighbours by a line; NaN of nothing. */
export function quantile(values: readonly number[], at: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const place = at * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return low === undefined || high === undefined ? Number.NaN : low + (high - low) * (place - Math.floor(place));
}

/** Ranks from 1, equal values sharing the mean of their places. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranked = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) ranked[order[i]!] = (start + 1 + end) / 2;
    start = end;
  }
  return ranked;
}

/** Sum of products of the distances from the means. */
function sharedSquares(a: readonly number[], b: readonly number[]): number {
  const [centreA, centreB] = [mean(a), mean(b)];
  return a.reduce((sum, value, i) => sum + (value - centreA) * (b[i]! - centreB), 0);
}

/** Linear correlation; 0 when one side does not vary. */
export function pearson(a: readonly number[], b: readonly number[]): number {
  const scale = Math.sqrt(sharedSquares(a, a) * sharedSquares(b, b));
  return scale > 0 ? sharedSquares(a, b) / scale : 0;
}

/** Rank correlation, ties sharing their mean rank; 0 when one side does not vary. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  return pearson(ranks(a), ranks(b));
}

/** What of the linear correlation of a and b is left when what follows from `given` is taken out of both. */
export function partialPearson(a: readonly number[], b: readonly number[], given: readonly number[]): number {
  const residual = (values: readonly number[]) => {
    const { slope, intercept } = line(given, values);
    return values.map((value, i) => value - intercept - slope * given[i]!);
  };
  return pearson(residual(a), residual(b));
}

/** The line y = intercept + slope · x of least squares; flat when x does not vary. */
export function line(x: readonly number[], y: readonly number[]): { slope: number; intercept: number } {
  const spread = sharedSquares(x, x);
  const slope = spread > 0 ? sharedSquares(x, y) / spread : 0;
  return { slope, intercept: mean(y) - slope * mean(x) };
}

/**
 * Cohen's kappa with quadratic weights over pairs of ratings of the same thing: 1 − observed ÷ chance disagreement.
 * Quadratic weights make both sums of squares, so levels need not be counted: chance is var(a) + var(b) + (mean a − mean b)².
 * Null without pairs, or where nothing varies.
 */
export function quadraticKappa(pairs: readonly (readonly [number, number])[]): number | null {
  const first = pairs.map(([a]) => a);
  const second = pairs.map(([, b]) => b);
  const chance = variance(first) + variance(second) + (mean(first) - mean(second)) ** 2;
  if (pairs.length === 0 || chance === 0) return null;
  return 1 - mean(pairs.map(([a, b]) => (a - b) ** 2)) / chance;
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

/** A figure with the interval in which it lay in 95 % of the draws. */
export interface Interval {
  value: number;
  low: number;
  high: number;
}

/**
 * The figures of all groups, each with its interval when groups are drawn with replacement, as many as there are (cluster bootstrap, Davison and Hinkley 1997).
 * A group is what hangs together: the replies to one prompt. A figure is not counted in draws where it is no number.
 */
export function bootstrap<Group, Name extends string>(
  groups: readonly Group[],
  figures: (drawn: readonly Group[]) => Record<Name, number>,
  { draws = 1000, seed = 0 }: { draws?: number; seed?: number } = {},
): Record<Name, Interval> {
  const random = randomStream('bootstrap', seed);
  const found = Array.from({ length: groups.length < 2 ? 0 : draws }, () =>
    figures(groups.map(() => groups[Math.floor(random() * groups.length)]!)),
  );
  const whole = Object.entries(figures(groups)) as [Name, number][];
  const intervals = whole.map(([name, value]): [Name, Interval] => {
    const drawn = found.map((each) => each[name]).filter(Number.isFinite);
    return [name, { value, low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) }];
  });
  return Object.fromEntries(intervals) as Record<Name, Interval>;
}
