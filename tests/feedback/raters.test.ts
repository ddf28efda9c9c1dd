// Raters in the database: their figures, the flag and what it does, restoring, agreement, and the leaderboard.
import { describe, expect, test } from 'vitest';
import { checkRater, checkRaters } from '../../src/feedback/check-raters.ts';
import { leaderboard } from '../../src/feedback/leaderboard.ts';
import { agreementByQuestion } from '../../src/feedback/rater-agreement.ts';
import { changeStanding, findRater, listRaters } from '../../src/feedback/raters.ts';
import { preferenceQuestion } from '../../src/feedback/ratings.ts';
import { randomStream } from '../../src/random.ts';
import { testDatabases } from '../store/databases.ts';
import { emptyStore, plantCompletion, rate, rateHumor, toLevel } from './plant.ts';

const seed = 3;
const people = ['ann', 'bob', 'cat'];

describe.each(await testDatabases())('on $name', (database) => {
  const store = emptyStore(database);

  test('figures are those of ratings beside the others', async () => {
    await plantCompletion(store.db, 'c1', ['a']);
    await plantCompletion(store.db, 'c2', ['b']);
    await rateHumor(store.db, 'c1', { ann: 4, bob: 2, cat: 1 });
    await rateHumor(store.db, 'c2', { ann: 2, bob: 1 });
    await changeStanding(store.db, 'cat', { weight: 0, reason: 'a test' });
    // cat counts for nothing: ann is held against bob alone, 4 to 2 and 2 to 1.
    const ann = await findRater(store.db, 'ann');
    expect(ann).toMatchObject({ id: 'ann', weight: 1, flagged: false, feedback: 2 });
    expect(ann.attributes.humor).toMatchObject({
      compared: 2,
      bias: 1.5,
      spread: 0.5,
      meanAbsoluteError: 1.5,
      rankCorrelation: null,
    });
    expect(await findRater(store.db, 'cat')).toMatchObject({ weight: 0, reason: 'a test', figures: { compared: 1, bias: -2 } });
    const all = await listRaters(store.db, { limit: 2 });
    expect(all.map(({ id }) => id)).toEqual(['ann', 'bob']);
    expect(all[0]?.attributes).toEqual(ann.attributes);
    expect((await listRaters(store.db, { limit: 2, after: 'bob' })).map(({ id }) => id)).toEqual(['cat']);
    await expect(findRater(store.db, 'dan')).rejects.toMatchObject({ code: 'not_found' });
    // Two raters, values 4 2 and 2 1: observed (4 + 1) / 2 · … by the definition: D_o = (8/1 + 2/1) / 4 = 2.5, D_e = 38 / 12.
    const [humor] = await agreementByQuestion(store.db, 2);
    expect(humor).toMatchObject({ question: 'humor', raters: 2, items: 2, ratings: 4, pairs: 1 });
    expect(humor?.alpha).toBeCloseTo(1 - 2.5 / (38 / 12), 12);
    // Quadratic kappa by hand: observed 2.5; chance var 1 + var 0.25 + (3 − 1.5)² = 3.5.
    expect(humor?.kappa).toBeCloseTo(1 - 2.5 / 3.5, 12);
  });

  test('a troll is flagged and loses its weight, the harsh one is not, and a restored rater starts anew', {
    timeout: 60_000,
  }, async () => {
    const random = randomStream('troll', seed);
    for (let i = 0; i < 40; i++) {
      await plantCompletion(store.db, `c${i}`, [`reply ${i}`]);
      const truth = random() * 4;
      const saw = (bias = 0) => toLevel(truth + bias + (random() - 0.5) * 1.5);
      await rateHumor(store.db, `c${i}`, { ann: saw(), bob: saw(), cat: saw(), harsh: saw(-1), troll: 4 - saw() });
    }
    const alone = await checkRater(store.db, 'harsh');
    expect(alone, `seed ${seed}`).toMatchObject({ flagged: false, ratings: 40 });
    const checked = await checkRaters(store.db);
    expect(checked.map(({ rater }) => rater).toSorted()).toEqual(['ann', 'bob', 'cat', 'harsh', 'troll']);
    expect(
      checked.filter(({ flagged }) => flagged).map(({ rater }) => rater),
      `seed ${seed}`,
    ).toEqual(['troll']);
    expect(await findRater(store.db, 'troll')).toMatchObject({
      weight: 0,
      flagged: true,
      reason: expect.stringMatching(/^Outlier test: 40 ratings are /),
    });
    // Flagged raters are not tested again, and weigh nothing in what others are held against.
    expect((await checkRaters(store.db)).map(({ rater }) => rater)).not.toContain('troll');
    expect(await changeStanding(store.db, 'troll', { restore: true })).toMatchObject({ weight: 1, flagged: false, reason: null });
    expect(await checkRater(store.db, 'troll')).toEqual({ rater: 'troll', evidence: 1, ratings: 0, flagged: false });
  });

  test('votes rank the models, and a vote against all others is evidence too', async () => {
    for (let i = 0; i < 30; i++) {
      await plantCompletion(store.db, `a${i}`, [`good ${i}`], { question: `Q${i}` });
      await plantCompletion(store.db, `b${i}`, [`bad ${i}`], { question: `Q${i}`, model: 'rival' });
      const npcIsBetter = i % 5 !== 0;
      for (const rater of people) {
        await rate(store.db, rater, `a${i}`, {
          against: { completionId: `b${i}`, choice: 0, outcome: npcIsBetter ? 'win' : 'loss' },
        });
      }
      // Says the opposite of everyone, naming the replies the other way round.
      await rate(store.db, 'troll', `b${i}`, {
        against: { completionId: `a${i}`, choice: 0, outcome: npcIsBetter ? 'win' : 'loss' },
      });
    }
    const before = await leaderboard(store.db, { rounds: 100, seed });
    expect(before).toMatchObject({ votes: 120, connected: true });
    expect(before.models.map(({ model, wins, losses }) => [model, wins, losses])).toEqual([
      ['npc', 78, 42],
      ['rival', 42, 78],
    ]);
    const [npc, rival] = before.models;
    expect(npc!.rating - rival!.rating).toBeCloseTo(400 * Math.log10(78 / 42), -1);
    expect(npc!.lower).toBeLessThan(npc!.rating);
    expect(npc!.upper).toBeGreaterThan(npc!.rating);
    expect(npc!.elo).toBeGreaterThan(1000);
    expect((await agreementByQuestion(store.db, 5)).find(({ question }) => question === preferenceQuestion)).toMatchObject({
      raters: 4,
      pairs: 6,
    });

    const checked = await checkRaters(store.db);
    expect(checked.filter(({ flagged }) => flagged).map(({ rater }) => rater)).toEqual(['troll']);
    expect(await leaderboard(store.db, { rounds: 100, seed })).toMatchObject({
      votes: 90,
      models: [{ model: 'npc', wins: 72, losses: 18 }, {}],
    });
  });

  test('without votes the leaderboard is empty', async () => {
    expect(await leaderboard(store.db, { rounds: 100, seed })).toEqual({ models: [], votes: 0, connected: true });
  });
});
