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
