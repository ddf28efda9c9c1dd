// Constraints that ask for ever more work as they grow: families of them, each by its size.
import type { ConstraintSpec } from '../../src/constraints/constraint.ts';

type Family = (size: number) => ConstraintSpec;

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));
const named = (count: number, make: (i: number) => unknown, prefix = 'p') =>
  Object.fromEntries(times(count, (i) => [`${prefix}${i}`, make(i)]));
const ref = (name: string) => ({ $ref: `#/$defs/${name}` });
const schema = (value: unknown): ConstraintSpec => ({ kind: 'json_schema', schema: value });
const regex = (pattern: string): ConstraintSpec => ({ kind: 'regex', pattern });
const text = { type: 'string' };
/** Definitions each made of the next one. */
const chain = (prefix: string, length: number, make: (next: object) => unknown, last: unknown) => ({
  ...named(length, (i) => make(ref(`${prefix}${i + 1}`)), prefix),
  [`${prefix}${length}`]: last,
});
const both = (next: object) => ({ type: 'object', properties: { x: next, y: next } });
/** Two characters of Chinese, others for every number. */
const characters = (i: number) => `[${String.fromCodePoint(0x4e00 + 2 * (i % 10_000), 0x4e01 + 2 * (i % 10_000))}]`;
const kind = (i: number) => ({
  type: 'object',
  required: ['kind'],
  properties: { kind: { const: `v${i}` } },
  additionalProperties: false,
});

/** Of schemas; sizes up to some thousands make a body of a megabyte. */
export const hostileSchemas: Record<string, Family> = {
  'alternatives of alternatives under oneOf': (n) =>
    schema({ $defs: chain('d', n, (d) => ({ anyOf: [d, d, d, d] }), text), oneOf: [ref('d0'), { type: 'number' }] }),
  'oneOf between two such': (n) =>
    schema({
      $defs: {
        ...chain('d', n, (d) => ({ anyOf: [d, d] }), text),
        ...chain('e', n, (e) => ({ anyOf: [e, e] }), { type: 'number' }),
      },
      oneOf: [ref('d0'), ref('e0')],
    }),
  'properties of properties under oneOf': (n) =>
    schema({
      $defs: {
        ...chain('d', n, (d) => ({ ...both(d), required: ['x', 'y'] }), text),
        ...chain('e', n, (e) => ({ ...both(e), required: ['x', 'y'] }), { type: ['string', 'null'] }),
      },
      oneOf: [ref('d0'), ref('e0')],
    }),
  'objects under oneOf': (n) => schema({ oneOf: times(n, kind) }),
  'objects of two fields under oneOf': (n) =>
    schema({
      oneOf: times(n, (i) => ({
        type: 'object',
        required: ['a', 'b'],
        properties: { a: { enum: [1, 2] }, b: { enum: times(20, (j) => `${i} ${j}`) } },
      })),
    }),
  'lists of values under oneOf': (n) => schema({ oneOf: times(n, (i) => ({ enum: times(1 + 2_000 / n, (j) => `${i} ${j}`) })) }),
  'two lists of values under oneOf': (n) => schema({ oneOf: [1, 2].map((side) => ({ enum: times(n, (j) => `${side} ${j}`) })) }),
  'references to the same under allOf': (n) =>
    schema({ $defs: chain('d', n, (d) => ({ allOf: [d, d] }), text), allOf: [ref('d0'), text] }),
  'merged properties': (n) =>
    schema({
      $defs: { ...chain('d', n, both, text), ...chain('e', n, both, { type: 'string', minLength: 1 }) },
      allOf: [ref('d0'), ref('e0')],
    }),
  'merged properties in circles': (n) =>
    schema({
      $defs: {
        ...named(n, (i) => ({ type: 'object', properties: { x: ref(`d${(i + 1) % n}`), y: ref(`d${(i * 7 + 3) % n}`) } }), 'd'),
        ...named(n + 1, (i) => ({ type: 'object', properties: { x: ref(`e${(i + 1) % (n + 1)}`) } }), 'e'),
      },
      allOf: [ref('d0'), ref('e0')],
    }),
  'merged items': (n) =>
    schema({
      $defs: {
        ...chain('d', n, (d) => ({ prefixItems: [{ allOf: [d, { title: 'a' }] }, d], items: false, minItems: 0 }), text),
      },
      allOf: [ref('d0'), { type: ['array', 'string'] }],
    }),
  'many parts under allOf': (n) =>
    schema({ allOf: times(n, (i) => ({ properties: { [`a${i}`]: text }, items: { title: `${i}`, maxLength: i } })) }),
  'the same names in all parts of allOf': (n) =>
    schema({ allOf: times(20, (i) => ({ properties: named(n / 20, () => ({ maxLength: i + 1 })) })) }),
  'closed objects under allOf': (n) =>
    schema({ allOf: [1, 2].map((maxLength) => ({ properties: named(n, () => ({ maxLength })), additionalProperties: false })) }),
  'alternatives under allOf': (n) =>
    schema({ allOf: times(n, (i) => ({ anyOf: [{ properties: { [`a${i}`]: text } }, { properties: { [`b${i}`]: text } }] })) }),
  'patterns under allOf': (n) =>
    schema({
      type: 'string',
      allOf: times(n, (j) => ({ pattern: `^${times(1_000, (i) => characters(i + 1_000 * j)).join('')}` })),
    }),
  'short patterns under allOf': (n) => schema({ type: 'string', allOf: times(n, (j) => ({ pattern: `a${j}` })) }),
  'long patterns of many strings': (n) =>
    schema({ properties: named(n, (i) => ({ type: 'string', pattern: `^[a-z]{${i}}${times(1_000, characters).join('')}` })) }),
  'a name for each of as many': (n) =>
    schema({ properties: named(n, () => text), propertyNames: { enum: times(n, (i) => `p${n - i - 1}`) } }),
  'names without properties': (n) => schema({ type: 'object', propertyNames: { enum: times(n, (i) => `p${i}`) } }),
  'required names': (n) => schema({ type: 'object', required: times(n, (i) => `p${i}`), additionalProperties: text }),
  'bounded numbers': (n) =>
    schema({ prefixItems: times(n, (i) => ({ type: 'number', minimum: -1.23456789 - i, maximum: 98_765.4321 })) }),
  'wide schemas without bounds': (n) => schema({ properties: named(n, () => ({})) }),
  'alternatives that are all alike': (n) => schema({ anyOf: times(n, () => ({ type: 'array', items: text })) }),
  'a long enumeration': (n) => schema({ enum: times(n, (i) => `e${i}`) }),
  'the same enumeration again and again': (n) =>
    schema({ $defs: { e: { enum: times(n, (i) => `e${i}`) } }, prefixItems: times(n, () => ({ allOf: [ref('e'), text] })) }),
  'definitions out of order': (n) => {
    // Every fifth first, so that none is read within too many others.
    const order = [...times(n / 40, (i) => i * 40), ...times(n, (i) => (i * 97) % n)].reverse();
    const items = (i: number) => (i === n - 1 ? text : ref(`p${i + 1}`));
    return schema({
      $defs: named(n, (i) => ({ type: 'array', minItems: 1, items: items(i) })),
      anyOf: order.map((i) => ref(`p${i}`)),
    });
  },
  'lists of lists': (n) =>
    schema(times(Math.min(n, 40), (i) => i).reduce<unknown>((items) => ({ items, minItems: 9, maxItems: 20 }), text)),
};

