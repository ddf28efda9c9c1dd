// Lore of cards as programs and people write it: followed, or named and never told by mistake.
import { describe, expect, test } from 'vitest';
import { readCard, writeCard } from '../../src/npc/card.ts';
import { factOf } from '../../src/npc/card-entry.ts';
import type { Character } from '../../src/npc/character.ts';
import { notFollowed } from '../../src/npc/not-followed.ts';

const cardOf = (entry: object, book: object = {}) => {
  const entries = [{ content: 'It is old.', ...entry }];
  return JSON.stringify({
    spec: 'chara_card_v2',
    data: { name: 'Ina', description: 'A guard.', character_book: { ...book, entries } },
  });
};
const read = (entry: object, book?: object) => {
  const told: string[] = [];
  const { facts } = readCard(cardOf(entry, book), ({ param, message }) => {
    told.push(`${param.replace('data.character_book.', '')}: ${message}`);
  });
  return { facts: facts.map(({ content: _, ...fact }) => fact), told };
};

describe('keys are read', () => {
  test.each<[object, string[]]>([
    [{ keys: [], key: ['zzz'] }, ['zzz']],
    [{ keys: '', keywords: ['zzz'] }, ['zzz']],
    [{ keys: null, key: 'zzz' }, ['zzz']],
    [{ Keys: ['zzz'] }, ['zzz']],
    [{ primary_keys: ['zzz'] }, ['zzz']],
    [{ primaryKeys: ['zzz'] }, ['zzz']],
    [{ triggers: ['zzz'] }, ['zzz']],
    [{ keys: ['a'], keywords: 'a, b' }, ['a', 'b']],
    [{ key: ['zzz'], triggers: ['normal'] }, ['zzz']],
    [{ keys: ['zzz'], enabled: 'true', constant: '0' }, ['zzz']],
  ])('%j', (entry, keys) => {
    expect(read(entry)).toEqual({ facts: [{ keys }], told: [] });
  });
});

describe('always told is', () => {
  test.each([
    {},
    { constant: true, keys: [] },
    { constant: 'true', keys: ['x'] },
    { constant: 1 },
    { alwaysActive: true, key: '' },
  ])('%j', (entry) => {
    expect(read(entry)).toEqual({ facts: [{ keys: [] }], told: [] });
  });
});

describe('never told, and named, is', () => {
  test.each<[object, string]>([
    [{ keys: [] }, 'no key'],
    [{ keys: [''] }, 'no key'],
    [{ keys: ', ,' }, 'no key'],
    [{ keys: null }, 'no key'],
    [{ activation_keys: ['x'] }, 'activation_keys'],
    [{ secondary_keys: ['x'] }, 'no key'],
    [{ keys: [], extensions: { vectorized: true } }, 'vectorized'],
    [{ extensions: { vectorized: true } }, 'vectorized'],
    [{ key: [], triggers: ['swipe'] }, 'triggers'],
    [{ keys: ['x'], enabled: 'perhaps' }, 'enabled'],
    [{ constant: {} }, 'constant'],
    [{ keys: ['x'], use_regex: 'rather' }, 'use_regex'],
    [{ keys: ['x'], probability: 'often' }, 'probability'],
    [{ keys: ['x'], secondary_keys: ['y'], selective: true, selectiveLogic: 4 }, 'selectiveLogic 4'],
    [{ keys: [], secondary_keys: ['y'], selective: true, selectiveLogic: 2 }, 'selectiveLogic 2'],
    [{ keys: ['x'], secondary_keys: {}, selective: true }, 'selectiveLogic'],
    [{ keys: ['x'], extensions: { delay_until_recursion: true } }, 'delay_until_recursion'],
  ])('%j', (entry, named) => {
    const { facts, told } = read(entry);
    expect([facts, told.join('\n')]).toEqual([[], expect.stringContaining(named)]);
  });
});

test.each([
  ...[
    { enabled: 'false' },
    { enabled: 0 },
    { enabled: null },
    { enabled: 'No' },
    { Enabled: false },
    { disable: 'true' },
    { disabled: 1 },
  ],
  ...[{ probability: 0, useProbability: true }, { extensions: { probability: 0, useProbability: true } }, { probability: '0' }],
])('switched off is %j', (entry) => {
  for (const when of [{ keys: ['x'] }, { constant: true }]) expect(read({ ...when, ...entry })).toEqual({ facts: [], told: [] });
});

