// How well a predictor follows ratings of one attribute: the figures of the evaluation, each with its interval when prompts are drawn anew, beside
// those of the baselines and how far the predictor is ahead of them. Pure arithmetic. A figure that has no meaning for the data is NaN.
import {
  areaUnderCurve,
  bootstrap,
  type Interval,
  line,
  mean,
  partialPearson,
  pearson,
  quadraticKappa,
  ranks,
  variance,
} from '../../statistics.ts';
import { type Attribute, nearestLevel } from '../../steerlm/attributes.ts';
import { calibrationError } from './calibration.ts';

/** One rated reply beside what the predictor and the baselines say of it. */
export interface Judgement {
  rated: number;
  predicted: number;
  /** Likeliest level, its probability, and the predictor's confidence. */
  level: number;
  probability: number;
  confidence: number;
  words: number;
  prompt: string;
  /** Drawn as one. */
  group: number;
  /** By name of the baseline; empty where none could be fitted. */
  baselines: Readonly<Record<string, number>>;
}

export interface AttributeFigures {
  figures: Record<FigureName, Interval>;
  baselines: Record<string, BaselineFigures>;
  /** The predictor's rank correlation is higher than that of every baseline, by more than chance explains; null without baselines. */
  beats_baselines: boolean | null;
}

export type FigureName = keyof ReturnType<typeof figuresOf>;
export type BaselineFigures = Record<'spearman' | 'pearson' | 'mae' | 'auc' | 'spearman_ahead', Interval>;

const manyReplies = 5_000;

/** Figures of one attribute. Equal seeds give equal intervals. */
export function attributeFigures(judgements: readonly Judgement[], attribute: Attribute, seed: number): AttributeFigures {
  const names = Object.keys(judgements[0]?.baselines ?? {});
  const draws = judgements.length > manyReplies ? 200 : 1000;
  const all = bootstrap(bundle(judgements), (drawn) => flatFigures(drawn, attribute, names), { draws, seed });
  const under = (prefix: string) =>
    Object.fromEntries(
      Object.entries(all).flatMap(([key, interval]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), interval]] : [])),
    );
  const baselines = Object.fromEntries(names.map((name) => [name, under(`${name} `) as BaselineFigures]));
  const ahead = names.map((name) => baselines[name]!.spearman_ahead.low > 0);
  return {
    figures: under('own ') as Record<FigureName, Interval>,
    baselines,
    beats_baselines: names.length === 0 ? null : ahead.every(Boolean),
  };
}

/** Replies drawn as one, with the pairs among them counted once and for all. */
interface Bundle {
  judgements: Judgement[];
  pairs: number;
  ordered: number;
}

function bundle(judgements: readonly Judgement[]): Bundle[] {
  return gather(judgements, ({ group }) => group).map((together) => {
    const counts = gather(together, ({ prompt }) => prompt).map(countPairs);
    const [pairs, ordered] = [0, 1].map((i) => counts.reduce((sum, count) => sum + count[i]!, 0));
    return { judgements: together, pairs: pairs!, ordered: ordered! };
  });
}

function gather<Key>(judgements: readonly Judgement[], keyOf: (judgement: Judgement) => Key): Judgement[][] {
  const byKey = new Map<Key, Judgement[]>();
  for (const judgement of judgements) {
    const together = byKey.get(keyOf(judgement));
    if (together) together.push(judgement);
    else byKey.set(keyOf(judgement), [judgement]);
  }
  return [...byKey.values()];
}

/** Pairs grow with the square of the replies to a prompt that everybody sends. */
const pairedReplies = 100;

/** Pairs of replies to one prompt that are rated differently, and how many of them are predicted in the same order; a tie counts half. */
function countPairs(replies: readonly Judgement[]): [pairs: number, ordered: number] {
  const some = replies.slice(0, pairedReplies);
  let [pairs, ordered] = [0, 0];
  for (const [i, a] of some.entries()) {
    for (const b of some.slice(i + 1)) {
      if (a.rated === b.rated) continue;
      pairs++;
      ordered += (1 + Math.sign(a.rated - b.rated) * Math.sign(a.predicted - b.predicted)) / 2;
    }
  }
  return [pairs, ordered];
}

