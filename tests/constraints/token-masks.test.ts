// Masks against trying every token by itself, byte by byte, from where the reply is; and what is shared between positions that are alike.
import { describe, expect, it } from 'vitest';
import { type ConstraintSpec, Constraints } from '../../src/constraints/constraint.ts';
import { schemaExpression } from '../../src/constraints/json-schema.ts';
import { buildNetwork } from '../../src/constraints/network.ts';
import { type Position, Pushdown } from '../../src/constraints/pushdown.ts';
import { parsePattern } from '../../src/constraints/regex.ts';
import { flatten } from '../../src/constraints/token-trie.ts';
import { randomStream } from '../../src/random.ts';
import { RandomSchema } from './schemas.ts';

/** Every byte, and longer tokens up to runs as long as large vocabularies have them: across the borders of JSON's parts, and twice the same. */
const vocabulary: Uint8Array[] = [
  ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
  ...[2, 3, 4, 5, 7, 8, 12, 15, 16, 17, 18, 24, 40].flatMap((length) => [
    ...['a', ' ', 'ab', ']'].map((part) => Buffer.from(part.repeat(length).slice(0, length))),
    ...['"', '",', 'b"]', 'é'].map((end) => Buffer.from(`${'a'.repeat(length - 1)}${end}`)),
    Buffer.from('é'.repeat(length / 2)),
  ]),
  ...['": "', '", "', '"},{"', '],[', ']]]', '[[', '\\n', '\\u00', 'a\\"', '😀', 'é😀a', 'a', 'aa'].map((text) =>
    Buffer.from(text),
  ),
  Buffer.from('日本').subarray(1),
  Buffer.from('a日').subarray(0, 2),
];
const stop = vocabulary.push(new Uint8Array()) - 1;
const bracket = '['.charCodeAt(0);
const constraints = new Constraints({ tokenBytes: flatten(vocabulary), stopTokens: [stop] });
const idsOf = (mask: Uint8Array): number[] => [...mask.keys()].filter((id) => mask[id] === 1);

function automatonOf(spec: ConstraintSpec & { kind: 'json_schema' | 'regex' }): Pushdown {
  const isSchema = spec.kind === 'json_schema';
  return new Pushdown(buildNetwork(isSchema ? schemaExpression(spec.schema) : parsePattern(spec.pattern, 'pattern')));
}

function follow(automaton: Pushdown, from: Position, token: number): Position | null {
  let position: Position | null = from;
  for (const byte of vocabulary[token]!) position &&= automaton.step(position, byte);
  return position;
}

function slowMask(automaton: Pushdown, position: Position): number[] {
  const may = (id: number): boolean => (id === stop ? position.complete : follow(automaton, position, id) !== null);
  return [...vocabulary.keys()].filter(may);
}

/** Writes a reply that likes letters, and compares every mask. Answers with how many there were, up to where too many ways are open. */
function compareMasks(spec: ConstraintSpec & { kind: 'json_schema' | 'regex' }, seed: string, most: number): number {
  const random = randomStream('masks', seed);
  const automaton = unlessManyWays(() => automatonOf(spec));
  if (!automaton) return 0;
  const constraint = constraints.open(spec);
  let position = automaton.start;
  for (let count = 0; count < most; count++) {
    if (constraint.over) return count;
    const slow = unlessManyWays(() => slowMask(automaton, position));
    const mask = unlessManyWays(() => constraint.allowed());
    if (!slow || !mask) return count;
    const ids = idsOf(mask);
    expect(ids, `${seed}, token ${count}: ${JSON.stringify(spec)}`).toEqual(slow);
    const letters = ids.filter((id) => vocabulary[id]!.every((byte) => byte === 97 || byte >= 0x80));
    const from = letters.length > 0 && random() < 0.7 ? letters : ids;
    const token = from[Math.floor(random() * from.length)]!;
    if (token === stop) return count + 1;
    constraint.accept(token);
    position = follow(automaton, position, token)!;
  }
  return most;
}

function unlessManyWays<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    expect(error).toMatchObject({ code: 'invalid_request', message: expect.stringContaining('ways') });
    return undefined;
  }
}

