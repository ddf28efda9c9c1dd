// Schemas against a plain validator: what an expression holds is valid, and valid values written by JSON.stringify are in it.
import { describe, expect, it } from 'vitest';
import { formats } from '../../src/constraints/formats.ts';
import { anyObject } from '../../src/constraints/json.ts';
import { schemaExpression } from '../../src/constraints/json-schema.ts';
import { buildNetwork } from '../../src/constraints/network.ts';
import { randomStream } from '../../src/random.ts';
import { acceptor } from './accepts.ts';
import { isValid, RandomSchema } from './schemas.ts';

const accepts = (schema: unknown) => acceptor(schemaExpression(schema));

it('values that are valid are in what a random schema allows, written closely or indented', () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = new RandomSchema(randomStream('schema', seed));
    const accepted = accepts(random.schema);
    for (let i = 0; i < 8; i++) {
      const value = random.value();
      expect(isValid(random.schema, value), `seed ${seed}: the test's own value`).toBe(true);
      const shown = `seed ${seed}: ${JSON.stringify(random.schema)} ${JSON.stringify(value)}`;
      expect(accepted(JSON.stringify(value)), shown).toBe(true);
      // Values a schema lists are only written closely.
      if (shown.includes('{"a":[1,{}]}') || shown.includes('[1,"two"]')) continue;
      expect(accepted(JSON.stringify(value, null, 2)), shown).toBe(true);
    }
  }
});

it('what a schema allows and a text is, agree: one character changed, left out or doubled', () => {
  const random = randomStream('edits');
  let kept = 0;
  for (let seed = 0; seed < 150; seed++) {
    const schema = new RandomSchema(randomStream('schema', seed));
    const accepted = accepts(schema.schema);
    for (let i = 0; i < 20; i++) {
      const text = [...JSON.stringify(schema.value())];
      const at = Math.floor(random() * text.length);
      text.splice(at, 1, ...[['1'], [], [text[at]!, text[at]!], ['"'], ['}'], ['e']][Math.floor(random() * 6)]!);
      const edited = text.join('');
      if (!accepted(edited)) continue;
      kept++;
      expect(isValid(schema.schema, JSON.parse(edited)), `seed ${seed}: ${JSON.stringify(schema.schema)} ${edited}`).toBe(true);
    }
  }
  expect(kept).toBeGreaterThan(50);
});

