// What a reply could not be written with as it was sent: numbers that JSON.parse has rounded, and halves of characters, which UTF-8 cannot hold.
import { expect, it } from 'vitest';
import { checkConstraint } from '../../src/constraints/constraint.ts';

it.each<[string, object, string]>([
  ['half a character to be written', { const: '\ud800' }, '#/const: expected whole characters'],
  ['half a character among several', { properties: { a: { enum: ['x', '\udc00!'] } } }, '#/properties/a/enum/1'],
  ['half a character in the depth', { const: { a: [{ '\ud83d': 1 }] } }, '#/const/a/0: expected whole characters'],
  ['half a character in a pattern', { items: { pattern: 'a\ud800' } }, '#/items/pattern'],
  ['half a character in a name', { properties: { '\ud800': {} } }, '#/properties: expected whole characters'],
  ['half a character in a needed name', { required: ['a', '\ud800'] }, '#/required/1'],
  ['half a character in an allowed name', { propertyNames: { enum: ['\ud800'] } }, '#/propertyNames/enum'],
  ['half a character beside others', { allOf: [{ type: 'string' }, { enum: ['\ud800'] }] }, 'enum/0: expected whole characters'],
  ['a number JSON.parse has rounded', JSON.parse('{"const":9007199254740993}'), '#/const: expected a whole number between'],
  ['a long number below', JSON.parse('{"enum":[1,-12345678901234567890]}'), '#/enum/1: expected a whole number between'],
  ['a number in the depth', JSON.parse('{"items":{"const":{"id":[12345678901234567890]}}}'), '#/items/const/id/0'],
  ['a number no double holds', JSON.parse('{"const":1e400}'), '#/const: expected a number that a double holds'],
  [
    'a bound no double holds',
    JSON.parse('{"type":"number","maximum":1e400}'),
    '#/maximum: expected a number that a double holds',
  ],
  ['a bound below that no double holds', JSON.parse('{"type":"integer","exclusiveMinimum":-1e400}'), '#/exclusiveMinimum'],
  ['a count no double holds', JSON.parse('{"type":"string","maxLength":1e400}'), '#/maxLength'],
])('refuses %s', (_, schema, problem) => {
  expect(() => checkConstraint({ kind: 'json_schema', schema })).toThrow(
    expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(problem) }),
  );
});

it('refuses a choice of half a character by its place, and such a pattern', () => {
  const refused = (place: string) =>
    expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(place) });
  expect(() => checkConstraint({ kind: 'choice', choices: ['a', '\ud800'] })).toThrow(refused('choices/1'));
  expect(() => checkConstraint({ kind: 'regex', pattern: 'a\udc00' })).toThrow(refused('pattern'));
});

it('takes whole characters and numbers a double holds', () => {
  const values = ['🎲', '\u2028', Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 0.1, 1e-300, null, { '🎲': ['🎲'] }];
  expect(() => checkConstraint({ kind: 'json_schema', schema: { enum: values } })).not.toThrow();
  // Beyond 15 digits nothing is written, so that such a bound bars nothing however it was rounded.
  const uint64 = JSON.parse('{"type":"integer","minimum":-9223372036854775808,"maximum":18446744073709551615}');
  expect(() => checkConstraint({ kind: 'json_schema', schema: uint64 })).not.toThrow();
});
