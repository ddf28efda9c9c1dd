// The temper of a character within a session, and everything it is made of.
import { z } from '@hono/zod-openapi';
import type { AttributeMood } from '../../npc/mood.ts';
import type { Present } from '../../npc/session-log.ts';

/** Seconds either way that a clock may tell. */
export const farthest = 1e12;

const MoodPart = z.object({
  source: z.enum(['rule', 'scene', 'preference', 'relationship', 'limit', 'rounding', 'others']),
  event: z.string().optional(),
  amount: z.number().openapi({ description: 'Levels when it began' }),
  remaining: z
    .number()
    .openapi({ description: 'Levels left of it: the baseline and what remains of all, added in order, are the value' }),
  count: z.int().optional().openapi({ description: 'How many are told as one; absent means that it is one' }),
});

export const MoodObject = z
  .object({
    object: z.literal('npc.mood'),
    session_id: z.string(),
    at: z.number(),
    entries: z.int(),
    relationship: z.number(),
    attributes: z.record(z.string(), z.object({ value: z.number(), baseline: z.number(), contributions: z.array(MoodPart) })),
  })
  .openapi('NpcMood');

export const MoodQuery = z.object({
  at: z.coerce.number('expected seconds').min(-farthest).max(farthest).optional().openapi({
    type: 'number',
    minimum: -farthest,
    maximum: farthest,
    description: 'Later than the last entry; absent means now',
  }),
});

export function toMoodObject(
  { session, state, length }: Present,
  at: number,
  moods: Record<string, AttributeMood>,
): z.infer<typeof MoodObject> {
  const attributes = Object.entries(moods).map(([name, { value, baseline, contributions }]) => {
    return [name, { value, baseline, contributions }];
  });
  return {
    object: 'npc.mood',
    session_id: session.id,
    at,
    entries: length,
    relationship: state.relationship,
    attributes: Object.fromEntries(attributes),
  };
}
