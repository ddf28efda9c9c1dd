// How closely replies follow one attribute that is asked for level by level: order, slope, distance, curve. The unit is the prompt:
// figures are means over prompts where they can be, and every interval comes from drawing prompts.
import { own } from '../../own.ts';
import { bootstrap, type Interval, line, mean, spearman } from '../../statistics.ts';
import { byPrompt, type DrawOptions, type SweepReply } from './observations.ts';
import { wordsIn } from './words.ts';

export interface FollowingFigures {
  /** Mean over prompts of the rank correlation of requested and obtained; a prompt whose replies never vary counts 0. */
  within_spearman: Interval;
  /** The same with Kendall's tau-b. */
  within_kendall: Interval;
  /** Rank correlation over all replies at once. */
  pooled_spearman: Interval;
  /** Levels obtained per level requested. */
  gain: Interval;
  /** Mean obtained at the highest level asked for less that at the lowest, in levels, and in standard deviations among replies of one level. */
  range: Interval;
  range_sd: Interval;
  /** Mean distance of obtained and requested, in levels. */
  mae: Interval;
  /** The same once obtained was moved onto the requested scale by a line fitted on the other half of the prompts. */
  mae_calibrated: Interval;
  /** Share of neighbouring levels whose mean obtained does not fall. */
  monotone: Interval;
  /** Share of prompts whose replies go the other way. */
  anti_steerable: Interval;
}

export interface CurvePoint {
  requested: number;
  obtained: Interval;
  /** Mean words of the replies. */
  words: number;
  replies: number;
}

export interface AttributeFollowing {
  figures: FollowingFigures;
  curve: CurvePoint[];
}

/** The replies to one prompt, with what is the prompt's own. */
interface PromptReplies {
  requested: number[];
  obtained: number[];
  rho: number;
  tau: number;
  slope: number;
  half: boolean;
}

/** The figures of an attribute from the replies of its own sweep. */
export function followingOf(attribute: string, replies: readonly SweepReply[], options: DrawOptions = {}): AttributeFollowing {
  const own = replies.filter((reply) => reply.attribute === attribute);
  const prompts = byPrompt(own).map((group, i) => toPrompt(attribute, group, i));
  const levels = [...new Set(own.map(({ requested }) => requested))].sort((a, b) => a - b);
  const found = bootstrap(prompts, (drawn) => figuresOf(drawn, levels), options);
  const { curve, figures } = parted(found, levels);
  const points = levels.map((requested, i) => {
    const texts = own.filter((reply) => reply.requested === requested).map(({ text }) => text);
    return { requested, obtained: curve[i]!, words: mean(texts.map((text) => wordsIn(text).length)), replies: texts.length };
  });
  return { figures, curve: points };
}

function toPrompt(attribute: string, group: readonly SweepReply[], index: number): PromptReplies {
  const requested = group.map((reply) => reply.requested);
  const obtained = group.map((reply) => own(reply.obtained, attribute) ?? Number.NaN);
  return {
    requested,
    obtained,
    rho: spearman(requested, obtained),
    tau: kendall(requested, obtained),
    slope: line(requested, obtained).slope,
    half: index % 2 === 0,
  };
}

const pointName = (level: number): `at ${number}` => `at ${level}`;

function figuresOf(prompts: readonly PromptReplies[], levels: readonly number[]): Record<string, number> {
  const requested = prompts.flatMap((prompt) => prompt.requested);
  const obtained = prompts.flatMap((prompt) => prompt.obtained);
  const { means, spread } = levelMeans(requested, obtained, levels);
  const range = (means.at(-1) ?? Number.NaN) - (means[0] ?? Number.NaN);
  const steps = means.slice(1).map((value, i) => Number(value >= means[i]!));
  return {
    within_spearman: mean(prompts.map(({ rho }) => rho)),
    within_kendall: mean(prompts.map(({ tau }) => tau)),
    pooled_spearman: spearman(requested, obtained),
    gain: line(requested, obtained).slope,
    range,
    range_sd: range / spread,
    mae: mean(obtained.map((value, i) => Math.abs(value - requested[i]!))),
    mae_calibrated: calibratedDistance(prompts),
    monotone: steps.length === 0 ? Number.NaN : mean(steps),
    anti_steerable: mean(prompts.map(({ slope }) => Number(slope < 0))),
    ...Object.fromEntries(means.map((value, i) => [pointName(levels[i]!), value])),
  };
}

/** Mean obtained at each level, and the standard deviation around these means. */
function levelMeans(requested: readonly number[], obtained: readonly number[], levels: readonly number[]) {
  const place = new Map(levels.map((level, i) => [level, i]));
  const sums = levels.map(() => ({ sum: 0, n: 0 }));
  requested.forEach((level, i) => {
    const at = sums[place.get(level)!]!;
    at.sum += obtained[i]!;
    at.n++;
  });
  const means = sums.map(({ sum, n }) => sum / n);
  const around = requested.map((level, i) => (obtained[i]! - means[place.get(level)!]!) ** 2);
  return { means, spread: Math.sqrt(mean(around)) };
}

/**
 * The line runs from obtained to requested: the other way round it would have to be divided by a slope that may be 0. So a model that follows
 * nothing is as far off as always guessing the middle.
 */
function calibratedDistance(prompts: readonly PromptReplies[]): number {
  const distances = [true, false].flatMap((half) => {
    const [fitted, held] = [half, !half].map((side) => prompts.filter((prompt) => prompt.half === side)) as [
      PromptReplies[],
      PromptReplies[],
    ];
    if (fitted.length === 0) return [];
    const { slope, intercept } = line(
      fitted.flatMap(({ obtained }) => obtained),
      fitted.flatMap(({ requested }) => requested),
    );
    return held.flatMap(({ obtained, requested }) =>
      obtained.map((value, i) => Math.abs(intercept + slope * value - requested[i]!)),
    );
  });
  return distances.length === 0 ? Number.NaN : mean(distances);
}

/** Kendall's tau-b; 0 when one side does not vary. */
export function kendall(a: readonly number[], b: readonly number[]): number {
  let [agreed, variedA, variedB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < i; j++) {
      const [signA, signB] = [Math.sign(a[i]! - a[j]!), Math.sign(b[i]! - b[j]!)];
      agreed += signA * signB;
      variedA += Math.abs(signA);
      variedB += Math.abs(signB);
    }
  }
  return variedA * variedB > 0 ? agreed / Math.sqrt(variedA * variedB) : 0;
}

function parted(found: Record<string, Interval>, levels: readonly number[]): { figures: FollowingFigures; curve: Interval[] } {
  const points = levels.map((level) => pointName(level) as string);
  const figures = Object.fromEntries(Object.entries(found).filter(([name]) => !points.includes(name)));
  return { figures: figures as unknown as FollowingFigures, curve: points.map((name) => found[name]!) };
}
