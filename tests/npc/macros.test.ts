// Macros of cards: names, chance and notes, one within another, and nothing raw is left.
import { describe, expect, test } from 'vitest';
import { fillMacros } from '../../src/npc/macros.ts';

const speakers = { char: 'Orla', user: 'Ann', seed: 7 };
const fill = (text: string, fields: Partial<typeof speakers> = {}) => fillMacros(text, { ...speakers, ...fields });

describe('a macro stands for', () => {
  test.each([
    ['{{char}} and {{user}}', 'Orla and Ann'],
    ['{{ Char }}, {{USER}}, {{bot}}', 'Orla, Ann, Orla'],
    ['<BOT>, <user>, <CHAR>', 'Orla, Ann, Orla'],
    ['{{{user}}}', '{Ann}'],
    ['a{{// ask of the bridge, {{user}}}}b{{//c}}', 'ab'],
    ['a{{comment: x}}b{{hidden_key:sword}}c{{noop}}{{trim}}', 'abc'],
    ['{{reverse:abc}} {{reverse:{{char}}}}', 'cba alrO'],
    ['a{{newline}}b', 'a\nb'],
    ['{{random:one}} {{pick::one}} {{random: one , one }}', 'one one one'],
    ['{{pick:one\\, two}}', 'one, two'],
    ['{{random::a, b::a, b}}', 'a, b'],
    ['{{roll:1}} {{roll:d1}} {{roll 3d1+2}} {{roll:2d1-1}}', '1 1 5 1'],
  ])('%s: %s', (text, filled) => {
    expect(fill(text)).toBe(filled);
  });

  test('chance that follows from the seed and the text, and stays as long as both do', () => {
    const text = '{{random:red,green,blue}} {{pick:red,green,blue}} {{roll:d6}} {{roll:1000}}';
    const of = (seed: number) => fill(text, { seed });
    const all = Array.from({ length: 60 }, (_, seed) => of(seed));
    expect(all.map((_, seed) => of(seed))).toEqual(all);
    for (const filled of all) expect(filled).toMatch(/^(red|green|blue) (red|green|blue) [1-6] \d{1,4}$/);
    expect(new Set(all.map((filled) => filled.split(' ')[0]))).toEqual(new Set(['red', 'green', 'blue']));
    expect(new Set(all.map((filled) => filled.split(' ')[2])).size).toBe(6);
    expect(fillMacros(text, speakers, undefined, 1)).not.toBe(fillMacros(text, speakers, undefined, 2));
  });
});

describe('what is no macro', () => {
  test.each(['no }} end', 'a {{ start', '}} {{', '{ {char} }', '<b>bold</b>'])('stays: %s', (text) => {
    expect(fill(text)).toBe(text);
  });

  test('stays in a name: nobody writes macros by what they are called, and what looks like one is no pair of braces', () => {
    expect(fill('{{user}} {{random:{{user}},{{user}}}}', { user: 'A, {char}' })).toBe('A, {char} A, {char}');
    expect(fill('<USER> {{user}}', { user: 'A, {{char}}' })).toBe('A, {char} A, {char}');
  });
});

test.each<[string, string, string[]]>([
  ["a{{getvar::gold}}{{constructor}}{{char's}}b", 'ab', ['{{getvar::gold}}', '{{constructor}}', "{{char's}}"]],
  ['a{{toString:x}}{{roll:x}}{{roll:0}}{{roll:999d6}}b', 'ab', ['{{toString:x}}', '{{roll:x}}', '{{roll:0}}', '{{roll:999d6}}']],
  ['{{#if x}}y{{else}}z{{/if}}', 'yz', ['{{#if x}}', '{{else}}', '{{/if}}']],
  [
    'a{{}}{{ }}{{"a": 1}}{{ 1 }}{{.gold}}{{?}}{{$x = 1}}b',
    'ab',
    ['{{}}', '{{ }}', '{{"a": 1}}', '{{ 1 }}', '{{.gold}}', '{{?}}', '{{$x = 1}}'],
  ],
  ['{{{{char}}}}', '', ['{{Orla}}']],
  ['{{{{{char}}}}}', '{}', ['{{Orla}}']],
  ['{{{noop}}{char}}', '{char}', []],
  ['{{reverse:{}}{{reverse:{}}user}}', '{user}', []],
  [`a${'{{reverse:'.repeat(30)}b${'}}'.repeat(30)}c`, 'ac', [`{{${'reverse:{{'.repeat(4).slice(0, 32)}`]],
])('a macro nobody knows is left out, and told: %s', (text, filled, told) => {
  const unknown: string[] = [];
  expect(fillMacros(text, speakers, (macro) => unknown.push(macro))).toBe(filled);
  expect(unknown).toEqual(told);
});

test('nested without end it is still read once', () => {
  for (const [open, end] of [
    ['{{', ''],
    ['{{reverse:', '}}'],
    ['{{"', '}}'],
    ['{{random:{{user}},', '}}'],
  ] as const) {
    const text = open.repeat(8_000) + end.repeat(8_000);
    expect(fill(text).length).toBeLessThanOrEqual(2 * text.length);
  }
});
