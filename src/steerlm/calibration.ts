// What a model was measured to give where a level was asked for, and the way back: what to ask for so that it gives the level wanted.

/** Mean level that replies had where this one was asked for. */
export interface CurvePoint {
  requested: number;
  obtained: number;
  /** How many it is the mean of. */
  replies: number;
}

/** Points of each attribute by name, in rising order of what was asked for. */
export type Curves = Readonly<Record<string, readonly CurvePoint[]>>;

/** The curve as it never falls: neighbours that do share their mean (pool adjacent violators, Barlow et al. 1972). */
export function rising(curve: readonly CurvePoint[]): CurvePoint[] {
  const pools: CurvePoint[][] = [];
  for (const point of curve) {
    pools.push([point]);
    while (pools.length > 1 && meanOf(pools.at(-2)!) > meanOf(pools.at(-1)!)) {
      const last = pools.pop()!;
      pools.at(-1)!.push(...last);
    }
  }
  return pools.flatMap((pool) => pool.map((point) => ({ ...point, obtained: meanOf(pool) })));
}

function meanOf(pool: readonly CurvePoint[]): number {
  const replies = pool.reduce((sum, point) => sum + point.replies, 0);
  return pool.reduce((sum, point) => sum + point.obtained * point.replies, 0) / replies;
}

/**
 * What to ask for to obtain `level`, by straight lines between the points; where several would do, the one nearest to the level itself.
 * Beyond what the model ever gives: the nearest end.
 */
export function requestFor(curve: readonly CurvePoint[], level: number): { requested: number; obtained: number } {
  const points = rising(curve);
  const [first, last] = [points[0]!, points.at(-1)!];
  const obtained = Math.min(last.obtained, Math.max(first.obtained, level));
  const reached = points.slice(1).flatMap((right, i) => {
    const left = points[i]!;
    if (obtained < left.obtained || obtained > right.obtained) return [];
    const flat = right.obtained === left.obtained;
    if (flat) return [left.requested, right.requested, Math.min(right.requested, Math.max(left.requested, level))];
    return [
      left.requested + ((obtained - left.obtained) / (right.obtained - left.obtained)) * (right.requested - left.requested),
    ];
  });
  const requested = (reached.length > 0 ? reached : [first.requested]).reduce((best, each) =>
    Math.abs(each - level) < Math.abs(best - level) ? each : best,
  );
  return { requested, obtained };
}

/** Decimal places, so that a level within reach is told as it was asked for. */
const places = 6;

/** What the model gives where a level is asked for, by straight lines between the points; beyond them the nearest. */
export function obtainedAt(curve: readonly CurvePoint[], requested: number): number {
  const points = rising(curve);
  const right = points.findIndex((point) => point.requested >= requested);
  if (right <= 0) return points.at(right)!.obtained;
  const [before, after] = [points[right - 1]!, points[right]!];
  const share = (requested - before.requested) / (after.requested - before.requested);
  return Number((before.obtained + share * (after.obtained - before.obtained)).toFixed(places));
}
