// Completions to rate and raters that rate them, for the tests of this room.
import { rememberCompletion } from '../../src/feedback/completions.ts';
import { addFeedback, type KnownModels, type NewFeedback } from '../../src/feedback/feedback.ts';
import { gameCharacters } from '../../src/schemas.ts';
import type { Db } from '../../src/store/connect.ts';

/** Every model follows the game schema; `npc` and `rival` are models. */
export const models: KnownModels = {
  schemaOf: () => gameCharacters,
  isModel: (name) => ['npc', 'rival', 'default'].includes(name),
};

/** A remembered completion with these replies. */
export async function plantCompletion(
  db: Db,
  id: string,
  replies: string[],
  {
    model = 'npc',
    question = `Question ${id}?`,
    request,
  }: { model?: string; question?: string; request?: Record<string, unknown> } = {},
): Promise<void> {
  await rememberCompletion(db, {
    id,
    model,
    revision: 'r1',
    request: request ?? {
      messages: [
        { role: 'system', content: 'You are a guard.' },
        { role: 'user', content: question },
      ],
    },
    requested: {},
    applied: { humor: 2 },
    seed: 1,
    promptTokens: 9,
    replies: replies.map((text) => ({ text, finishReason: 'stop', completionTokens: 3 })),
  });
}

/** Stores feedback; choice 0 unless told. */
export async function rate(db: Db, rater: string, completionId: string, rest: Partial<NewFeedback>): Promise<void> {
  await addFeedback(db, { rater, completionId, choice: 0, ...rest }, models);
}