describe('numbers between bounds', () => {
  const bounds = [-1000.5, -37, -10, -1, -0.25, -0.001, 0, 0.001, 0.5, 1, 9, 10, 12.34, 99, 100, 1000, 123456.789];
  const texts = bounds.flatMap((bound) => [-10, -1, -0.5, -0.01, -0.0001, 0, 0.0001, 0.01, 0.5, 1, 10].map((by) => bound + by));
  const written = new Set([
    ...texts.map((value) => String(Number(value.toFixed(6)))),
    '12.340',
    '0.0',
    '-0.0',
    '5.',
    '05',
    '1e1',
    '-',
  ]);
  it.each(['number', 'integer'])('%s', (type) => {
    for (const minimum of [undefined, ...bounds]) {
      for (const maximum of [undefined, ...bounds]) {
        if (minimum !== undefined && maximum !== undefined && (minimum > maximum || minimum + 1 > maximum)) continue;
        for (const low of ['minimum', 'exclusiveMinimum']) {
          const high = low === 'minimum' ? 'exclusiveMaximum' : 'maximum';
          const schema = {
            type,
            ...(minimum === undefined ? {} : { [low]: minimum }),
            ...(maximum === undefined ? {} : { [high]: maximum }),
          };
          if (minimum === undefined && maximum === undefined) continue;
          if (type === 'integer' && !hasInteger(schema)) continue;
          const accepted = accepts(schema);
          for (const text of written) {
            const value = /^-?(0|[1-9]\d*)(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
            const whole = type === 'number' || !text.includes('.');
            const valid = whole && isValid(schema, value) && !/^-0(\.0*)?$/.test(text);
            if (valid && text !== String(value)) continue;
            expect(accepted(text), `${JSON.stringify(schema)} ${text}`).toBe(valid);
          }
        }
      }
    }
  });
});

function hasInteger(schema: Record<string, unknown>): boolean {
  const low = Math.ceil((schema.minimum ?? schema.exclusiveMinimum ?? -1e9) as number);
  return Array.from({ length: 4 }, (_, i) => low + i).some((value) => isValid(schema, value));
}

it('formats hold texts of their kind and no others', () => {
  const good: Record<string, string[]> = {
    date: ['2024-02-28', '1999-12-31', '2000-04-30'],
    time: ['23:59:59Z', '00:00:00.123+05:30'],
    'date-time': ['2024-01-31T10:00:00Z'],
    duration: ['P3W', 'P1DT12H', 'PT5M'],
    email: ['a.b@example.org'],
    hostname: ['a-b.example.org'],
    ipv4: ['255.0.10.1'],
    ipv6: ['2001:0db8:0000:0000:0000:0000:0000:0001'],
    uuid: ['123e4567-e89b-12d3-a456-426614174000'],
    ...Object.fromEntries(
      ['uri', 'iri', 'uri-reference', 'iri-reference', 'uri-template'].map((kind) => [kind, ['https://a.org/b/']]),
    ),
    'idn-email': ['a@example.org'],
    'idn-hostname': ['example.org'],
    'json-pointer': ['', '/a/0'],
    'relative-json-pointer': ['0', '12/a'],
    regex: ['abc 1'],
  };
  const bad: Record<string, string[]> = {
    date: ['2024-02-30', '2024-13-01', '2024-04-31'],
    time: ['24:00:00Z', '10:00:00'],
    'date-time': ['2024-01-31 10:00:00Z'],
    duration: ['P', 'PT'],
    email: ['a@', '@b.c', 'a b@c.d'],
    hostname: ['-a.b', 'a..b'],
    ipv4: ['256.0.0.1', '01.2.3.4'],
    ipv6: ['::1'],
    uuid: ['123e4567'],
    ...Object.fromEntries(
      ['uri', 'iri', 'uri-reference', 'iri-reference', 'uri-template'].map((kind) => [kind, ['http://a b', ':']]),
    ),
    'idn-email': ['a@'],
    'idn-hostname': ['a..b'],
    'json-pointer': ['a', '/~'],
    'relative-json-pointer': ['01', '/a'],
    regex: ['(', '*'],
  };
  for (const format of Object.keys(formats)) {
    const accepted = accepts({ type: 'string', format });
    for (const text of good[format]!) expect(accepted(JSON.stringify(text)), text).toBe(true);
    for (const text of bad[format]!) expect(accepted(JSON.stringify(text)), text).toBe(false);
  }
});

it('escapes are JSON, and a pattern speaks of the characters they stand for', () => {
  const text = accepts({ type: 'string' });
  for (const good of ['"\\u00e9"', '"\\ud83d\\ude00"', '"\\uD83D\\uDE00\\n"', '"\\/"', '"\u007f"'])
    expect(text(good), good).toBe(true);
  for (const bad of ['"\\ud83d"', '"\\ude00"', '"\\ud83dx"', '"\\x41"', '"\n"', '"\\u12"', '"a', "'a'"])
    expect(text(bad), bad).toBe(false);
  const quotes = accepts({ type: 'string', pattern: '^["\\n\\\\a]+$' });
  expect(quotes(JSON.stringify('"\n\\a'))).toBe(true);
  expect(quotes('"\n"')).toBe(false);
  expect(quotes('"\\t"')).toBe(false);
  expect(quotes('""a"')).toBe(false);
});

it('reads schemas as people write them', () => {
  const any = accepts({});
  for (const value of [1, 'a', null, [1, [{}]], { a: { b: [true, false] } }]) expect(any(JSON.stringify(value))).toBe(true);
  expect(any('[1,]') || any('{"a":1,}') || any('01') || any('+1') || any('.5') || any('1 2')).toBe(false);
  const untyped = accepts({ properties: { a: { minimum: 3, maximum: 5 } }, required: ['a', 'b'] });
  expect(untyped('{"a": 4, "b": [1]}')).toBe(true);
  expect(untyped('{"a": 4}') || untyped('{"a": 6, "b": 1}') || untyped('{"a": 4, "b": 1, "c": 1}')).toBe(false);
  const tuple = accepts({ type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }] });
  expect(tuple('[1, "a"]')).toBe(true);
  expect(tuple('[1]') || tuple('["a", 1]') || tuple('[1, "a", 2]')).toBe(false);
  const pair = accepts({ type: 'array', prefixItems: [{ const: 1 }], items: { const: 2 }, minItems: 2, maxItems: 3 });
  expect([pair('[1]'), pair('[1,2]'), pair('[1,2,2]'), pair('[1,2,2,2]')]).toEqual([false, true, true, false]);
  const pointed = accepts({ definitions: { 'a/b~c': { enum: [1, 2], type: 'integer' } }, $ref: '#/definitions/a~1b~0c' });
  expect([pointed('1'), pointed('3')]).toEqual([true, false]);
  const list = accepts({
    anyOf: [{ type: 'null' }, { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] }],
  });
  expect([list('{"next":{"next":null}}'), list('{"next":{}}')]).toEqual([true, false]);
  expect(accepts({ type: 'object', properties: {} })('{}')).toBe(true);
  expect(acceptor(anyObject)('{"a":[1,{"b":null}]}')).toBe(true);
  expect(acceptor(anyObject)('[]')).toBe(false);
});

