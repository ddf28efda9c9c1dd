// What a predictor has to beat: the mean rating, a line over the length of the reply, and hashed words. Each is fitted on replies of the training
// split and knows nothing of the judged ones but their text. Where the training split itself is judged, each is fitted several times and only ever
// compared on groups of replies that this fit has not seen.
import { own } from '../../own.ts';
import { line, mean, variance } from '../../statistics.ts';
import { type Attribute, maxLevel } from '../../steerlm/attributes.ts';
import { ngramPredictions } from './ngram-baseline.ts';
import type { RatedData, RatedReply } from './rated-data.ts';

type Text = Pick<RatedReply, 'text' | 'words'>;
export type Baselines = Record<'mean' | 'length' | 'ngrams', number[]>;

/** Ratings of an attribute needed to fit anything. */
const leastFitted = 10;
/** Ridge penalty, in replies at one standard deviation. */
const penalty = 1;
/** Fits where the training split is judged: each leaves a fifth of the groups out. */
const folds = 5;

/** What each baseline predicts for each judged reply; null when too few replies are rated to fit one. */
export function predictBaselines(attribute: Attribute, { fitted, judged, overlapping }: RatedData): Baselines | null {
  const known = fitted.filter(({ label }) => own(label, attribute.name) !== undefined);
  if (!overlapping) return known.length < leastFitted ? null : predict(attribute, known, judged);
  const foldOf = new Map([...new Set(judged.map(({ group }) => group))].map((group, i) => [group, i % folds]));
  const predicted: Baselines = { mean: [], length: [], ngrams: [] };
  for (let fold = 0; fold < Math.min(folds, foldOf.size); fold++) {
    const places = judged.flatMap(({ group }, i) => (foldOf.get(group) === fold ? [i] : []));
    const others = known.filter(({ group }) => foldOf.get(group) !== fold);
    if (others.length < leastFitted) return null;
    const part = predict(
      attribute,
      others,
      places.map((i) => judged[i]!),
    );
    for (const name of ['mean', 'length', 'ngrams'] as const)
      for (const [at, i] of places.entries()) predicted[name][i] = part[name][at]!;
  }
  return predicted;
}

function predict(attribute: Attribute, known: readonly RatedReply[], judged: readonly Text[]): Baselines {
  const ratings = known.map(({ label }) => label[attribute.name]!);
  const top = maxLevel(attribute);
  const targets = known.map(({ text }, i) => ({ text, target: ratings[i]! / top }));
  const texts = judged.map(({ text }) => text);
  const byLength = ridge(known.map(logLength), ratings);
  return {
    mean: judged.map(() => mean(ratings)),
    length: judged.map((reply) => byLength(logLength(reply))),
    ngrams: ngramPredictions(targets, texts).map((share) => share * top),
  };
}

function logLength({ words }: Text): number {
  return Math.log1p(words);
}

/** The least-squares line through standardised x, its slope shrunk by the penalty. */
function ridge(x: readonly number[], y: readonly number[]): (x: number) => number {
  const centre = mean(x);
  const { slope } = line(x, y);
  const shrunk = variance(x) > 0 ? (slope * x.length) / (x.length + penalty) : 0;
  return (at) => mean(y) + shrunk * (at - centre);
}
