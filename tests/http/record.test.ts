// Finished chats are kept in the database, one row per reply; a reply that cannot be kept still reaches its caller.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Store } from '../../src/store/connect.ts';
import { completions } from '../../src/store/schema.ts';
import { testDatabases } from '../store/databases.ts';
import { knock, openHouse, post } from './knock.ts';

const path = '/v1/chat/completions';
const humorCurve = [
  { requested: 0, obtained: 0.5, replies: 9 },
  { requested: 4, obtained: 2.5, replies: 9 },
];
const ask = { messages: [{ role: 'user', content: 'Hello' }], seed: 7 };

describe.each(await testDatabases())('on $name', (database) => {
  let store: Store;
  beforeAll(async () => {
    store = await database.open();
  }, 60_000);
  afterAll(() => store.close());
  beforeEach(() => store.db.delete(completions));

  test('a whole reply and a streamed one are kept alike', async () => {
    const house = openHouse({}, { db: store.db });
    for (const stream of [false, true]) {
      const { body } = await post(house, path, { ...ask, n: 2, stream, attributes: { humor: 4 }, steering: { measure: true } });
      const rows = await store.db.select().from(completions).orderBy(completions.choice);
      expect(rows).toHaveLength(2);
      expect(rows[1]).toMatchObject({
        id: stream ? body[0].id : body.id,
        choice: 1,
        model: 'parrot',
        revision: 'rev-1',
        request: { messages: ask.messages },
        requested: { humor: 4 },
        applied: { helpfulness: 4, humor: 4, toxicity: 0 },
        measured: { verbosity: 4 },
        seed: 7,
        reply: 'word8 word8 word8 word8',
        finishReason: 'stop',
        promptTokens: house.model.requests[0]?.prompt.length,
        completionTokens: 5,
      });
      await store.db.delete(completions);
    }
  });

  test.each([
    ['alone', {}],
    ['of several', { n: 2 }],
    ['measured', { n: 2, steering: { measure: true } }],
    ['chosen among candidates', { n: 2, steering: { best_of: 3 } }],
    ['cut short', { max_tokens: 2 }],
    ['calibrated', { steering: { calibrated: true } }],
  ])('what is asked back is what was answered: %s', async (_, request) => {
    const house = openHouse({}, { db: store.db });
    house.model.curves = { humor: humorCurve };
    const body = { ...ask, attributes: { humor: 4 }, metadata: { scene: 'gate' }, ...request };
    const { body: answered } = await post(house, path, body);
    const streamed = (await post(house, path, { ...body, stream: true, stream_options: { include_usage: true } })).body;
    // The time told is that of the beginning, however late it is kept.
    await store.db.update(completions).set({ createdAt: sql`created_at + interval '5 seconds'` });
    const { body: listed } = await knock(house, path);
    expect(listed.data).toEqual(
      [answered, joinChunks(streamed)].map((told) => ({ ...told, seed: 7, metadata: { scene: 'gate' } })),
    );
    expect((await knock(house, `${path}/${answered.id}`)).body).toEqual(listed.data[0]);
  });

  test('a completion kept by an earlier version tells as much as was kept of it', async () => {
    const house = openHouse({}, { db: store.db });
    const { body } = await post(house, path, { ...ask, steering: { measure: true } });
    await store.db.update(completions).set({ measured: { humor: 0.63 }, steering: null, created: null });
    const { choices } = (await knock(house, `${path}/${body.id}`)).body;
    expect(choices[0].steering.measured).toEqual({ humor: { value: 0.63 } });
  });

  test('a reply that is kept, or was not to be, says nothing of it', async () => {
    expect((await post(openHouse({}, { db: store.db }), path, ask)).body).not.toHaveProperty('stored');
    expect((await post(openHouse(), path, ask)).body).not.toHaveProperty('stored');
  });

  test('a line of a character that could not be kept is told, and has no id to be rated under', async () => {
    const broken = await database.open();
    try {
      const house = openHouse({}, { db: broken.db });
      await post(house, '/v1/npcs', { id: 'marta', name: 'Marta', persona: 'You are Marta.' });
      const { id } = (await post(house, '/v1/npcs/marta/sessions', { player_id: 'ann' })).body;
      const say = async () => (await post(house, `/v1/npcs/marta/sessions/${id}/say`, { text: 'Hello' })).body;
      expect(await say()).toMatchObject({ id: expect.stringMatching(/^npcline-/) });
      await broken.db.execute(sql`drop table completions cascade`);
      const line = await say();
      expect([line.text === '', line.id, line.stored]).toEqual([false, null, false]);
    } finally {
      await broken.close();
    }
  });

  test('text no database can hold is kept with the rest of it', async () => {
    const house = openHouse({}, { db: store.db });
    const content = 'nul \u0000, half \ud83d, whole 😀, backslash \\u0000 \\\\u0000';
    await post(house, path, { ...ask, messages: [{ role: 'user', content }], 'odd\u0000key': 1 });
    const [row] = await store.db.select().from(completions);
    expect(row?.request).toMatchObject({
      messages: [{ role: 'user', content: 'nul \ufffd, half \ufffd, whole 😀, backslash \\u0000 \\\\u0000' }],
      'odd\ufffdkey': 1,
    });
    expect(house.lines.join('')).not.toContain('not kept');
  });

  test('a broken database costs the caller nothing but the keeping, which is told, and the log no secret', async () => {
    const broken = await database.open({ migrate: false });
    try {
      const house = openHouse({}, { db: broken.db });
      const secret = { ...ask, messages: [{ role: 'user', content: 'private words' }] };
      const { status, body } = await post(house, path, secret);
      expect([status, body.stored, body.choices.length]).toEqual([200, false, 1]);
      const line = JSON.parse(house.lines[0] as string);
      expect(line).toMatchObject({
        level: 40,
        msg: 'completion not kept',
        err: { code: '42P01', message: expect.stringMatching(/relation/) },
      });
      expect((await post(house, '/v1/completions', { prompt: 'private', seed: 7 })).body.stored).toBe(false);
      for (const [address, request] of [
        [path, { ...secret, n: 2 }],
        ['/v1/completions', { prompt: 'private', seed: 7, n: 2 }],
      ] as const) {
        const plain = (await post(house, address, { ...request, stream: true })).body.slice(0, -1);
        const stored = (chunks: { stored?: false }[]) => chunks.map((chunk) => chunk.stored);
        expect(stored(plain)).toEqual([...plain.slice(1).map(() => undefined), false]);
        expect(plain.at(-1).choices[0].finish_reason).toBe('stop');
        const options = { stream: true, stream_options: { include_usage: true } };
        const withUsage = (await post(house, address, { ...request, ...options })).body.slice(0, -1);
        expect(stored(withUsage).at(-1)).toBe(false);
      }
      expect(house.lines.join('')).not.toContain('private');
      expect((await post(house, path, { ...secret, store: false })).body).not.toHaveProperty('stored');
    } finally {
      await broken.close();
    }
  });
});

/** The completion that a client puts together of these chunks. */
// biome-ignore lint/suspicious/noExplicitAny: tests read whatever came back
function joinChunks(chunks: any[]) {
  const told = chunks.filter((chunk) => chunk !== '[DONE]');
  const { id, created, model, system_fingerprint } = told[0];
  const parts = told.flatMap((chunk) => chunk.choices);
  const choices = [...new Set(parts.map(({ index }) => index))].map((index) => {
    const own = parts.filter((part) => part.index === index);
    const content = own.map(({ delta }) => delta.content ?? '').join('');
    const { attributes } = own[0].delta;
    const { finish_reason, steering } = own.at(-1);
    const message = { role: 'assistant', content, refusal: null, attributes };
    return { index, message, logprobs: null, finish_reason, steering };
  });
  return { id, created, model, system_fingerprint, object: 'chat.completion', choices, usage: told.at(-1).usage };
}
