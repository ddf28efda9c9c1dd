// Ratings of models from head-to-head choices: Bradley–Terry by logistic regression, its bootstrap intervals, and Elo beside it.
// Numbers and names in, numbers out; the scale is Elo's: 400 points are odds of 10 to 1, the mean model has 1000.
// After FastChat's monitor (weighted logistic loss, ties half a win each); resampling by Poisson counts, which needs no list of votes.
import { randomStream } from '../random.ts';
import { quantile } from '../statistics.ts';

/** What the raters said of two models, one cell per outcome. */
export interface Contest {
  a: string;
  b: string;
  /** Of `a`: 1 won, 0.5 tied, 0 lost. */
  score: number;
  /** Votes, for resampling. */
  votes: number;
  /** Sum of their raters' weights. */
  weight: number;
}

export interface ModelRating {
  rating: number;
  /** 2.5 and 97.5 percentiles of the resampled ratings. */
  lower: number;
  upper: number;
}

const pointsPerUnit = 400 / Math.LN10;
const middle = 1000;
/** A normal prior of ±1000 points keeps a model that never lost from running away; a few votes outweigh it. */
const ridge = (pointsPerUnit / 1000) ** 2;

/** Rating by model. */
export function bradleyTerry(contests: readonly Contest[]): Map<string, number> {
  const models = modelsOf(contests);
  const strengths = fitStrengths(models, contests, new Float64Array(models.length));
  return new Map(models.map((model, i) => [model, toPoints(strengths[i]!)]));
}

/** Ratings with intervals from `rounds` resamples of the votes; the same seed gives the same intervals. */
export function ratingsWithIntervals(
  contests: readonly Contest[],
  { rounds, seed }: { rounds: number; seed: number },
): Map<string, ModelRating> {
  const models = modelsOf(contests);
  const whole = fitStrengths(models, contests, new Float64Array(models.length));
  const random = randomStream('leaderboard', seed);
  const resampled = Array.from({ length: rounds }, () => {
    const drawn = contests.map((contest) => ({
      ...contest,
      weight: (contest.weight * poisson(contest.votes, random)) / contest.votes,
    }));
    return fitStrengths(models, drawn, whole);
  });
  return new Map(
    models.map((model, i) => {
      const ratings = resampled.map((strengths) => toPoints(strengths[i]!));
      return [model, { rating: toPoints(whole[i]!), lower: quantile(ratings, 0.025), upper: quantile(ratings, 0.975) }];
    }),
  );
}

/** One choice between two models, in the order they were made. */
export interface Vote {
  a: string;
  b: string;
  score: number;
  weight: number;
}

/** Elo ratings with K = 4 after all votes in order. */
export function elo(votes: readonly Vote[], k = 4): Map<string, number> {
  const ratings = new Map<string, number>();
  const of = (model: string) => ratings.get(model) ?? middle;
  for (const { a, b, score, weight } of votes) {
    const expected = 1 / (1 + Math.exp((of(b) - of(a)) / pointsPerUnit));
    const won = k * weight * (score - expected);
    ratings.set(a, of(a) + won);
    ratings.set(b, of(b) - won);
  }
  return ratings;
}

/** Groups of models that were compared with each other, directly or through others; ratings of different groups say nothing of each other. */
export function comparedGroups(contests: readonly Contest[]): string[][] {
  const group = new Map<string, string[]>();
  for (const { a, b } of contests) {
    const joined = [...new Set([...(group.get(a) ?? [a]), ...(group.get(b) ?? [b])])];
    for (const model of joined) group.set(model, joined);
  }
  return [...new Set(group.values())];
}

function modelsOf(contests: readonly Contest[]): string[] {
  return [...new Set(contests.flatMap(({ a, b }) => [a, b]))].sort();
}

/** Newton's method on Σ w·logloss(score, σ(s_a − s_b)) + ridge/2·|s|², strengths in natural logits with mean 0. */
function fitStrengths(models: readonly string[], contests: readonly Contest[], start: Float64Array): Float64Array {
  const n = models.length;
  const index = new Map(models.map((model, i) => [model, i]));
  const strengths = Float64Array.from(start);
  for (let step = 0; step < 50; step++) {
    const gradient = strengths.map((strength) => -ridge * strength);
    const hessian = Array.from({ length: n }, (_, i) => new Float64Array(n).fill(0).with(i, ridge));
    for (const { a, b, score, weight } of contests) {
      const [i, j] = [index.get(a)!, index.get(b)!];
      const expected = 1 / (1 + Math.exp(strengths[j]! - strengths[i]!));
      const pull = weight * (score - expected);
      const stiffness = weight * expected * (1 - expected);
      gradient[i]! += pull;
      gradient[j]! -= pull;
      hessian[i]![i]! += stiffness;
      hessian[j]![j]! += stiffness;
      hessian[i]![j]! -= stiffness;
      hessian[j]![i]! -= stiffness;
    }
    const change = solve(hessian, gradient);
    // A full step from far away may overshoot; four units are 700 points.
    const reach = Math.max(...change.map(Math.abs));
    const damp = Math.min(1, 4 / reach);
    for (let i = 0; i < n; i++) strengths[i]! += damp * change[i]!;
    if (reach < 1e-9) break;
  }
  const centre = strengths.reduce((sum, strength) => sum + strength, 0) / n;
  return strengths.map((strength) => strength - centre);
}

/** x of A·x = y for a symmetric positive definite A, by elimination in place; the ridge keeps every pivot above 0. */
function solve(matrix: Float64Array[], vector: Float64Array): Float64Array {
  const n = vector.length;
  const x = Float64Array.from(vector);
  for (let pivot = 0; pivot < n; pivot++) {
    const row = matrix[pivot]!;
    for (let below = pivot + 1; below < n; below++) {
      const factor = matrix[below]![pivot]! / row[pivot]!;
      if (factor === 0) continue;
      for (let column = pivot; column < n; column++) matrix[below]![column]! -= factor * row[column]!;
      x[below]! -= factor * x[pivot]!;
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let j = i + 1; j < n; j++) x[i]! -= matrix[i]![j]! * x[j]!;
    x[i]! /= matrix[i]![i]!;
  }
  return x;
}

function toPoints(strength: number): number {
  return middle + pointsPerUnit * strength;
}

/** A Poisson number; from 30 on a rounded normal one is as good. */
function poisson(expected: number, random: () => number): number {
  if (expected >= 30) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(expected + Math.sqrt(expected) * normal));
  }
  const limit = Math.exp(-expected);
  let product = random();
  let count = 0;
  while (product > limit) {
    product *= random();
    count++;
  }
  return count;
}
