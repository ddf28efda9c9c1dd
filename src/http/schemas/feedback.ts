// Feedback, harvests and the leaderboard as callers send and see them.
import { z } from '@hono/zod-openapi';
import { type Feedback, feedbackKinds, type NewFeedback } from '../../feedback/feedback.ts';
import { type HarvestOptions, type HarvestReport, skipReasons } from '../../feedback/harvest.ts';
import { recordOf } from '../../record-of.ts';
import { outcomes } from '../../store/feedback-schema.ts';
import { pageFields, pageOf } from './pages.ts';

const Id = z.string().min(1).max(128);
const Choice = z.int().min(0).openapi({ description: 'Which of the n replies, from 0' });
const Time = z.int().openapi({ description: 'Unix seconds' });
const reserved = ['agreement', 'check'];

export const RaterId = z
  .string()
  .regex(/^[\w.@:+-]{1,128}$/, 'expected 1 to 128 letters, digits or . _ @ : + -')
  .refine((id) => !reserved.includes(id), 'is the name of a route; choose another id')
  .openapi({ description: 'Who rates; any id the caller keeps for a person' });

export const FeedbackBody = z
  .strictObject({
    id: z
      .string()
      .regex(/^[\w.:-]{1,128}$/, 'expected 1 to 128 letters, digits or . _ : -')
      .optional()
      .openapi({ description: 'Sent again with the same body it is the same feedback; with another body it is a conflict' }),
    rater: RaterId,
    completion_id: Id,
    choice: Choice.default(0),
    ratings: recordOf(z.string().max(64), z.number())
      .optional()
      .openapi({ description: 'Value by name or alias of an attribute of the model, on its scale' }),
    thumb: z.enum(['up', 'down']).optional(),
    comment: z.string().min(1).max(10_000).optional(),
    against: z
      .strictObject({ completion_id: Id, choice: Choice.default(0), outcome: z.enum(outcomes) })
      .optional()
      .openapi({ description: 'Another reply to the same conversation, and how this one fared against it' }),
  })
  .refine(({ ratings, thumb, comment, against }) => Object.keys(ratings ?? {}).length > 0 || thumb || comment || against, {
    error: 'expected at least one of ratings, thumb, comment and against',
  })
  .openapi('FeedbackRequest');

export const FeedbackObject = z
  .object({
    object: z.literal('feedback'),
    id: z.string(),
    created_at: Time,
    rater: z.string(),
    completion_id: z.string(),
    choice: Choice,
    model: z.string().openapi({ description: 'The model that made the reply' }),
    ratings: z.record(z.string(), z.number()).nullable().openapi({ description: 'By canonical name' }),
    thumb: z.enum(['up', 'down']).nullable(),
    comment: z.string().nullable(),
    against: z.object({ completion_id: z.string(), choice: Choice, outcome: z.enum(outcomes) }).nullable(),
  })
  .openapi('Feedback');

export const FeedbackList = pageOf(FeedbackObject).openapi('FeedbackList');

/** The last second of the year 9999: later years are written in a way that the database does not read. */
const lastMoment = 253_402_300_799;
const Moment = z.coerce.number('expected Unix seconds').int().min(0).max(lastMoment).optional();
const span = { type: 'integer', minimum: 0, maximum: lastMoment } as const;
export const period = {
  since: Moment.openapi({ ...span, description: 'Unix seconds; that second and later' }),
  until: Moment.openapi({ ...span, description: 'Unix seconds; before that second' }),
};

export const FeedbackQuery = z.object({
  ...pageFields,
  ...period,
  rater: z.string().max(128).optional(),
  completion_id: z.string().max(128).optional(),
  model: z.string().max(256).optional(),
  attribute: z.string().max(64).optional().openapi({ description: 'Canonical name of an attribute that was rated' }),
  kind: z.enum(feedbackKinds).optional(),
});

/** A moment told in seconds. */
export function toDate(seconds: number | undefined): Date | undefined {
  return seconds === undefined ? undefined : new Date(seconds * 1000);
}

