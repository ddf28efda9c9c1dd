// Replies are brought to their end within the tokens that are left, and nothing is held back before that.
import { describe, expect, it } from 'vitest';
import { type ConstraintSpec, Constraints, type OpenConstraint } from '../../src/constraints/constraint.ts';
import { schemaExpression } from '../../src/constraints/json-schema.ts';
import { buildNetwork } from '../../src/constraints/network.ts';
import { type Position, Pushdown } from '../../src/constraints/pushdown.ts';
import { parsePattern } from '../../src/constraints/regex.ts';
import { flatten } from '../../src/constraints/token-trie.ts';
import { randomStream } from '../../src/random.ts';
import { isValid, RandomSchema } from './schemas.ts';

type Spec = ConstraintSpec & { kind: 'json_schema' | 'regex' };

/** Every byte, what a tokenizer makes of JSON and of words, and runs longer than most counts here. */
const vocabulary: Uint8Array[] = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...['{"', '":', '": "', '",', '","', '"}', '"}]', '}]', ']}', '[[', ']]]', '[]', '{}', 'true', 'null', 'false', '\\u00'],
  ...['aa', 'ab', 'aaaa', 'é', '😀', 'né"', '日本', 'name', 'leaf', 'more":[', 'a'.repeat(20), ' '.repeat(24)],
].map((token) => (typeof token === 'string' ? Buffer.from(token) : token));
const stop = vocabulary.push(new Uint8Array()) - 1;
const constraints = new Constraints({ tokenBytes: flatten(vocabulary), stopTokens: [stop] });
const idsOf = (mask: Uint8Array): number[] => [...mask.keys()].filter((id) => mask[id] === 1);
const schemaOf = (schema: unknown): Spec => ({ kind: 'json_schema', schema });

/** Whose tokens that close nothing are liked far better, so that by itself no text would end. */
const closes = /["\]}]/;
const likings = vocabulary.map((token, id) => (id === stop || closes.test(Buffer.from(token).toString('latin1')) ? 0.001 : 1));

/** Tokens of a reply of weights that never change, until it is complete and nothing can follow, or as long as it may be. */
function write(constraint: OpenConstraint, most: number, seed: string): number[] {
  const random = randomStream('closing', seed);
  const liking = likings.map((liked) => liked * random() ** 4);
  const tokens: number[] = [];
  while (!constraint.over && tokens.length < most) {
    const ids = idsOf(constraint.allowed(most - tokens.length));
    let rest = random() * ids.reduce((sum, id) => sum + liking[id]!, 0);
    const token = ids.find((id) => {
      rest -= liking[id]!;
      return rest < 0;
    })!;
    constraint.accept(token);
    if (token !== stop) tokens.push(token);
  }
  return tokens;
}

const textOf = (tokens: readonly number[], from = vocabulary): string =>
  new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(tokens.map((id) => from[id]!)));

/** Positions by byte, and from each the first of the shortest texts to an end, by trying all. */
class SlowAutomaton {
  readonly start: Position;
  readonly #automaton: Pushdown;

  constructor(spec: Spec) {
    const expression = spec.kind === 'regex' ? parsePattern(spec.pattern, 'pattern') : schemaExpression(spec.schema);
    this.#automaton = new Pushdown(buildNetwork(expression));
    this.start = this.#automaton.start;
  }

  follow(from: Position, token: Uint8Array): Position | null {
    let position: Position | null = from;
    for (const byte of token) position &&= this.#automaton.step(position, byte);
    return position;
  }

  /** Undefined where there are too many to try. */
  shortest(from: Position): number[] | undefined {
    const seen = new Set([from]);
    let layer = [{ at: from, bytes: [] as number[] }];
    while (seen.size < 3_000) {
      const found = layer.find(({ at }) => at.complete);
      if (found) return found.bytes;
      const next: typeof layer = [];
      for (const { at, bytes } of layer) {
        for (let byte = 0; byte < 256; byte++) {
          const after = this.#automaton.step(at, byte);
          if (!after || seen.has(after)) continue;
          seen.add(after);
          next.push({ at: after, bytes: [...bytes, byte] });
        }
      }
      layer = next;
    }
    return undefined;
  }
}

