// Feedback as single ratings: one rater, one question, one reply (or pair of replies), one number. What all statistics start from.
// Of several ratings of the same thing by the same rater the latest counts. Computes nothing.
import { and, asc, desc, eq, gt, inArray, isNotNull, or, type SQL, sql } from 'drizzle-orm';
import { alias } from 'drizzle-orm/pg-core';
import type { Label } from '../steerlm/attributes.ts';
import type { Db } from '../store/connect.ts';
import { feedback, raters } from '../store/feedback-schema.ts';
import { completions } from '../store/schema.ts';
import type { Outcome } from './feedback.ts';

/** Questions beside the names of attributes; no attribute is called so. */
export const thumbQuestion = ':thumb';
export const preferenceQuestion = ':preference';

/** The attribute a question asks for; null for the others. */
export function attributeOf(question: string): string | null {
  return question.startsWith(':') ? null : question;
}

export interface Rating {
  rater: string;
  /** 0 leaves it out of every consensus. */
  weight: number;
  /** Name of an attribute, or one of the above: a thumb is 0 or 1, a preference 0 lost, 1 tied, 2 won. */
  question: string;
  /** The reply; for a preference both, in an order of their own. */
  item: string;
  /** The two models of a preference, where they differ. */
  group: string | null;
  value: number;
  at: Date;
  position: number;
}

const other = alias(completions, 'other');

interface FeedbackRow {
  position: number;
  at: Date;
  rater: string;
  weight: number;
  completionId: string;
  choice: number;
  model: string;
  ratings: Label | null;
  thumb: boolean | null;
  againstId: string | null;
  againstChoice: number | null;
  outcome: Outcome | null;
  otherModel: string | null;
}

/** All ratings in the order they came. */
export async function loadRatings(db: Db): Promise<Rating[]> {
  return latest(await collect(db));
}

/** Completions whose ratings are looked at together. */
const pageCompletions = 500;

/** Ids of completions that feedback was given to, by these raters or by any, each once and a page at a time. */
export async function* ratedCompletions(db: Db, raters?: readonly string[]): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const page = await db
      .selectDistinct({ id: feedback.completionId })
      .from(feedback)
      .where(and(gt(feedback.completionId, after), raters && inArray(feedback.rater, [...raters])))
      .orderBy(asc(feedback.completionId))
      .limit(pageCompletions);
    if (page.length > 0) yield page.map(({ id }) => id);
    if (page.length < pageCompletions) return;
    after = page.at(-1)!.id;
  }
}

/** The ratings given to these completions, in the order they came. A vote is one of the completion it was given to, not of the other. */
export async function loadRatingsOf(db: Db, completionIds: readonly string[]): Promise<Rating[]> {
  const rows: FeedbackRow[] = [];
  for (let start = 0; start < completionIds.length; start += pageCompletions) {
    rows.push(...(await collect(db, inArray(feedback.completionId, completionIds.slice(start, start + pageCompletions)))));
  }
  return latest(rows.sort((a, b) => a.position - b.position));
}

/** Votes of others looked at when one rater's are judged. */
const comparedVotes = 5_000;

/** The ratings of one rater with all others of the same replies, and newer votes between the same models. */
export async function loadRatingsAround(db: Db, rater: string): Promise<Rating[]> {
  const own = db.select({ id: feedback.completionId }).from(feedback).where(eq(feedback.rater, rater));
  const held = db.select({ id: feedback.againstId }).from(feedback).where(eq(feedback.rater, rater));
  const rows = await collect(
    db,
    or(inArray(feedback.completionId, own), inArray(feedback.completionId, held), inArray(feedback.againstId, own)),
  );
  const known = new Set(rows.map(({ position }) => position));
  if (rows.some((row) => row.rater === rater && row.outcome !== null)) {
    const votes = await select(db, isNotNull(feedback.outcome)).orderBy(desc(feedback.position)).limit(comparedVotes);
    rows.push(...votes.filter(({ position }) => !known.has(position)));
  }
  return latest(rows.sort((a, b) => a.position - b.position));
}

function select(db: Db, condition: SQL | undefined) {
  return db
    .select({
      position: sql<number>`${feedback.position}`.mapWith(Number),
      at: feedback.createdAt,
      rater: feedback.rater,
      weight: sql<number>`coalesce(${raters.weight}, 1)`.mapWith(Number),
      completionId: feedback.completionId,
      choice: feedback.choice,
      model: completions.model,
      ratings: feedback.ratings,
      thumb: feedback.thumb,
      againstId: feedback.againstId,
      againstChoice: feedback.againstChoice,
      outcome: feedback.outcome,
      otherModel: other.model,
    })
    .from(feedback)
    .innerJoin(completions, and(eq(completions.id, feedback.completionId), eq(completions.choice, feedback.choice)))
    .leftJoin(other, and(eq(other.id, feedback.againstId), eq(other.choice, feedback.againstChoice)))
    .leftJoin(raters, eq(raters.id, feedback.rater))
    .where(condition);
}

const pageRows = 5_000;

async function collect(db: Db, condition?: SQL): Promise<FeedbackRow[]> {
  const rows: FeedbackRow[] = [];
  for (let after = 0; ; ) {
    const page: FeedbackRow[] = await select(db, and(condition, gt(feedback.position, after)))
      .orderBy(asc(feedback.position))
      .limit(pageRows);
    rows.push(...page);
    if (page.length < pageRows) return rows;
    after = page.at(-1)!.position;
  }
}

function latest(rows: readonly FeedbackRow[]): Rating[] {
  const ratings = new Map<string, Rating>();
  for (const row of rows) {
    for (const rating of ratingsOf(row)) {
      const key = `${rating.question} ${rating.item} ${rating.rater}`;
      ratings.delete(key);
      ratings.set(key, rating);
    }
  }
  return [...ratings.values()];
}

function ratingsOf(row: FeedbackRow): Rating[] {
  const { rater, weight, at, position } = row;
  const made = { rater, weight, at, position, group: null };
  const item = `${row.completionId}:${row.choice}`;
  const found: Rating[] = Object.entries(row.ratings ?? {}).map(([question, value]) => ({ ...made, question, item, value }));
  if (row.thumb !== null) found.push({ ...made, question: thumbQuestion, item, value: row.thumb ? 1 : 0 });
  if (row.outcome !== null) {
    const pair = orient(row, item);
    found.push({ ...made, question: preferenceQuestion, ...pair });
  }
  return found;
}

/** The same two replies, or the same two models, always stand in the same order, whichever was named first. */
function orient({ model, otherModel, againstId, againstChoice, outcome }: FeedbackRow, item: string) {
  const against = `${againstId}:${againstChoice}`;
  const score = outcome === 'tie' ? 1 : outcome === 'win' ? 2 : 0;
  const [left, right] = [`${model} ${item}`, `${otherModel} ${against}`];
  const inOrder = left < right;
  const group = model === otherModel ? null : [model, otherModel].sort().join(' ');
  return { item: inOrder ? `${item} ${against}` : `${against} ${item}`, group, value: inOrder ? score : 2 - score };
}
