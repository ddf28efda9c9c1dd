// What asking for one attribute does to the others: the slope of every obtained attribute on each requested one.
import { bootstrap, type Interval, line, mean } from '../../statistics.ts';
import type { Label } from '../../steerlm/attributes.ts';
import type { DrawOptions } from './observations.ts';
import { byPrompt, type SweepReply } from './observations.ts';

export interface LeakageReport {
  /** Rows are obtained, columns requested. */
  attributes: string[];
  /** [obtained][requested]: levels obtained per level requested. */
  matrix: Interval[][];
  /** Root mean square beside the diagonal ÷ that on it; like all such shares NaN where the model follows next to nothing. */
  rms: Interval;
  /** Largest size beside the diagonal ÷ the same: an attribute that hardly follows would make a share of its own column mean nothing. */
  max: Interval;
  /** What `rms` would be by chance alone with so many replies: the standard errors beside the diagonal take the place of the slopes. */
  chance: number;
  /** The same two of what the data does not explain; null without labelled data. */
  excess: { rms: Interval; max: Interval } | null;
  /** [obtained][requested] slopes of the labelled data; null without. */
  data: number[][] | null;
}

/** Sums of one prompt's replies to one requested attribute, from which slopes follow; by obtained attribute where there is a list. */
interface Sums {
  n: number;
  t: number;
  tt: number;
  o: number[];
  to: number[];
}

/** The leakage matrix of the sweeps. `data` are the slopes between labels (labelSlopes), whose share is taken out of the excess. */
export function leakageOf(
  attributes: readonly string[],
  replies: readonly SweepReply[],
  { data = null, ...options }: DrawOptions & { data?: number[][] | null } = {},
): LeakageReport {
  const prompts = byPrompt(replies).map((group) => attributes.map((requested) => sumsOf(attributes, requested, group)));
  const found = bootstrap(prompts, (drawn) => figuresOf(attributes.length, drawn, data), options);
  const matrix = attributes.map((_, j) => attributes.map((_, k) => found[`${j} ${k}`]!));
  const [slopes, errors] = [matrix.map((row) => row.map(({ value }) => value)), matrix.map((row) => row.map(standardError))];
  return {
    attributes: [...attributes],
    matrix,
    chance: sizeOf(errors, slopes).rms,
    rms: found.rms!,
    max: found.max!,
    excess: data ? { rms: found.excess_rms!, max: found.excess_max! } : null,
    data,
  };
}

/** Of a figure whose draws are about normal, 95 % of which lie in the interval. */
function standardError({ low, high }: Interval): number {
  return (high - low) / (2 * 1.96);
}

function sumsOf(attributes: readonly string[], requested: string, group: readonly SweepReply[]): Sums {
  const own = group.filter(({ attribute }) => attribute === requested);
  const total = (of: (reply: SweepReply) => number) => own.reduce((sum, reply) => sum + of(reply), 0);
  return {
    n: own.length,
    t: total((reply) => reply.requested),
    tt: total((reply) => reply.requested ** 2),
    o: attributes.map((name) => total(({ obtained }) => obtained[name]!)),
    to: attributes.map((name) => total((reply) => reply.requested * reply.obtained[name]!)),
  };
}

function figuresOf(count: number, prompts: readonly Sums[][], data: number[][] | null): Record<string, number> {
  const slopes = slopesOf(count, prompts);
  const figures: Record<string, number> = { ...sizeOf(slopes, slopes) };
  for (const [j, row] of slopes.entries()) for (const [k, slope] of row.entries()) figures[`${j} ${k}`] = slope;
  if (data) {
    const { rms, max } = sizeOf(unexplained(slopes, data), slopes);
    Object.assign(figures, { excess_rms: rms, excess_max: max });
  }
  return figures;
}

function slopesOf(count: number, prompts: readonly Sums[][]): number[][] {
  const indices = Array.from({ length: count }, (_, i) => i);
  const columns = indices.map((k) => {
    const sum = (of: (sums: Sums) => number) => prompts.reduce((total, prompt) => total + of(prompt[k]!), 0);
    const [n, t, tt] = [sum((sums) => sums.n), sum((sums) => sums.t), sum((sums) => sums.tt)];
    const spread = tt - (t * t) / n;
    return indices.map((j) => {
      const shared = sum((sums) => sums.to[j]!) - (t * sum((sums) => sums.o[j]!)) / n;
      return spread > 0 ? shared / spread : 0;
    });
  });
  return indices.map((j) => indices.map((k) => columns[k]![j]!));
}

/** Levels obtained per level requested, root mean square, below which a model follows nothing: a share of so little would mean as little. */
const leastFollowed = 0.05;

/** Sizes of what lies beside the diagonal of `of`, measured in the diagonal of `slopes`; NaN where that is next to nothing. */
function sizeOf(of: readonly number[][], slopes: readonly number[][]): { rms: number; max: number } {
  const beside = of.flatMap((row, j) => row.filter((_, k) => j !== k));
  if (beside.length === 0) return { rms: 0, max: 0 };
  const rootOfSquares = (values: readonly number[]) => Math.sqrt(mean(values.map((value) => value ** 2)));
  const diagonal = rootOfSquares(slopes.map((row, k) => row[k]!));
  if (diagonal < leastFollowed) return { rms: Number.NaN, max: Number.NaN };
  return { rms: rootOfSquares(beside) / diagonal, max: Math.max(...beside.map(Math.abs)) / diagonal };
}

/**
 * A leak up to what the data's slope makes of the obtained change of the requested attribute is the data's, as is none at all;
 * what is left is the distance from that stretch.
 */
function unexplained(slopes: readonly number[][], data: readonly number[][]): number[][] {
  return slopes.map((row, j) =>
    row.map((slope, k) => {
      const expected = data[j]![k]! * slopes[k]![k]!;
      const [low, high] = [Math.min(0, expected), Math.max(0, expected)];
      return slope - Math.min(high, Math.max(low, slope));
    }),
  );
}

/** [j][k]: how label j moves with label k where both are given; null when a pair has too few labels to tell. */
export function labelSlopes(attributes: readonly string[], labels: readonly Label[], least = 30): number[][] | null {
  const slopes = attributes.map((j) =>
    attributes.map((k) => {
      const both = labels.filter((label) => label[j] !== undefined && label[k] !== undefined);
      if (both.length < least) return null;
      return line(
        both.map((label) => label[k]!),
        both.map((label) => label[j]!),
      ).slope;
    }),
  );
  return slopes.some((row) => row.includes(null)) ? null : (slopes as number[][]);
}
