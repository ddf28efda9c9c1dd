// Character cards come in and go out again, and what nobody here knows of them stays as it was written, to the letter.
import { describe, expect, test } from 'vitest';
import { readCard, writeCard } from '../../src/npc/card.ts';
import { elementTexts, memberText, setMember } from '../../src/npc/json-members.ts';
import { randomStream } from '../../src/random.ts';
import { oddCard } from './odd-card.ts';

describe('a card is read', () => {
  test('into who the character is, without what is for people only', () => {
    const read = readCard(oddCard);
    expect(read).toEqual({
      name: 'Serafin',
      persona: '{{char}} guards the gate of Thornwall.\nPersonality: stern, fair',
      greeting: 'Halt, {{user}}!',
      examples: [{ player: 'May I pass?', npc: 'State your business.\nQuickly.' }, { npc: 'Move along.' }],
      facts: [
        { content: 'The gate closes at dusk.', keys: [] },
        { content: 'The dragon sleeps.', keys: ['dragon'] },
      ],
      steering: {},
    });
    expect(JSON.stringify(read)).not.toMatch(/SECRET|secret-tag/);
  });

  test('of V3: a nickname, entries that need two keys, lines that speak to programs; and is written back to the letter', () => {
    const entries = [
      {
        keys: ['dragon'],
        secondary_keys: ['cave', ''],
        selective: true,
        content: '@@depth 4\n@@role system\nIt sleeps.',
        enabled: true,
      },
      { keys: ['inn'], secondary_keys: ['ale'], selective: false, content: 'It is warm.', enabled: true },
      { keys: ['x'], content: '@@activate', enabled: true },
    ].map((entry, i) => ({ ...entry, insertion_order: i, extensions: {} }));
    const data = { name: 'Serafin of Thornwall', nickname: 'Sera', description: 'A guard.', character_book: { entries } };
    const text = JSON.stringify({ spec: 'chara_card_v3', spec_version: '3.0', data });
    const read = readCard(text);
    expect([read.name, read.facts]).toEqual([
      'Sera',
      [
        { content: 'It sleeps.', keys: ['dragon'], also: ['cave'] },
        { content: 'It is warm.', keys: ['inn'] },
      ],
    ]);
    expect(writeCard(text, read)).toBe(text);
    const renamed = JSON.parse(
      writeCard(text, { ...read, name: 'Ina', facts: [...read.facts, { content: 'New.', keys: ['a'], also: ['b'] }] }),
    );
    expect([renamed.data.name, renamed.data.nickname]).toEqual(['Ina', 'Ina']);
    expect(readCard(JSON.stringify(renamed)).facts.at(-1)).toEqual({ content: 'New.', keys: ['a'], also: ['b'] });
  });

  const bookOf = (entries: unknown) =>
    JSON.stringify({ spec: 'chara_card_v2', data: { name: 'Ina', character_book: { name: 'book', entries } } });
  const factsOf = (entry: object) => readCard(bookOf([{ content: 'It is old.', ...entry }])).facts;

  test.each<[object, object | undefined]>([
    [{ key: ['sword'], keysecondary: [] }, { keys: ['sword'] }],
    [{ keys: 'sword, blade' }, { keys: ['sword', 'blade'] }],
    [{ keywords: ['sword'], entry: 'ignored' }, { keys: ['sword'] }],
    [{ keys: [7, 'sword'] }, { keys: ['7', 'sword'] }],
    [
      { key: ['sword'], keysecondary: ['old'], selective: true },
      { keys: ['sword'], also: ['old'] },
    ],
    [{ keys: [], secondary_keys: ['old'], selective: true }, { keys: ['old'] }],
    [{ keys: ['sword'], constant: true }, { keys: [] }],
    [{ keys: ['x'], content: '@@activate\nIt is old.' }, { keys: [] }],
    [
      { keys: ['Sword'], case_sensitive: true },
      { keys: ['Sword'], caseSensitive: true },
    ],
    [
      { keys: ['Sword'], extensions: { case_sensitive: true } },
      { keys: ['Sword'], caseSensitive: true },
    ],
    [
      { keys: ['/sw,o?rd/i', 'axe'], use_regex: true },
      { keys: ['/sw,o?rd/i', 'axe'], useRegex: true },
    ],
    [{ keys: '/sw,o?rd/i' }, { keys: ['/sw,o?rd/i'], useRegex: true }],
    [{ keys: ['/sword/'], use_regex: false }, { keys: ['/sword/'] }],
    [
      { keys: ['swords?', 'C++', 'axe'], use_regex: true },
      { keys: ['/swords?/i', 'C++', 'axe'], useRegex: true },
    ],
    [
      { keys: ['swords?'], use_regex: true, case_sensitive: true },
      { keys: ['/swords?/'], useRegex: true, caseSensitive: true },
    ],
    // Whose condition cannot be read is never told.
    [{ keys: [null] }, undefined],
    [{ keys: { a: 'sword' } }, undefined],
    [{ keys: [], content: '@@activate_only_after 5\nIt is old.' }, undefined],
    [{ constant: true, content: '@@is_greeting 1\nIt is old.' }, undefined],
    [{ constant: true, content: '@@dont_activate\nIt is old.' }, undefined],
    [{ key: ['sword'], disable: true }, undefined],
  ])('with lore of any spelling: %j', (entry, fact) => {
    expect(factsOf(entry)).toEqual(fact ? [{ content: 'It is old.', ...fact }] : []);
  });

  test('with what of its lore is not followed told, each where it stands', () => {
    const told: unknown[] = [];
    const entries = {
      3: { content: 'a', key: [{}], order: 1 },
      5: { content: '@@exclude_keys x\nb', key: ['k'], order: 2 },
      8: { content: 'c', key: ['k'], probability: 50, order: 0 },
    };
    expect(readCard(bookOf(entries), (notice) => told.push(notice)).facts.map(({ content }) => content)).toEqual(['c', 'b']);
    expect(told).toEqual([
      { param: 'data.character_book.entries.8', message: 'probability 50 is not followed' },
      { param: 'data.character_book.entries.3', message: expect.stringContaining('keys as a list of words') },
      { param: 'data.character_book.entries.3', message: expect.stringContaining('never told') },
      { param: 'data.character_book.entries.5', message: '@@exclude_keys is not followed' },
    ]);
  });

  test('with what changes a conversation elsewhere told, and nothing of what every card of a program holds or what is for people', () => {
    const toldOf = (data: object) => {
      const told: string[] = [];
      readCard(JSON.stringify({ spec: 'chara_card_v3', data: { name: 'Ina', ...data } }), ({ param }) => told.push(param));
      return told;
    };
    const everyCard = { talkativeness: '0.5', fav: true, world: '', depth_prompt: { prompt: '', depth: 4, role: 'system' } };
    const plain = {
      alternate_greetings: [],
      group_only_greetings: [],
      creator_notes: 'Warm.',
      tags: ['inn'],
      extensions: everyCard,
    };
    expect(toldOf(plain)).toEqual([]);
    const extensions = { world: 'Fallowmere', depth_prompt: { prompt: 'Be brief.', depth: 4 }, talkativeness: 0.9 };
    const ours = { 'steerlm/attributes': { attributes: { humor: 3 } } };
    expect(
      toldOf({ alternate_greetings: ['Oh, you.'], group_only_greetings: ['All here?'], extensions: { ...extensions, ...ours } }),
    ).toEqual([
      'data.alternate_greetings',
      'data.group_only_greetings',
      'data.extensions.world',
      'data.extensions.depth_prompt',
      'data.extensions.talkativeness',
    ]);
  });

  test('with lore that names its entries, which comes back to the letter, or as a list where facts changed', () => {
    const text = bookOf({ 0: { key: ['a'], content: 'A', order: 1.0 }, 1: { key: [null], content: 'B' } });
    const read = readCard(text);
    expect(writeCard(text, read)).toBe(text);
    const facts = [...read.facts, { content: 'C', keys: ['a.b', '/x/'], useRegex: true, caseSensitive: true }];
    const written = writeCard(text, { ...read, facts });
    expect(readCard(written).facts).toEqual([read.facts[0], { ...facts[1], keys: ['/a\\.b/', '/x/'] }]);
    expect(written).toContain('{"key":[null],"content":"B"}');
  });

  test('with examples whose speakers are spelled any way', () => {
    const mes_example = '<start>\n<USER>: Hi\n{{ Char }}: Aye.\nGo on.\n<BOT>: Well?\n{{user}}: Unanswered';
    const read = readCard(JSON.stringify({ spec: 'chara_card_v2', data: { name: 'Ina', mes_example } }));
    expect(read.examples).toEqual([{ player: 'Hi', npc: 'Aye.\nGo on.' }, { npc: 'Well?' }]);
  });

  test.each([
    ['{"spec": "chara_card_v2"', undefined, /parse/],
    ['[]', 'card', /object/],
    ['{"spec": "chara_card_v9", "data": {}}', 'spec', /chara_card_v9/],
    ['{"name": "old", "description": ""}', 'spec', /found nothing/],
    ['{"spec": "chara_card_v2", "data": []}', 'data', /object/],
    ['{"spec": "chara_card_v2", "data": {"name": " "}}', 'data.name', /name/],
    ['{"spec": "chara_card_v2", "data": {"name": "a", "description": 3}}', 'data.description', /text/],
    [
      '{"spec": "chara_card_v3", "data": {"name": "a", "character_book": {"entries": [1]}}}',
      'data.character_book.entries',
      /list/,
    ],
    [
      '{"spec": "chara_card_v3", "data": {"name": "a", "extensions": {"steerlm/attributes": 1}}}',
      'data.extensions.steerlm/attributes',
      /object/,
    ],
  ])('or refused: %s', (text, param, message) => {
    expect(() => readCard(text)).toThrow(message);
    if (param) expect(() => readCard(text)).toThrow(expect.objectContaining({ details: { param } }));
  });
});

