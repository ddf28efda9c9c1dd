// How far ratings agree: quadratic-weighted kappa, Krippendorff's alpha for intervals, rank correlation. Plain numbers in, a figure out;
// knows no raters and no database. A figure that the data cannot give is null, never 0.

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

/** Arithmetic mean; 0 of nothing. */
export function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Variance around the mean, divided by n. */
export function variance(values: readonly number[]): number {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
}

/** Sum of (x − y)² over all ordered pairs of different places. */
function squaredDifferences(values: readonly number[]): number {
  return 2 * values.length ** 2 * variance(values);
}

function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranked = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start + 1;
    while (end < order.length && values[order[end]!] === values[order[start]!]) end++;
    for (let i = start; i < end; i++) ranked[order[i]!] = (start + end - 1) / 2;
    start = end;
  }
  return ranked;
}