const spelled = new Set(vocabulary.map((token) => Buffer.from(token).toString('latin1')));
const longest = Math.max(...vocabulary.map(({ length }) => length));

function fewestTokens(bytes: readonly number[]): number {
  const text = Buffer.from(bytes).toString('latin1');
  const fewest = new Array<number>(bytes.length + 1).fill(0);
  for (let at = bytes.length - 1; at >= 0; at--) {
    const ends = Array.from({ length: longest }, (_, i) => at + i + 1).filter((end) => end <= bytes.length);
    fewest[at] = 1 + Math.min(...ends.filter((end) => spelled.has(text.slice(at, end))).map((end) => fewest[end]!));
  }
  return fewest[0]!;
}

const name = { type: 'string' };
const deep = (levels: number): unknown =>
  levels === 0
    ? name
    : {
        type: 'object',
        properties: { a: deep(levels - 1), b: { type: 'array', items: name, minItems: 1 } },
        required: ['a', 'b'],
      };
const endless: [string, Spec][] = [
  ['a string', schemaOf(name)],
  ['names of properties', schemaOf({ type: 'object', propertyNames: name, additionalProperties: name, minProperties: 1 })],
  ['an array', schemaOf({ type: 'array', items: name, minItems: 2 })],
  ['objects in one another', schemaOf(deep(4))],
  ['either of two', schemaOf({ anyOf: [deep(2), { type: 'object', properties: { long: name }, required: ['long'] }] })],
  ['any object', schemaOf({ type: 'object' })],
  ['a tree', schemaOf({ $ref: '#/$defs/t', $defs: { t: { type: 'array', items: { $ref: '#/$defs/t' } } } })],
  ['a pattern', { kind: 'regex', pattern: '<[^>]+>(?: [a-z]{3,})+\\.' }],
  ['a string of a least length', schemaOf({ type: 'string', minLength: 30 })],
];

describe('what would not end by itself ends within any number of tokens that is enough', () => {
  it.each(endless)('%s', (_, spec) => {
    const slow = new SlowAutomaton(spec);
    const least = fewestTokens(slow.shortest(slow.start)!);
    for (const more of [0, 1, 2, 3, 5, 8, 13, 21, 34, 55]) {
      for (let seed = 0; seed < 3; seed++) {
        const constraint = constraints.open(spec);
        const text = textOf(write(constraint, least + more, `${more} ${seed}`));
        expect(constraint.complete, text).toBe(true);
        if (spec.kind === 'regex') expect(text).toMatch(new RegExp(`^(?:${spec.pattern})$`, 'u'));
        else expect(isValid(spec.schema, JSON.parse(text)), text).toBe(true);
      }
    }
  });

  it('random schemas', () => {
    let tried = 0;
    for (let seed = 0; seed < 150; seed++) {
      const { schema } = new RandomSchema(randomStream('closed', seed));
      const slow = new SlowAutomaton(schemaOf(schema));
      const shortest = slow.shortest(slow.start);
      if (!shortest) continue;
      tried++;
      for (const more of [0, 1, 4, 15]) {
        const constraint = constraints.open(schemaOf(schema));
        const text = textOf(write(constraint, fewestTokens(shortest) + more, `${seed} ${more}`));
        expect(constraint.complete, `seed ${seed}, ${more} more: ${JSON.stringify(schema)} ${text}`).toBe(true);
        expect(isValid(schema, JSON.parse(text)), `seed ${seed}, ${more} more: ${JSON.stringify(schema)} ${text}`).toBe(true);
      }
    }
    expect(tried).toBeGreaterThan(100);
  });
});

