// Schemas as tools write them: zod's toJSONSchema, the Vercel AI SDK, Pydantic, OpenAI's strict mode. Each is followed or refused by name.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { schemaExpression } from '../../src/constraints/json-schema.ts';
import { randomStream } from '../../src/random.ts';
import { acceptor, writer } from './accepts.ts';

const accepts = (schema: unknown) => acceptor(schemaExpression(schema));

describe('what zod writes is JSON that zod reads', () => {
  const Tree = z.object({
    name: z.string(),
    get kids() {
      return z.array(Tree);
    },
  });
  const schemas: Record<string, z.ZodType> = {
    email: z.email(),
    uuid: z.uuid(),
    guid: z.guid(),
    url: z.url(),
    ipv4: z.ipv4(),
    ipv6: z.ipv6(),
    cidr: z.cidrv4(),
    base64: z.base64(),
    base64url: z.base64url(),
    nanoid: z.nanoid(),
    ulid: z.ulid(),
    cuid: z.cuid2(),
    phone: z.e164(),
    date: z.iso.date(),
    time: z.iso.time(),
    datetime: z.iso.datetime(),
    duration: z.iso.duration(),
    'a date of a length': z.iso.date().min(3),
    'whole numbers': z.int(),
    'positive ones': z.int().positive().max(12),
    record: z.record(z.string(), z.boolean()),
    'record of names': z.record(z.enum(['a', 'b"']), z.number()),
    'part of a record of names': z.partialRecord(z.enum(['a', 'b']), z.number()),
    'record of patterned names': z.record(z.string().regex(/^x_[a-z]{1,4}$/), z.null()),
    'loose record': z.looseRecord(z.string().regex(/^x/), z.number()),
    'union by a field': z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), x: z.string().max(3) }),
      z.object({ kind: z.literal(['b', 'c']), y: z.int() }),
    ]),
    'one of two types': z.xor([z.string().max(3), z.boolean()]),
    intersection: z.intersection(z.object({ a: z.boolean() }), z.object({ b: z.null() })),
    'two patterns and lengths': z
      .string()
      .min(2)
      .max(5)
      .regex(/^[a-z"]+$/)
      .regex(/x/),
    'beginning, middle and end': z.string().startsWith('ab').includes('q').endsWith('z').max(9),
    template: z.templateLiteral(['a-', z.number(), z.enum(['x', 'y'])]),
    tuple: z.tuple([z.string().max(2), z.number()]),
    optional: z.object({
      a: z.boolean().optional().describe('perhaps'),
      b: z.string().max(3).nullable().default('q'),
      c: z.literal(['a', 1, null]),
      n: z.never().optional(),
      q: z.int().max(3).min(1).meta({ id: 'Q', unit: 'kg' }),
    }),
    loose: z.looseObject({ a: z.boolean() }),
    tree: Tree,
  };
  it.each(Object.keys(schemas))('%s', (name) => {
    const random = randomStream('zod', name);
    for (const target of ['draft-2020-12', 'draft-7'] as const) {
      const schema = z.toJSONSchema(schemas[name]!, { target });
      const write = writer(schemaExpression(schema));
      for (let i = 0; i < 20; i++) {
        const text = write(random);
        const { success, error } = schemas[name]!.safeParse(JSON.parse(text));
        expect(success, `${JSON.stringify(schema)} ${text} ${error?.message}`).toBe(true);
      }
    }
  });
});