describe('a card is written back', () => {
  test('to the letter where nothing changed', () => {
    expect(writeCard(oddCard, readCard(oddCard))).toBe(oddCard);
  });

  test('with what changed and not a letter more', () => {
    const read = readCard(oddCard);
    const steering = { attributes: { humor: 1 } };
    const written = writeCard(oddCard, { ...read, name: 'Ina', greeting: undefined, steering });
    expect(written).toBe(
      oddCard
        .replace('"Sera\\u0066in"', '"Ina"')
        .replace('"Halt, {{user}}!"', '""')
        .replace('[1.50, null] }', '[1.50, null],"steerlm/attributes":{"attributes":{"humor":1}} }'),
    );
    expect(readCard(written)).toEqual({ ...read, name: 'Ina', greeting: undefined, steering });
  });

  test('with facts and a persona of its own, the other entries of the book as they were', () => {
    const read = readCard(oddCard);
    const facts = [read.facts[1]!, { content: 'Ravens know the way.', keys: ['raven'] }];
    const written = writeCard(oddCard, { ...read, persona: 'You are Ina.', facts });
    expect(readCard(written)).toEqual({ ...read, persona: 'You are Ina.', facts });
    expect(written).toContain('"insertion_order": 2.0, "extensions": {"a": 1.0}}');
    expect(written).toContain('"content": "Never told."');
    expect(written).toContain('"scan_depth": 2.0');
    expect(written).not.toContain('dusk');
  });

  test('and one that never was a card becomes one', () => {
    const made = {
      ...{ name: 'Ina', persona: 'You are Ina.', greeting: 'Well?', examples: [{ player: 'a', npc: 'b\nc' }, { npc: 'd' }] },
      ...{
        facts: [
          { content: 'x', keys: [] },
          { content: 'y', keys: ['k'] },
        ],
        steering: { caps: { toxicity: 1 } },
      },
    };
    expect(readCard(writeCard(undefined, made))).toEqual(made);
  });
});

