// Characters and their sessions over HTTP, on small models: what happens to a character shows in its lines, and nothing that was wrong leaves a trace.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { SteerError } from '../../src/errors.ts';
import type { CompletionEvent, CompletionRequest } from '../../src/generation/language-model.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import type { Store } from '../../src/store/connect.ts';
import { feedback } from '../../src/store/feedback-schema.ts';
import { npcEntries, npcSessions, npcs, npcTokens } from '../../src/store/npc-schema.ts';
import { completions } from '../../src/store/schema.ts';
import { Gate } from '../gate.ts';
import { base64, oddCard, png, text } from '../npc/odd-card.ts';
import { testDatabases } from '../store/databases.ts';
import { type Answer, type House, knock, openHouse, post } from './knock.ts';
import { ParrotModel } from './small-models.ts';

/** Says three sentences that name its seed, and chooses the second of the texts it is bound to; each piece passes the gate. */
class Talker extends ParrotModel {
  override readonly schema = gameCharacters;
  override readonly contextLength = 2048;
  readonly choices = new Gate();
  /** Its time is up after so many pieces. */
  lateAfter = Number.POSITIVE_INFINITY;

  override async *complete(request: CompletionRequest, signal: AbortSignal): AsyncGenerator<CompletionEvent> {
    this.requests.push(request);
    if (this.failure) throw this.failure.error;
    const { constraint } = request;
    const pieces =
      constraint?.kind === 'choice' ? [constraint.choices[1]!] : ['Aye. ', `Seed ${request.seed}! `, 'Well', ' then.'];
    const said = constraint ? pieces : pieces.slice(0, this.lateAfter);
    let text = '';
    for (const piece of said) {
      await (constraint ? this.choices : this.gate).pass(signal);
      signal.throwIfAborted();
      text += piece;
      yield { kind: 'delta', index: 0, text: piece };
    }
    const ended =
      said === pieces || said.length === pieces.length
        ? { finishReason: 'stop' as const }
        : { finishReason: 'length' as const, deadline: true as const };
    yield { kind: 'end', index: 0, text, completionTokens: said.length, ...ended };
  }
}

const marta = {
  ...{
    id: 'marta',
    name: 'Marta',
    persona: 'You are {{char}}, an innkeeper. You talk to {{user}}.',
    greeting: 'Welcome, {{user}}!',
  },
  attributes: { humor: 2, toxicity: 0 },
  caps: { toxicity: 2 },
  rules: [
    {
      event: 'player.insulted',
      changes: { humor: -1, toxicity: 2 },
      half_life_s: 60,
      relationship: -0.4,
      note: '{{user}} insulted you.',
    },
    { event: 'quest.completed', changes: { humor: 1 }, relationship: 0.5, note: '{{user}} brought {{item}}.' },
  ],
  relationship: { helpfulness: 2 },
  facts: [
    'The inn has nine rooms.',
    { content: 'The cellar floods in spring.', keys: ['cellar'] },
    { content: 'Rats live there.', keys: ['cellar'], also: ['rat'] },
  ],
  fallback: '{{char}} nods.',
};

