// Constrained replies under random weights: whatever the model prefers, what it may pick keeps to the constraint and can be brought to its end.
import { beforeAll, describe, expect, it } from 'vitest';
import { type ConstraintSpec, Constraints, checkConstraint, type OpenConstraint } from '../../src/constraints/constraint.ts';
import { flatten } from '../../src/constraints/token-trie.ts';
import type { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { randomStream } from '../../src/random.ts';
import { controlTokens } from '../../src/steerlm/prompt-layout.ts';
import { cpuMs } from '../cpu-time.ts';
import { smallTokenizer } from '../engine/models.ts';
import { isValid, RandomSchema } from './schemas.ts';

let tokenizer: Tokenizer;
/** Bytes by id. */
let vocabulary: Uint8Array[];
let stop: number;
let constraints: Constraints;

beforeAll(async () => {
  tokenizer = await smallTokenizer();
  vocabulary = Array.from({ length: tokenizer.size }, (_, id) => tokenizer.bytesOf(id));
  stop = tokenizer.tokenId(controlTokens.turn)!;
  // Tokens as large vocabularies have them: across the borders of JSON's parts, and twice the same.
  for (const text of [
    '{"',
    '":',
    '": "',
    '",',
    '", "',
    '"}',
    '}]',
    '},',
    ']}',
    ']',
    '[]',
    '{}',
    'true',
    'null',
    '":1',
    '00',
    '.5',
    '\n  ',
    '\\"',
    '\\u',
    '  ',
  ]) {
    vocabulary.push(Buffer.from(text));
  }
  for (const text of ['é', '😀', 'né"', '日本']) for (const part of [1, 2]) vocabulary.push(Buffer.from(text).subarray(part - 1));
  constraints = new Constraints({ tokenBytes: flatten(vocabulary), stopTokens: [stop] });
});

const open = (spec: ConstraintSpec): OpenConstraint => constraints.open(spec);
const oneOf = <T>(from: readonly T[], random: () => number): T => from[Math.floor(random() * from.length)]!;
const idsOf = (mask: Uint8Array): number[] => [...mask.keys()].filter((id) => mask[id] === 1);

/** A reply of weights that never change: some tokens are liked far better than others. Past `patience` tokens it hurries to an end. */
function write(spec: ConstraintSpec, seed: number | string, patience = 60): { text: string; stopped: boolean } {
  const random = randomStream('reply', seed);
  const liking = vocabulary.map(() => random() ** 8);
  const constraint = open(spec);
  const tokens: number[] = [];
  while (!constraint.over && tokens.length < 2_000) {
    const ids = idsOf(constraint.allowed());
    const token = (tokens.length > patience ? hurried(ids) : undefined) ?? liked(ids, liking, random);
    constraint.accept(token);
    if (token === stop) return { text: textOf(tokens), stopped: true };
    tokens.push(token);
  }
  return { text: textOf(tokens), stopped: constraint.over };
}

function liked(ids: readonly number[], liking: readonly number[], random: () => number): number {
  let rest = random() * ids.reduce((sum, id) => sum + liking[id]!, 0);
  const found = ids.find((id) => {
    rest -= liking[id]!;
    return rest < 0;
  });
  return found ?? ids[0]!;
}

function hurried(ids: readonly number[]): number | undefined {
  if (ids.includes(stop)) return stop;
  return hurry
    .map((byte) => ids.find((id) => vocabulary[id]!.length === 1 && vocabulary[id]![0] === byte))
    .find((id) => id !== undefined);
}

/** Bytes that bring JSON to its end, first those that close something. */
const hurry = [...'"]}0,:1'].map((character) => character.charCodeAt(0));

function textOf(tokens: readonly number[]): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(tokens.map((id) => vocabulary[id]!)));
}