/** Of patterns; sizes up to some thousands make the longest there may be. */
export const hostilePatterns: Record<string, Family> = {
  'a look-ahead over many classes': (n) =>
    regex(`(?=${times(n / 8, characters).join('')}).*${times(n / 8, (i) => characters(i + 600)).join('')}`),
  'look-aheads in alternatives': (n) => regex(`${'(?:(?=a)a|b)'.repeat(n / 12)}c`),
  'optional look-aheads': (n) => regex(`${'(?=a)?(?:a|b)'.repeat(n / 13)}c`),
  'many look-aheads': (n) => regex(`${times(n / 12, (i) => `(?!.*a.{${i % 9}}b)`).join('')}.*`),
  'look-aheads within look-aheads': (n) => regex(`${'(?=a'.repeat(Math.min(n, 45))}${')b?'.repeat(Math.min(n, 45))}.*`),
  'a look-ahead before what may be empty': (n) => regex(`(?=.*b)${'a?'.repeat(n / 2)}b`),
  'look-aheads for nothing': (n) => regex(`${'(?=)'.repeat(n / 4)}a`),
  'optional look-aheads for nothing': (n) => regex(`${'(?=)?'.repeat(n / 5)}a`),
  'a look-ahead and a long group': (n) => regex(`(?=.*a)(?:${'ab'.repeat(n / 2)}){2}`),
  'a look-ahead before many groups': (n) => regex(`(?=.*b)${'(?:a|b)*'.repeat(n / 8)}b`),
  'a look-ahead and nested stars': (n) => regex(`(?=.*b)${'('.repeat(Math.min(n, 45))}a?b${')*'.repeat(Math.min(n, 45))}`),
  'a look-ahead with a long memory': (n) => regex(`(?=.*b)(?:a|b)*a(?:a|b){${n}}`),
  'several lengths in look-aheads': (n) => regex(`(?=(?:a{1,${n}}b?)*$)(?=(?:a?b{1,${n}})*$).*`),
  'a look-ahead over long counts': (n) => regex(`(?=.{0,${Math.min(2 * n, 9_999)}}b).{0,${Math.min(2 * n, 9_999)}}`),
  'a denied look-ahead of many words': (n) =>
    regex(`(?!(?:${times(n / 4, (i) => i.toString(36).padStart(3, '0')).join('|')})).{0,200}`),
  'optional characters': (n) =>
    regex(
      times(Math.min(n / 2, 90), (i) => `\\x${(0x21 + i).toString(16)}?`)
        .join('')
        .repeat(n / 400),
    ),
  'optional characters, repeated': (n) =>
    regex(`(?:${times(90, (i) => `\\x${(0x21 + i).toString(16)}?`).join('')}){4}`.repeat(n / 460)),
  'wide classes, repeated within repetitions': (n) =>
    regex(`${'(?:'.repeat(6)}[${times(n / 2, (i) => String.fromCodePoint(0x80 + 2 * i)).join('')}]${'){4}'.repeat(6)}`),
  'nothing, again and again': (n) => regex(`(?:${'|'.repeat(n)}a){1000}`),
  'alternatives that begin alike': (n) => regex(`(?:${'a|'.repeat(n / 2)}){1000}b`),
  'long ends behind alternatives': (n) => regex(`(?:${'.|'.repeat(20)}b){${n}}`),
  'two long ways': (n) => regex(`x|(?:.|.){${Math.min(10 * n, 10_000)}}`),
  'groups within groups': (n) => regex(`${'(?:a|b'.repeat(Math.min(n, 49))}${')*'.repeat(Math.min(n, 49))}`),
  'counts within counts': (n) => regex(`${'('.repeat(Math.min(n, 20))}a{1,9}${'){1,9}'.repeat(Math.min(n, 20))}`),
  'long counts one after the other': (n) => regex(times(n / 10, (i) => `(?:${'abcd'[i % 4]}?){10000}`).join('')),
};
