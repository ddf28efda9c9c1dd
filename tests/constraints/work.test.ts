// What a constraint takes to compile stays below its bound however it grows, and honest ones stay far from it.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ConstraintSpec, Constraints, checkConstraint } from '../../src/constraints/constraint.ts';
import { flatten } from '../../src/constraints/token-trie.ts';
import { mostWork, Work } from '../../src/constraints/work.ts';
import { SteerError } from '../../src/errors.ts';
import { hostilePatterns, hostileSchemas } from './hostile.ts';

/** One call may go past the bound by what it asks for at once: a pass over all states or spans of characters. */
const lastCall = 300_000;
/** Of a body: JSON of more bytes never comes here. */
const mostBytes = 2 ** 20;
/** Far beyond what any of them takes; one that is not bounded takes for ever. */
const patienceMs = 30_000;

function compiled(spec: ConstraintSpec): { steps: number; refusal: SteerError | undefined } {
  const work = new Work();
  try {
    checkConstraint(spec, work);
  } catch (error) {
    if (!(error instanceof SteerError)) throw error;
    return { steps: work.done, refusal: error };
  }
  return { steps: work.done, refusal: undefined };
}

describe('hostile constraints of any size are compiled or refused within the bound', () => {
  const families = Object.entries({ ...hostileSchemas, ...hostilePatterns });
  it.each(families)('%s', { timeout: patienceMs }, (_, family) => {
    for (let size = 2; size <= 16_384; size *= 3) {
      const spec = family(size);
      if (JSON.stringify(spec).length > mostBytes) break;
      const { steps, refusal } = compiled(spec);
      expect(steps, `size ${size}`).toBeLessThan(mostWork + lastCall);
      if (refusal) expect(refusal.code, `size ${size}: ${refusal.message}`).toBe('invalid_request');
    }
  });
});

it('a refusal names the part that was too much and what helps', () => {
  const { refusal } = compiled(hostileSchemas['objects of two fields under oneOf']!(350));
  expect(refusal?.message).toMatch(/^#\/oneOf: the constraint is too complex.*fewer alternatives under oneOf/);
});

it('the same constraint takes the same work however often it is compiled', () => {
  const spec: ConstraintSpec = {
    kind: 'json_schema',
    schema: {
      properties: { a: { type: 'string', format: 'email', pattern: '^[a-z]{1,77}@' }, b: { type: 'number', minimum: 3 } },
    },
  };
  const first = compiled(spec);
  expect(first.refusal).toBeUndefined();
  expect(first.steps).toBeGreaterThan(10_000);
  expect(compiled(spec)).toEqual(first);
});

it('what is only said again takes little more', () => {
  for (const name of ['references to the same under allOf', 'merged properties', 'alternatives of alternatives under oneOf']) {
    const [once, thrice] = [10, 30].map((size) => compiled(hostileSchemas[name]!(size)).steps) as [number, number];
    expect(thrice, name).toBeLessThan(4 * once);
  }
});

describe('honest schemas take a part of what they may', () => {
  const field = (i: number): z.ZodType =>
    [
      z.string().max(200),
      z
        .int()
        .min(0)
        .max(1_000 + i),
      z.enum(['a', 'b', `c${i}`]),
      z.array(z.string()),
      z.iso.datetime(),
      z.email(),
      z.number().nullable(),
      z.boolean().optional(),
    ][i % 8]!;
  const object = (fields: number, from = 0) =>
    z.object(Object.fromEntries(Array.from({ length: fields }, (_, i) => [`field_${i}`, field(from + i)])));
  const honest: Record<string, z.ZodType> = {
    'eighty fields of all kinds': object(80),
    'sixty actions told apart by their name': z.discriminatedUnion(
      'name',
      Array.from({ length: 60 }, (_, i) => object(6, i).extend({ name: z.literal(`action_${i}`) })) as never,
    ),
    'objects within objects': z.object({
      list: z.array(z.object({ inner: object(12), other: z.record(z.string(), object(8)) })),
    }),
    'what two objects ask together': z.intersection(object(16), object(20)),
  };
  it.each(Object.keys(honest))('%s', (name) => {
    const { steps, refusal } = compiled({ kind: 'json_schema', schema: z.toJSONSchema(honest[name]!) });
    expect(refusal?.message).toBeUndefined();
    expect(steps).toBeLessThan(mostWork / 2);
  });
});

it('the pattern of a password, four look-aheads and a length, has room', () => {
  const pattern = '^(?=.*[a-z])(?=.*[A-Z])(?=.*\\d)(?=.*[^A-Za-z0-9]).{8,64}$';
  const { steps, refusal } = compiled({ kind: 'json_schema', schema: { type: 'string', pattern } });
  expect(refusal?.message).toBeUndefined();
  expect(steps).toBeLessThan(0.7 * mostWork);
});

it('ways to an end that are too many to go are not gone for every token', { timeout: patienceMs }, () => {
  // Of each letter alone and of runs of it: after each of them the end is as far, on a way of its own.
  const tokens = Array.from({ length: 4_000 }, (_, i) => Buffer.from('abcdefghij'[i % 10]!.repeat(1 + Math.floor(i / 10))));
  const stop = tokens.length;
  const constraints = new Constraints({
    tokenBytes: flatten([...tokens, Buffer.from('x'), new Uint8Array()]),
    stopTokens: [stop + 1],
  });
  const constraint = constraints.open({ kind: 'regex', pattern: 'x|(?:[a-j]|[a-j]){10000}(?:[a-j]|[a-j]){6500}' });
  const mask = constraint.allowed(1_000);
  expect([...mask.keys()].filter((id) => mask[id] === 1)).toEqual([stop]);
});