describe('what is written under random weights', () => {
  it('is valid by random schemas', () => {
    let stopped = 0;
    for (let seed = 0; seed < 250; seed++) {
      const { schema } = new RandomSchema(randomStream('written', seed));
      const reply = write({ kind: 'json_schema', schema }, seed);
      expect(reply.stopped, `seed ${seed}: ${JSON.stringify(schema)} ${reply.text}`).toBe(true);
      stopped++;
      expect(isValid(schema, JSON.parse(reply.text)), `seed ${seed}: ${JSON.stringify(schema)} ${reply.text}`).toBe(true);
    }
    expect(stopped).toBe(250);
  });

  it('is a JSON object', () => {
    for (let seed = 0; seed < 60; seed++) {
      const { text, stopped } = write({ kind: 'json_object' }, seed, 40);
      expect(stopped, text).toBe(true);
      expect(JSON.parse(text)).toBeTypeOf('object');
      expect(text[0]).toBe('{');
    }
  });

  it.each([
    '[a-z]{3,8}(?: [a-z]+){0,3}\\.',
    '(\\d{3}-){2}\\d{4}',
    '[é😀日本]{2,9}',
    '(?:yes|no|maybe),? .{1,40}',
    '.*guard.*gate',
  ])('matches %s', (pattern) => {
    for (let seed = 0; seed < 30; seed++) {
      const { text, stopped } = write({ kind: 'regex', pattern }, `${pattern} ${seed}`, 20);
      if (stopped) expect(text).toMatch(new RegExp(`^(?:${pattern})$`, 'u'));
    }
  });

  it('is one of the choices, be they of any length and beginnings of each other', () => {
    const choices = ['The', 'The guard', 'gate', '😀', 'né', 'n'];
    const said = new Set(Array.from({ length: 200 }, (_, seed) => write({ kind: 'choice', choices }, seed).text));
    expect([...said].sort()).toEqual(choices.toSorted());
  });
});

/** A vocabulary of single bytes. */
const bytes = [...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)), new Uint8Array()];

it('stop tokens may be picked once the reply is complete and not before, and then nothing else where nothing can follow', () => {
  const number = open({ kind: 'json_schema', schema: { type: 'integer' } });
  const idOf = (text: string): number => vocabulary.findIndex((own) => Buffer.from(own).toString() === text);
  expect(number.allowed()[stop]).toBe(0);
  expect(() => number.accept(stop)).toThrow(expect.objectContaining({ code: 'internal_error' }));
  number.accept(idOf('7'));
  expect(number.allowed()[stop]).toBe(1);
  expect(number.allowed()[idOf('00')]).toBe(1);
  expect(number.over).toBe(false);
  number.accept(stop);
  expect(number.over).toBe(true);

  const nothing = open({ kind: 'json_schema', schema: { const: null } });
  nothing.accept(idOf('null'));
  expect(nothing.over).toBe(true);
  expect(idsOf(nothing.allowed())).toEqual([stop]);
  expect(() => nothing.accept(idOf('7'))).toThrow(expect.objectContaining({ code: 'internal_error' }));
  expect(() => open({ kind: 'json_object' }).accept(tokenizer.tokenId(controlTokens.system)!)).toThrow(/allows/);
});

it('characters come in parts, and only whole ones end a reply', () => {
  const constraint = new Constraints({ tokenBytes: flatten(bytes), stopTokens: [256] }).open({
    kind: 'regex',
    pattern: '[é😀]+',
  });
  const seen: number[][] = [];
  for (const byte of Buffer.from('é😀')) {
    seen.push(idsOf(constraint.allowed()));
    constraint.accept(byte);
  }
  expect(seen).toEqual([[0xc3, 0xf0], [0xa9], [0xc3, 0xf0, 256], [0x9f], [0x98], [0x80]]);
  expect(constraint.allowed()[256]).toBe(1);
});

it('replies of one constraint share what is known and do not disturb each other', () => {
  const spec = (): ConstraintSpec => ({ kind: 'json_schema', schema: { type: 'array', items: { type: 'boolean' } } });
  const [one, two] = [open(spec()), open(spec())];
  expect(one.allowed()).toBe(two.allowed());
  const before = idsOf(two.allowed());
  one.accept(idsOf(one.allowed())[0]!);
  expect(idsOf(two.allowed())).toEqual(before);
  // Others in between, enough to push the first out.
  for (let i = 0; i < 40; i++) open({ kind: 'choice', choices: [`${i}`] });
  expect(idsOf(two.allowed())).toEqual(before);
  expect(open(spec()).allowed()).not.toBe(two.allowed());
});

it('a vocabulary that cannot spell what must come is told apart from a fault', () => {
  const poor = new Constraints({ tokenBytes: flatten([Buffer.from('a'), new Uint8Array()]), stopTokens: [1] });
  const constraint = poor.open({ kind: 'regex', pattern: 'ab' });
  constraint.accept(0);
  expect(() => constraint.allowed()).toThrow(
    expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining('no token') }),
  );
});

it('what leaves too many ways open is refused when it comes to it, however often it was asked for', () => {
  const letter = vocabulary.findIndex((own) => Buffer.from(own).toString() === 'a');
  const followed = [0, 1, 2].map(() => {
    const constraint = open({ kind: 'regex', pattern: '(?:.{0,70}){0,70}x' });
    let count = 0;
    const follow = (): void => {
      for (; count < 100; count++) {
        expect(constraint.allowed()[letter]).toBe(1);
        constraint.accept(letter);
      }
    };
    expect(follow).toThrow(expect.objectContaining({ code: 'invalid_request', message: expect.stringContaining('ways') }));
    return count;
  });
  expect(new Set(followed).size).toBe(1);
});