/** Figures of the predictor and of every baseline from the same draw, so that their difference has an interval of its own. */
function flatFigures(drawn: readonly Bundle[], attribute: Attribute, baselines: readonly string[]): Record<string, number> {
  const judgements = drawn.flatMap((each) => each.judgements);
  const rated = judgements.map((each) => each.rated);
  const ranked = ranks(rated);
  const own = figuresOf(judgements, attribute, { rated, ranked }, drawn);
  const all = Object.entries(own).map(([name, value]): [string, number] => [`own ${name}`, value]);
  for (const baseline of baselines) {
    const said = judgements.map((each) => each.baselines[baseline]!);
    const { spearman, pearson, mae, auc } = followed(rated, ranked, said, attribute);
    const figures = { spearman, pearson, mae, auc, spearman_ahead: own.spearman - spearman };
    for (const [name, value] of Object.entries(figures)) all.push([`${baseline} ${name}`, value]);
  }
  return Object.fromEntries(all);
}

/** How values follow ratings: what is asked of the predictor and of baselines alike. */
function followed(rated: readonly number[], ranked: readonly number[], said: readonly number[], { levels }: Attribute) {
  const varies = variance(rated) > 0;
  return {
    spearman: varies ? pearson(ranked, ranks(said)) : Number.NaN,
    pearson: varies ? pearson(rated, said) : Number.NaN,
    mae: mean(said.map((value, i) => Math.abs(value - rated[i]!))),
    auc: levels.length === 2 ? separation(rated, said) : Number.NaN,
  };
}

/** Area under the curve, where both kinds are there. */
function separation(rated: readonly number[], said: readonly number[]): number {
  const positives = rated.filter((value) => value > 0.5).length;
  return positives === 0 || positives === rated.length ? Number.NaN : areaUnderCurve(rated, said);
}

function figuresOf(
  judgements: readonly Judgement[],
  attribute: Attribute,
  { rated, ranked }: { rated: readonly number[]; ranked: readonly number[] },
  drawn: readonly Bundle[],
) {
  const predicted = judgements.map((each) => each.predicted);
  const mse = mean(judgements.map((each) => (each.predicted - each.rated) ** 2));
  const levels = judgements.map(
    (each) => [nearestLevel(attribute, each.rated), nearestLevel(attribute, each.predicted)] as const,
  );
  const right = judgements.map((each, i) => (each.level === levels[i]![0] ? 1 : 0));
  const logWords = judgements.map(({ words }) => Math.log1p(words));
  const [varies, moves] = [variance(rated) > 0, variance(predicted) > 0];
  const pairs = drawn.reduce((sum, each) => sum + each.pairs, 0);
  return {
    mse,
    rmse: Math.sqrt(mse),
    ...followed(rated, ranked, predicted, attribute),
    bias: mean(predicted) - mean(rated),
    partial_pearson: varies ? partialPearson(rated, predicted, logWords) : Number.NaN,
    kappa: quadraticKappa(levels) ?? Number.NaN,
    accuracy: mean(right),
    within_one: attribute.levels.length > 2 ? mean(levels.map(([a, b]) => (Math.abs(a - b) <= 1 ? 1 : 0))) : Number.NaN,
    calibration_slope: moves ? line(predicted, rated).slope : Number.NaN,
    calibration_error: calibrationError(
      judgements.map(({ probability }) => probability),
      right,
    ),
    confidence_auc: separation(
      right,
      judgements.map(({ confidence }) => confidence),
    ),
    std_ratio: varies ? Math.sqrt(variance(predicted) / variance(rated)) : Number.NaN,
    pairwise_accuracy: pairs > 0 ? drawn.reduce((sum, each) => sum + each.ordered, 0) / pairs : Number.NaN,
  };
}
