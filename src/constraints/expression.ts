// What a reply may be, as a tree: the common language of patterns and JSON schemas, compiled by network.ts.
import { SteerError } from '../errors.ts';

/** First and last code point. */
export type CharacterRange = readonly [number, number];

export type Expression =
  /** One of these strings of bytes. */
  | { kind: 'words'; words: readonly Uint8Array[] }
  /** One character, in UTF-8; ranges ascend and do not touch surrogates. */
  | { kind: 'character'; ranges: readonly CharacterRange[] }
  | { kind: 'sequence'; parts: readonly Expression[] }
  | { kind: 'either'; options: readonly Expression[] }
  /** `max` may be infinite. */
  | { kind: 'repeat'; body: Expression; min: number; max: number }
  /** From the first node on, any way along the edges to a node that is final. From every node one leads there. */
  | { kind: 'graph'; nodes: readonly GraphNode[] }
  | { kind: 'call'; rule: Rule };

export interface GraphNode {
  final: boolean;
  edges: readonly { on: Expression; to: number }[];
}

/** An expression that is compiled once however often it is called, and may call itself. */
export interface Rule {
  expression: Expression;
  /** Where it was written, for errors. */
  name?: string;
}

export const empty: Expression = { kind: 'sequence', parts: [] };

const encoder = new TextEncoder();

export function words(...all: string[]): Expression {
  return { kind: 'words', words: all.map((word) => encoder.encode(word)) };
}

export function sequence(...parts: Expression[]): Expression {
  return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts };
}

export function either(...options: Expression[]): Expression {
  return options.length === 1 ? options[0]! : { kind: 'either', options };
}

export function optional(option: Expression): Expression {
  return either(option, empty);
}

export function repeat(body: Expression, min: number, max: number): Expression {
  return { kind: 'repeat', body, min, max };
}

export function call(rule: Rule): Expression {
  return { kind: 'call', rule };
}

/** A rule of its own for an expression that stands in several places. */
export function shared(expression: Expression): Expression {
  return expression.kind === 'call' ? expression : call({ expression });
}

/** An expression that calls itself: `define` is given the call. */
export function recursive(define: (self: Expression) => Expression): Expression {
  const rule: Rule = { expression: empty };
  rule.expression = define(call(rule));
  return call(rule);
}

const lastCodePoint = 0x10ffff;

/** The characters of the ranges, in order and without overlaps; those no UTF-8 text can hold are left out. */
export function normalRanges(ranges: Iterable<CharacterRange>): CharacterRange[] {
  const merged: [number, number][] = [];
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const before = merged.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else merged.push([first, last]);
  }
  return merged.flatMap(([first, last]) => {
    const parts: CharacterRange[] = [
      [first, Math.min(last, 0xd7ff)],
      [Math.max(first, 0xe000), last],
    ];
    return parts.filter(([from, to]) => from <= to);
  });
}

/** Every character that is not in the ranges. */
export function otherCharacters(ranges: readonly CharacterRange[]): CharacterRange[] {
  const rest: CharacterRange[] = [];
  let next = 0;
  for (const [first, last] of normalRanges(ranges)) {
    if (first > next) rest.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= lastCodePoint) rest.push([next, lastCodePoint]);
  return normalRanges(rest);
}

/** What is said of a constraint that is malformed, too large or beyond what is supported; `where` is a JSON pointer or a position. */
export function unsupported(where: string, problem: string): SteerError {
  return new SteerError('invalid_request', `${where}: ${problem}`);
}
