// Raters, their agreement and the leaderboard as callers see them.
import { z } from '@hono/zod-openapi';
import type { CheckedRater } from '../../feedback/check-raters.ts';
import type { Leaderboard } from '../../feedback/leaderboard.ts';
import type { QuestionAgreement } from '../../feedback/rater-agreement.ts';
import type { RaterFigures } from '../../feedback/rater-figures.ts';
import type { DescribedRater } from '../../feedback/raters.ts';
import { attributeOf, thumbQuestion } from '../../feedback/ratings.ts';
import { listOf, pageOf } from './pages.ts';

const Figure = z.number().nullable();

const Figures = z
  .object({
    compared: z.int().openapi({ description: 'Ratings of replies that others with weight rated too' }),
    bias: Figure.openapi({ description: 'Mean of rating less consensus of the others' }),
    spread: Figure.openapi({ description: 'Standard deviation of the same' }),
    mean_absolute_error: Figure,
    kappa: Figure.openapi({ description: 'Quadratic-weighted, against the consensus of the others' }),
    rank_correlation: Figure.openapi({ description: "Spearman's, with the consensus of the others" }),
  })
  .openapi('RaterFigures', { description: 'null where too little was compared' });

export const RaterObject = z
  .object({
    object: z.literal('rater'),
    id: z.string(),
    weight: z.number().openapi({ description: '0 leaves every rating out' }),
    flagged: z.boolean().openapi({ description: 'By the outlier test' }),
    reason: z.string().nullable(),
    feedback: z.int().openapi({ description: 'Times feedback was given' }),
    first_at: z.int(),
    last_at: z.int(),
    figures: Figures,
    attributes: z.record(z.string(), Figures),
  })
  .openapi('Rater');

export const RaterList = pageOf(RaterObject).openapi('RaterList');

/** Sums of far smaller weights would be rounded to nothing, and means are divided by them. */
const leastWeight = 1e-6;

export const RaterChange = z
  .strictObject({
    weight: z
      .number()
      .min(0)
      .max(100)
      .refine((weight) => weight === 0 || weight >= leastWeight, `expected 0, or at least ${leastWeight}`)
      .optional(),
    flagged: z
      .literal(false, 'expected false; only the outlier test flags, and weight 0 does the same')
      .optional()
      .openapi({ description: 'Takes a flag back; full weight unless one is named, and the outlier test starts anew' }),
    reason: z.string().max(1000).optional(),
  })
  .refine(({ weight, flagged }) => weight !== undefined || flagged !== undefined, { error: 'expected weight or flagged' })
  .openapi('RaterChange');

export const RemovedContribution = z
  .object({ object: z.literal('rater.feedback'), rater: z.string(), deleted: z.int() })
  .openapi('RemovedContribution');

export const AgreementList = listOf(
  z.object({
    kind: z.enum(['attribute', 'thumb', 'preference']),
    attribute: z.string().nullable(),
    raters: z.int(),
    items: z.int().openapi({ description: 'Replies, or pairs of them, that at least two rated' }),
    ratings: z.int(),
    alpha: Figure.openapi({ description: "Krippendorff's, with the interval metric" }),
    kappa: Figure.openapi({ description: 'Quadratic-weighted; mean over pairs of raters by what they share' }),
    pairs: z.int().openapi({ description: 'Pairs of raters that share enough' }),
  }),
).openapi('RaterAgreement');

export const AgreementQuery = z.object({
  min_shared: z.coerce
    .number('expected a whole number')
    .int()
    .min(2)
    .default(5)
    .openapi({ type: 'integer', minimum: 2, default: 5, description: 'Items two raters must share to be compared' }),
});

export const CheckBody = z
  .strictObject({ rater: z.string().max(128).optional() })
  .openapi('RaterCheckRequest', { description: 'One rater, or all' });

export const CheckList = listOf(
  z.object({
    rater: z.string(),
    flagged: z.boolean(),
    evidence: z.number().openapi({ description: 'How much likelier the ratings are of one who does not read; flagged above 20' }),
    ratings: z.int().openapi({ description: 'Ratings that could be judged' }),
  }),
).openapi('RaterCheck');

export const LeaderboardObject = z
  .object({
    object: z.literal('leaderboard'),
    votes: z.int(),
    connected: z
      .boolean()
      .openapi({ description: 'false where some models were never compared with others, not even through a third' }),
    data: z.array(
      z.object({
        model: z.string(),
        rank: z.int().openapi({ description: '1 and the number of models whose interval lies above this one' }),
        rating: z.number().openapi({ description: 'Bradley–Terry; 400 points are odds of 10 to 1, the mean is 1000' }),
        lower: z.number(),
        upper: z.number().openapi({ description: 'With lower: 95 % of the resampled ratings' }),
        elo: z.number(),
        wins: z.int(),
        losses: z.int(),
        ties: z.int(),
      }),
    ),
  })
  .openapi('Leaderboard');

export const LeaderboardQuery = z.object({
  rounds: z.coerce
    .number('expected a whole number')
    .int()
    .min(100)
    .max(1000)
    .default(200)
    .openapi({ type: 'integer', minimum: 100, maximum: 1000, default: 200, description: 'Resamples behind the intervals' }),
  seed: z.coerce.number('expected a whole number').int().default(0).openapi({ type: 'integer', default: 0 }),
});

export function toRaterObject(rater: DescribedRater): z.infer<typeof RaterObject> {
  const { id, weight, flagged, reason, feedback, firstAt, lastAt, figures, attributes } = rater;
  return {
    object: 'rater',
    id,
    weight,
    flagged,
    reason,
    feedback,
    first_at: seconds(firstAt),
    last_at: seconds(lastAt),
    figures: toFigures(figures),
    attributes: Object.fromEntries(Object.entries(attributes).map(([name, own]) => [name, toFigures(own)])),
  };
}

export function toAgreementList(agreements: QuestionAgreement[]): z.infer<typeof AgreementList> {
  const data = agreements.map(({ question, ...figures }) => {
    const attribute = attributeOf(question);
    const kind = attribute !== null ? 'attribute' : question === thumbQuestion ? 'thumb' : 'preference';
    return { kind, attribute, ...figures } as const;
  });
  return { object: 'list', data };
}

/** Evidence beyond what JSON can say is told as the largest number. */
export function toCheckList(checked: CheckedRater[]): z.infer<typeof CheckList> {
  const data = checked.map((each) => ({ ...each, evidence: Math.min(each.evidence, Number.MAX_VALUE) }));
  return { object: 'list', data };
}

export function toLeaderboard({ models, votes, connected }: Leaderboard): z.infer<typeof LeaderboardObject> {
  return { object: 'leaderboard', votes, connected, data: models };
}

function toFigures({ meanAbsoluteError, rankCorrelation, ...rest }: RaterFigures): z.infer<typeof Figures> {
  return { ...rest, mean_absolute_error: meanAbsoluteError, rank_correlation: rankCorrelation };
}

function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
