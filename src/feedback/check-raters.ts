// Runs the outlier test on raters and takes the weight of those it flags.
import { isNotNull, sql } from 'drizzle-orm';
import type { Db } from '../store/connect.ts';
import { raters } from '../store/feedback-schema.ts';
import { RatingIndex } from './compare.ts';
import { groupBy } from './group.ts';
import { type OutlierOptions, outlierDefaults, type Suspicion, suspect } from './outliers.ts';
import { loadRatings, loadRatingsAround, type Rating } from './ratings.ts';

export interface CheckedRater extends Suspicion {
  rater: string;
}

/** Tests one rater, as after each of the ratings, and flags where the test says so. A rater without weight is left alone. */
export async function checkRater(db: Db, rater: string, options: OutlierOptions = outlierDefaults): Promise<CheckedRater> {
  const ratings = await loadRatingsAround(db, rater);
  const own = await restoredRatings(db, ratings);
  const suspicion = judge(new RatingIndex(ratings), own.get(rater) ?? [], options);
  if (suspicion.flagged && ratings.some((rating) => rating.rater === rater && rating.weight > 0))
    await flag(db, rater, suspicion);
  return { rater, ...suspicion };
}

/**
 * Tests every rater with weight and flags the most suspect one, again and again until nobody is left to flag: without the ratings of the first,
 * the consensus the others are held against is a better one. Answers everyone tested, most suspect first.
 */
export async function checkRaters(db: Db, options: OutlierOptions = outlierDefaults): Promise<CheckedRater[]> {
  let ratings = (await loadRatings(db)).filter(({ weight }) => weight > 0);
  const flagged: CheckedRater[] = [];
  for (;;) {
    const index = new RatingIndex(ratings);
    const checked = [...(await restoredRatings(db, ratings))]
      .map(([rater, own]) => ({ rater, ...judge(index, own, options) }))
      .sort((a, b) => b.evidence - a.evidence || (a.rater < b.rater ? -1 : 1));
    const [worst] = checked;
    if (!worst?.flagged) return [...flagged, ...checked];
    await flag(db, worst.rater, worst);
    flagged.push(worst);
    ratings = ratings.filter(({ rater }) => rater !== worst.rater);
  }
}

function judge(index: RatingIndex, own: readonly Rating[], options: OutlierOptions): Suspicion {
  const judged = own.map((rating) => {
    const others = index.others(rating).map(({ value }) => value);
    return { question: rating.question, value: rating.value, others };
  });
  return suspect(judged, options);
}

/** Ratings by rater, in order; of restored raters those made since. */
async function restoredRatings(db: Db, ratings: readonly Rating[]): Promise<Map<string, Rating[]>> {
  const restored = await db.select({ id: raters.id, at: raters.restoredAt }).from(raters).where(isNotNull(raters.restoredAt));
  const since = new Map(restored.map(({ id, at }) => [id, at]));
  const counted = ratings.filter(({ rater, at }) => at > (since.get(rater) ?? new Date(0)));
  return groupBy(counted, ({ rater }) => rater);
}

async function flag(db: Db, rater: string, { evidence, ratings }: Suspicion): Promise<void> {
  const times = evidence > 1e6 ? 'over a million' : evidence.toFixed(0);
  const reason = `Outlier test: ${ratings === 1 ? '1 rating is' : `${ratings} ratings are`} ${times} times likelier of a rater who does not read the replies than of an honest one.`;
  const taken = { weight: 0, flagged: true, reason, updatedAt: sql`now()` };
  await db
    .insert(raters)
    .values({ id: rater, ...taken })
    .onConflictDoUpdate({ target: raters.id, set: taken, setWhere: sql`not ${raters.flagged} and ${raters.weight} > 0` });
}
