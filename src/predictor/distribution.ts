// Ratings as distributions over levels, and distributions as the numbers callers read. Pure arithmetic.
import { own } from '../own.ts';
import type { Attribute, AttributeSchema, Label } from '../steerlm/attributes.ts';
import type { AttributeScore } from './predictor.ts';

/** Writes the target of a rating into `goals` from `at`: a fractional rating is shared between the two levels beside it. */
function writeGoal(goals: Float32Array, at: number, rating: number, levels: number): void {
  const clamped = Math.min(levels - 1, Math.max(0, rating));
  const low = Math.floor(clamped);
  const share = clamped - low;
  goals[at + low]! += 1 - share;
  if (share > 0) goals[at + low + 1]! += share;
}

/** Writes the target distributions of a label, attribute after attribute; a missing one stays all zero. Answers how many were present. */
export function writeGoals(goals: Float32Array, at: number, schema: AttributeSchema, label: Label): number {
  let present = 0;
  let start = at;
  for (const { name, levels } of schema.attributes) {
    const rating = own(label, name);
    if (rating !== undefined) {
      writeGoal(goals, start, rating, levels.length);
      present++;
    }
    start += levels.length;
  }
  return present;
}

/** Scores of every attribute from one row of probabilities, attribute after attribute. */
export function readScores(schema: AttributeSchema, row: ArrayLike<number>): Record<string, AttributeScore> {
  const scores: Record<string, AttributeScore> = {};
  let start = 0;
  for (const attribute of schema.attributes) {
    scores[attribute.name] = readScore(attribute, row, start);
    start += attribute.levels.length;
  }
  return scores;
}

function readScore({ levels }: Attribute, row: ArrayLike<number>, start: number): AttributeScore {
  const probabilities = levels.map((_, level) => row[start + level] as number);
  const entropy = probabilities.reduce((total, p) => total - (p > 0 ? p * Math.log(p) : 0), 0);
  return {
    value: probabilities.reduce((total, p, level) => total + p * level, 0),
    level: probabilities.reduce((best, p, level) => (p > probabilities[best]! ? level : best), 0),
    probabilities,
    confidence: Math.max(0, 1 - entropy / Math.log(levels.length)),
  };
}
