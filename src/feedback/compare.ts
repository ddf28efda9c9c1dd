// Sets each rating beside what the other raters said of the same thing. Numbers only, no database.
import { groupBy } from './group.ts';
import { preferenceQuestion, type Rating } from './ratings.ts';

export type OtherRating = Pick<Rating, 'rater' | 'value' | 'weight'>;

/** Ratings that count, by what they rate. */
export class RatingIndex {
  readonly #items: Map<string, OtherRating[]>;
  readonly #groups: Map<string | null, OtherRating[]>;

  constructor(ratings: readonly Rating[]) {
    const counting = ratings.filter(({ weight }) => weight > 0);
    this.#items = groupBy(counting, ({ question, item }) => `${question} ${item}`);
    this.#groups = groupBy(
      counting.filter(({ group }) => group !== null),
      ({ group }) => group,
    );
  }

  /** What others who count said of the same thing; a vote between replies few compared is held against votes between the same models. */
  others({ rater, question, item, group }: Rating): OtherRating[] {
    const same = withoutRater(this.#items.get(`${question} ${item}`), rater);
    if (question !== preferenceQuestion || group === null || same.length > 1) return same;
    return withoutRater(this.#groups.get(group), rater);
  }
}

/** Weighted mean; null of nothing. */
export function weightedMean(ratings: readonly { value: number; weight: number }[]): number | null {
  const total = ratings.reduce((sum, { weight }) => sum + weight, 0);
  return total > 0 ? ratings.reduce((sum, { value, weight }) => sum + weight * value, 0) / total : null;
}

function withoutRater(ratings: OtherRating[] | undefined, rater: string): OtherRating[] {
  return (ratings ?? []).filter((other) => other.rater !== rater);
}