describe('what others write', () => {
  it.each<[string, object, string[], string[]]>([
    [
      'Pydantic: references with notes, null, and a union told apart by a field',
      {
        $defs: {
          Cat: {
            properties: { kind: { const: 'cat', title: 'Kind', type: 'string' } },
            required: ['kind'],
            title: 'Cat',
            type: 'object',
          },
          Dog: {
            properties: { kind: { enum: ['dog', 'puppy'], type: 'string' } },
            required: ['kind'],
            title: 'Dog',
            type: 'object',
          },
        },
        properties: {
          pet: {
            discriminator: { mapping: { cat: '#/$defs/Cat', dog: '#/$defs/Dog' }, propertyName: 'kind' },
            oneOf: [{ $ref: '#/$defs/Cat' }, { $ref: '#/$defs/Dog' }],
            title: 'Pet',
          },
          other: { $ref: '#/$defs/Cat', default: { kind: 'cat' }, description: 'Another' },
          note: { anyOf: [{ maxLength: 3, type: 'string' }, { type: 'null' }], default: null, title: 'Note', examples: ['a'] },
        },
        required: ['pet'],
        title: 'Owner',
        type: 'object',
      },
      ['{"pet":{"kind":"puppy"},"other":{"kind":"cat"},"note":null}', '{"pet":{"kind":"cat"}}'],
      ['{"pet":{"kind":"cow"}}', '{"pet":{"kind":"cat"},"note":"long"}', '{}'],
    ],
    [
      'Pydantic: allOf of one, tuples, passwords, decimals',
      {
        $defs: { Level: { enum: [1, 2], type: 'integer' } },
        properties: {
          level: { allOf: [{ $ref: '#/$defs/Level' }], default: 1 },
          pair: { maxItems: 2, minItems: 2, prefixItems: [{ type: 'integer' }, { type: 'string' }], type: 'array' },
          secret: { format: 'password', type: 'string', writeOnly: true },
          price: { anyOf: [{ type: 'number' }, { pattern: '^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$', type: 'string' }] },
        },
        required: ['level', 'pair', 'secret', 'price'],
        type: 'object',
      },
      ['{"level":2,"pair":[1,"a"],"secret":"x","price":"-01.50"}', '{"level":1,"pair":[1,"a"],"secret":"","price":2.5}'],
      ['{"level":3,"pair":[1,"a"],"secret":"x","price":1}', '{"level":2,"pair":[1,"a"],"secret":"x","price":"-."}'],
    ],
    [
      'Pydantic: an address of a web page with the longest length there is',
      { format: 'uri', maxLength: 2083, minLength: 1, type: 'string' },
      ['"https://example.org/a"', '"http://a.b"'],
      ['"example.org"', '""'],
    ],
    [
      'OpenAI: a step by step solution, closed, with a reference to itself',
      {
        type: 'object',
        properties: {
          steps: { type: 'array', items: { $ref: '#/$defs/step' } },
          next: { anyOf: [{ $ref: '#' }, { type: 'null' }] },
        },
        $defs: {
          step: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'], additionalProperties: false },
        },
        required: ['steps', 'next'],
        additionalProperties: false,
      },
      ['{"steps":[{"text":"a"}],"next":{"steps":[],"next":null}}'],
      ['{"steps":[]}', '{"steps":[{}],"next":null}'],
    ],
    [
      'draft 7: a list of items and what follows them',
      {
        $schema: 'http://json-schema.org/draft-07/schema#',
        items: [{ const: 1 }, { const: 2 }],
        additionalItems: { const: 3 },
        minItems: 2,
      },
      ['[1,2]', '[1,2,3,3]'],
      ['[1]', '[1,2,2]'],
    ],
    [
      'draft 7: the same closed',
      { type: 'array', items: [{ const: 1 }], additionalItems: false, minItems: 1 },
      ['[1]'],
      ['[1,1]', '[]'],
    ],
    [
      'what stands beside a reference, and schemas that all hold',
      {
        $defs: { named: { type: 'object', properties: { name: { type: 'string', maxLength: 4 } }, required: ['name'] } },
        allOf: [{ $ref: '#/$defs/named' }, { properties: { name: { minLength: 2 }, age: { type: 'integer', minimum: 0 } } }],
        required: ['age'],
      },
      ['{"name":"ab","age":3}'],
      ['{"name":"a","age":3}', '{"name":"abcde","age":3}', '{"name":"ab"}', '{"name":"ab","age":-3}'],
    ],
    [
      'names that a list bars, a property that may not be, counts that say nothing new',
      {
        properties: { a: { const: 1 }, b: false, c: { not: {} }, d: { const: 2 } },
        required: ['a'],
        propertyNames: { enum: ['a', 'b'] },
        ...{ minProperties: 1, maxProperties: 9, patternProperties: {} },
      },
      ['{"a":1}'],
      ['{"a":1,"d":2}', '{"a":1,"b":1}', '{}'],
    ],
    [
      'a map of so many entries',
      { additionalProperties: { const: 1 }, minProperties: 1, maxProperties: 2 },
      ['{"a":1}', '{"a":1,"b":1}'],
      ['{}', '{"a":1,"b":1,"c":1}'],
    ],
    ['multiples of one', { type: 'number', multipleOf: 1 }, ['3', '-20'], ['3.5']],
    [
      'arrays of one item that is unlike itself',
      { type: 'array', maxItems: 1, uniqueItems: true, items: { const: 1 } },
      ['[1]'],
      ['[1,1]'],
    ],
    [
      'words that ask for nothing',
      { type: 'null', nullable: true, 'x-order': 1, example: 3, contentEncoding: 'base64', $anchor: 'a' },
      ['null'],
      ['1'],
    ],
    ['a format that is nobody’s', { type: 'string', format: 'toString', maxLength: 2 }, ['"ab"'], ['"abc"']],
    ['numbers with the format of a program', { type: 'integer', format: 'int64', minimum: 0 }, ['7'], ['-7']],
    ['look-aheads within', { pattern: '^(?:a(?=b|c)\\w|(?!x)\\w{2})$' }, ['"ab"', '"ad"', '"zz"'], ['"xz"', '"a"', '"xx"']],
    ['a look-ahead anywhere', { pattern: 'a(?!b)' }, ['"ac"', '"aba"'], ['"ab"', '"b"']],
    [
      'characters beyond ASCII and their number',
      { pattern: '^[é😀"]+$', minLength: 2, maxLength: 3 },
      ['"é😀"', '"\\"é\\""'],
      ['"é"', '"éééé"'],
    ],
  ])('%s', (_, schema, good, bad) => {
    const accepted = accepts(schema);
    for (const text of good) expect(accepted(text), text).toBe(true);
    for (const text of bad) expect(accepted(text), text).toBe(false);
  });
});