test('members are found and set as JSON.parse would see them, in JSON of any shape', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = randomStream('json', seed);
    const draw = (depth: number): unknown => {
      const kind = Math.floor(random() * (depth > 2 ? 4 : 6));
      if (kind === 0) return Math.round(random() * 1e6) / 1000;
      if (kind === 1) return ['a"b\\', '{[,]}', '', '\u2028 é', ' : '][Math.floor(random() * 5)];
      if (kind === 2) return random() < 0.5;
      if (kind === 3) return null;
      const many = Array.from({ length: Math.floor(random() * 4) }, () => draw(depth + 1));
      return kind === 4 ? many : Object.fromEntries(many.map((value, i) => [['k', 'a"\\', '{', ''][i]!, value]));
    };
    const value = { a: draw(0), b: { c: draw(0), list: [draw(1), draw(1)] } };
    const text = JSON.stringify(value, null, [undefined, 1, '\t'][seed % 3]);
    expect(JSON.parse(memberText(text, ['b', 'c'])!)).toEqual(value.b.c);
    expect(elementTexts(memberText(text, ['b', 'list'])!).map((each) => JSON.parse(each))).toEqual(value.b.list);
    expect(memberText(text, ['b', 'd'])).toBeUndefined();
    expect(JSON.parse(setMember(text, ['b', 'c'], 7))).toEqual({ ...value, b: { ...value.b, c: 7 } });
    expect(JSON.parse(setMember(text, ['b', 'new', 'deep'], 7))).toEqual({ ...value, b: { ...value.b, new: { deep: 7 } } });
    expect(JSON.parse(setMember(text, ['z'], 'q'))).toEqual({ ...value, z: 'q' });
  }
});
