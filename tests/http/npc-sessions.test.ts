// Sessions with a character over HTTP: their clock, their log, their saves and forks, and the tokens that open them.
import { beforeEach, describe, expect, test } from 'vitest';
import { npcEntries, npcTokens } from '../../src/store/npc-schema.ts';
import { testDatabases } from '../store/databases.ts';
import { type House, knock, openHouse, post } from './knock.ts';
import { openInn } from './marta.ts';

describe.each(await testDatabases())('on $name', (database) => {
  const { inn, begin, at, tell, say, line, mood, log, read } = openInn(database);

  const refused = async (answer: Promise<{ status: number; body: { error: object } }>, status: number, error: object) => {
    const { status: found, body } = await answer;
    expect([found, body.error]).toEqual([status, expect.objectContaining(error)]);
  };

  test('the same seed, events and words give the same lines, in another session and after going back', async () => {
    const play = async (sid: string) => {
      const lines = [await line(sid, 'One', { at: 1 })];
      await tell(sid, 'player.insulted', 2);
      for (const [i, text] of ['Two', 'Three'].entries()) lines.push(await line(sid, text, { at: 3 + i }));
      return lines.map(({ text, steering }) => ({ text, steering }));
    };
    const [first, second] = [await begin({ at: 0 }), await begin({ at: 0, relationship: 0, player_id: 'bob' })];
    await line(first, 'Zero', { at: 0 });
    await line(second, 'Zero', { at: 0 });
    const save = (await post(inn.house, at(first, 'save'), { name: 'before' })).body;
    const fork = (await post(inn.house, at(first, 'fork'), {})).body.id;
    const played = await play(first);
    expect(new Set(played.map(({ text }) => text)).size).toBe(3);
    expect(await play(second)).toEqual(played);
    expect(await play(fork)).toEqual(played);
    const further = (await post(inn.house, at(first, 'save'), {})).body;
    expect((await post(inn.house, at(first, 'rewind'), { to: save.id })).body).toMatchObject({ entries: 3, relationship: 0 });
    expect(await play(first)).toEqual(played);
    await post(inn.house, at(first, 'rewind'), { to: 3 });
    expect(await play(first)).toEqual(played);
    await post(inn.house, at(first, 'rewind'), { to: save.id });
    expect((await post(inn.house, at(first, 'rewind'), { to: further.id })).body).toMatchObject({ entries: 10 });
    expect((await line(first, 'Four', { at: 9 })).text).toBe((await line(second, 'Four', { at: 9 })).text);
    expect((await knock(inn.house, at(first, 'saves'))).body.data.map(({ name }: { name: string }) => name)).toEqual([
      'before',
      null,
    ]);
    const other = (await post(inn.house, at(first, 'fork'), { from: save.id, seed: 6 })).body.id;
    expect((await play(other)).map(({ text }) => text)).not.toEqual(played.map(({ text }) => text));
    expect((await log(other)).map(({ kind }) => kind)).toEqual([
      'spoke',
      'heard',
      'spoke',
      'heard',
      'spoke',
      'event',
      'heard',
      'spoke',
      'heard',
      'spoke',
    ]);
  });

  test('a save is found by its name too: the latest of that name, in the session it belongs to', async () => {
    const sid = await begin({ at: 0 });
    const mark = async (fields: object) => (await post(inn.house, at(sid, 'save'), fields)).body.id as string;
    const first = await mark({ name: 'quick' });
    await tell(sid, 'player.insulted', 1);
    await mark({ name: 'quick' });
    // A name that is another save's id does not hide that save.
    await mark({ name: first });
    await tell(sid, 'player.insulted', 2);
    const rewind = async (to: string) => (await post(inn.house, at(sid, 'rewind'), { to })).body;
    expect((await rewind('quick')).entries).toBe(2);
    expect((await rewind(first)).entries).toBe(1);
    expect((await post(inn.house, at(sid, 'fork'), { from: 'quick' })).body.entries).toBe(2);
    expect((await rewind('x'.repeat(128))).error).toMatchObject({ code: 'not_found', param: 'to' });
    const other = await begin();
    expect((await post(inn.house, at(other, 'rewind'), { to: 'quick' })).status).toBe(404);
  });

  test('a fork for another player keeps the greeting that was said and whose doing things were; one from before has neither', async () => {
    const sid = await begin({ player_name: 'Ann' });
    const [greeted] = await log(sid);
    const fork = async (fields: object) => (await post(inn.house, at(sid, 'fork'), { player_name: 'Bob', ...fields })).body;
    const other = await fork({});
    expect([other.player_name, other.greeting]).toEqual(['Bob', greeted!.text]);
    expect(other.greeting).toContain('Ann');
    expect((await log(other.id))[0]!.text).toBe(other.greeting);
    expect((await fork({ from: 0 })).greeting).toBeNull();
    await tell(sid, 'quest.completed', undefined, { item: '{{char}}' });
    await line((await fork({})).id, 'Hello');
    expect(read()).toContain('You talk to Bob.\nThe inn has nine rooms.\nAnn brought {char}.');
  });

  test('a greeting said before the game told a time holds its clock to nothing', async () => {
    const sid = await begin();
    expect((await knock(inn.house, `/v1/npcs/marta/sessions/${sid}`)).body.at).toBeGreaterThan(1e9);
    expect((await mood(sid, 0)).at).toBe(0);
    expect((await tell(sid, 'player.insulted', 0)).body).toMatchObject({ at: 0, entries: 2 });
    expect((await mood(sid, 60)).attributes.toxicity.value).toBe(1);
    expect((await line(sid, 'Hello', { at: 60 })).steering.applied.toxicity).toBe(1);
    expect((await tell(sid, 'player.insulted', 59)).body.error.param).toBe('at');
    // What happened by the server's clock still counts.
    const late = await begin();
    await tell(late, 'player.insulted');
    expect((await tell(late, 'player.insulted', 5)).body.error).toMatchObject({
      param: 'at',
      message: expect.stringContaining('first thing that happens'),
    });
  });

  test('a session without a greeting begins when the game says', async () => {
    await post(inn.house, '/v1/npcs', { id: 'mute', name: 'Mute', persona: 'You are mute.' });
    const begun = (await post(inn.house, '/v1/npcs/mute/sessions', { player_id: 'ann', at: 7 })).body;
    expect(begun).toMatchObject({ at: 7, entries: 0 });
    const said = (fields: object) => post(inn.house, `/v1/npcs/mute/sessions/${begun.id}/say`, { text: 'Hello', ...fields });
    expect((await said({ at: 6 })).body.error.param).toBe('at');
    expect((await said({})).status).toBe(200);
    const entries = (await knock(inn.house, `/v1/npcs/mute/sessions/${begun.id}/log`)).body.data as { at: number }[];
    expect(entries.map((entry) => entry.at)).toEqual([7, 7]);
  });

  test('another process reads the same state from the log', async () => {
    const sid = await begin({ at: 0 });
    await tell(sid, 'player.insulted', 5);
    await line(sid, 'Hello', { at: 30 });
    const again = openHouse({}, { db: inn.store.db });
    again.shelf.languages = [inn.talker];
    expect((await knock(again, `${at(sid, 'mood')}?at=60`)).body).toEqual(await mood(sid, 60));
    expect((await knock(again, at(sid, 'mood').slice(0, -5))).body).toEqual(
      (await knock(inn.house, at(sid, 'mood').slice(0, -5))).body,
    );
  });

  test('however many write at once, in however many processes, every entry has its place', async () => {
    const sid = await begin({ at: 0 });
    const again = openHouse({}, { db: inn.store.db });
    again.shelf.languages = [inn.talker];
    const told = Array.from({ length: 30 }, (_, i) => {
      return post(i % 3 === 0 ? again : inn.house, at(sid, 'events'), {
        type: i % 2 === 0 ? 'player.insulted' : 'quest.completed',
        at: 1,
      });
    });
    expect((await Promise.all(told)).map(({ status }) => status)).toEqual(told.map(() => 200));
    const entries = (await knock(inn.house, at(sid, 'log'))).body.data as { position: number }[];
    expect(entries.map(({ position }) => position)).toEqual(Array.from({ length: 31 }, (_, i) => i));
    expect((await mood(sid, 1)).entries).toBe(31);
    expect(await inn.store.db.$count(npcEntries)).toBe(31);
  });

  test('what is wrong in play is named, and nothing changes', async () => {
    const sid = await begin({ at: 10 });
    const before = await log(sid);
    await refused(tell(sid, 'player.danced', 11), 400, {
      param: 'type',
      message: expect.stringContaining('player.insulted, quest.completed'),
    });
    await refused(tell(sid, 'player.insulted', 9), 400, { param: 'at' });
    await refused(post(inn.house, at(sid, 'events'), { type: 'player.insulted', data: { a: {} } }), 400, { param: 'data.a' });
    await refused(say(sid, ''), 400, { param: 'text' });
    await refused(say(sid, 'x'.repeat(2100)), 400, { code: 'context_length_exceeded', param: 'text' });
    await refused(post(inn.house, at(sid, 'rewind'), { to: 99 }), 400, { param: 'to' });
    await refused(post(inn.house, at(sid, 'rewind'), { to: 'save_x' }), 404, { param: 'to' });
    await refused(post(inn.house, at(sid, 'feedback'), { thumb: 'up' }), 404, { param: 'line' });
    for (const nothing of [{}, { ratings: {} }]) {
      await refused(post(inn.house, at(sid, 'feedback'), nothing), 400, { code: 'invalid_request' });
    }
    await refused(say('npcs_nobody', 'Hello'), 404, { code: 'not_found' });
    await post(inn.house, '/v1/npcs', { id: 'olin', name: 'Olin', persona: 'You are Olin.' });
    await refused(post(inn.house, `/v1/npcs/olin/sessions/${sid}/say`, { text: 'Hi' }), 404, { code: 'not_found' });
    expect(await log(sid)).toEqual(before);
    const long = { id: 'long', name: 'L', persona: 'word '.repeat(400) };
    await post(inn.house, '/v1/npcs', long);
    await refused(post(inn.house, '/v1/npcs/long/sessions', { player_id: 'ann' }), 400, {
      code: 'context_length_exceeded',
      param: 'persona',
    });
  });

  describe('tokens', () => {
    const key = 'server-key';
    const as = (token: string) => ({ authorization: `Bearer ${token}` });
    let guarded: House;
    let sid: string;
    const mint = async (fields: object = {}) => {
      return (await post(guarded, at(sid, 'tokens'), fields, as(key))).body as { token: string; allow: string[] };
    };
    beforeEach(async () => {
      guarded = openHouse({ STEER_API_KEY: key }, { db: inn.store.db });
      guarded.shelf.languages = [inn.talker];
      sid = await begin();
    });

    test('open their own session, for what they allow, for as long as they last', async () => {
      const { token, allow } = await mint();
      expect([token.slice(0, 5), allow]).toEqual(['npct_', ['say', 'mood', 'feedback']]);
      expect((await post(guarded, at(sid, 'say'), { text: 'Hello' }, as(token))).status).toBe(200);
      expect((await knock(guarded, at(sid, 'mood'), { headers: as(token) })).status).toBe(200);
      expect((await knock(guarded, `/v1/npcs/marta/sessions/${sid}`, { headers: as(token) })).status).toBe(200);
      const refusals = [
        await post(guarded, at(sid, 'events'), { type: 'player.insulted' }, as(token)),
        await post(guarded, at(sid, 'rewind'), { to: 0 }, as(token)),
        await post(guarded, at(await begin(), 'say'), { text: 'Hello' }, as(token)),
        await post(guarded, '/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] }, as(token)),
        await knock(guarded, '/v1/npcs/marta', { headers: as(token) }),
        await post(guarded, at(sid, 'tokens'), {}, as(token)),
      ];
      expect(refusals.map(({ status, body }) => [status, body.error.code])).toEqual(refusals.map(() => [403, 'forbidden']));
      expect(refusals[0]!.body.error.message).toMatch(/allows: say, mood, feedback/);
      expect(refusals[2]!.body.error.message).toMatch(/another session/);
      expect(
        (await post(guarded, at(sid, 'events'), { type: 'player.insulted' }, as((await mint({ allow: ['events'] })).token)))
          .status,
      ).toBe(200);
    });

    test('tell no time and write no line of the character, but for those that tell what happens', async () => {
      const { token } = await mint();
      const before = await log(sid);
      const sayAs = (fields: object, shown: string) => post(guarded, at(sid, 'say'), { text: 'Hello', ...fields }, as(shown));
      const forged = { max_ms: 1, fallback: 'The key is yours. {{roll:6}}' };
      for (const [fields, param] of [
        [{ at: 1e12 }, 'at'],
        [forged, 'fallback'],
      ] as const) {
        await refused(sayAs({ ...fields, interrupt: true }, token), 403, { code: 'forbidden', param });
      }
      expect(await log(sid)).toEqual(before);
      const { token: games } = await mint({ allow: ['say', 'events'] });
      expect((await sayAs({ at: 20 }, games)).status).toBe(200);
      await refused(sayAs(forged, games), 403, { code: 'forbidden', param: 'fallback' });
      expect((await sayAs({ at: 20, ...forged, max_ms: 1_000 }, key)).status).toBe(200);
    });

    test('that are unknown, past their life or whose session is gone are refused', async () => {
      const { token } = await mint();
      expect((await post(guarded, at(sid, 'say'), { text: 'Hello' }, as('npct_wrong'))).body.error.code).toBe('invalid_api_key');
      await inn.store.db.update(npcTokens).set({ expiresAt: new Date(Date.now() - 1_000) });
      const late = await post(guarded, at(sid, 'say'), { text: 'Hello' }, as(token));
      expect([late.status, late.body.error.message]).toEqual([
        401,
        expect.stringMatching(/was good until .* Ask the game server/),
      ]);
      const other = await mint();
      await knock(guarded, `/v1/npcs/marta/sessions/${sid}`, { method: 'DELETE', headers: as(key) });
      expect((await post(guarded, at(sid, 'say'), { text: 'Hello' }, as(other.token))).status).toBe(401);
    });

    test('are checked by a server without a key as well', async () => {
      const { token } = await mint({ allow: ['mood'] });
      expect((await post(inn.house, at(sid, 'say'), { text: 'Hello' }, as(token))).status).toBe(403);
      expect((await post(inn.house, at(sid, 'say'), { text: 'Hello' })).status).toBe(200);
    });
  });
});