/** Along a reply, the mask at every number of tokens left against what the shortest texts take; answers with how many were compared. */
function compareMasks(spec: Spec, seed: string, most: number): number {
  const slow = new SlowAutomaton(spec);
  const constraint = constraints.open(spec);
  const random = randomStream('closing masks', seed);
  let position = slow.start;
  let compared = 0;
  const tokensFrom = (at: Position): number | undefined => {
    const shortest = slow.shortest(at);
    return shortest && fewestTokens(shortest);
  };
  for (let count = 0; count < most && !constraint.over; count++) {
    const all = constraint.allowed();
    const ids = idsOf(all);
    const after = new Map<Position, number | undefined>();
    const fewest = ids.map((id) => {
      const at = id === stop ? null : slow.follow(position, vocabulary[id]!);
      if (!at) return 0;
      if (!after.has(at)) after.set(at, tokensFrom(at));
      return after.get(at);
    });
    const own = tokensFrom(position);
    if (own === undefined || fewest.includes(undefined)) return compared;
    const lefts = new Set([own - 1, own, ...fewest.flatMap((need) => [need!, need! + 1])].filter((left) => left > 0));
    for (const left of lefts) {
      const expected = left < own ? ids : ids.filter((_, i) => fewest[i]! < left);
      expect(idsOf(constraint.allowed(left)), `${seed}, token ${count}, ${left} left: ${JSON.stringify(spec)}`).toEqual(expected);
      compared++;
    }
    expect(constraint.allowed(5_000), 'far from the end').toBe(all);
    const token = ids[Math.floor(random() * ids.length)]!;
    constraint.accept(token);
    if (token === stop) return compared;
    position = slow.follow(position, vocabulary[token]!)!;
  }
  return compared;
}

describe('masks hold back what cannot be brought to its end, and nothing else', () => {
  it.each(endless)('%s', (what, spec) => {
    expect(compareMasks(spec, what, 12)).toBeGreaterThan(11);
  });

  it('random schemas', () => {
    let compared = 0;
    for (let seed = 0; seed < 60; seed++) {
      const { schema } = new RandomSchema(randomStream('closing masks', seed));
      compared += compareMasks(schemaOf(schema), `${seed}`, 6);
    }
    expect(compared).toBeGreaterThan(500);
  });

  it('the same for a reply whoever wrote before it', () => {
    const spec = schemaOf(deep(3));
    const masksOf = (all: Constraints): number[][] => {
      const constraint = all.open(spec);
      return [...Buffer.from('{"a":{"a":{"a":"aaaaaaaa')].map((byte, i) => {
        constraint.accept(byte);
        return idsOf(constraint.allowed(70 - i));
      });
    };
    const fresh = new Constraints({ tokenBytes: flatten(vocabulary), stopTokens: [stop] });
    expect(masksOf(fresh)).toEqual(masksOf(constraints));
  });
});

it('tokens that are too few for any end are spent as before', () => {
  const constraint = constraints.open(schemaOf(deep(4)));
  expect(constraint.allowed(3)).toBe(constraint.allowed());
});

describe('where a byte is no token by itself', () => {
  const of = (...tokens: string[]) => {
    const words = [...tokens.map((token) => Buffer.from(token)), new Uint8Array()];
    return { words, some: new Constraints({ tokenBytes: flatten(words), stopTokens: [tokens.length] }) };
  };

  it('the end is reached over bytes that are', () => {
    const { words, some } = of('b', 'ab', '!', '.');
    for (let most = 4; most < 12; most++) {
      const constraint = some.open({ kind: 'regex', pattern: 'b+![ab]\\.' });
      const tokens: number[] = [];
      while (!constraint.over && tokens.length < most) {
        tokens.push(idsOf(constraint.allowed(most - tokens.length))[0]!);
        constraint.accept(tokens.at(-1)!);
      }
      expect(textOf(tokens, words)).toMatch(/^b+!b\.$/);
    }
  });

  it('nothing is held back where there is no such way', () => {
    const constraint = of('a', 'a!').some.open({ kind: 'regex', pattern: 'a*!' });
    for (const left of [1, 2, 9, 100]) expect(idsOf(constraint.allowed(left))).toEqual([0, 1]);
  });
});

it('a text longer than can be followed is counted by its bytes', () => {
  const items = { type: 'array', items: { type: 'array', items: name, minItems: 200 }, minItems: 200 };
  const spec = schemaOf({ type: 'object', properties: { note: name, items }, required: ['note', 'items'] });
  const constraint = constraints.open(spec);
  for (const byte of Buffer.from('{"note":"')) constraint.accept(byte);
  const letter = 'a'.charCodeAt(0);
  const bytes = 200 * (200 * 3 + 2) + '","items":['.length + '}'.length;
  const mask = constraint.allowed(bytes);
  expect([mask[letter], mask['"'.charCodeAt(0)]]).toEqual([0, 1]);
  expect(constraint.allowed(bytes + 1)[letter]).toBe(1);
});
