// The people who rate: what their ratings are like beside the others', what weight they have, and how to be rid of their contribution.
import { asc, count, eq, gt, max, min, sql } from 'drizzle-orm';
import { SteerError } from '../errors.ts';
import type { Db } from '../store/connect.ts';
import { feedback, raters } from '../store/feedback-schema.ts';
import { RatingIndex, weightedMean } from './compare.ts';
import { type ComparedRating, type RaterFigures, raterFigures } from './rater-figures.ts';
import { attributeOf, loadRatingsOf, ratedCompletions } from './ratings.ts';

export interface RaterStanding {
  weight: number;
  flagged: boolean;
  reason: string | null;
}

export interface Rater extends RaterStanding {
  id: string;
  /** Times feedback was given. */
  feedback: number;
  firstAt: Date;
  lastAt: Date;
}

export interface DescribedRater extends Rater {
  /** Over all attributes. */
  figures: RaterFigures;
  attributes: Record<string, RaterFigures>;
}

/** Raters by id, after `after`, at most `limit`. */
export async function listRaters(
  db: Db,
  { after, limit }: { after?: string | undefined; limit: number },
): Promise<DescribedRater[]> {
  const found = await selectRaters(db)
    .where(after === undefined ? undefined : gt(feedback.rater, after))
    .groupBy(feedback.rater, raters.id)
    .orderBy(asc(feedback.rater))
    .limit(limit);
  return await describe(db, found.map(toRater));
}

/** The rater of that id. Throws `not_found` for one who never gave feedback. */
export async function findRater(db: Db, id: string): Promise<DescribedRater> {
  const [found] = await selectRaters(db).where(eq(feedback.rater, id)).groupBy(feedback.rater, raters.id);
  if (!found) throw unknown(id);
  const [rater] = await describe(db, [toRater(found)]);
  return rater!;
}

export interface StandingChange {
  weight?: number | undefined;
  /** Takes a flag back, and gives full weight unless one is named; the outlier test starts anew. */
  restore?: boolean | undefined;
  reason?: string | undefined;
}

/** Changes what a rater's word is worth. Throws `not_found`. */
export async function changeStanding(db: Db, id: string, { weight, restore, reason }: StandingChange): Promise<DescribedRater> {
  await findRater(db, id);
  const restored = restore ? { flagged: false, restoredAt: sql`clock_timestamp()` } : {};
  const newWeight = weight ?? (restore ? 1 : undefined);
  const changed = {
    ...restored,
    ...(newWeight === undefined ? {} : { weight: newWeight }),
    reason: reason ?? null,
    updatedAt: sql`now()`,
  };
  await db
    .insert(raters)
    .values({ id, ...changed })
    .onConflictDoUpdate({ target: raters.id, set: changed });
  return await findRater(db, id);
}

/** Removes everything a rater said; answers how many pieces of feedback went. What is known of the rater stays, a flag included. Throws `not_found`. */
export async function removeContribution(db: Db, id: string): Promise<number> {
  const gone = await db.delete(feedback).where(eq(feedback.rater, id)).returning({ id: feedback.id });
  if (gone.length === 0) throw unknown(id);
  return gone.length;
}

/** Of what the raters said only the numbers are kept, of what others said of the same replies nothing. */
async function describe(db: Db, found: readonly Rater[]): Promise<DescribedRater[]> {
  const compared = new Map(found.map(({ id }) => [id, new Map<string, ComparedRating[]>()]));
  for await (const completions of ratedCompletions(db, [...compared.keys()])) {
    const ratings = (await loadRatingsOf(db, completions)).filter(({ question }) => attributeOf(question) !== null);
    const index = new RatingIndex(ratings);
    for (const rating of ratings) {
      const own = compared.get(rating.rater);
      const consensus = own ? weightedMean(index.others(rating)) : null;
      if (!own || consensus === null) continue;
      const { question, value } = rating;
      const same = own.get(question);
      if (same) same.push({ value, consensus });
      else own.set(question, [{ value, consensus }]);
    }
  }
  return found.map((rater) => {
    const own = compared.get(rater.id)!;
    const byAttribute = [...own].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, some]) => [name, raterFigures(some)] as const);
    return { ...rater, figures: raterFigures([...own.values()].flat()), attributes: Object.fromEntries(byAttribute) };
  });
}

function selectRaters(db: Db) {
  return db
    .select({
      id: feedback.rater,
      weight: raters.weight,
      flagged: raters.flagged,
      reason: raters.reason,
      feedback: count(),
      firstAt: min(feedback.createdAt),
      lastAt: max(feedback.createdAt),
    })
    .from(feedback)
    .leftJoin(raters, eq(raters.id, feedback.rater));
}

function toRater(row: { [Key in keyof Rater]: Rater[Key] | null }): Rater {
  return {
    id: row.id!,
    weight: row.weight ?? 1,
    flagged: row.flagged ?? false,
    reason: row.reason,
    feedback: row.feedback!,
    firstAt: row.firstAt!,
    lastAt: row.lastAt!,
  };
}

function unknown(id: string): SteerError {
  return new SteerError('not_found', `No rater ${JSON.stringify(id.slice(0, 128))} has given feedback.`);
}
