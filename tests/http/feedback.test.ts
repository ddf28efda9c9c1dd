// The feedback routes over HTTP: what may be said of a remembered reply, who may say it, and what comes of it in the end.
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/connect.ts';
import { feedback, raters } from '../../src/store/feedback-schema.ts';
import { completions, datasets } from '../../src/store/schema.ts';
import { testDatabases } from '../store/databases.ts';
import { type House, knock, openHouse, post } from './knock.ts';

const ask = { messages: [{ role: 'user', content: 'Hello' }], seed: 7, metadata: { scene: 'gate' } };

describe.each(await testDatabases())('on $name', (database) => {
  let store: Store;
  let house: House;
  beforeAll(async () => {
    store = await database.open();
  }, 60_000);
  afterAll(() => store.close());
  beforeEach(async () => {
    for (const table of [feedback, raters, completions, datasets]) await store.db.delete(table);
    house = openHouse({}, { db: store.db });
  });

  const say = (body: object) => post(house, '/v1/feedback', body);
  /** The same unchecked, and quicker, for what a test only builds on. */
  const send = async (path: string, body: object) => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const reply = await house.app.request(path, init);
    expect(reply.status).toBe(200);
    return (await reply.json()) as { id: string };
  };
  const remember = async (rest: object = {}) => (await send('/v1/chat/completions', { ...ask, ...rest })).id;
  const remove = (path: string) => knock(house, path, { method: 'DELETE' });

  test('a reply is rated, and the same words under the same id are one piece of feedback', async () => {
    const completion_id = await remember({ n: 2 });
    const body = { id: 'mine', rater: 'ann', completion_id, choice: 1, ratings: { humour: 3 }, thumb: 'up', comment: 'Fine.' };
    const first = await say(body);
    expect([first.status, first.body]).toEqual([
      200,
      {
        object: 'feedback',
        id: 'mine',
        created_at: expect.any(Number),
        rater: 'ann',
        completion_id,
        choice: 1,
        model: 'parrot',
        ratings: { humor: 3 },
        thumb: 'up',
        comment: 'Fine.',
        against: null,
      },
    ]);
    expect((await say(body)).body).toEqual(first.body);
    expect((await say({ ...body, thumb: 'down' })).status).toBe(409);
    expect((await knock(house, '/v1/feedback/mine')).body).toEqual(first.body);
    expect((await knock(house, '/v1/feedback/other')).status).toBe(404);
    const listed = await knock(
      house,
      `/v1/feedback?rater=ann&attribute=humor&kind=rating&since=1&completion_id=${completion_id}`,
    );
    expect(listed.body).toMatchObject({ object: 'list', first_id: 'mine', last_id: 'mine', has_more: false });
    const last = 253_402_300_799;
    for (const list of ['/v1/feedback', '/v1/chat/completions']) {
      expect((await knock(house, `${list}?until=${last}`)).status).toBe(200);
      const { status, body: late } = await knock(house, `${list}?until=${last + 1}`);
      expect([status, late.error.param]).toEqual([400, 'until']);
    }
    const { body: never } = await post(house, '/v1/feedback/harvest', { dataset: 'taste', filters: { since: last + 1 } });
    expect([never.error.code, never.error.param]).toEqual(['invalid_request', 'filters.since']);
  });

  test.each<[string, object, number, string, string]>([
    ['no rater', { rater: undefined }, 400, 'invalid_request', 'rater'],
    ['a rater no address can hold', { rater: 'a/b' }, 400, 'invalid_request', 'rater'],
    ['a rater named like a route', { rater: 'agreement' }, 400, 'invalid_request', 'rater'],
    ['the model itself', { rater: 'parrot' }, 400, 'invalid_request', 'rater'],
    ['a predictor', { rater: 'Counter' }, 400, 'invalid_request', 'rater'],
    ['a level above the scale', { ratings: { humor: 5 } }, 400, 'attribute_out_of_range', 'ratings.humor'],
    ['an attribute the model does not know', { ratings: { humr: 1 } }, 400, 'unknown_attribute', 'ratings.humr'],
    ['words for a number', { ratings: { humor: 'high' } }, 400, 'invalid_request', 'ratings.humor'],
    ['an unknown completion', { completion_id: 'chatcmpl-none' }, 404, 'not_found', 'completion_id'],
    ['a choice there is not', { choice: 1 }, 404, 'not_found', 'choice'],
    ['another outcome', { against: { completion_id: 'x', outcome: 'won' } }, 400, 'invalid_request', 'against.outcome'],
    ['a field that is none', { score: 3 }, 400, 'invalid_request', 'score'],
  ])('%s is refused', async (_, change, status, code, param) => {
    const completion_id = await remember();
    const answer = await say({ rater: 'ann', completion_id, ratings: { humor: 1 }, ...change });
    expect([answer.status, answer.body.error.code, answer.body.error.param]).toEqual([status, code, param]);
    if (code === 'unknown_attribute') expect(answer.body.error.message).toContain('Did you mean humor?');
    expect((await knock(house, '/v1/feedback')).body.data).toEqual([]);
  });

  test('feedback that says nothing, and a comparison across prompts, are refused', async () => {
    const completion_id = await remember();
    const other = await remember({ messages: [{ role: 'user', content: 'Bye' }] });
    expect((await say({ rater: 'ann', completion_id })).body.error.message).toContain('at least one of ratings');
    expect((await say({ rater: 'ann', completion_id, ratings: {} })).status).toBe(400);
    const answer = await say({ rater: 'ann', completion_id, against: { completion_id: other, outcome: 'win' } });
    expect([answer.status, answer.body.error.param]).toEqual([400, 'against']);
  });

  test('a model no longer served still has the attributes that were applied', async () => {
    const completion_id = await remember();
    house.shelf.languages = [];
    expect((await say({ rater: 'ann', completion_id, ratings: { toxicity: 4 } })).status).toBe(200);
    expect((await say({ rater: 'ann', completion_id, ratings: { humor: 4 } })).body.error.code).toBe('unknown_attribute');
    expect((await say({ rater: 'parrot', completion_id, thumb: 'up' })).body.error.param).toBe('rater');
  });

  test('store: false leaves nothing behind, on either route, whole or streamed', async () => {
    for (const stream of [false, true]) {
      await post(house, '/v1/chat/completions', { ...ask, stream, store: false });
      await post(house, '/v1/completions', { prompt: 'Once', stream, store: false });
    }
    expect(await store.db.select().from(completions)).toEqual([]);
    for (const stream of [false, true]) {
      await post(house, '/v1/chat/completions', { ...ask, stream, store: true });
      await post(house, '/v1/completions', { prompt: 'Once', n: 2, stream });
    }
    const rows = await store.db.select().from(completions);
    expect(rows.map(({ id }) => id.split('-')[0]).toSorted()).toEqual([...Array(2).fill('chatcmpl'), ...Array(4).fill('cmpl')]);
    expect(rows.find(({ id }) => id.startsWith('cmpl-'))).toMatchObject({
      request: { prompt: 'Once' },
      applied: {},
      measured: null,
    });
  });

  test("OpenAI's client lists, shows and deletes remembered completions", async () => {
    const client = new OpenAI({
      baseURL: 'http://localhost/v1',
      apiKey: 'none',
      fetch: async (url, init) => house.app.request(url as string, init),
    });
    const ids = [await remember(), await remember({ n: 2 }), await remember()];
    await post(house, '/v1/completions', { prompt: 'Once' });
    const listed: string[] = [];
    for await (const { id } of client.chat.completions.list({ limit: 2 })) listed.push(id);
    expect(listed).toEqual(ids);
    const shown = await client.chat.completions.retrieve(ids[1]!);
    expect(shown).toMatchObject({
      ...{ model: 'parrot', metadata: { scene: 'gate' } },
      choices: [{ index: 0 }, { index: 1, message: { content: expect.stringContaining('word8') } }],
    });
    expect((await client.chat.completions.messages.list(ids[1]!)).data).toMatchObject([{ role: 'user', content: 'Hello' }]);
    await say({ rater: 'ann', completion_id: ids[0], thumb: 'up' });
    await expect(client.chat.completions.delete(ids[0]!)).rejects.toMatchObject({ status: 409 });
    expect(await client.chat.completions.delete(ids[2]!)).toMatchObject({ deleted: true });
    expect((await knock(house, '/v1/chat/completions?order=desc')).body.data.map(({ id }: { id: string }) => id)).toEqual([
      ids[1],
      ids[0],
    ]);
    expect((await knock(house, '/v1/chat/completions?unrated_by=ann')).body.first_id).toBe(ids[1]);
    expect((await knock(house, '/v1/chat/completions?model=other')).body.data).toEqual([]);
    expect((await knock(house, `/v1/chat/completions/${ids[2]}`)).status).toBe(404);
  });

  test('ratings are harvested, a rater is removed, and the next harvest is without', async () => {
    const good = await remember();
    const bad = await remember({ seed: 9 });
    for (const [rater, humor] of Object.entries({ ann: 4, bob: 3, cat: 1 })) {
      await say({ rater, completion_id: good, ratings: { humor }, against: { completion_id: bad, outcome: 'win' } });
    }
    const harvest = () => post(house, '/v1/feedback/harvest', { dataset: 'rated', rules: { min_raters: 2 } });
    const first = await harvest();
    expect([first.status, first.body]).toMatchObject([
      200,
      { created: true, samples: 1, labels: 1, pairs: 1, dataset: { version: 1 } },
    ]);
    expect((await harvest()).body).toMatchObject({ created: false, dataset: { version: 1 } });
    const agreement = await knock(house, '/v1/raters/agreement?min_shared=2');
    expect(agreement.body.data.map(({ kind, raters }: Record<string, unknown>) => [kind, raters])).toEqual([
      ['preference', 3],
      ['attribute', 3],
    ]);
    expect((await remove('/v1/raters/cat/feedback')).body).toEqual({ object: 'rater.feedback', rater: 'cat', deleted: 1 });
    expect((await harvest()).body).toMatchObject({
      created: true,
      dataset: { version: 2 },
      raters: [{ id: 'ann' }, { id: 'bob' }],
    });
    const lines = await house.app.request('/v1/feedback/pairs?dataset=rated');
    expect(lines.headers.get('content-type')).toContain('application/jsonl');
    expect(JSON.parse((await lines.text()).trim())).toMatchObject({ prompt: ask.messages, agreement: 1 });
    const strict = await post(house, '/v1/feedback/harvest', { dataset: 'rated', rules: { min_raters: 9 } });
    expect(strict.body.error).toMatchObject({ code: 'invalid_dataset', param: 'rules.min_raters' });
    expect((await post(house, '/v1/feedback/harvest', { dataset: 'a/b' })).body.error.param).toBe('dataset');
  });

  test('raters are listed, weighed, checked and restored', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, (_, seed) => remember({ seed })));
    for (const [i, completion_id] of ids.entries()) {
      for (const [rater, humor] of [
        ['ann', i % 2],
        ['bob', i % 2],
        ['cat', i % 2],
        ['max', 4],
      ]) {
        await send('/v1/feedback', { rater, completion_id, ratings: { humor } });
      }
    }
    // The test ran with each rating.
    const max = await knock(house, '/v1/raters/max');
    expect(max.body).toMatchObject({ object: 'rater', weight: 0, flagged: true, feedback: 12, figures: { bias: 3.5 } });
    const checked = await post(house, '/v1/raters/check', {});
    expect(checked.body.data.map(({ flagged }: { flagged: boolean }) => flagged)).toEqual([false, false, false]);
    expect((await knock(house, '/v1/raters?limit=1&after=cat')).body).toMatchObject({ data: [{ id: 'max' }], has_more: false });
    expect((await post(house, '/v1/raters/max', { flagged: false, reason: 'was joking' })).body).toMatchObject({
      weight: 1,
      flagged: false,
      reason: 'was joking',
    });
    expect((await post(house, '/v1/raters/check', { rater: 'max' })).body.data).toMatchObject([{ flagged: false, ratings: 0 }]);
    expect((await post(house, '/v1/raters/max', { weight: 0.5 })).body.weight).toBe(0.5);
    for (const [path, body, status] of [
      ['/v1/raters/dan', { weight: 1 }, 404],
      ['/v1/raters/max', {}, 400],
      ['/v1/raters/max', { flagged: true }, 400],
      ['/v1/raters/max', { weight: -1 }, 400],
      ['/v1/raters/check', { rater: 'dan' }, 404],
    ] as const) {
      expect((await post(house, path, body)).status, path).toBe(status);
    }
    expect((await remove('/v1/raters/dan/feedback')).status).toBe(404);
  });

  test('the leaderboard ranks models by choices', async () => {
    const completion_id = await remember();
    await store.db
      .insert(completions)
      .values({ ...(await store.db.select().from(completions))[0]!, id: 'rival-1', model: 'rival' });
    await say({ rater: 'ann', completion_id, against: { completion_id: 'rival-1', outcome: 'win' } });
    await say({ rater: 'bob', completion_id: 'rival-1', against: { completion_id, outcome: 'loss' } });
    const { body } = await knock(house, '/v1/leaderboard?rounds=100&seed=1');
    expect(body).toMatchObject({ object: 'leaderboard', votes: 2, connected: true });
    expect(body.data.map(({ model, wins, losses }: Record<string, unknown>) => [model, wins, losses])).toEqual([
      ['parrot', 2, 0],
      ['rival', 0, 2],
    ]);
    expect((await knock(house, '/v1/leaderboard?rounds=5')).status).toBe(400);
  });
});

test('without a database the routes say so', async () => {
  const house = openHouse();
  for (const path of ['/v1/feedback', '/v1/raters', '/v1/leaderboard', '/v1/chat/completions']) {
    expect((await knock(house, path)).body.error.code).toBe('database_unavailable');
  }
});
