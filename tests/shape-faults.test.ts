// The words of a refusal: none of the schema library's own.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { faultsOf, faultsText, faultText } from '../src/shape-faults.ts';

const cases: [z.ZodType, unknown, string][] = [
  [z.object({ a: z.string() }), {}, 'a: expected a string, found nothing'],
  [z.object({ a: z.string() }), { a: 3 }, 'a: expected a string, found 3'],
  [z.object({ a: z.string() }), { a: null }, 'a: expected a string, found null'],
  [z.object({ a: z.string() }), [], 'it: expected an object, found a list'],
  [z.record(z.string(), z.int()), 'x', 'it: expected an object, found "x"'],
  [z.array(z.boolean()), [1], '0: expected true or false, found 1'],
  [z.int(), 1.5, 'it: expected a whole number, found 1.5'],
  [z.int().min(1), 0, 'it: expected at least 1, found 0'],
  [z.number().positive(), 0, 'it: expected more than 0, found 0'],
  [z.number().max(2), 3, 'it: expected at most 2, found 3'],
  [z.number().lt(1), 1, 'it: expected less than 1, found 1'],
  [z.array(z.int()).min(1), [], 'it: expected at least 1 entry, found none'],
  [z.array(z.int()).max(2), [1, 2, 3], 'it: expected at most 2 entries, found 3'],
  [z.array(z.int()).length(2), [1], 'it: expected exactly 2 entries, found 1'],
  [z.string().min(1), '', 'it: expected at least 1 character, found none'],
  [z.enum(['a', 'b', 'c']), 'd', 'it: expected "a", "b" or "c", found "d"'],
  [z.literal(['a', null]), 'b', 'it: expected "a" or null, found "b"'],
  [z.literal('a'), undefined, 'it: expected "a", found nothing'],
  [z.union([z.string(), z.array(z.string())]), 3, 'it: expected a string or a list, found 3'],
  [z.union([z.string(), z.array(z.string())]), ['a', 3], '1: expected a string, found 3'],
  [
    z.object({ a: z.union([z.string(), z.object({ b: z.int().min(0) })]) }),
    { a: { b: -1 } },
    'a.b: expected at least 0, found -1',
  ],
  [
    z.discriminatedUnion('type', [z.object({ type: z.literal('text') }), z.object({ type: z.literal('json') })]),
    { type: 'x' },
    'type: expected "text" or "json", found "x"',
  ],
  [
    z.strictObject({ strength: z.number().optional(), dials: z.number().optional() }),
    { strenght: 1 },
    'strenght: unknown field "strenght" (did you mean "strength"?); expected no fields but strength, dials',
  ],
  [
    z.strictObject({ strength: z.number().optional() }),
    { warmth: 1 },
    'warmth: unknown field "warmth"; expected no fields but strength',
  ],
  [z.record(z.string().regex(/^[a-z]+$/, 'expected small letters'), z.int()), { A: 1 }, 'A: expected small letters'],
  [z.number().multipleOf(5), 3, 'it: expected a multiple of 5, found 3'],
  [z.url(), 'x', 'it: expected an address such as https://example.com'],
  [z.string().refine(() => false), 'x', 'it: does not hold'],
];

test.each(cases)('case %#', (schema, value, words) => {
  expect(faultText(schema.safeParse(value).error!, 'it')).toBe(words);
});

test('a schema that says its own words keeps them', () => {
  expect(faultText(z.int('expected a level').safeParse('x').error!, 'it')).toBe('it: expected a level');
});

test('of a value that may have several shapes too', () => {
  const told = z.union([z.string(), z.array(z.int())], 'expected words').safeParse(['x']);
  expect(faultText(told.error!, 'it')).toBe('it: expected words');
});

test('everything that is wrong is told, long names cut', () => {
  const { error } = z.object({ a: z.string(), b: z.array(z.int()) }).safeParse({ b: ['x'] });
  expect(faultsText(error!, 'it')).toBe('a: expected a string, found nothing; b.0: expected a whole number, found "x"');
  const long = z.strictObject({}).safeParse({ ['x'.repeat(1000)]: 1 });
  expect(faultsOf(long.error!)[0].path).toHaveLength(64);
});
