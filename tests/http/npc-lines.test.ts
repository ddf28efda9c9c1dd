// Lines of a character over HTTP, and the mood they are written under: what happens to a character shows in what it says.
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { SteerError } from '../../src/errors.ts';
import { testDatabases } from '../store/databases.ts';
import { knock, post } from './knock.ts';
import { marta, openInn } from './marta.ts';

describe.each(await testDatabases())('on $name', (database) => {
  const { inn, begin, at, tell, say, line, mood, log, read } = openInn(database);

  test('a model that cannot mix is asked at strength 1, or the refusal names the field', async () => {
    Object.assign(inn.talker, { mixes: false });
    const sid = await begin();
    const { status, body } = await say(sid, 'Hello.', { strength: 2 });
    expect([status, body.error]).toMatchObject([400, { param: 'strength', message: expect.stringMatching(/^strength 2 needs/) }]);
    expect(await line(sid, 'Hello.')).toMatchObject({ fallback: false, entries: 3 });
  });

  test('a measure that nobody can take is refused before anything is said', async () => {
    Object.assign(inn.talker, { chat: 'template' });
    const sid = await begin();
    const { status, body } = await say(sid, 'Hello.', { measure: true });
    expect([status, body.error]).toMatchObject([400, { param: 'steering.predictor' }]);
    expect(await line(sid, 'Hello.')).toMatchObject({ fallback: false, entries: 3 });
  });

  test('events change the mood, the mood explains itself, and lines are written under it', async () => {
    const sid = await begin({ at: 0 });
    expect((await tell(sid, 'quest.completed', 10, { item: 'a goose' })).body.attributes).toMatchObject({
      humor: { value: 3, baseline: 2 },
      helpfulness: { value: 4 },
    });
    const { body } = await tell(sid, 'player.insulted', 20);
    expect(body).toMatchObject({ object: 'npc.mood', at: 20, entries: 3, relationship: expect.closeTo(0.1) });
    expect(body.attributes.toxicity).toEqual({
      value: 2,
      baseline: 0,
      contributions: [{ source: 'rule', event: 'player.insulted', amount: 2, remaining: 2 }],
    });
    const later = await mood(sid, 80);
    expect(later.attributes.toxicity.value).toBe(1);
    for (const { value, baseline, contributions } of Object.values<{
      value: number;
      baseline: number;
      contributions: { remaining: number }[];
    }>(later.attributes)) {
      expect(contributions.reduce((sum, { remaining }) => sum + remaining, baseline)).toBeCloseTo(value, 9);
    }
    const said = await line(sid, 'Sorry.', { at: 80 });
    expect(said.steering.applied).toEqual(
      Object.fromEntries(Object.entries<{ value: number }>(later.attributes).map(([name, { value }]) => [name, value])),
    );
    expect(said).toMatchObject({
      object: 'npc.line',
      text: expect.stringMatching(/^Aye\. Seed \d+! Well then\.$/),
      fallback: false,
      entries: 5,
    });
    expect(read()).toContain(
      'You are Marta, an innkeeper. You talk to Ann.\nThe inn has nine rooms.\nAnn brought a goose.\nAnn insulted you.',
    );
    expect(read()).toContain('Welcome, Ann!');
    expect(read()).not.toContain('cellar');
    await line(sid, 'How is the CELLAR?', { at: 80 });
    expect(read()).toContain('The cellar floods in spring.');
    expect(read()).not.toContain('Rats');
    await line(sid, 'Are there rats?', { at: 80 });
    expect(read()).toContain('Rats live there.');
  });

  test('a player is met as the two parted', async () => {
    const sid = await begin();
    await tell(sid, 'quest.completed');
    expect((await mood(await begin())).relationship).toBe(0.5);
    expect((await mood(await begin({ player_id: 'bob' }))).relationship).toBe(0);
    expect((await mood(await begin({ relationship: -1 }))).attributes.helpfulness.value).toBe(2);
  });

  test('a mood set by hand adds to the others and ends', async () => {
    const sid = await begin({ at: 0 });
    const scene = { name: 'feast', changes: { humour: 2 }, lasts_s: 100, note: 'There is a feast.' };
    expect((await post(inn.house, at(sid, 'mood'), scene)).body.attributes.humor).toEqual({
      ...{ value: 4, baseline: 2, contributions: [{ source: 'scene', event: 'feast', amount: 2, remaining: 2 }] },
    });
    expect((await mood(sid, 100)).attributes.humor.value).toBe(2);
    const wrong = await post(inn.house, at(sid, 'mood'), { changes: { temper: 1 } });
    expect(wrong.body.error).toMatchObject({ code: 'unknown_attribute', param: 'changes.temper' });
  });

  test('sentences stream as events and as JSON lines, and the line comes last', async () => {
    const sid = await begin();
    const events = (await say(sid, 'Hello', { stream: true })).body;
    expect(events.slice(0, 3).map(({ text }: { text: string }) => text)).toEqual([
      'Aye. ',
      expect.stringMatching(/^Seed \d+! $/),
      'Well then.',
    ]);
    expect(events.at(-2)).toMatchObject({
      object: 'npc.line',
      text: events
        .slice(0, 3)
        .map(({ text }: { text: string }) => text)
        .join(''),
    });
    expect(events.at(-1)).toBe('[DONE]');
    const reply = await inn.house.app.request(at(sid, 'say'), {
      ...{ method: 'POST', headers: { 'content-type': 'application/json', accept: 'application/x-ndjson' } },
      body: JSON.stringify({ text: 'Hello', stream: true }),
    });
    expect(reply.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const lines = (await reply.text())
      .trim()
      .split('\n')
      .map((each) => JSON.parse(each).object);
    expect(lines).toEqual(['npc.sentence', 'npc.sentence', 'npc.sentence', 'npc.line']);
  });

  test('a line that is late ends after its last sentence, and without one the fallback is said', async () => {
    const sid = await begin();
    inn.talker.lateAfter = 3;
    const cut = await line(sid, 'Hello', { max_ms: 600_000 });
    expect(cut).toMatchObject({ fallback: false, steering: { deadline: true } });
    expect(cut.text).toMatch(/^Aye\. Seed \d+! $/);
    // An engine that says nothing at all is not waited for.
    inn.talker.gate.shut();
    expect(await line(sid, 'Hello', { max_ms: 30 })).toMatchObject({
      text: 'Marta nods.',
      fallback: true,
      reason: 'deadline',
      id: null,
    });
    expect(await line(sid, 'Hello', { max_ms: 30, fallback: 'Hm.{{#if x}}' })).toMatchObject({ text: 'Hm.', fallback: true });
    inn.talker.failure = { afterEvents: 0, error: Object.assign(new Error('broken')) };
    expect((await say(sid, 'Hello')).status).toBe(500);
    expect((await log(sid)).at(-1)).toMatchObject({ kind: 'heard' });
  });

  test('an overloaded engine is told, unless a fallback stands in', async () => {
    const sid = await begin();
    inn.talker.failure = { afterEvents: 0, error: new SteerError('overloaded', 'Too many wait.') };
    expect(await line(sid, 'Hello')).toMatchObject({ text: 'Marta nods.', fallback: true, reason: 'overloaded' });
    const { persona, name } = marta;
    await post(inn.house, '/v1/npcs', { id: 'mute', name, persona });
    const other = (await post(inn.house, '/v1/npcs/mute/sessions', { player_id: 'ann' })).body.id;
    expect((await post(inn.house, `/v1/npcs/mute/sessions/${other}/say`, { text: 'Hello' })).status).toBe(429);
  });

  test('one line at a time: a second is a conflict, or breaks the first off, and what was said stays', async () => {
    const sid = await begin();
    inn.talker.gate.shut(2);
    const first = say(sid, 'Tell me a story', { stream: true });
    // It asks for its third piece when the first sentence has been passed on.
    await expect.poll(() => inn.talker.gate.holding).toBe(1);
    expect((await say(sid, 'Wait')).body.error).toMatchObject({ code: 'conflict', param: 'interrupt' });
    expect(await log(sid)).toHaveLength(2);
    const second = line(sid, 'Enough!', { interrupt: true });
    await expect.poll(() => inn.talker.requests.length).toBe(2);
    inn.talker.gate.open();
    expect((await second).fallback).toBe(false);
    expect((await first).body.at(-1).error.code).toBe('cancelled');
    expect((await log(sid)).map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      'spoke Welcome, Ann!',
      'heard Tell me a story',
      'spoke Aye. ',
      'heard Enough!',
      expect.stringMatching(/^spoke Aye\. Seed/),
    ]);
    inn.talker.gate.shut();
    const third = say(sid, 'Go on');
    await expect.poll(() => inn.talker.gate.holding).toBe(1);
    expect((await post(inn.house, at(sid, 'cancel'), {})).body.cancelled).toBe(true);
    expect((await third).status).toBe(499);
    expect((await post(inn.house, at(sid, 'cancel'), {})).body.cancelled).toBe(false);
  });

  test('a caller who leaves just before the first sentence leaves nobody speaking', async () => {
    const sid = await begin();
    let asked = false;
    inn.talker.complete = async function* (_, signal) {
      asked = true;
      await once(signal, 'abort');
      yield { kind: 'delta', index: 0, text: 'Aye. And' };
    };
    const leaving = new AbortController();
    const { signal } = leaving;
    const headers = { 'content-type': 'application/json' };
    const left = knock(inn.house, at(sid, 'say'), { method: 'POST', headers, body: '{"text": "Hello"}', signal });
    await expect.poll(() => asked).toBe(true);
    leaving.abort();
    expect((await left).status).toBe(499);
    Reflect.deleteProperty(inn.talker, 'complete');
    await expect.poll(async () => (await say(sid, 'Still there?')).status).toBe(200);
  });

  test('going back while a line is said breaks it off, and it is not part of what was gone back to', async () => {
    const sid = await begin();
    inn.talker.gate.shut(2);
    const first = say(sid, 'Tell me a story');
    await expect.poll(() => inn.talker.gate.holding).toBe(1);
    expect((await post(inn.house, at(sid, 'rewind'), { to: 1 })).body.entries).toBe(1);
    expect((await first).status).toBe(499);
    expect(await log(sid)).toHaveLength(1);
  });

  test('warming up reads everything and says nothing', async () => {
    const sid = await begin();
    const { body } = await post(inn.house, at(sid, 'warm'), {});
    expect(body).toMatchObject({ object: 'npc.warm', session_id: sid, prompt_tokens: inn.talker.requests[0]!.prompt.length });
    expect([inn.talker.requests[0]!.maxTokens, (await log(sid)).length]).toEqual([1, 1]);
    expect(read()).toContain('Welcome, Ann!');
  });

  test('an event in the middle of a line is not lost', async () => {
    const sid = await begin({ at: 0 });
    inn.talker.gate.shut(2);
    const first = line(sid, 'Hello', { at: 1 });
    await expect.poll(() => inn.talker.gate.holding).toBe(1);
    await tell(sid, 'player.insulted', 2);
    inn.talker.gate.open();
    expect((await first).steering.applied.toxicity).toBe(0);
    expect((await log(sid)).map(({ kind }) => kind)).toEqual(['spoke', 'heard', 'event', 'spoke']);
    expect((await mood(sid)).attributes.toxicity.value).toBe(2);
  });

  test('what a character does is one of its actions', async () => {
    await post(inn.house, '/v1/npcs', {
      ...marta,
      id: 'busy',
      actions: ['pour_ale', { name: 'call_guard', when: 'the player is rude' }],
    });
    const sid = (await post(inn.house, '/v1/npcs/busy/sessions', { player_id: 'ann' })).body.id;
    expect((await post(inn.house, `/v1/npcs/busy/sessions/${sid}/say`, { text: 'An ale!' })).body.action).toBe('pour_ale');
    expect(inn.talker.requests.at(-1)!.constraint).toEqual({ kind: 'choice', choices: ['none', 'pour_ale', 'call_guard'] });
    expect(read()).toContain('call_guard (the player is rude)');
    // A model that never chooses is not waited for; where the machine stalls there may be no time for the line itself.
    inn.talker.choices.shut();
    const { body } = await post(inn.house, `/v1/npcs/busy/sessions/${sid}/say`, { text: 'An ale!', max_ms: 1_000 });
    expect(body.action).toBeUndefined();
    if (!body.fallback && !body.steering.deadline) expect(body.text).toContain('Well then.');
  });

  test('lines can be measured and rated, and thumbs teach the character what the player likes', async () => {
    const sid = await begin({ at: 0 });
    const said: { id: string; steering: object }[] = [];
    for (const humor of [2, -2, 2, -2, 2, -2]) {
      await post(inn.house, at(sid, 'mood'), { changes: { humor }, lasts_s: 1 });
      said.push(await line(sid, 'Hello', { measure: true }));
      const thumb = humor > 0 ? 'up' : 'down';
      const { body } = await post(inn.house, at(sid, 'feedback'), { thumb, ...(humor > 0 ? { ratings: { humor: 4 } } : {}) });
      expect(body).toMatchObject({ object: 'npc.feedback', line: said.at(-1)!.id });
      await post(inn.house, at(sid, 'mood'), { changes: { humor: 0 }, at: said.length * 10 });
    }
    expect(said[0]!.steering).toMatchObject({ measured: { humor: { level: 4 } } });
    const liked = (await mood(sid)).attributes.humor.contributions;
    expect(liked).toEqual([
      { source: 'preference', amount: expect.closeTo(0.6, 5), remaining: expect.closeTo(0.6, 5) },
      { source: 'rounding', amount: expect.any(Number), remaining: expect.any(Number) },
    ]);
    const next = (await mood(await begin())).attributes;
    expect([next.humor.value, next.toxicity.contributions]).toEqual([2.5, []]);
    const remembered = (await knock(inn.house, '/v1/chat/completions?limit=1')).body.data[0];
    expect(remembered.id).toMatch(/^npcline-/);
    const harvest = await post(inn.house, '/v1/feedback/harvest', { dataset: 'taste', rules: { min_raters: 1 } });
    expect(harvest.body).toMatchObject({ samples: 3 });
  });

  test('memory keeps to its budget: the oldest exchanges go, notes and facts stay', async () => {
    await post(inn.house, '/v1/npcs', { ...marta, id: 'old', memory_tokens: 200 });
    const sid = (await post(inn.house, '/v1/npcs/old/sessions', { player_id: 'ann', at: 0 })).body.id;
    const old = (part: string) => `/v1/npcs/old/sessions/${sid}/${part}`;
    await post(inn.house, old('events'), { type: 'player.insulted' });
    for (let i = 0; i < 8; i++) await post(inn.house, old('say'), { text: `Question ${i}` });
    expect(read()).toContain('Question 7');
    expect(read()).toContain('Player insulted you.');
    expect(read()).not.toContain('Question 0');
    expect(read()).toMatch(/^System\n/);
  });
});
