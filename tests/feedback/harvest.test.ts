// Ratings become labelled samples and preferences pairs; the same feedback gives the same version, a removed rater another one.
import { asc, eq } from 'drizzle-orm';
import { beforeEach, describe, expect, test } from 'vitest';
import { promptKey } from '../../src/datasets/sample.ts';
import { findDataset, streamSamples } from '../../src/datasets/samples.ts';
import { splitOf } from '../../src/datasets/split.ts';
import { type HarvestOptions, harvest } from '../../src/feedback/harvest.ts';
import { streamPairs } from '../../src/feedback/pairs.ts';
import { changeStanding, removeContribution } from '../../src/feedback/raters.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import { feedback } from '../../src/store/feedback-schema.ts';
import { completions, datasets, labels, samples as sampleTable } from '../../src/store/schema.ts';
import { collect } from '../datasets/collect.ts';
import { testDatabases } from '../store/databases.ts';
import { emptyStore, models, plantCompletion, rate, rateHumor } from './plant.ts';

const options: HarvestOptions = {
  dataset: 'people',
  filters: {},
  rules: { minRaters: 2, threeClosest: true, maxSpread: null, weighting: true },
  preferences: true,
};

describe.each(await testDatabases())('on $name', (database) => {
  const store = emptyStore(database);
  beforeEach(async () => {
    await plantCompletion(store.db, 'c1', ['Halt!', 'Pass.']);
    await plantCompletion(store.db, 'c2', ['Halt!'], { question: 'Question c1?', model: 'rival' });
    await plantCompletion(store.db, 'raw', ['on'], { request: { prompt: 'Go ' } });
    await rateHumor(store.db, 'c1', { ann: 3, bob: 4, cat: 4, dan: 0 });
    await rate(store.db, 'ann', 'c1', { choice: 1, ratings: { humor: 1, formality: 4 } });
    await rate(store.db, 'bob', 'c1', { choice: 1, ratings: { humor: 2 } });
    await rate(store.db, 'ann', 'raw', { thumb: true });
  });

  const run = (change: Partial<HarvestOptions> = {}) => harvest(store.db, { ...options, ...change }, models);

  test('labels replies with the mean of the three closest, by people, split by conversation', async () => {
    const report = await run();
    expect(report).toMatchObject({ created: true, samples: 2, labels: 2, pairs: 0, dataset: { name: 'people', version: 1 } });
    expect(report.skipped).toEqual({ raw_prompt: 1, too_few_raters: 1 });
    expect(report.raters.map(({ id, ratings }) => [id, ratings])).toEqual([
      ['ann', 2],
      ['bob', 2],
      ['cat', 1],
      ['dan', 1],
    ]);
    const samples = await collect(streamSamples(store.db, report.dataset.id, { labels: ['human'] }));
    const told = samples.map(({ content }) => (content.kind === 'conversation' ? content.conversation : expect.fail()));
    const label = (text: string) => told.find(({ turns }) => turns[1]?.content === text)?.turns[1]?.label;
    expect(label('Halt!')?.humor).toBeCloseTo(11 / 3, 12);
    expect(label('Pass.')).toEqual({ humor: 1.5 });
    expect(told[0]).toMatchObject({ system: 'You are a guard.', turns: [{ role: 'user', content: 'Question c1?' }, {}] });
    for (const { conversationId, content, split } of samples) {
      expect(conversationId).toBe(promptKey(content));
      expect(split).toBe(splitOf(conversationId));
    }
    const stored = await store.db.select().from(labels);
    expect(new Set(stored.map(({ source }) => source))).toEqual(new Set(['human']));
    expect(stored.map(({ level, author }) => [level, author]).sort()).toEqual([
      [2, 'consensus of 2'],
      [4, 'consensus of 4'],
    ]);
    const { schema } = await findDataset(store.db, 'people');
    expect(schema?.attributes.map(({ name, levels }) => [name, levels.length])).toEqual([['humor', 5]]);
  });

  test('what was said under steering vectors says nothing of what is said plain, unless it is asked for', async () => {
    const plain = await run({ filters: { attributes: ['humor'] } });
    await plantCompletion(store.db, 'v1', ['Halt!'], { question: 'Question c1?', steering: { vectors: { happy: 1 } } });
    await rateHumor(store.db, 'v1', { eve: 0, fay: 0, gus: 0 });
    const again = await run({ filters: { attributes: ['humor'] } });
    expect(again).toMatchObject({ created: false, dataset: plain.dataset, skipped: { under_vectors: 1 } });
    const all = await run({ filters: { attributes: ['humor'], underVectors: true } });
    expect(all).toMatchObject({ created: true, samples: 2, skipped: {} });
    const samples = await collect(streamSamples(store.db, all.dataset.id, { labels: ['human'] }));
    const halt = samples.find(({ content }) => JSON.stringify(content).includes('Halt'))!;
    expect(halt.content).toMatchObject({ conversation: { turns: [{}, { label: { humor: 0 } }] } });
  });

  test('the same text of two completions is one sample, a rater counting once', async () => {
    await rateHumor(store.db, 'c2', { eve: 4, dan: 4 });
    const report = await run({ filters: { attributes: ['humor'] } });
    expect(report.samples).toBe(2);
    const samples = await collect(streamSamples(store.db, report.dataset.id, { labels: ['human'] }));
    const halt = samples.find(({ content }) => JSON.stringify(content).includes('Halt'))!;
    // ann 3, bob 4, cat 4, dan 4 (his latest), eve 4: the three closest are fours.
    expect(halt.content).toMatchObject({ conversation: { turns: [{}, { label: { humor: 4 } }] } });
  });

  test('the same again is the same version; a weight of 0 or a removed rater makes another', async () => {
    const first = await run();
    expect(await run()).toMatchObject({ created: false, dataset: first.dataset });
    await changeStanding(store.db, 'cat', { weight: 0 });
    const second = await run();
    expect(second).toMatchObject({ created: true, dataset: { version: 2 } });
    expect(second.raters.map(({ id }) => id)).not.toContain('cat');
    expect(await removeContribution(store.db, 'bob')).toBe(2);
    const third = await run();
    expect(third).toMatchObject({ created: true, dataset: { version: 3 }, samples: 1 });
    expect((await findDataset(store.db, first.dataset.id)).sampleCount).toBe(2);
    await expect(removeContribution(store.db, 'bob')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('content in parts is the text they are together, and a pair may be of both spellings', async () => {
    const parts = ['Where is ', 'the market?'].map((text) => ({ type: 'text', text }));
    const asked = (content: unknown) => ({ request: { messages: [{ role: 'user', content }] } });
    await plantCompletion(store.db, 'parts', ['There.'], asked(parts));
    await plantCompletion(store.db, 'whole', ['Here.'], asked('Where is the market?'));
    const against = { completionId: 'whole', choice: 0, outcome: 'win' as const };
    for (const rater of ['ann', 'bob']) await rate(store.db, rater, 'parts', { against });
    const { dataset } = await run();
    const [pair] = await collect(streamPairs(store.db, dataset.id));
    expect(pair).toMatchObject({
      prompt: [{ content: 'Where is the market?' }],
      chosen: [{ content: 'There.' }],
      rejected: [{ content: 'Here.' }],
    });
  });

  test('rules leave labels out, and say why', async () => {
    const strict = { ...options.rules, threeClosest: false, maxSpread: 2 };
    expect((await run({ rules: strict })).skipped).toMatchObject({ spread_too_wide: 1, too_few_raters: 1 });
    await expect(run({ rules: { ...strict, minRaters: 5 } })).rejects.toMatchObject({
      code: 'invalid_dataset',
      message: expect.stringContaining('3 for too few raters'),
    });
    await expect(run({ filters: { model: 'nobody' } })).rejects.toMatchObject({ code: 'invalid_dataset' });
  });

  test('weights pull the label', async () => {
    await changeStanding(store.db, 'ann', { weight: 3 });
    const report = await run({ rules: { ...options.rules, minRaters: 2 } });
    const samples = await collect(streamSamples(store.db, report.dataset.id, { labels: ['human'] }));
    const pass = samples.find(({ content }) => JSON.stringify(content).includes('Pass'))!;
    expect(pass.content).toMatchObject({ conversation: { turns: [{}, { label: { humor: 1.25 } }] } });
  });

  test('preferences become pairs as TRL reads them', async () => {
    const against = { completionId: 'c1', choice: 1 };
    await rate(store.db, 'ann', 'c1', { against: { ...against, outcome: 'win' } });
    await rate(store.db, 'bob', 'c2', { against: { ...against, outcome: 'win' } });
    await rate(store.db, 'cat', 'c1', { choice: 1, against: { completionId: 'c1', choice: 0, outcome: 'win' } });
    await rate(store.db, 'dan', 'c1', { against: { ...against, outcome: 'tie' } });
    const report = await run();
    expect(report.pairs).toBe(1);
    expect(await collect(streamPairs(store.db, report.dataset.id))).toEqual([
      {
        prompt: [
          { role: 'system', content: 'You are a guard.' },
          { role: 'user', content: 'Question c1?' },
        ],
        chosen: [{ role: 'assistant', content: 'Halt!' }],
        rejected: [{ role: 'assistant', content: 'Pass.' }],
        agreement: 0.625,
      },
    ]);
    expect((await run({ preferences: false })).pairs).toBe(0);
  });

  test('texts and pairs come whole, however many completions lie between those that said them', async () => {
    const [like] = await store.db.select().from(completions);
    const count = 1_100;
    const id = (i: number) => `m${String(i).padStart(5, '0')}`;
    const request = (i: number) => ({ messages: [{ role: 'user', content: `Number ${i}?` }] });
    // The second half answers the questions of the first, every answer said twice: 550 questions, as many texts.
    const said = Array.from({ length: count }, (_, i) => i % (count / 2));
    const filled = said.map((question, i) => ({ ...like!, id: id(i), choice: 0, request: request(question), reply: 'Aye.' }));
    const rivals = said.slice(0, count / 2).map((question, i) => ({ ...filled[i]!, id: `n${question}`, reply: 'Nay.' }));
    await store.db.insert(completions).values([...filled, ...rivals]);
    const blank = { bodyHash: 'x', choice: 0 };
    const rated = filled.flatMap(({ id: completionId }, i) => [
      { ...blank, id: `r${i}`, rater: i < count / 2 ? 'eve' : 'fay', completionId, ratings: { humor: i < count / 2 ? 4 : 2 } },
    ]);
    // One votes from either side, each on a completion of its own.
    const votes = rivals.flatMap(({ id: rival }, i) => [
      { ...blank, id: `v${i}`, rater: 'eve', completionId: id(i), againstId: rival, againstChoice: 0, outcome: 'win' as const },
      {
        ...blank,
        id: `w${i}`,
        rater: 'fay',
        completionId: rival,
        againstId: id(i + count / 2),
        againstChoice: 0,
        outcome: 'loss' as const,
      },
    ]);
    for (const rows of [rated, votes]) await store.db.insert(feedback).values(rows);
    const report = await run({ filters: { attributes: ['humor'] } });
    expect(report).toMatchObject({ samples: 2 + count / 2, labels: 2 + count / 2, pairs: count / 2, skipped: { raw_prompt: 1 } });
    expect(report.raters.find(({ id }) => id === 'fay')).toEqual({ id: 'fay', weight: 1, ratings: count });
    const samples = await collect(streamSamples(store.db, report.dataset.id, { labels: ['human'] }));
    const labelled = samples.filter(({ content }) => JSON.stringify(content).includes('"content":"Aye.","label":{"humor":3}'));
    expect(labelled).toHaveLength(count / 2);
    const hashes = await store.db.select().from(sampleTable).orderBy(asc(sampleTable.position));
    expect(hashes.map(({ contentHash }) => contentHash)).toEqual(hashes.map(({ contentHash }) => contentHash).toSorted());
    const pairs = await collect(streamPairs(store.db, report.dataset.id));
    expect(new Set(pairs.map(({ prompt }) => prompt[0]!.content)).size).toBe(count / 2);
    expect(new Set(pairs.map(({ chosen, agreement }) => `${chosen[0]!.content} ${agreement}`))).toEqual(new Set(['Aye. 1']));
    expect((await run({ filters: { attributes: ['humor'] } })).created).toBe(false);
  });

  test('two models with two scales of one attribute are refused together', async () => {
    await rate(store.db, 'ann', 'c2', { ratings: { humor: 1 } });
    const [humor] = gameCharacters.attributes.filter(({ name }) => name === 'humor');
    const short = { ...gameCharacters, attributes: [{ ...humor!, levels: ['no', 'yes'], cap: 1 }] };
    await plantCompletion(store.db, 'c3', ['Aye.'], { model: 'rival' });
    await rate(store.db, 'ann', 'c3', { ratings: { humor: 1 } });
    const known = { ...models, schemaOf: ({ model }: { model: string }) => (model === 'rival' ? short : gameCharacters) };
    const one = { ...options, rules: { ...options.rules, minRaters: 1 } };
    await expect(harvest(store.db, one, known)).rejects.toMatchObject({
      code: 'conflict',
      message: 'Expected one scale for humor, found 0 to 4 and 0 to 1 among the models. Filter by model.',
      details: { param: 'filters.model' },
    });
    expect(await harvest(store.db, { ...one, filters: { model: 'rival' } }, known)).toMatchObject({ created: true });
  });

  test('a name that an import has is refused', async () => {
    await store.db.insert(datasets).values({ name: 'people', format: 'openai', hash: 'x', sampleCount: 0, conversationCount: 0 });
    await expect(run()).rejects.toMatchObject({ code: 'conflict', details: { param: 'dataset' } });
    expect(await store.db.select().from(datasets).where(eq(datasets.name, 'people'))).toHaveLength(1);
  });
});
