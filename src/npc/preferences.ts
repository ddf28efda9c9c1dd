// What a player likes: by how much the lines given a thumb up had more of an attribute than those given a thumb down. A bounded offset, the same for the
// same feedback; it says how sure it is by being small.

import { and, desc, eq, isNotNull } from 'drizzle-orm';
import { own } from '../own.ts';
import { type AttributeSchema, type Label, maxLevel } from '../steerlm/attributes.ts';
import type { Db } from '../store/connect.ts';
import { feedback } from '../store/feedback-schema.ts';
import { completions } from '../store/schema.ts';

/** Levels an offset may come to on a scale of 0 to 4; in proportion on others. */
export const mostOffset = 1;
/** Thumbs that weigh as much as knowing nothing: so many on either side give half of what they would give without end. */
const doubt = 4;
const mostThumbs = 500;

export interface ThumbedLine {
  up: boolean;
  applied: Label;
}

/**
 * Offsets by attribute, at most mostOffset either way and none below a twentieth of a level. With thumbs t = ±1 less their mean and levels x less theirs,
 * Σ t·x / (Σ x² + doubt · spread) is the slope of ridge regression of the thumb on the level; times the spread it is how much liking a usual difference
 * makes, from -1 to 1.
 */
export function offsetsOf(schema: AttributeSchema, lines: readonly ThumbedLine[]): Label {
  const offsets: Label = {};
  for (const attribute of schema.attributes) {
    const told = lines.filter(({ applied }) => own(applied, attribute.name) !== undefined);
    const most = (mostOffset * maxLevel(attribute)) / 4;
    const levels = lessMean(told.map(({ applied }) => applied[attribute.name]!));
    const thumbs = lessMean(told.map(({ up }) => (up ? 1 : -1)));
    const spread = Math.sqrt(sumOf(levels, levels) / Math.max(1, told.length));
    if (spread === 0) continue;
    const slope = sumOf(thumbs, levels) / (sumOf(levels, levels) + doubt * spread ** 2);
    const offset = most * Math.min(1, Math.max(-1, slope * spread));
    const rounded = Math.round(offset * 20) / 20;
    if (rounded !== 0) offsets[attribute.name] = rounded;
  }
  return offsets;
}

/** The player's latest thumbs on replies of any character, and of any other model with the same attributes. */
export async function thumbedLines(db: Db, player: string): Promise<ThumbedLine[]> {
  const rows = await db
    .select({ up: feedback.thumb, applied: completions.applied })
    .from(feedback)
    .innerJoin(completions, and(eq(feedback.completionId, completions.id), eq(feedback.choice, completions.choice)))
    .where(and(eq(feedback.rater, player), isNotNull(feedback.thumb)))
    .orderBy(desc(feedback.position))
    .limit(mostThumbs);
  return rows.map(({ up, applied }) => ({ up: up === true, applied }));
}

function lessMean(values: number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return values.map((value) => value - mean);
}

function sumOf(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
