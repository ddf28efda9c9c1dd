// Keys of facts: words and regular expressions, whose cost a stranger cannot make explode.
import { describe, expect, test } from 'vitest';
import type { Fact } from '../../src/npc/character.ts';
import { factsCalledFor, faultsOfKeys, matchAhead } from '../../src/npc/fact-keys.ts';

const speakers = { char: 'Orla', user: 'Ann', seed: 7 };
const fact = (fields: Partial<Fact>): Fact => ({ content: 'x', keys: [], ...fields });
const told = (fields: Partial<Fact>, said: string) => {
  return factsCalledFor([fact(fields)], said, speakers).length === 1;
};

describe('a fact is called for', () => {
  test.each<[Partial<Fact>, string, boolean]>([
    [{}, 'anything', true],
    [{ keys: ['Sword'] }, 'my SWORDS', true],
    [{ keys: ['Sword'], caseSensitive: true }, 'my sword', false],
    [{ keys: ['Sword'], caseSensitive: true }, 'my Sword', true],
    [{ keys: ['{{user}}'] }, 'I am ann', true],
    [{ keys: ['{{// nothing}}'] }, 'anything', false],
    [{ keys: ['/swords?|blade/i'], useRegex: true }, 'the Blade', true],
    [{ keys: ['/swords?|blade/'], useRegex: true }, 'the Blade', false],
    [{ keys: ['/\\bsword\\b/i'], useRegex: true }, 'swordfish', false],
    [{ keys: ['/^tell.+now$/is'], useRegex: true }, 'Tell me\nnow', true],
    [{ keys: ['blade'], wholeWords: true }, 'fine bladework, switchblade', false],
    [{ keys: ['blade'], wholeWords: true }, 'bladework and a Blade.', true],
    [{ keys: ['blade', '/axe/'], wholeWords: true, useRegex: true }, 'axes', true],
    [{ keys: ['öl'], wholeWords: true }, 'Möl, Öle, 𝒜öl', false],
    [{ keys: ['a'], also: ['x', 'y'], alsoLogic: 'all' }, 'a x', false],
    [{ keys: ['a'], also: ['x', 'y'], alsoLogic: 'all' }, 'a x y', true],
    [{ keys: ['a'], also: ['x', 'y'], alsoLogic: 'not_all' }, 'a x y', false],
    [{ keys: ['a'], also: ['x', 'y'], alsoLogic: 'not_all' }, 'a x', true],
    [{ keys: ['a'], also: ['x', 'y'], alsoLogic: 'not_any' }, 'a x', false],
    [{ keys: ['a'], also: ['x', 'y'], alsoLogic: 'not_any' }, 'a', true],
    [{ keys: ['a'], also: ['x', 'y'], alsoLogic: 'not_any' }, 'b', false],
    [{ keys: ['/blade/x', '//i'], useRegex: true }, 'read /blade/x and //i aloud', false],
    [{ keys: ['/sword/i'] }, 'the sword', false],
    [{ keys: ['/sword/i'] }, 'read /sword/i aloud', true],
    [{ keys: ['sword'], useRegex: true }, 'the SWORD', true],
    [{ keys: ['/swo(?=rd)/'], useRegex: true }, 'sword', false],
    [{ keys: ['sword'], also: ['/old|new/'], useRegex: true }, 'sword', false],
    [{ keys: ['sword'], also: ['/old|new/'], useRegex: true }, 'a new sword', true],
  ])('%j by "%s": %s', (fields, said, called) => {
    expect(told(fields, said)).toBe(called);
  });
});

describe('a regular expression', () => {
  test.each([
    ['/(?=sword)/', /look-around/],
    ['/blade/x', /flags of d, g/],
    ['//i', /\/pattern\/flags/],
    ['/(a)\\1/', /back references/],
    ['/(/', /not supported/],
    ['/a{2000}/', /not supported/],
    ['/a{900}/', /too large; expected at most 256 states/],
    [`/${'('.repeat(120)}a${')*'.repeat(120)}/`, /too large/],
  ])('that cannot be followed is named: %s', (key, reason) => {
    const faults = faultsOfKeys([fact({}), fact({ keys: ['a', key], useRegex: true })]);
    expect(faults).toEqual([{ field: '1.keys.1', key, reason: expect.stringMatching(reason) }]);
  });

  test('is one of at most so many, and of so many states together', () => {
    const many = Array.from({ length: 20 }, (_, i) => {
      return fact({ keys: Array.from({ length: 60 }, (_, j) => `/k${i}x${j}/`), useRegex: true });
    });
    const faults = faultsOfKeys(many);
    expect(faults.length).toBeGreaterThan(600);
    expect(faults.at(-1)!.reason).toMatch(/as many as one character may have/);
    const facts = many.slice(0, 2);
    expect([factsCalledFor(facts, 'k1x59', speakers), factsCalledFor(many, 'k19x59', speakers)]).toEqual([[facts[1]], []]);
  });

  // Each of these keeps a backtracking engine busy for longer than there is; here they end, or the test never does.
  test.each(['(a+)+$x', '(a|a)*b', '(.*a){20}b', '(?:a?){100}a{100}b', '([a-z]+\\s?)+:', '(x+x+)+y'])(
    'never explodes: %s',
    (source) => {
      for (const said of ['a'.repeat(4_000), 'ac '.repeat(1_300), 'x'.repeat(4_000)]) {
        expect(told({ keys: [`/${source}/`], useRegex: true }, `${said}!`)).toBe(false);
      }
    },
  );

  test('is matched ahead of time alike', async () => {
    const facts = [fact({ keys: ['/swords?/'], useRegex: true }), fact({ keys: ['/axe/'], useRegex: true })];
    await matchAhead(facts, 'two swords', speakers);
    expect(factsCalledFor(facts, 'two swords', speakers)).toEqual([facts[0]]);
    expect(factsCalledFor(facts, 'an axe', speakers)).toEqual([facts[1]]);
    const name = [fact({ keys: ['{{user}}'] })];
    await matchAhead(name, 'I am Ann', speakers);
    expect([factsCalledFor(name, 'I am Ann', speakers), factsCalledFor(name, 'I am Ann', { ...speakers, user: 'Bob' })]).toEqual([
      name,
      [],
    ]);
  });
});