it('white space is JSON and has an end', () => {
  const accepted = accepts({ type: 'array', items: { type: 'null' } });
  expect(accepted('[\n    null,\n    null\n]') && accepted('[ null, null ]')).toBe(true);
  expect(accepted(`[\n${' '.repeat(17)}null]`) || accepted('[  null]') || accepted(' []') || accepted('[] ')).toBe(false);
});

const endless = { type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] };
const deep = (levels: number): unknown => (levels === 0 ? {} : { type: 'array', items: deep(levels - 1) });

it.each<[string, unknown, string]>([
  ['a keyword it cannot follow', { type: 'array', uniqueItems: true }, '#/uniqueItems'],
  ['and one deep inside', { properties: { 'a/b': { items: { not: {} } } } }, '#/properties/a~1b/items/not'],
  ['oneOf whose schemas overlap', { oneOf: [{}, { type: 'string' }] }, '#/oneOf: 0 and 1 may both hold'],
  ['allOf that asks for two different things', { allOf: [{ const: 1 }, { const: 2 }] }, '#/allOf: const is asked for twice'],
  ['allOf of no common type', { allOf: [{ type: 'string' }, { type: 'number' }] }, '#/allOf: no value is of all its types'],
  [
    'allOf within itself',
    { $defs: { a: { allOf: [{ $ref: '#/$defs/a' }, { minLength: 1 }] } }, $ref: '#/$defs/a' },
    'refers to itself',
  ],
  [
    'allOf of objects that bar one another',
    {
      allOf: [
        { type: 'object', properties: { a: {} }, additionalProperties: false },
        { type: 'object', properties: { b: {} } },
      ],
    },
    '#/allOf: additionalProperties is not supported beside #/properties/b',
  ],
  [
    'several patterns of names',
    { type: 'object', patternProperties: { '^a': {}, '^b/': {} } },
    '#/patternProperties/^a: patternProperties is only supported with one pattern',
  ],
  ['a pattern of names beside names', { properties: { a: {} }, patternProperties: { '^b/': {} } }, '#/patternProperties/^b~1'],
  ['a pattern of names beside required ones', { required: ['a'], propertyNames: { pattern: '^a' } }, '#/propertyNames'],
  ['a required name that is none', { required: ['b'], propertyNames: { enum: ['a'] } }, '#/propertyNames: "b" is required'],
  ['names that are numbers', { propertyNames: { type: 'number' } }, '#/propertyNames'],
  ['more properties than are required', { properties: { a: {} }, minProperties: 1 }, '#/minProperties'],
  ['fewer properties than are named', { properties: { a: {}, b: {} }, maxProperties: 1 }, '#/maxProperties'],
  ['not', { properties: { a: { not: { type: 'string' } } } }, '#/properties/a/not'],
  ['if', { if: {}, items: {} }, '#/if'],
  ['contains', { items: {}, contains: {} }, '#/contains'],
  ['multipleOf', { type: 'integer', multipleOf: 2 }, '#/multipleOf'],
  ['something beside anyOf', { anyOf: [{}], properties: {} }, 'properties is not supported beside anyOf'],
  ['a choice beside $ref', { $ref: '#/$defs/a', enum: [1], $defs: { a: { const: 1 } } }, 'const is not supported beside enum'],
  [
    'a pattern whose length is counted too far',
    { format: 'hostname', pattern: '^(?=.{1,253}\\.?$)[a-z](?:[a-z-]{0,61}[a-z])?(?:\\.[a-z](?:[a-z-]{0,61}[a-z])?)*$' },
    '#: what is asked of the same string is too much to follow together',
  ],
  ['a pattern that leaves no length', { type: 'string', pattern: '^a{3}$', minLength: 4 }, '#: no text meets all'],
  [
    'a format and a pattern that bar one another',
    { type: 'string', format: 'date', pattern: '^[a-z]+$' },
    '#: no text meets all',
  ],
  ['a format that is no text', { type: 'string', format: 3 }, '#/format'],
  ['a pattern that cannot be followed', { items: { pattern: '(?<=a)' } }, '#/items/pattern, character 3'],
  ['a property of a class nobody knows', { pattern: '^\\p{Letter}$' }, '#/pattern, character 4'],
  ['false', { properties: { a: false }, required: ['a'] }, '#/properties/a'],
  ['a schema that is none', { items: 3 }, '#/items'],
  ['no choice', { enum: [] }, '#/enum'],
  ['no choice of its type', { enum: [1], type: 'string' }, 'none of its values'],
  ['an unknown type', { type: 'text' }, 'found "text"'],
  ['no type', { type: [] }, '#/type'],
  ['bounds with nothing between', { type: 'integer', exclusiveMinimum: 3, exclusiveMaximum: 4 }, 'no number lies between'],
  ['bounds the wrong way', { type: 'number', minimum: 3, maximum: 2 }, 'no number lies between'],
  ['a bound of too many digits', { type: 'number', minimum: 0.1 + 0.2 }, 'at most 15 digits'],
  ['a bound that is no number', { type: 'number', minimum: '3' }, '#/minimum'],
  ['fewer items than needed', { type: 'array', minItems: 3, maxItems: 2 }, '#/minItems'],
  ['more items than there can be', { type: 'array', prefixItems: [{}], items: false, minItems: 2 }, '#/minItems'],
  ['a million items', { type: 'array', minItems: 1_000_000 }, '#/minItems'],
  ['half a string', { type: 'string', minLength: 0.5 }, '#/minLength'],
  ['a required property that may not be', { required: ['a'], additionalProperties: false }, '"a" is required'],
  ['required that is no list', { required: 'a' }, '#/required'],
  ['a reference elsewhere', { $ref: 'https://example.org/schema' }, 'a part of this schema'],
  ['a reference to nothing', { $ref: '#/$defs/a' }, 'a part of this schema'],
  ['a reference to a method', { $ref: '#/toString' }, 'a part of this schema'],
  ['a name inside', { items: { $id: 'a' } }, '#/items/$id'],
  ['itself and nothing else', { $ref: '#' }, 'refers to itself'],
  [
    'itself by way of others',
    { anyOf: [{ $ref: '#/$defs/a' }, {}], $defs: { a: { anyOf: [{ $ref: '#' }] } } },
    'refers to itself',
  ],
  [
    'a loop met from behind',
    {
      $defs: {
        a: { anyOf: [{ $ref: '#/$defs/b' }, { const: 1 }] },
        b: { anyOf: [{ items: { $ref: '#/$defs/a' } }, { $ref: '#/$defs/a' }] },
      },
      $ref: '#/$defs/b',
    },
    'refers to itself',
  ],
  ['what never ends', endless, 'needs itself within itself'],
  [
    'what never ends, in a part',
    { properties: { b: { $ref: '#/$defs/a' } }, $defs: { a: { type: 'array', items: { $ref: '#/$defs/a' }, minItems: 1 } } },
    '#/$defs/a',
  ],
  ['deep nesting', deep(150), 'nested too deep'],
])('refuses %s', (_, schema, problem) => {
  expect(() => buildNetwork(schemaExpression(schema))).toThrow(
    expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining(problem) }),
  );
});
