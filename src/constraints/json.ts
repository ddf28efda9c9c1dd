// JSON's own grammar as expressions: everything they hold is valid JSON, though not everything valid is in them: white space is short, numbers are
// those a double tells apart, and no half of a surrogate pair stands alone.
import {
  type CharacterRange,
  type Expression,
  either,
  optional,
  otherCharacters,
  recursive,
  repeat,
  sequence,
  shared,
  words,
} from './expression.ts';
import { parsePattern } from './regex.ts';

const unbounded = Number.POSITIVE_INFINITY;
const pattern = (source: string): Expression => parsePattern(source, 'JSON');

/** Where JSON allows white space: none, a space, or a new line. Without a bound a weak model would indent forever. */
const gap = shared(pattern('(?: |\\n {0,16})?'));
const comma = sequence(words(','), gap);

/** Characters that only stand in a string behind a backslash. */
const mustEscape: CharacterRange[] = [
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
];
const unescaped = otherCharacters(mustEscape);
const hex = '[0-9A-Fa-f]';
const escaping = pattern(
  `\\\\(?:["\\\\/bfnrt]|u(?:[0-9A-CE-Fa-ce-f]${hex}{3}|[Dd][0-7]${hex}{2}|[Dd][89ABab]${hex}{2}\\\\u[Dd][C-Fc-f]${hex}{2}))`,
);
const stringCharacter = either({ kind: 'character', ranges: unescaped }, escaping);

/** Of 15 digits no two spell the same double, and with two digits of exponent none is infinite. */
export const mostDigits = 15;
export const number = pattern('-?(?:0|[1-9]\\d{0,14})(?:\\.\\d{1,15})?(?:[eE][+-]?\\d{1,2})?');
export const integer = pattern('0|-?[1-9]\\d{0,14}');

/** One character that may stand in a string, behind a backslash or not. */
export const anyCharacter: Expression = { kind: 'character', ranges: otherCharacters([]) };

export function quoted(content: Expression): Expression {
  return sequence(words('"'), content, words('"'));
}

/** A string of so many characters. */
export function textOfLength(min: number, max: number): Expression {
  return quoted(repeat(stringCharacter, min, max));
}

export const anyText = shared(textOfLength(0, unbounded));

/** A string whose content is what a pattern's expression holds. */
export function textOf(expression: Expression): Expression {
  return quoted(escaped(expression));
}

function escaped(expression: Expression): Expression {
  switch (expression.kind) {
    case 'character':
      return escapedCharacter(expression.ranges);
    case 'sequence':
      return sequence(...expression.parts.map(escaped));
    case 'either':
      return either(...expression.options.map(escaped));
    case 'repeat':
      return { ...expression, body: escaped(expression.body) };
    case 'graph': {
      const nodes = expression.nodes.map(({ final, edges }) => {
        return { final, edges: edges.map(({ on, to }) => ({ on: escaped(on), to })) };
      });
      return { kind: 'graph', nodes };
    }
    default:
      return expression;
  }
}

function escapedCharacter(ranges: readonly CharacterRange[]): Expression {
  const escapes: string[] = [];
  for (const [from, to] of mustEscape) {
    for (const [first, last] of ranges) {
      for (let code = Math.max(from, first); code <= Math.min(to, last); code++) {
        escapes.push(JSON.stringify(String.fromCharCode(code)).slice(1, -1));
      }
    }
  }
  if (escapes.length === 0) return { kind: 'character', ranges };
  const rest = otherCharacters([...otherCharacters(ranges), ...mustEscape]);
  return rest.length === 0 ? words(...escapes) : either({ kind: 'character', ranges: rest }, words(...escapes));
}

/** Exactly one of these values. */
export function literals(values: readonly unknown[]): Expression {
  return words(...values.map((value) => JSON.stringify(value)));
}

export interface Member {
  name: string;
  value: Expression;
  required: boolean;
}

/** An object of these members, in this order. */
export function object(members: readonly Member[]): Expression {
  if (members.length === 0) return words('{}');
  const firstRequired = members.findIndex(({ required }) => required);
  // Any member up to the first required one may be the first, and then stands without a comma.
  const lastFirst = firstRequired < 0 ? members.length - 1 : firstRequired;
  const written = members.map(({ name, value }, i) => {
    const member = sequence(words(`${JSON.stringify(name)}:`), gap, value);
    return i <= lastFirst ? shared(member) : member;
  });
  const after = (i: number): Expression => {
    const next = sequence(comma, written[i]!);
    return members[i]!.required ? next : optional(next);
  };
  let rest = sequence(...members.slice(lastFirst + 1).map((_, i) => after(lastFirst + 1 + i)));
  const firsts: Expression[] = [];
  for (let i = lastFirst; i >= 0; i--) {
    rest = shared(rest);
    firsts.unshift(sequence(written[i]!, rest));
    rest = sequence(after(i), rest);
  }
  const filled = sequence(gap, either(...firsts), gap, words('}'));
  return sequence(words('{'), firstRequired < 0 ? either(words('}'), filled) : filled);
}

/** An object of any names, or of those an expression of strings holds, with so many entries. */
export function map(value: Expression, name = anyText, min = 0, max = unbounded): Expression {
  if (max === 0) return words('{}');
  const entry = shared(sequence(name, words(':'), gap, value));
  const filled = sequence(gap, entry, repeat(sequence(comma, entry), Math.max(0, min - 1), max - 1), gap, words('}'));
  return sequence(words('{'), min === 0 ? either(words('}'), filled) : filled);
}

/** An array that begins with `first` and goes on with `item`, of so many in all. */
export function array(first: readonly Expression[], item: Expression, min: number, max: number): Expression {
  const one = shared(item);
  const [head = one, ...others] = first;
  const begun = Math.max(1, first.length);
  const rest = repeat(sequence(comma, one), Math.max(0, min - begun), Math.max(0, max - begun));
  const filled = sequence(gap, head, ...others.flatMap((other) => [comma, other]), rest, gap, words(']'));
  if (max === 0) return words('[]');
  return sequence(words('['), min === 0 && first.length === 0 ? either(words(']'), filled) : filled);
}

export const anyValue = recursive((self) =>
  either(anyText, number, map(self), array([], self, 0, unbounded), words('true', 'false', 'null')),
);
export const anyObject = map(anyValue);
