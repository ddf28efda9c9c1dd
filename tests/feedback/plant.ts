// What the tests of this room begin with: an empty store, completions to rate and raters that rate them.
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { rememberCompletion } from '../../src/feedback/completions.ts';
import { addFeedback, type KnownModels, type NewFeedback } from '../../src/feedback/feedback.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import type { Db, Store } from '../../src/store/connect.ts';
import { feedback, raters } from '../../src/store/feedback-schema.ts';
import { completions, datasets, type ToldSteering } from '../../src/store/schema.ts';
import type { TestDatabase } from '../store/databases.ts';

/** The store of the suite that calls this, without feedback, raters, completions and datasets before each of its tests. */
export function emptyStore(database: TestDatabase): { readonly db: Db } {
  let store: Store | undefined;
  beforeAll(async () => {
    store = await database.open();
  }, 60_000);
  afterAll(() => store?.close());
  beforeEach(async () => {
    for (const table of [feedback, raters, completions, datasets]) await store!.db.delete(table);
  });
  return {
    get db() {
      return store!.db;
    },
  };
}

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
    steering,
  }: { model?: string; question?: string; request?: Record<string, unknown>; steering?: ToldSteering } = {},
): Promise<void> {
  await rememberCompletion(db, {
    id,
    created: 1_700_000_000,
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
    replies: replies.map((text) => ({ text, finishReason: 'stop', completionTokens: 3, ...(steering ? { steering } : {}) })),
  });
}

/** Stores feedback; choice 0 unless told. */
export async function rate(db: Db, rater: string, completionId: string, rest: Partial<NewFeedback>): Promise<void> {
  await addFeedback(db, { rater, completionId, choice: 0, ...rest }, models);
}

/** Rates the humor of its first reply: level by rater. */
export async function rateHumor(db: Db, completionId: string, levels: Record<string, number>): Promise<void> {
  for (const [rater, humor] of Object.entries(levels)) await rate(db, rater, completionId, { ratings: { humor } });
}

/** The level nearest to what somebody thinks of a reply. */
export const toLevel = (value: number): number => Math.min(4, Math.max(0, Math.round(value)));