it('a pattern, a format and a length hold together whatever they are, as ECMAScript reads them', () => {
  const patterns = [
    '^[a-c]*$',
    'ab',
    '^(?!a)',
    '(?:aa|b)c?$',
    '^(?=.*c).{0,5}$',
    '^(?:a|ab)(?:c|bcd)?$',
    'a(?=bc|$)',
    '^(?!.*(?:ab|ba)).*$',
  ];
  const random = randomStream('together');
  const below = (limit: number) => Math.floor(random() * limit);
  const texts = ['', ...Array.from({ length: 120 }, () => Array.from({ length: 1 + below(7) }, () => 'abcd'[below(4)]).join(''))];
  let held = 0;
  for (const [i, one] of patterns.entries()) {
    for (const other of patterns.slice(i)) {
      const minLength = below(3);
      const maxLength = minLength + below(6);
      const fits = (text: string) =>
        text.length >= minLength &&
        text.length <= maxLength &&
        [one, other].every((pattern) => new RegExp(pattern, 'u').test(text));
      const good = texts.filter(fits);
      if (good.length === 0) continue;
      held += good.length;
      const schema = { type: 'string', minLength, maxLength, allOf: [{ pattern: one }, { pattern: other }] };
      const accepted = accepts(schema);
      for (const text of texts) expect(accepted(JSON.stringify(text)), `${JSON.stringify(schema)} ${text}`).toBe(fits(text));
    }
  }
  expect(held).toBeGreaterThan(200);
});

it('what is too much to follow together is refused in time', () => {
  const schema = { type: 'string', allOf: [{ pattern: '(?:a|b)*a(?:a|b){40}' }, { pattern: '^(?!.*c.{30}d)' }] };
  expect(() => schemaExpression(schema)).toThrow(/too much to follow together/);
});

it('many strings of one schema may not come to more than one may', () => {
  const properties = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [`a${i}`, { type: 'string', format: 'email', pattern: `^[a-z]{1,${3 + i}}@` }]),
  );
  expect(() => schemaExpression({ properties })).toThrow(/#\/properties\/a\d+: .*too much to follow together/);
  expect(() => schemaExpression({ properties: { one: properties.a0, two: properties.a0 } })).not.toThrow();
});