describe.each(await testDatabases())('on $name', (database) => {
  let store: Store;
  let house: House;
  let talker: Talker;
  beforeAll(async () => {
    store = await database.open();
  }, 60_000);
  afterAll(() => store.close());
  beforeEach(async () => {
    for (const table of [feedback, completions, npcs, npcEntries]) await store.db.delete(table);
    house = openHouse({}, { db: store.db });
    talker = new Talker();
    house.shelf.languages = [talker];
    expect((await post(house, '/v1/npcs', marta)).status).toBe(200);
  });

  const begin = async (fields: object = {}) => {
    const { status, body } = await post(house, '/v1/npcs/marta/sessions', {
      player_id: 'ann',
      player_name: 'Ann',
      seed: 5,
      ...fields,
    });
    expect(status, JSON.stringify(body)).toBe(200);
    return body.id as string;
  };
  const at = (sid: string, part: string) => `/v1/npcs/marta/sessions/${sid}/${part}`;
  const tell = (sid: string, type: string, when?: number, data?: object) =>
    post(house, at(sid, 'events'), { type, at: when, data });
  const say = (sid: string, text: string, fields: object = {}) => post(house, at(sid, 'say'), { text, ...fields });
  const line = async (sid: string, text: string, fields: object = {}) => {
    const { status, body } = await say(sid, text, fields);
    expect(status, JSON.stringify(body)).toBe(200);
    return body;
  };
  const mood = async (sid: string, when?: number) =>
    (await knock(house, `${at(sid, 'mood')}${when === undefined ? '' : `?at=${when}`}`)).body;
  const log = async (sid: string) => (await knock(house, at(sid, 'log'))).body.data as { kind: string; text?: string }[];
  /** What the model read, control tokens left out. */
  const read = (request = talker.requests.at(-1)!) =>
    request.prompt
      .filter((id) => id > 2)
      .map((id) => String.fromCharCode(id - 3))
      .join('');

  test('a character is made, found, replaced and deleted', async () => {
    const { body } = await knock(house, '/v1/npcs/marta');
    expect(body).toMatchObject({ object: 'npc', id: 'marta', card: 'none', line_tokens: 96, fallback: ['{{char}} nods.'] });
    expect(body.rules[0]).toEqual({ ...marta.rules[0], priority: 0 });
    const other = await post(house, '/v1/npcs', { name: 'Olin', persona: 'You are Olin.' });
    expect(other.body.id).toMatch(/^npc_[0-9a-f]{24}$/);
    const { id, created_at, updated_at, object, card, ...rest } = body;
    const init = {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...rest, name: 'Martha' }),
    };
    expect((await knock(house, '/v1/npcs/marta', init)).body).toEqual({
      ...body,
      name: 'Martha',
      // A letter is a token here, and the persona says the name.
      tokens: { ...body.tokens, persona: body.tokens.persona + 1 },
      updated_at: expect.any(Number),
    });
    const listed = (await knock(house, '/v1/npcs?limit=1')).body;
    expect(listed).toMatchObject({ data: [{ id: 'marta' }], has_more: true });
    expect(listed.data[0]).not.toHaveProperty('tokens');
    expect((await knock(house, `/v1/npcs?after=marta`)).body).toMatchObject({ data: [{ name: 'Olin' }], has_more: false });
    const sid = await begin();
    await line(sid, 'Hello');
    expect((await knock(house, '/v1/npcs/marta', { method: 'DELETE' })).body).toEqual({
      object: 'npc',
      id: 'marta',
      deleted: true,
    });
    expect([await store.db.$count(npcSessions), await store.db.$count(npcEntries)]).toEqual([0, 0]);
    expect((await knock(house, '/v1/npcs/marta')).status).toBe(404);
  });

  test('what is wrong with a character is named, and none is made', async () => {
    const bad = [
      [{ rules: [{ event: 'e', changes: { temper: 1 } }] }, 'rules.0.changes.temper', 'unknown_attribute'],
      [{ attributes: { humor: 9 } }, 'attributes.humor', 'attribute_out_of_range'],
      [{ rules: [{ event: 'no spaces' }] }, 'rules.0.event', 'invalid_request'],
      [{ persona: '' }, 'persona', 'invalid_request'],
      [{ colour: 'red' }, 'colour', 'invalid_request'],
      [{ id: 'import' }, 'id', 'invalid_request'],
      [{ model: 'nobody' }, 'model', 'model_not_found'],
    ] as const;
    for (const [fields, param, code] of bad) {
      const { body } = await post(house, '/v1/npcs', { name: 'Olin', persona: 'You are Olin.', ...fields });
      expect(body.error).toMatchObject({ param, code });
    }
    expect((await post(house, '/v1/npcs', marta)).body.error).toMatchObject({ code: 'conflict', param: 'id' });
    expect(await store.db.$count(npcs)).toBe(1);
  });

  describe('cards', () => {
    const send = async (body: string | Buffer, type: string, query = '') => {
      const reply = await house.app.request(`/v1/npcs/import${query}`, {
        ...{ method: 'POST', headers: { 'content-type': type } },
        body: typeof body === 'string' ? body : new Uint8Array(body),
      });
      return { status: reply.status, body: (await reply.json()) as Answer['body'] };
    };
    const download = async (id: string, format = 'json') => {
      const reply = await house.app.request(`/v1/npcs/${id}/card?format=${format}`);
      return { type: reply.headers.get('content-type'), bytes: Buffer.from(await reply.arrayBuffer()) };
    };

    test('come in as JSON and as pictures, speak, and go out to the letter', async () => {
      const { status, body } = await send(oddCard, 'application/json', '?id=serafin');
      expect([status, body.name, body.card, body.greeting]).toEqual([200, 'Serafin', 'json', 'Halt, {{user}}!']);
      expect(JSON.stringify(body)).not.toMatch(/SECRET|secret-tag/);
      expect((await download('serafin')).bytes.toString()).toBe(oddCard);
      const image = png(text('chara', base64(oddCard)));
      expect((await send(image, 'image/png', '?id=drawn')).body).toMatchObject({
        id: 'drawn',
        card: 'png',
        persona: body.persona,
      });
      expect(await download('drawn', 'png')).toEqual({ type: 'image/png', bytes: image });
      const sid = (await post(house, '/v1/npcs/drawn/sessions', { player_id: 'ann', player_name: 'Ann' })).body.id;
      await post(house, `/v1/npcs/drawn/sessions/${sid}/say`, { text: 'Is there a dragon?' });
      expect(read()).toContain(
        'Serafin guards the gate of Thornwall.\nPersonality: stern, fair\nThe gate closes at dusk.\nThe dragon sleeps.',
      );
      expect(read()).toContain('May I pass?');
      expect(read()).toContain('Halt, Ann!');
      expect(read()).not.toMatch(/SECRET|secret-tag|Never told/);
    });

    const cardOf = (data: object) =>
      JSON.stringify({ spec: 'chara_card_v3', data: { name: 'Ina', description: 'A smith.', ...data } });
    const opened = async (id: string, fields: object = {}) => {
      return await post(house, `/v1/npcs/${id}/sessions`, { player_id: 'ann', player_name: 'Ann', seed: 3, ...fields });
    };
    const ask = async (id: string, sid: string, words: string) => {
      const { body } = await post(house, `/v1/npcs/${id}/sessions/${sid}/say`, { text: words });
      return { body, read: read() };
    };

    test('that are too large for their model tell it: facts give way, and a persona that cannot is refused where it can be', async () => {
      const entries = Array.from({ length: 30 }, (_, i) => ({ keys: [], content: `Fact ${i}. ${'x'.repeat(90)}` }));
      const large = await send(cardOf({ first_mes: 'Well met.', character_book: { entries } }), 'application/json', '?id=large');
      expect(large.status).toBe(200);
      expect(large.body.tokens).toMatchObject({ context: 2048, line: 96, persona: 8, greeting: 9, fits: true });
      expect(large.body.tokens.facts).toBeGreaterThan(2_900);
      const { left_out } = large.body.tokens;
      expect([left_out.facts > 10, left_out.examples]).toEqual([true, 0]);
      expect((await knock(house, '/v1/npcs/large')).body.tokens).toEqual(large.body.tokens);
      const said = await ask('large', (await opened('large')).body.id, 'Hi');
      expect(said.body.left_out).toEqual({ facts: left_out.facts, examples: 0, exchanges: 0, notes: 0 });
      expect([said.read.includes(`Fact ${29 - left_out.facts}.`), said.read.includes(`Fact ${30 - left_out.facts}.`)]).toEqual([
        true,
        false,
      ]);
      const never = { description: 'word '.repeat(400) };
      const unnamed = await send(cardOf(never), 'application/json', '?id=never');
      expect([unnamed.status, unnamed.body.tokens.fits]).toEqual([200, false]);
      expect((await opened('never')).body.error).toMatchObject({ code: 'context_length_exceeded', param: 'persona' });
      const named = { ...never, extensions: { 'steerlm/attributes': { model: talker.id } } };
      const refused = await send(cardOf(named), 'application/json', '?id=named');
      expect([refused.status, refused.body.error]).toEqual([
        400,
        expect.objectContaining({ code: 'context_length_exceeded', param: 'persona' }),
      ]);
      expect((await knock(house, '/v1/npcs/named')).status).toBe(404);
      const body = { name: 'Ina', persona: never.description, model: talker.id };
      expect((await post(house, '/v1/npcs', body)).body.error.param).toBe('persona');
      house.shelf.unloaded.add(talker.id);
      expect((await knock(house, '/v1/npcs/large')).body).not.toHaveProperty('tokens');
    });

    test('with keys that are regular expressions are followed, or say which key is not', async () => {
      const entries = [
        { keys: ['/swords?|blade/i'], use_regex: true, content: 'The sword is old.' },
        { keys: ['Axe'], case_sensitive: true, content: 'The axe is new.' },
        { keys: ['/(?<=my )bow/', '/yew/'], use_regex: true, content: 'The bow is of yew.' },
      ];
      const { body } = await send(cardOf({ character_book: { entries } }), 'application/json', '?id=armed');
      expect(body.facts[0]).toEqual({ content: 'The sword is old.', keys: ['/swords?|blade/i'], use_regex: true });
      expect(body.facts[1]).toEqual({ content: 'The axe is new.', keys: ['Axe'], case_sensitive: true });
      expect(body.not_followed).toEqual([{ param: 'facts.2.keys.0', message: expect.stringContaining('look-around') }]);
      expect(body.tokens).toMatchObject({ facts: 0, keyed_facts: 50 });
      const sid = (await opened('armed')).body.id;
      for (const [words, told] of [
        ['an axe?', []],
        ['my bow', []],
        ['Tell me of the Blade', ['The sword is old.']],
        ['An Axe of yew', ['The sword is old.', 'The axe is new.', 'The bow is of yew.']],
      ] as const) {
        const { read: prompt } = await ask('armed', sid, words);
        expect(entries.map(({ content }) => content).filter((content) => prompt.includes(content))).toEqual(told);
      }
      expect((await download('armed')).bytes.toString()).toBe(cardOf({ character_book: { entries } }));
      const { id, object, created_at, updated_at, card, ...rest } = (await knock(house, '/v1/npcs/armed')).body;
      const init = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(rest) };
      expect((await knock(house, '/v1/npcs/armed', init)).body.facts).toEqual(body.facts);
    });

    test('with macros of chance and notes leave none raw, and the same seed gives the same', async () => {
      const first_mes = 'Hi {{user}}.{{// ask about the bridge}} You rolled {{roll:6}}. {{random:Sit,Stand}}.{{getvar::gold}}';
      const greeted = { description: 'Likes {{pick:red,green,blue,black,white}}.', first_mes };
      const { body } = await send(cardOf(greeted), 'application/json', '?id=chance');
      expect(body.greeting).toBe(first_mes);
      expect(body.not_followed).toEqual([{ param: 'greeting', message: expect.stringContaining('{{getvar::gold}}') }]);
      const begun = (await opened('chance')).body;
      expect(begun.greeting).toMatch(/^Hi Ann\. You rolled [1-6]\. (Sit|Stand)\.$/);
      const again = (await opened('chance')).body;
      expect(again.greeting).toBe(begun.greeting);
      const first = await ask('chance', begun.id, 'Well?');
      expect(first.read).toMatch(/Likes (red|green|blue|black|white)\./);
      expect(first.read).toContain(begun.greeting);
      expect((await ask('chance', again.id, 'Well?')).read).toBe(first.read);
      // Who the character is does not change in a fork that goes on by another seed.
      const fork = (await post(house, `/v1/npcs/chance/sessions/${begun.id}/fork`, { from: 1, seed: 99 })).body;
      expect([fork.greeting, fork.seed]).toEqual([begun.greeting, 99]);
      expect((await ask('chance', fork.id, 'Well?')).read).toBe(first.read);
      const greetings = await Promise.all(
        Array.from({ length: 12 }, async (_, seed) => (await opened('chance', { seed })).body.greeting),
      );
      expect(new Set(greetings).size).toBeGreaterThan(3);
    });

    test('keep what is steered among their extensions', async () => {
      await send(oddCard, 'application/json', '?id=serafin');
      const { id, object, created_at, updated_at, card, ...rest } = (await knock(house, '/v1/npcs/serafin')).body;
      const init = { method: 'PUT', headers: { 'content-type': 'application/json' } };
      await knock(house, '/v1/npcs/serafin', {
        ...init,
        body: JSON.stringify({ ...rest, rules: marta.rules, attributes: { humor: 1 } }),
      });
      const written = (await download('serafin')).bytes.toString();
      expect(written.replace(/,"steerlm\/attributes":\{.*?\]\}(?= \},)/, '')).toBe(oddCard);
      const again = (await send(written, 'application/json', '?id=again')).body;
      const first = (await knock(house, '/v1/npcs/serafin')).body;
      expect({ ...again, id: '', created_at: 0, updated_at: 0 }).toEqual({ ...first, id: '', created_at: 0, updated_at: 0 });
    });

    test('that are broken are refused, and nothing is made', async () => {
      const flipped = png(text('chara', base64(oddCard)));
      flipped[300]! ^= 1;
      const wrong = oddCard.replace(
        '"other/tool"',
        '"steerlm/attributes": {"rules": [{"event": "e", "changes": {"temper": 1}}]}, "other/tool"',
      );
      const odd = oddCard.replace('"other/tool"', '"steerlm/attributes": {"colour": 1}, "other/tool"');
      const answers = [
        [await send(flipped, 'image/png'), 400, 'card', /tEXt, does not fit its checksum/],
        [await send('{"spec": "chara_card_v9"}', 'application/json'), 400, 'spec', /chara_card_v9/],
        [await send('{', 'application/json'), 400, null, /parse/],
        [await send('x', 'text/plain'), 415, null, /application\/json or image\/png/],
        [await send(wrong, 'application/json'), 400, 'rules.0.changes.temper', /Unknown attribute/],
        [await send(odd, 'application/json'), 400, 'colour', /colour/],
        [await send(oddCard, 'application/json', '?id=marta'), 409, 'id', /already/],
      ] as const;
      for (const [{ status, body }, wanted, param, message] of answers) {
        expect([status, body.error.param], body.error.message).toEqual([wanted, param]);
        expect(body.error.message).toMatch(message);
      }
      const large = await send(Buffer.alloc(2 ** 24 + 1), 'image/png');
      expect([large.status, large.body.error.message]).toEqual([413, expect.stringContaining('smaller picture')]);
      expect(await store.db.$count(npcs)).toBe(1);
      expect((await house.app.request('/v1/npcs/marta/card?format=png')).status).toBe(400);
    });
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
    const save = (await post(house, at(first, 'save'), { name: 'before' })).body;
    const fork = (await post(house, at(first, 'fork'), {})).body.id;
    const played = await play(first);
    expect(new Set(played.map(({ text }) => text)).size).toBe(3);
    expect(await play(second)).toEqual(played);
    expect(await play(fork)).toEqual(played);
    const further = (await post(house, at(first, 'save'), {})).body;
    expect((await post(house, at(first, 'rewind'), { to: save.id })).body).toMatchObject({ entries: 3, relationship: 0 });
    expect(await play(first)).toEqual(played);
    await post(house, at(first, 'rewind'), { to: 3 });
    expect(await play(first)).toEqual(played);
    await post(house, at(first, 'rewind'), { to: save.id });
    expect((await post(house, at(first, 'rewind'), { to: further.id })).body).toMatchObject({ entries: 10 });
    expect((await line(first, 'Four', { at: 9 })).text).toBe((await line(second, 'Four', { at: 9 })).text);
    expect((await knock(house, at(first, 'saves'))).body.data.map(({ name }: { name: string }) => name)).toEqual([
      'before',
      null,
    ]);
    const other = (await post(house, at(first, 'fork'), { from: save.id, seed: 6 })).body.id;
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
    const mark = async (fields: object) => (await post(house, at(sid, 'save'), fields)).body.id as string;
    const first = await mark({ name: 'quick' });
    await tell(sid, 'player.insulted', 1);
    await mark({ name: 'quick' });
    // A name that is another save's id does not hide that save.
    await mark({ name: first });
    await tell(sid, 'player.insulted', 2);
    const rewind = async (to: string) => (await post(house, at(sid, 'rewind'), { to })).body;
    expect((await rewind('quick')).entries).toBe(2);
    expect((await rewind(first)).entries).toBe(1);
    expect((await post(house, at(sid, 'fork'), { from: 'quick' })).body.entries).toBe(2);
    expect((await rewind('x'.repeat(128))).error).toMatchObject({ code: 'not_found', param: 'to' });
    const other = await begin();
    expect((await post(house, at(other, 'rewind'), { to: 'quick' })).status).toBe(404);
  });

  test('a greeting said before the game told a time holds its clock to nothing', async () => {
    const sid = await begin();
    expect((await knock(house, `/v1/npcs/marta/sessions/${sid}`)).body.at).toBeGreaterThan(1e9);
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
    await post(house, '/v1/npcs', { id: 'mute', name: 'Mute', persona: 'You are mute.' });
    const begun = (await post(house, '/v1/npcs/mute/sessions', { player_id: 'ann', at: 7 })).body;
    expect(begun).toMatchObject({ at: 7, entries: 0 });
    const said = (fields: object) => post(house, `/v1/npcs/mute/sessions/${begun.id}/say`, { text: 'Hello', ...fields });
    expect((await said({ at: 6 })).body.error.param).toBe('at');
    expect((await said({})).status).toBe(200);
    const entries = (await knock(house, `/v1/npcs/mute/sessions/${begun.id}/log`)).body.data as { at: number }[];
    expect(entries.map((entry) => entry.at)).toEqual([7, 7]);
  });

  test('another process reads the same state from the log', async () => {
    const sid = await begin({ at: 0 });
    await tell(sid, 'player.insulted', 5);
    await line(sid, 'Hello', { at: 30 });
    const again = openHouse({}, { db: store.db });
    again.shelf.languages = [talker];
    expect((await knock(again, `${at(sid, 'mood')}?at=60`)).body).toEqual(await mood(sid, 60));
    expect((await knock(again, at(sid, 'mood').slice(0, -5))).body).toEqual(
      (await knock(house, at(sid, 'mood').slice(0, -5))).body,
    );
  });

  test('however many write at once, in however many processes, every entry has its place', async () => {
    const sid = await begin({ at: 0 });
    const again = openHouse({}, { db: store.db });
    again.shelf.languages = [talker];
    const told = Array.from({ length: 30 }, (_, i) => {
      return post(i % 3 === 0 ? again : house, at(sid, 'events'), {
        type: i % 2 === 0 ? 'player.insulted' : 'quest.completed',
        at: 1,
      });
    });
    expect((await Promise.all(told)).map(({ status }) => status)).toEqual(told.map(() => 200));
    const entries = (await knock(house, at(sid, 'log'))).body.data as { position: number }[];
    expect(entries.map(({ position }) => position)).toEqual(Array.from({ length: 31 }, (_, i) => i));
    expect((await mood(sid, 1)).entries).toBe(31);
    expect(await store.db.$count(npcEntries)).toBe(31);
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
    expect((await post(house, at(sid, 'mood'), scene)).body.attributes.humor).toEqual({
      ...{ value: 4, baseline: 2, contributions: [{ source: 'scene', event: 'feast', amount: 2, remaining: 2 }] },
    });
    expect((await mood(sid, 100)).attributes.humor.value).toBe(2);
    const wrong = await post(house, at(sid, 'mood'), { changes: { temper: 1 } });
    expect(wrong.body.error).toMatchObject({ code: 'unknown_attribute', param: 'changes.temper' });
  });

  test('what is wrong in play is named, and nothing changes', async () => {
    const sid = await begin({ at: 10 });
    const before = await log(sid);
    const refused = async (answer: Promise<{ status: number; body: { error: object } }>, status: number, error: object) => {
      const { status: found, body } = await answer;
      expect([found, body.error]).toEqual([status, expect.objectContaining(error)]);
    };
    await refused(tell(sid, 'player.danced', 11), 400, {
      param: 'type',
      message: expect.stringContaining('player.insulted, quest.completed'),
    });
    await refused(tell(sid, 'player.insulted', 9), 400, { param: 'at' });
    await refused(post(house, at(sid, 'events'), { type: 'player.insulted', data: { a: {} } }), 400, { param: 'data.a' });
    await refused(say(sid, ''), 400, { param: 'text' });
    await refused(say(sid, 'x'.repeat(2100)), 400, { code: 'context_length_exceeded', param: 'text' });
    await refused(post(house, at(sid, 'rewind'), { to: 99 }), 400, { param: 'to' });
    await refused(post(house, at(sid, 'rewind'), { to: 'save_x' }), 404, { param: 'to' });
    await refused(post(house, at(sid, 'feedback'), { thumb: 'up' }), 404, { param: 'line' });
    await refused(say('npcs_nobody', 'Hello'), 404, { code: 'not_found' });
    await post(house, '/v1/npcs', { id: 'olin', name: 'Olin', persona: 'You are Olin.' });
    await refused(post(house, `/v1/npcs/olin/sessions/${sid}/say`, { text: 'Hi' }), 404, { code: 'not_found' });
    expect(await log(sid)).toEqual(before);
    const long = { id: 'long', name: 'L', persona: 'word '.repeat(400) };
    await post(house, '/v1/npcs', long);
    await refused(post(house, '/v1/npcs/long/sessions', { player_id: 'ann' }), 400, {
      code: 'context_length_exceeded',
      param: 'persona',
    });
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
    const reply = await house.app.request(at(sid, 'say'), {
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
    talker.lateAfter = 3;
    const cut = await line(sid, 'Hello', { max_ms: 600_000 });
    expect(cut).toMatchObject({ fallback: false, steering: { deadline: true } });
    expect(cut.text).toMatch(/^Aye\. Seed \d+! $/);
    // An engine that says nothing at all is not waited for.
    talker.gate.shut();
    expect(await line(sid, 'Hello', { max_ms: 30 })).toMatchObject({
      text: 'Marta nods.',
      fallback: true,
      reason: 'deadline',
      id: null,
    });
    expect(await line(sid, 'Hello', { max_ms: 30, fallback: 'Hm.' })).toMatchObject({ text: 'Hm.', fallback: true });
    talker.failure = { afterEvents: 0, error: Object.assign(new Error('broken')) };
    expect((await say(sid, 'Hello')).status).toBe(500);
    expect((await log(sid)).at(-1)).toMatchObject({ kind: 'heard' });
  });

  test('an overloaded engine is told, unless a fallback stands in', async () => {
    const sid = await begin();
    talker.failure = { afterEvents: 0, error: new SteerError('overloaded', 'Too many wait.') };
    expect(await line(sid, 'Hello')).toMatchObject({ text: 'Marta nods.', fallback: true, reason: 'overloaded' });
    const { persona, name } = marta;
    await post(house, '/v1/npcs', { id: 'mute', name, persona });
    const other = (await post(house, '/v1/npcs/mute/sessions', { player_id: 'ann' })).body.id;
    expect((await post(house, `/v1/npcs/mute/sessions/${other}/say`, { text: 'Hello' })).status).toBe(429);
  });

  test('one line at a time: a second is a conflict, or breaks the first off, and what was said stays', async () => {
    const sid = await begin();
    talker.gate.shut(2);
    const first = say(sid, 'Tell me a story', { stream: true });
    // It asks for its third piece when the first sentence has been passed on.
    await expect.poll(() => talker.gate.holding).toBe(1);
    expect((await say(sid, 'Wait')).body.error).toMatchObject({ code: 'conflict', param: 'interrupt' });
    expect(await log(sid)).toHaveLength(2);
    const second = line(sid, 'Enough!', { interrupt: true });
    await expect.poll(() => talker.requests.length).toBe(2);
    talker.gate.open();
    expect((await second).fallback).toBe(false);
    expect((await first).body.at(-1).error.code).toBe('cancelled');
    expect((await log(sid)).map(({ kind, text }) => `${kind} ${text}`)).toEqual([
      'spoke Welcome, Ann!',
      'heard Tell me a story',
      'spoke Aye. ',
      'heard Enough!',
      expect.stringMatching(/^spoke Aye\. Seed/),
    ]);
    talker.gate.shut();
    const third = say(sid, 'Go on');
    await expect.poll(() => talker.gate.holding).toBe(1);
    expect((await post(house, at(sid, 'cancel'), {})).body.cancelled).toBe(true);
    expect((await third).status).toBe(499);
    expect((await post(house, at(sid, 'cancel'), {})).body.cancelled).toBe(false);
  });

  test('going back while a line is said breaks it off, and it is not part of what was gone back to', async () => {
    const sid = await begin();
    talker.gate.shut(2);
    const first = say(sid, 'Tell me a story');
    await expect.poll(() => talker.gate.holding).toBe(1);
    expect((await post(house, at(sid, 'rewind'), { to: 1 })).body.entries).toBe(1);
    expect((await first).status).toBe(499);
    expect(await log(sid)).toHaveLength(1);
  });

  test('warming up reads everything and says nothing', async () => {
    const sid = await begin();
    const { body } = await post(house, at(sid, 'warm'), {});
    expect(body).toMatchObject({ object: 'npc.warm', session_id: sid, prompt_tokens: talker.requests[0]!.prompt.length });
    expect([talker.requests[0]!.maxTokens, (await log(sid)).length]).toEqual([1, 1]);
    expect(read()).toContain('Welcome, Ann!');
  });

  test('an event in the middle of a line is not lost', async () => {
    const sid = await begin({ at: 0 });
    talker.gate.shut(2);
    const first = line(sid, 'Hello', { at: 1 });
    await expect.poll(() => talker.gate.holding).toBe(1);
    await tell(sid, 'player.insulted', 2);
    talker.gate.open();
    expect((await first).steering.applied.toxicity).toBe(0);
    expect((await log(sid)).map(({ kind }) => kind)).toEqual(['spoke', 'heard', 'event', 'spoke']);
    expect((await mood(sid)).attributes.toxicity.value).toBe(2);
  });

  test('what a character does is one of its actions', async () => {
    await post(house, '/v1/npcs', {
      ...marta,
      id: 'busy',
      actions: ['pour_ale', { name: 'call_guard', when: 'the player is rude' }],
    });
    const sid = (await post(house, '/v1/npcs/busy/sessions', { player_id: 'ann' })).body.id;
    expect((await post(house, `/v1/npcs/busy/sessions/${sid}/say`, { text: 'An ale!' })).body.action).toBe('pour_ale');
    expect(talker.requests.at(-1)!.constraint).toEqual({ kind: 'choice', choices: ['none', 'pour_ale', 'call_guard'] });
    expect(read()).toContain('call_guard (the player is rude)');
    // A model that never chooses is not waited for; where the machine stalls there may be no time for the line itself.
    talker.choices.shut();
    const { body } = await post(house, `/v1/npcs/busy/sessions/${sid}/say`, { text: 'An ale!', max_ms: 1_000 });
    expect(body.action).toBeUndefined();
    if (!body.fallback && !body.steering.deadline) expect(body.text).toContain('Well then.');
  });

  test('lines can be measured and rated, and thumbs teach the character what the player likes', async () => {
    const sid = await begin({ at: 0 });
    const said: { id: string; steering: object }[] = [];
    for (const humor of [2, -2, 2, -2, 2, -2]) {
      await post(house, at(sid, 'mood'), { changes: { humor }, lasts_s: 1 });
      said.push(await line(sid, 'Hello', { measure: true }));
      const thumb = humor > 0 ? 'up' : 'down';
      const { body } = await post(house, at(sid, 'feedback'), { thumb, ...(humor > 0 ? { ratings: { humor: 4 } } : {}) });
      expect(body).toMatchObject({ object: 'npc.feedback', line: said.at(-1)!.id });
      await post(house, at(sid, 'mood'), { changes: { humor: 0 }, at: said.length * 10 });
    }
    expect(said[0]!.steering).toMatchObject({ measured: { humor: { level: 4 } } });
    const liked = (await mood(sid)).attributes.humor.contributions;
    expect(liked).toEqual([
      { source: 'preference', amount: expect.closeTo(0.6, 5), remaining: expect.closeTo(0.6, 5) },
      { source: 'rounding', amount: expect.any(Number), remaining: expect.any(Number) },
    ]);
    const next = (await mood(await begin())).attributes;
    expect([next.humor.value, next.toxicity.contributions]).toEqual([2.5, []]);
    const remembered = (await knock(house, '/v1/chat/completions?limit=1')).body.data[0];
    expect(remembered.id).toMatch(/^npcline-/);
    const harvest = await post(house, '/v1/feedback/harvest', { dataset: 'taste', rules: { min_raters: 1 } });
    expect(harvest.body).toMatchObject({ samples: 3 });
  });

  test('memory keeps to its budget: the oldest exchanges go, notes and facts stay', async () => {
    await post(house, '/v1/npcs', { ...marta, id: 'old', memory_tokens: 200 });
    const sid = (await post(house, '/v1/npcs/old/sessions', { player_id: 'ann', at: 0 })).body.id;
    const old = (part: string) => `/v1/npcs/old/sessions/${sid}/${part}`;
    await post(house, old('events'), { type: 'player.insulted' });
    for (let i = 0; i < 8; i++) await post(house, old('say'), { text: `Question ${i}` });
    expect(read()).toContain('Question 7');
    expect(read()).toContain('Player insulted you.');
    expect(read()).not.toContain('Question 0');
    expect(read()).toMatch(/^System\n/);
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
      guarded = openHouse({ STEER_API_KEY: key }, { db: store.db });
      guarded.shelf.languages = [talker];
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

    test('that are unknown, past their life or whose session is gone are refused', async () => {
      const { token } = await mint();
      expect((await post(guarded, at(sid, 'say'), { text: 'Hello' }, as('npct_wrong'))).body.error.code).toBe('invalid_api_key');
      await store.db.update(npcTokens).set({ expiresAt: new Date(Date.now() - 1_000) });
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
      expect((await post(house, at(sid, 'say'), { text: 'Hello' }, as(token))).status).toBe(403);
      expect((await post(house, at(sid, 'say'), { text: 'Hello' })).status).toBe(200);
    });
  });
});