class RandomBounds {
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)]!;
  }

  /** Bounds near and far from one another and from what the longest tokens reach. */
  #bounds(): [number, number] {
    const min = this.#pick([0, 0, 1, 2, 5, 16, 17, 39, 41, 60]);
    return [min, min + this.#pick([0, 1, 2, 6, 15, 16, 40, 45, 100])];
  }

  pattern(depth: number): string {
    const kind = depth === 0 ? 0 : Math.floor(this.#random() * 6);
    if (kind === 0) return this.#pick(['a', 'b', 'é', '[ab]', '[^b]', '.', '"', '\\d', '[aé]']);
    if (kind === 1) return `${this.pattern(depth - 1)}${this.pattern(depth - 1)}`;
    if (kind === 2) return `(?:${this.pattern(depth - 1)}|${this.pattern(depth - 1)})`;
    const [min, max] = this.#bounds();
    const outer = depth > 1 ? this.#pick(['{2}', '{0,7}', '{6,}', '*', '?']) : `{${min},${max}}`;
    return `(?:${this.pattern(depth - 1)})${this.#pick([`{${min},${max}}`, `{${min},}`, `{${max}}`, outer])}`;
  }

  schema(depth: number): unknown {
    const [min, max] = this.#bounds();
    switch (this.#pick(depth === 0 ? ['text', 'pattern'] : ['text', 'pattern', 'array', 'array', 'object', 'either'])) {
      case 'text':
        return { type: 'string', ...this.#pick([{ maxLength: max }, { minLength: min }, { minLength: min, maxLength: max }]) };
      case 'pattern':
        return { type: 'string', pattern: `^${this.pattern(1)}$` };
      case 'array':
        return { type: 'array', items: this.schema(depth - 1), minItems: min, maxItems: max };
      case 'either':
        return { anyOf: [this.schema(depth - 1), this.schema(depth - 1)] };
      default: {
        const properties = { a: this.schema(depth - 1), aa: this.schema(depth - 1) };
        return { type: 'object', properties, required: this.#pick([['a'], ['a', 'aa'], []]), additionalProperties: false };
      }
    }
  }
}

describe('masks are those of trying every token', () => {
  it('of random patterns with counts', () => {
    let compared = 0;
    for (let seed = 0; seed < 150; seed++) {
      const pattern = new RandomBounds(randomStream('pattern', seed)).pattern(3);
      compared += compareMasks({ kind: 'regex', pattern }, `pattern ${seed}`, 25);
    }
    expect(compared).toBeGreaterThan(1_500);
  });

  it('of random schemas with counts', () => {
    let compared = 0;
    for (let seed = 0; seed < 100; seed++) {
      const schema = new RandomBounds(randomStream('schema', seed)).schema(2);
      compared += compareMasks({ kind: 'json_schema', schema }, `schema ${seed}`, 30);
    }
    expect(compared).toBeGreaterThan(1_500);
  });

  it('of random schemas of all kinds', () => {
    for (let seed = 0; seed < 40; seed++) {
      const { schema } = new RandomSchema(randomStream('masks', seed));
      compareMasks({ kind: 'json_schema', schema }, `any ${seed}`, 15);
    }
  });

  it('of brackets open deeper than any token closes', () => {
    const spec = { kind: 'json_schema', schema: { type: 'array' } } as const;
    const automaton = automatonOf(spec);
    const constraint = constraints.open(spec);
    let position = automaton.start;
    for (let depth = 1; depth < 60; depth++) {
      constraint.accept(bracket);
      position = follow(automaton, position, bracket)!;
      expect(idsOf(constraint.allowed()), `${depth} deep`).toEqual(slowMask(automaton, position));
    }
  });

  it('however much there was to remember', () => {
    // Ever new positions, more than are kept: which of the last 41 letters were an a.
    const tokens = ['a', 'é', 'never'.repeat(8), ''].map((text) => Buffer.from(text));
    const end = 3;
    const few = new Constraints({ tokenBytes: flatten(tokens), stopTokens: [end] });
    const constraint = few.open({ kind: 'regex', pattern: '[aé]*a[aé]{40}' });
    const random = randomStream('memory');
    const said: number[] = [];
    for (let count = 0; count < 20_000; count++) {
      const mask = constraint.allowed();
      if (String(mask) !== `1,1,0,${said.at(-41) === 0 ? 1 : 0}`) expect.unreachable(`token ${count}`);
      said.push(Math.floor(random() * 2));
      constraint.accept(said.at(-1)!);
    }
  });
});

describe('positions that no token tells apart share a mask', () => {
  const masksAlong = (spec: ConstraintSpec, text: string): Uint8Array[] => {
    const constraint = constraints.open(spec);
    return [...Buffer.from(text)].map((byte) => {
      constraint.accept(byte);
      return constraint.allowed();
    });
  };

  it.each([
    ['a text with a longest length', { kind: 'json_schema', schema: { type: 'string', maxLength: 4_000 } }, 45],
    ['a text with both', { kind: 'json_schema', schema: { type: 'string', minLength: 900, maxLength: 2_500 } }, 90],
    ['a pattern', { kind: 'regex', pattern: '"[^"]{900,2500}"' }, 90],
    ['an open pattern', { kind: 'regex', pattern: '".{900,}"' }, 45],
  ] as [string, ConstraintSpec, number][])('%s', (_, spec, most) => {
    const masks = masksAlong(spec, `"${'a'.repeat(2_000)}`);
    expect(new Set(masks).size).toBeLessThanOrEqual(most);
  });

  it('the longest items of an array', () => {
    const items = { type: 'object', properties: { name: { type: 'string', maxLength: 5 } }, required: ['name'] };
    const masks = masksAlong(
      { kind: 'json_schema', schema: { type: 'array', items, maxItems: 100 } },
      `[${'{"name":"aa"},'.repeat(60)}`,
    );
    expect(new Set(masks.slice(5 * 14)).size).toBeLessThanOrEqual(14 + 5);
  });

  it('brackets open deeper than any token closes', () => {
    const masks = masksAlong({ kind: 'json_schema', schema: { type: 'array' } }, '['.repeat(300));
    expect(new Set(masks.slice(45)).size).toBe(1);
  });
});

it('what leaves too many ways open for one token is refused, whether or not its parts were asked for', () => {
  const numbers = Array.from({ length: 1_000 }, (_, i) => Buffer.from(`${i}`));
  const many = new Constraints({ tokenBytes: flatten(numbers), stopTokens: [] });
  const pattern = Array.from({ length: 600 }, (_, i) => `.*${i}`).join('|');
  for (let i = 0; i < 3; i++) {
    const constraint = many.open({ kind: 'regex', pattern });
    expect(() => constraint.allowed()).toThrow(expect.objectContaining({ message: expect.stringContaining('too many ways') }));
  }
});
