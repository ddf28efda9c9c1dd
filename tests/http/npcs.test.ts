// Characters over HTTP: made, found, replaced and deleted, in and out as cards, and nothing that was wrong leaves a trace.
import { describe, expect, test } from 'vitest';
import { npcEntries, npcSessions, npcs } from '../../src/store/npc-schema.ts';
import { base64, oddCard, png, text } from '../npc/odd-card.ts';
import { testDatabases } from '../store/databases.ts';
import { type Answer, knock, post } from './knock.ts';
import { marta, openInn } from './marta.ts';

describe.each(await testDatabases())('on $name', (database) => {
  const { inn, begin, line, read } = openInn(database);

  test('a character is made, found, replaced and deleted', async () => {
    const { body } = await knock(inn.house, '/v1/npcs/marta');
    expect(body).toMatchObject({ object: 'npc', id: 'marta', card: 'none', line_tokens: 96, fallback: ['{{char}} nods.'] });
    expect(body.rules[0]).toEqual({ ...marta.rules[0], priority: 0 });
    const other = await post(inn.house, '/v1/npcs', { name: 'Olin', persona: 'You are Olin.' });
    expect(other.body.id).toMatch(/^npc_[0-9a-f]{24}$/);
    const { id, created_at, updated_at, object, card, ...rest } = body;
    const init = {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...rest, name: 'Martha' }),
    };
    expect((await knock(inn.house, '/v1/npcs/marta', init)).body).toEqual({
      ...body,
      name: 'Martha',
      // A letter is a token here, and the persona says the name.
      tokens: { ...body.tokens, persona: body.tokens.persona + 1 },
      updated_at: expect.any(Number),
    });
    const listed = (await knock(inn.house, '/v1/npcs?limit=1')).body;
    expect(listed).toMatchObject({ data: [{ id: 'marta' }], has_more: true });
    expect(listed.data[0]).not.toHaveProperty('tokens');
    expect((await knock(inn.house, `/v1/npcs?after=marta`)).body).toMatchObject({ data: [{ name: 'Olin' }], has_more: false });
    const sid = await begin();
    await line(sid, 'Hello');
    expect((await knock(inn.house, '/v1/npcs/marta', { method: 'DELETE' })).body).toEqual({
      object: 'npc',
      id: 'marta',
      deleted: true,
    });
    expect([await inn.store.db.$count(npcSessions), await inn.store.db.$count(npcEntries)]).toEqual([0, 0]);
    expect((await knock(inn.house, '/v1/npcs/marta')).status).toBe(404);
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
      const { body } = await post(inn.house, '/v1/npcs', { name: 'Olin', persona: 'You are Olin.', ...fields });
      expect(body.error).toMatchObject({ param, code });
    }
    expect((await post(inn.house, '/v1/npcs', marta)).body.error).toMatchObject({ code: 'conflict', param: 'id' });
    expect(await inn.store.db.$count(npcs)).toBe(1);
  });

  describe('cards', () => {
    const send = async (body: string | Buffer, type: string, query = '') => {
      const reply = await inn.house.app.request(`/v1/npcs/import${query}`, {
        ...{ method: 'POST', headers: { 'content-type': type } },
        body: typeof body === 'string' ? body : new Uint8Array(body),
      });
      return { status: reply.status, body: (await reply.json()) as Answer['body'] };
    };
    const download = async (id: string, format = 'json') => {
      const reply = await inn.house.app.request(`/v1/npcs/${id}/card?format=${format}`);
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
      const sid = (await post(inn.house, '/v1/npcs/drawn/sessions', { player_id: 'ann', player_name: 'Ann' })).body.id;
      await post(inn.house, `/v1/npcs/drawn/sessions/${sid}/say`, { text: 'Is there a dragon?' });
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
      return await post(inn.house, `/v1/npcs/${id}/sessions`, { player_id: 'ann', player_name: 'Ann', seed: 3, ...fields });
    };
    const ask = async (id: string, sid: string, words: string) => {
      const { body } = await post(inn.house, `/v1/npcs/${id}/sessions/${sid}/say`, { text: words });
      return { body, read: read() };
    };

    test('that are too large for their model tell it: facts give way, and a persona that cannot is refused where it can be', async () => {
      const entries = Array.from({ length: 30 }, (_, i) => ({
        constant: true,
        keys: [],
        content: `Fact ${i}. ${'x'.repeat(90)}`,
      }));
      const large = await send(cardOf({ first_mes: 'Well met.', character_book: { entries } }), 'application/json', '?id=large');
      expect(large.status).toBe(200);
      expect(large.body.tokens).toMatchObject({ context: 2048, line: 96, persona: 8, greeting: 9, fits: true });
      expect(large.body.tokens.facts).toBeGreaterThan(2_900);
      const { left_out } = large.body.tokens;
      expect([left_out.facts > 10, left_out.examples]).toEqual([true, 0]);
      expect((await knock(inn.house, '/v1/npcs/large')).body.tokens).toEqual(large.body.tokens);
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
      const named = { ...never, extensions: { 'steerlm/attributes': { model: inn.talker.id } } };
      const refused = await send(cardOf(named), 'application/json', '?id=named');
      expect([refused.status, refused.body.error]).toEqual([
        400,
        expect.objectContaining({ code: 'context_length_exceeded', param: 'persona' }),
      ]);
      expect((await knock(inn.house, '/v1/npcs/named')).status).toBe(404);
      const body = { name: 'Ina', persona: never.description, model: inn.talker.id };
      expect((await post(inn.house, '/v1/npcs', body)).body.error.param).toBe('persona');
      inn.house.shelf.unloaded.add(inn.talker.id);
      expect((await knock(inn.house, '/v1/npcs/large')).body).not.toHaveProperty('tokens');
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
      const { id, object, created_at, updated_at, card, ...rest } = (await knock(inn.house, '/v1/npcs/armed')).body;
      const init = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(rest) };
      expect((await knock(inn.house, '/v1/npcs/armed', init)).body.facts).toEqual(body.facts);
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
      const fork = (await post(inn.house, `/v1/npcs/chance/sessions/${begun.id}/fork`, { from: 1, seed: 99 })).body;
      expect([fork.greeting, fork.seed]).toEqual([begun.greeting, 99]);
      expect((await ask('chance', fork.id, 'Well?')).read).toBe(first.read);
      const greetings = await Promise.all(
        Array.from({ length: 12 }, async (_, seed) => (await opened('chance', { seed })).body.greeting),
      );
      expect(new Set(greetings).size).toBeGreaterThan(3);
    });

    test('with macros nobody knows leave none raw, whatever their braces hold', async () => {
      const entries = [{ keys: ['box'], content: 'It is {{}}old.', secondary_keys: ['lid'], selective: true, selectiveLogic: 2 }];
      const first_mes = '{{#if x}}y{{else}}z{{/if}}';
      const { body } = await send(cardOf({ first_mes, character_book: { entries } }), 'application/json', '?id=braces');
      expect(body.facts).toEqual([{ content: 'It is {{}}old.', keys: ['box'], also: ['lid'], also_logic: 'not_any' }]);
      const places = body.not_followed.map(({ param }: { param: string }) => param);
      expect(places).toEqual(['greeting', 'greeting', 'greeting', 'facts.0.content']);
      const told = body.not_followed.map(({ message }: { message: string }) => message.includes('both branches'));
      expect(told).toEqual([true, true, true, false]);
      const begun = (await opened('braces')).body;
      expect(begun.greeting).toBe('yz');
      const { read: prompt } = await ask('braces', begun.id, 'A box?');
      expect(prompt).toContain('It is old.');
      expect(prompt).not.toMatch(/\{\{/);
      expect((await ask('braces', begun.id, 'A lid?')).read).not.toContain('It is old.');
    });

    test('keep what is steered among their extensions', async () => {
      await send(oddCard, 'application/json', '?id=serafin');
      const { id, object, created_at, updated_at, card, ...rest } = (await knock(inn.house, '/v1/npcs/serafin')).body;
      const init = { method: 'PUT', headers: { 'content-type': 'application/json' } };
      await knock(inn.house, '/v1/npcs/serafin', {
        ...init,
        body: JSON.stringify({ ...rest, rules: marta.rules, attributes: { humor: 1 } }),
      });
      const written = (await download('serafin')).bytes.toString();
      expect(written.replace(/,"steerlm\/attributes":\{.*?\]\}(?= \},)/, '')).toBe(oddCard);
      const again = (await send(written, 'application/json', '?id=again')).body;
      const first = (await knock(inn.house, '/v1/npcs/serafin')).body;
      const { not_followed, ...said } = again;
      expect(not_followed).toMatchObject([{ param: 'data.extensions.other/tool' }, { param: 'data.character_book.scan_depth' }]);
      expect({ ...said, id: '', created_at: 0, updated_at: 0 }).toEqual({ ...first, id: '', created_at: 0, updated_at: 0 });
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
      expect(await inn.store.db.$count(npcs)).toBe(1);
      expect((await inn.house.app.request('/v1/npcs/marta/card?format=png')).status).toBe(400);
    });
  });
});