describe('hostile constraints are refused or followed in bounded time', () => {
  const nest = (levels: number, inside: unknown, wrap: (value: unknown) => unknown): unknown => {
    let value = inside;
    for (let i = 0; i < levels; i++) value = wrap(value);
    return value;
  };
  const numbered = (count: number, make: (i: number) => unknown): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`p${i}`, make(i)]));
  const schemas: Record<string, unknown> = {
    'nested a hundred thousand times': nest(100_000, {}, (items) => ({ items })),
    'an annotation nested so': { default: nest(100_000, [], (value) => [value]) },
    'nested choices': nest(90, { type: 'string' }, (value) => ({ anyOf: [value, { type: 'array', items: value }] })),
    'a hundred thousand properties': { properties: numbered(100_000, () => ({})) },
    'a thousand optional properties': { properties: numbered(1_000, () => ({ type: 'string' })) },
    'optional properties in optional properties': nest(6, {}, (value) => ({ properties: numbered(6, () => value) })),
    'a long enumeration': { enum: Array.from({ length: 8_000 }, (_, i) => `${'x'.repeat(i % 9)}${i}`) },
    'long words with one beginning': { enum: Array.from({ length: 9 }, (_, i) => `${'x'.repeat(10_000)}${i}`) },
    'a chain of definitions': { $ref: '#/$defs/p0', $defs: numbered(5_000, (i) => ({ items: { $ref: `#/$defs/p${i + 1}` } })) },
    'definitions in circles': {
      anyOf: Array.from({ length: 250 }, (_, i) => ({ $ref: `#/$defs/p${i}` })),
      $defs: numbered(250, (i) => ({ type: 'array', items: { $ref: `#/$defs/p${(i * 7 + 1) % 250}` }, minItems: 1 })),
    },
    'arrays of arrays of fixed length': nest(6, {}, (items) => ({ type: 'array', items, minItems: 999, maxItems: 1_000 })),
    'sized strings': { properties: numbered(40, (i) => ({ type: 'string', minLength: i, maxLength: 4_000 + i })) },
  };
  const patterns: Record<string, string> = {
    'repeats of repeats': '(((a{1,100}){1,100}){1,100}){1,100}',
    'repeats of what may be empty': '((a?){100}){100}b',
    'all that may be empty': '(a?){9999}',
    'nested stars': `${'('.repeat(45)}a${'*)'.repeat(45)}b`,
    'nested plusses': `${'('.repeat(45)}a${'+)'.repeat(45)}b`,
    'nested counts': `${'('.repeat(45)}a${'{3})'.repeat(45)}`,
    'a long memory': '(a|b|é)*a(a|b|é){1000}',
    'many alternatives': Array.from({ length: 600 }, (_, i) => `.*${i}`).join('|'),
    'any characters, many times': '(.{0,1000}x){0,1000}',
    'classes without end': '[^a]'.repeat(1_000),
  };
  const specs: [string, ConstraintSpec][] = [
    ...Object.entries(schemas).map(([name, schema]): [string, ConstraintSpec] => [name, { kind: 'json_schema', schema }]),
    ...Object.entries(patterns).map(([name, pattern]): [string, ConstraintSpec] => [name, { kind: 'regex', pattern }]),
    ['a choice too long', { kind: 'choice', choices: ['x'.repeat(200_000)] }],
    ['no choice', { kind: 'choice', choices: [] }],
  ];
  it.each(specs)('%s', (name, spec) => {
    const random = randomStream(name);
    const slowest = (act: () => void): number => {
      const start = cpuMs();
      try {
        act();
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid_request' });
        refused = true;
      }
      return cpuMs(start);
    };
    let refused = false;
    expect(
      slowest(() => checkConstraint(spec)),
      'at the door',
    ).toBeLessThan(1_000);
    if (refused) return;
    const constraint = open(spec);
    let ids: number[] = [];
    const lefts = [1, 40, 1_000, 20_000];
    for (let i = 0; i < 40 && !constraint.over && !refused; i++) {
      const took = slowest(() => {
        ids = idsOf(constraint.allowed(lefts[i % lefts.length]!));
      });
      expect(took, `token ${i}`).toBeLessThan(1_000);
      if (refused) break;
      // What keeps most ways open.
      const favourites = ids.filter((id) => 'ax'.includes(Buffer.from(vocabulary[id]!).toString()));
      constraint.accept(oneOf(favourites.length > 0 ? favourites : ids, random));
    }
  });
});