describe('told by its keys, with what is not followed named, is', () => {
  test.each<[object, string]>([
    [{ extensions: { probability: 40, useProbability: true } }, 'probability 40 is not followed'],
    [{ group: 'inn', sticky: 3, cooldown: 2, delay: 1 }, 'group, sticky, cooldown, delay are not followed'],
    [{ characterFilter: { isExclude: false, names: ['Ben'], tags: [] } }, 'characterFilter is not followed'],
    [{ extensions: { vectorized: true, scan_depth: 0 } }, 'vectorized, scan_depth are not followed'],
    [{ triggers: ['swipe'] }, 'triggers is not followed'],
  ])('%j', (entry, message) => {
    expect(read({ keys: ['x'], ...entry })).toEqual({ facts: [{ keys: ['x'] }], told: [`entries.0: ${message}`] });
  });

  test('what programs write into every entry is no condition', () => {
    const extensions = {
      ...{ position: 0, exclude_recursion: true, probability: 100, useProbability: true, depth: 4, selectiveLogic: 0, group: '' },
      ...{
        scan_depth: null,
        match_whole_words: null,
        case_sensitive: null,
        sticky: 0,
        cooldown: null,
        delay: 0,
        vectorized: false,
      },
      ...{ character_filter: { isExclude: true, names: [], tags: [] }, triggers: [], delay_until_recursion: false },
    };
    const entry = { keys: ['x'], secondary_keys: [], selective: true, use_regex: true, extensions };
    expect(read(entry, { scan_depth: 4, token_budget: null })).toEqual({ facts: [{ keys: ['x'] }], told: [] });
  });

  test('what a book says of all its entries', () => {
    const { told } = read({ keys: ['x'] }, { scan_depth: 0, token_budget: 0, recursive_scanning: 'true' });
    expect(told.map((line) => line.split(' ')[0])).toEqual(['scan_depth:', 'token_budget:', 'recursive_scanning:']);
  });
});

test.each([
  [0, {}],
  [1, { alsoLogic: 'not_all' }],
  ['2', { alsoLogic: 'not_any' }],
  [3, { alsoLogic: 'all' }],
])('selectiveLogic %s is followed, and so are whole words; a card written anew says so', (selectiveLogic, logic) => {
  const extensions = { selectiveLogic, match_whole_words: true };
  const entry = { keys: ['x'], secondary_keys: ['y'], selective: 'true', extensions };
  const fact = { keys: ['x'], also: ['y'], ...logic, wholeWords: true };
  expect(read(entry)).toEqual({ facts: [fact], told: [] });
  const made = { name: 'Ina', persona: 'A guard.', examples: [], facts: [{ content: 'It is old.', ...fact }], steering: {} };
  expect(readCard(writeCard(undefined, made as Parameters<typeof writeCard>[1])).facts).toEqual(made.facts);
});

test.each([
  [{ keys: ['/blade/x'], use_regex: true }, 'facts.0.keys.0'],
  [{ keys: ['//i'], use_regex: 'true' }, 'facts.0.keys.0'],
  [{ keys: ['a', '/(?=b)/'], use_regex: 1 }, 'facts.0.keys.1'],
  [{ keys: ['{{gold}}'] }, 'facts.0.keys.0'],
  [{ keys: ['x'], secondary_keys: ['{{?}}'], selective: true }, 'facts.0.also.0'],
  [{ content: 'It is {{#if x}}.' }, 'facts.0.content'],
])('keys and macros that call for nothing stand in not_followed: %j', (entry, param) => {
  const { persona, facts } = readCard(cardOf(entry));
  const character = { persona, facts, examples: [], actions: [], fallback: [] } as unknown as Character;
  expect(notFollowed(character).map((notice) => notice.param)).toEqual([param]);
});

test('fields that hold anything at all are read or refused, never a failure', () => {
  const depths: Record<string, unknown> = {
    list: JSON.parse('['.repeat(20_000) + ']'.repeat(20_000)),
    object: { toString: 1, valueOf: 1 },
  };
  depths.nested = JSON.parse(`${'{"names":'.repeat(20_000)}1${'}'.repeat(20_000)}`);
  const fields = [
    'key',
    'enabled',
    'constant',
    'selective',
    'selectiveLogic',
    'probability',
    'order',
    'scan_depth',
    'group',
    'triggers',
  ];
  for (const [kind, value] of Object.entries(depths)) {
    for (const field of [
      ...fields,
      'characterFilter',
      'delayUntilRecursion',
      'content',
      'extensions',
      'keysecondary',
      'activation_key',
    ]) {
      const fact = factOf({ content: 'x', keys: ['x'], secondary_keys: ['y'], selective: true, [field]: value }, () => {});
      expect(fact === undefined || fact.keys.includes('x'), `${field}: ${kind}`).toBe(true);
    }
  }
});

test('a long row of @ is looked through once', () => {
  const [keys, content] = [['zzz'], 'It is old.'];
  for (const row of ['@'.repeat(2 ** 20), '@@\n'.repeat(2 ** 18), `@@${' '.repeat(2 ** 20)}`]) {
    expect(factOf({ keys, content: `${row}\n${content}` }, () => {})).toMatchObject({ content });
  }
  expect(factOf({ keys, content: `@@@dont_activate\n${content}` }, () => {})).toBeUndefined();
});