/** The body as the room takes it. */
export function toNewFeedback(body: z.infer<typeof FeedbackBody>): NewFeedback {
  const { id, rater, choice, ratings, thumb, comment, against } = body;
  return {
    id,
    rater,
    completionId: body.completion_id,
    choice,
    ratings: Object.keys(ratings ?? {}).length > 0 ? ratings : undefined,
    thumb: thumb && thumb === 'up',
    comment,
    against: against && { completionId: against.completion_id, choice: against.choice, outcome: against.outcome },
  };
}

export function toFeedbackObject(given: Feedback): z.infer<typeof FeedbackObject> {
  const { id, rater, choice, model, ratings, thumb, comment, againstId, againstChoice, outcome } = given;
  return {
    object: 'feedback',
    id,
    created_at: Math.floor(given.createdAt.getTime() / 1000),
    rater,
    completion_id: given.completionId,
    choice,
    model,
    ratings,
    thumb: thumb === null ? null : thumb ? 'up' : 'down',
    comment,
    against: againstId && outcome ? { completion_id: againstId, choice: againstChoice ?? 0, outcome } : null,
  };
}

const SomeTime = z.int().min(0).max(lastMoment).openapi({ description: 'Unix seconds' });

export const HarvestBody = z
  .strictObject({
    dataset: z.string().max(100).openapi({ description: 'Name; each harvest that says something new is its next version' }),
    filters: z
      .strictObject({
        model: z.string().max(256).optional(),
        attributes: z.array(z.string().max(64)).min(1).optional(),
        since: SomeTime.optional(),
        until: SomeTime.optional(),
        under_vectors: z.boolean().optional().openapi({
          description:
            'Take replies that were written under steering vectors too; else they are left out, and counted in `skipped`',
        }),
      })
      .default({}),
    rules: z
      .strictObject({
        min_raters: z.int().min(1).default(2).openapi({ description: 'Raters with weight a label or a pair needs' }),
        three_closest: z
          .boolean()
          .default(true)
          .openapi({ description: 'Of more than three ratings the three closest count, as in HelpSteer2' }),
        max_spread: z.number().min(0).optional().openapi({ description: 'Labels whose ratings lie further apart are left out' }),
        weighting: z
          .boolean()
          .default(true)
          .openapi({ description: 'Whether weights above 0 count; who has weight 0 never does' }),
      })
      .prefault({}),
    preferences: z.boolean().default(true).openapi({ description: 'Make pairs of head-to-head choices as well' }),
  })
  .openapi('HarvestRequest');

export const HarvestObject = z
  .object({
    object: z.literal('harvest'),
    dataset: z.object({ id: z.string(), name: z.string(), version: z.int(), hash: z.string() }),
    created: z.boolean().openapi({ description: 'false where the newest version said the same already' }),
    samples: z.int(),
    labels: z.int(),
    pairs: z.int(),
    skipped: z
      .record(z.string(), z.int())
      .openapi({ description: `Labels, pairs and replies left out: ${skipReasons.join(', ')}` }),
    raters: z.array(z.object({ id: z.string(), weight: z.number(), ratings: z.int() })),
  })
  .openapi('Harvest');

export function toHarvestOptions({ dataset, filters, rules, preferences }: z.infer<typeof HarvestBody>): HarvestOptions {
  const { since, until, under_vectors: underVectors, ...which } = filters;
  return {
    dataset,
    filters: { ...which, since: toDate(since), until: toDate(until), underVectors },
    rules: {
      minRaters: rules.min_raters,
      threeClosest: rules.three_closest,
      maxSpread: rules.max_spread ?? null,
      weighting: rules.weighting,
    },
    preferences,
  };
}

export function toHarvestObject(report: HarvestReport): z.infer<typeof HarvestObject> {
  return { object: 'harvest', ...report };
}

const Said = z.array(z.object({ role: z.enum(['system', 'user', 'assistant']), content: z.string() }));

/** A line of a download of pairs. */
export const PreferencePair = z.object({
  prompt: Said,
  chosen: Said,
  rejected: Said,
  agreement: z.number().openapi({ description: "Share of the raters' weight behind the choice, ties half" }),
});
