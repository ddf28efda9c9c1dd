// What several raters say together: the three closest ratings, their weighted mean, how far apart they lie. Three closest after HelpSteer2 (arXiv
// 2406.08673): more raters are asked where they disagree, and the outlying ones left out.

export interface WeightedRating {
  value: number;
  /** Above 0. */
  weight: number;
}

export interface ConsensusRules {
  /** Of more than three ratings only the three closest to each other count. */
  threeClosest: boolean;
  /** Whether a rater's weight counts, or each rater once. */
  weighting: boolean;
}

export interface Consensus {
  value: number;
  /** Highest less lowest of the ratings that counted. */
  spread: number;
}

/** Mean of the ratings that count under the rules. Needs at least one. */
export function consensusOf(ratings: readonly WeightedRating[], rules: ConsensusRules): Consensus {
  const kept = rules.threeClosest ? threeClosest(ratings) : ratings;
  const weight = ({ weight }: WeightedRating) => (rules.weighting ? weight : 1);
  const total = kept.reduce((sum, rating) => sum + weight(rating), 0);
  const value = kept.reduce((sum, rating) => sum + weight(rating) * rating.value, 0) / total;
  const values = kept.map((rating) => rating.value);
  return { value, spread: Math.max(...values) - Math.min(...values) };
}

/** Of sorted ratings the three neighbours that lie closest; where several do, those nearest the mean of all. */
function threeClosest(ratings: readonly WeightedRating[]): readonly WeightedRating[] {
  if (ratings.length <= 3) return ratings;
  const sorted = ratings.toSorted((a, b) => a.value - b.value);
  const centre = sorted.reduce((sum, { value }) => sum + value, 0) / sorted.length;
  const windows = sorted.slice(2).map((_, i) => sorted.slice(i, i + 3));
  const width = (window: WeightedRating[]) => window[2]!.value - window[0]!.value;
  const distance = (window: WeightedRating[]) => Math.abs(window[1]!.value - centre);
  return windows.reduce((best, next) => {
    if (width(next) !== width(best)) return width(next) < width(best) ? next : best;
    return distance(next) < distance(best) ? next : best;
  });
}
