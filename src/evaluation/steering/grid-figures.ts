// How far replies land from a target in all attributes at once, and in which direction they miss it: along the way they should have gone
// (miscalibration) or beside it (orthogonality). Figures of "A Course Correction in Steerability Evaluation" (arXiv 2505.23816).
import { bootstrap, type Interval, mean } from '../../statistics.ts';
import type { Label } from '../../steerlm/attributes.ts';
import type { DrawOptions } from './observations.ts';
import { byPrompt, type GridReply } from './observations.ts';

export interface GridReport {
  replies: number;
  /** Distance of what was obtained from the target, every scale of length 1. */
  steering_error: Interval;
  /** How far the way gone in the right direction is from the way asked for, in the way asked for. */
  miscalibration: Interval;
  /** Share of the way gone that leads aside. */
  orthogonality: Interval;
  /** 1 − the distance that is left ÷ the distance there was: 1 is on target, 0 is as good as not steered, below is worse. */
  steerability: Interval;
}

export interface Miss {
  left: number;
  before: number;
  /** NaN where nothing was asked for. */
  miscalibration: number;
  /** NaN where nothing was asked for, or nothing moved. */
  orthogonality: number;
}

/** The distances of one reply, from `origin`, what is obtained unasked. All three points hold every attribute, each scale of length 1. */
export function missOf(origin: readonly number[], target: readonly number[], obtained: readonly number[]): Miss {
  const asked = target.map((value, i) => value - origin[i]!);
  const gone = obtained.map((value, i) => value - origin[i]!);
  const squared = dot(asked, asked);
  const along = dot(gone, asked);
  const aside = gone.map((value, i) => value - (along / squared) * asked[i]!);
  const before = Math.sqrt(squared);
  return {
    left: Math.hypot(...obtained.map((value, i) => value - target[i]!)),
    before,
    miscalibration: Math.abs(before - along / before) / before,
    orthogonality: Math.hypot(...aside) / Math.hypot(...gone),
  };
}

const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);

/** `origins` holds for each prompt what is obtained at the defaults; `scales` the highest level of each attribute. Null without replies. */
export function gridOf(
  scales: Readonly<Record<string, number>>,
  replies: readonly GridReply[],
  origins: ReadonlyMap<number, Label>,
  options: DrawOptions = {},
): GridReport | null {
  if (replies.length === 0) return null;
  const names = Object.keys(scales);
  const point = (label: Label) => names.map((name) => label[name]! / scales[name]!);
  const prompts = byPrompt(replies).map((group) =>
    group.map(({ prompt, target, obtained }) => missOf(point(origins.get(prompt)!), point(target), point(obtained))),
  );
  const figures = bootstrap(prompts, (drawn) => averaged(drawn.flat()), options);
  return { replies: replies.length, ...figures };
}

function averaged(misses: readonly Miss[]) {
  const over = (of: (miss: Miss) => number) => {
    const values = misses.map(of).filter(Number.isFinite);
    return values.length === 0 ? Number.NaN : mean(values);
  };
  const left = over((miss) => miss.left);
  return {
    steering_error: left,
    miscalibration: over((miss) => miss.miscalibration),
    orthogonality: over((miss) => miss.orthogonality),
    steerability: 1 - left / over((miss) => miss.before),
  };
}
