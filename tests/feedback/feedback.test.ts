// Feedback is stored once, refused where it cannot be meant, and found by what it says.
import { beforeEach, describe, expect, test } from 'vitest';
import { addFeedback, findFeedback, listFeedback, type NewFeedback } from '../../src/feedback/feedback.ts';
import { loadRatings, loadRatingsAround } from '../../src/feedback/ratings.ts';
import { testDatabases } from '../store/databases.ts';
import { emptyStore, models, plantCompletion, rate } from './plant.ts';

const given: NewFeedback = {
  id: 'f1',
  rater: 'ann',
  completionId: 'c1',
  choice: 1,
  ratings: { humour: 3.5 },
  thumb: false,
  comment: 'Dry\u0000.',
};

describe.each(await testDatabases())('on $name', (database) => {
  const store = emptyStore(database);
  beforeEach(async () => {
    await plantCompletion(store.db, 'c1', ['One.', 'Two.']);
    await plantCompletion(store.db, 'c2', ['Three.'], { question: 'Question c1?', model: 'rival' });
    await plantCompletion(store.db, 'c3', ['Four.']);
  });

  test('is stored under canonical names, and once however often it is sent, also at the same moment', async () => {
    const sent = await Promise.all([1, 2, 3].map(() => addFeedback(store.db, given, models)));
    expect(sent.map(({ created }) => created).sort()).toEqual([false, false, true]);
    const found = await findFeedback(store.db, 'f1');
    expect(found).toMatchObject({ ratings: { humor: 3.5 }, thumb: false, comment: 'Dry\ufffd.', model: 'npc', choice: 1 });
    await expect(addFeedback(store.db, { ...given, thumb: true }, models)).rejects.toMatchObject({ code: 'conflict' });
    expect(await listFeedback(store.db, { limit: 10 })).toHaveLength(1);
  });

  test.each<[Partial<NewFeedback>, string, string]>([
    [{ completionId: 'c9' }, 'not_found', 'completion_id'],
    [{ choice: 2 }, 'not_found', 'choice'],
    [{ rater: 'NPC' }, 'invalid_request', 'rater'],
    [{ rater: 'default' }, 'invalid_request', 'rater'],
    [{ ratings: { humor: 4.1 } }, 'attribute_out_of_range', 'ratings.humor'],
    [{ ratings: { humor: -1 } }, 'attribute_out_of_range', 'ratings.humor'],
    [{ ratings: { humr: 1 } }, 'unknown_attribute', 'ratings.humr'],
    [{ ratings: { humor: 1, humour: 2 } }, 'invalid_request', 'ratings.humour'],
    [{ against: { completionId: 'c3', choice: 0, outcome: 'win' } }, 'invalid_request', 'against'],
    [{ against: { completionId: 'c1', choice: 1, outcome: 'win' } }, 'invalid_request', 'against'],
    [{ against: { completionId: 'c9', choice: 0, outcome: 'win' } }, 'not_found', 'against.completion_id'],
    [{ against: { completionId: 'c2', choice: 1, outcome: 'win' } }, 'not_found', 'against.choice'],
  ])('%j is refused: %s at %s', async (change, code, param) => {
    await expect(addFeedback(store.db, { ...given, ...change }, models)).rejects.toMatchObject({ code, details: { param } });
    expect(await listFeedback(store.db, { limit: 10 })).toEqual([]);
  });

  test('is found by rater, reply, model, attribute, kind and time, newest first and page by page', async () => {
    await rate(store.db, 'ann', 'c1', { id: 'a', ratings: { humor: 1 } });
    await rate(store.db, 'bob', 'c2', { id: 'b', thumb: true });
    await rate(store.db, 'bob', 'c1', { id: 'c', against: { completionId: 'c2', choice: 0, outcome: 'win' } });
    const ids = async (query: object) => (await listFeedback(store.db, { limit: 10, ...query })).map(({ id }) => id);
    expect(await ids({})).toEqual(['c', 'b', 'a']);
    expect(await ids({ rater: 'bob' })).toEqual(['c', 'b']);
    expect(await ids({ completionId: 'c1' })).toEqual(['c', 'a']);
    expect(await ids({ model: 'rival' })).toEqual(['b']);
    expect(await ids({ attribute: 'humor' })).toEqual(['a']);
    expect(await ids({ kind: 'preference' })).toEqual(['c']);
    expect(await ids({ kind: 'comment' })).toEqual([]);
    expect(await ids({ until: new Date(0) })).toEqual([]);
    expect(await ids({ since: new Date(0) })).toHaveLength(3);
    expect(await ids({ limit: 1 })).toEqual(['c']);
    expect(await ids({ limit: 2, after: 'c' })).toEqual(['b', 'a']);
  });

  test('becomes ratings, the latest of each rater, a pair the same whichever reply was named first', async () => {
    await rate(store.db, 'ann', 'c1', { ratings: { humor: 1, verbosity: 2 } });
    await rate(store.db, 'ann', 'c1', { ratings: { humor: 3 } });
    await rate(store.db, 'ann', 'c1', { against: { completionId: 'c2', choice: 0, outcome: 'win' } });
    await rate(store.db, 'bob', 'c2', { against: { completionId: 'c1', choice: 0, outcome: 'loss' } });
    const ratings = await loadRatings(store.db);
    const said = ratings.map(({ rater, question, item, value, group }) => [rater, question, item, value, group]);
    const pair = [':preference', 'c1:0 c2:0', 2, 'npc rival'];
    expect(said).toEqual([
      ['ann', 'verbosity', 'c1:0', 2, null],
      ['ann', 'humor', 'c1:0', 3, null],
      ['ann', ...pair],
      ['bob', ...pair],
    ]);
    expect(await loadRatingsAround(store.db, 'bob')).toEqual(ratings);
  });
});
