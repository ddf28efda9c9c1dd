// Texts that several expressions hold at once, or that one of them does not hold, as a graph of characters. Built by derivatives (Brzozowski 1964; Owens,
// Reppy and Turon 2009): what may follow after a character is again such a language, and equal ones are one node.
import {
  type CharacterRange,
  type Expression,
  type GraphNode,
  normalRanges,
  otherCharacters,
  unsupported,
} from './expression.ts';
import type { Work } from './work.ts';

/** An expression without words and calls, or what is made of such. */
export type Language =
  | Expression
  | { kind: 'all'; parts: readonly Language[] }
  | { kind: 'not'; body: Language }
  | { kind: 'then'; parts: readonly Language[] }
  | { kind: 'any'; options: readonly Language[] };

type Term = { id: number; nullable: boolean } & (
  | { kind: 'none' | 'empty' }
  | { kind: 'character'; ranges: readonly CharacterRange[] }
  | { kind: 'sequence'; first: Term; rest: Term }
  | { kind: 'either' | 'all'; parts: readonly Term[] }
  | { kind: 'not'; body: Term }
  | { kind: 'repeat'; body: Term; min: number; max: number }
);

/** What the strings of one schema may come to together; compiled in well under a second. */
export const mostNodes = 4_000;
const mostTerms = 100_000;
/** Parts that may be empty, one after the other or nested: what follows is found within what follows. */
const deepestAfter = 500;
/** Steps of work to write one edge. */
const writing = 20;
/** Steps to find one span of characters that are alike, and to part it from others once. */
const spanning = 20;
const parting = 2;
/** Steps to put one of several terms in its place. */
const sorting = 3;

/** The texts of the language, in so many nodes at most. Throws invalid_request where there are none, or where it is too much. */
export function graphOf(language: Language, where: string, work: Work, most = mostNodes): Extract<Expression, { kind: 'graph' }> {
  const terms = new Terms(where, work);
  const start = terms.of(language);
  const classes = classesOf(terms.ranges, where, work);
  const places = new Map([[start, 0]]);
  const edges: [from: number, ranges: CharacterRange[], to: number][] = [];
  // A map is walked in the order of its entries, those added meanwhile as well.
  for (const [term, from] of places) {
    const reached = new Map<Term, CharacterRange[]>();
    for (const ranges of classes) {
      const next = terms.after(term, ranges[0]![0]);
      if (next.kind === 'none') continue;
      const known = reached.get(next);
      if (known) known.push(...ranges);
      else reached.set(next, [...ranges]);
    }
    for (const [next, ranges] of reached) {
      work.spend(writing + ranges.length, where);
      const to = places.get(next) ?? places.size;
      if (to >= most) throw tooMuch(where);
      places.set(next, to);
      edges.push([from, ranges, to]);
    }
  }
  return pruned(
    [...places.keys()].map(({ nullable }) => nullable),
    edges,
    where,
  );
}

function tooMuch(where: string) {
  return unsupported(
    where,
    'what is asked of the same string is too much to follow together. Ask for less, or for shorter strings.',
  );
}

/** Without the nodes from which no text comes to its end. */
function pruned(finals: readonly boolean[], edges: readonly [number, CharacterRange[], number][], where: string) {
  const into = new Map<number, number[]>();
  for (const [from, , to] of edges) {
    const known = into.get(to);
    if (known) known.push(from);
    else into.set(to, [from]);
  }
  const alive = new Set([...finals.keys()].filter((node) => finals[node]));
  for (const node of alive) for (const from of into.get(node) ?? []) alive.add(from);
  if (!alive.has(0)) throw unsupported(where, 'no text meets all that is asked of it.');
  const kept = [...finals.keys()].filter((node) => alive.has(node));
  const places = new Map(kept.map((node, place) => [node, place]));
  const nodes = kept.map((node): GraphNode & { edges: GraphNode['edges'][number][] } => ({ final: finals[node]!, edges: [] }));
  for (const [from, ranges, to] of edges) {
    const [place, target] = [places.get(from), places.get(to)];
    if (place === undefined || target === undefined) continue;
    nodes[place]!.edges.push({ on: { kind: 'character', ranges: normalRanges(ranges) }, to: target });
  }
  return { kind: 'graph' as const, nodes };
}

/** All characters, those together that no range tells apart. */
function classesOf(all: readonly (readonly CharacterRange[])[], where: string, work: Work): CharacterRange[][] {
  const borders = new Set(otherCharacters([]).flatMap(([first, last]) => [first, last + 1]));
  for (const [first, last] of all.flat()) borders.add(first).add(last + 1);
  const sorted = [...borders].sort((a, b) => a - b);
  const spans = sorted
    .slice(0, -1)
    .map((first, i): CharacterRange => [first, sorted[i + 1]! - 1])
    .filter(([first]) => normalRanges([[first, first]]).length > 0);
  work.spend(spans.length * spanning, where);
  // All are of one class, which each of the ranges parts in two.
  let classes: CharacterRange[][] = [spans];
  for (const ranges of all) {
    work.spend(spans.length * parting, where);
    let at = 0;
    const inside = new Set<CharacterRange>();
    for (const span of spans) {
      while (at < ranges.length && ranges[at]![1] < span[0]) at++;
      if (at < ranges.length && ranges[at]![0] <= span[0]) inside.add(span);
    }
    classes = classes.flatMap((own) => {
      const [within, without] = [own.filter((span) => inside.has(span)), own.filter((span) => !inside.has(span))];
      return within.length === 0 || without.length === 0 ? [own] : [within, without];
    });
  }
  return classes;
}

function holds(ranges: readonly CharacterRange[], code: number): boolean {
  return ranges.some(([first, last]) => first <= code && code <= last);
}

/** Terms of which equal ones are one object. */
class Terms {
  readonly #where: string;
  readonly #work: Work;
  readonly #known = new Map<string, Term>();
  /** Of what was read: what follows several look-aheads is one object in many places. */
  readonly #read = new Map<Language, Term>();
  readonly #after = new Map<number, Map<number, Term>>();
  #depth = 0;
  readonly ranges: (readonly CharacterRange[])[] = [];
  readonly #none = this.#make('none', { kind: 'none' }, false);
  readonly #empty = this.#make('empty', { kind: 'empty' }, true);

  constructor(where: string, work: Work) {
    this.#where = where;
    this.#work = work;
  }

  of(language: Language): Term {
    const term = this.#read.get(language) ?? this.#termOf(language);
    this.#read.set(language, term);
    return term;
  }

  #termOf(language: Language): Term {
    this.#work.spend(1, this.#where);
    switch (language.kind) {
      case 'character':
        return this.#character(language.ranges);
      case 'sequence':
      case 'then':
        return language.parts.map((part) => this.of(part)).reduceRight((rest, first) => this.#sequence(first, rest), this.#empty);
      case 'either':
      case 'any':
        return this.#either(language.options.map((option) => this.of(option)));
      case 'repeat':
        return this.#repeat(this.of(language.body), language.min, language.max);
      case 'all':
        return this.#all(language.parts.map((part) => this.of(part)));
      case 'not':
        return this.#not(this.of(language.body));
      default:
        throw new Error(`A ${language.kind} is no part of a pattern.`);
    }
  }

  /** What may follow once the character stands; `code` stands for its class. */
  after(term: Term, code: number): Term {
    this.#work.spend(1, this.#where);
    const known = this.#after.get(term.id) ?? new Map<number, Term>();
    this.#after.set(term.id, known);
    let found = known.get(code);
    if (!found) {
      if (++this.#depth > deepestAfter) throw tooMuch(this.#where);
      found = this.#derive(term, code);
      this.#depth--;
      known.set(code, found);
    }
    return found;
  }

  #derive(term: Term, code: number): Term {
    switch (term.kind) {
      case 'none':
      case 'empty':
        return this.#none;
      case 'character':
        return holds(term.ranges, code) ? this.#empty : this.#none;
      case 'sequence': {
        const begun = this.#sequence(this.after(term.first, code), term.rest);
        return term.first.nullable ? this.#either([begun, this.after(term.rest, code)]) : begun;
      }
      case 'either':
        return this.#either(term.parts.map((part) => this.after(part, code)));
      case 'all':
        return this.#all(term.parts.map((part) => this.after(part, code)));
      case 'not':
        return this.#not(this.after(term.body, code));
      case 'repeat': {
        const { body, min, max } = term;
        return this.#sequence(this.after(body, code), this.#repeat(body, Math.max(0, min - 1), max - 1));
      }
    }
  }

  #character(ranges: readonly CharacterRange[]): Term {
    const name = `[${ranges.join(';')}]`;
    if (!this.#known.has(name)) this.ranges.push(ranges);
    return this.#make(name, { kind: 'character', ranges }, false);
  }

  #sequence(first: Term, rest: Term): Term {
    this.#work.spend(1, this.#where);
    if (first.kind === 'none' || rest.kind === 'none') return this.#none;
    if (first.kind === 'empty') return rest;
    if (rest.kind === 'empty') return first;
    // Written from the left, so that the same parts in the same order are one term.
    if (first.kind === 'sequence') return this.#sequence(first.first, this.#sequence(first.rest, rest));
    return this.#make(`${first.id}.${rest.id}`, { kind: 'sequence', first, rest }, first.nullable && rest.nullable);
  }

  #either(options: readonly Term[]): Term {
    const parts = this.#flat(options, 'either').filter(({ kind }) => kind !== 'none');
    const [first = this.#none] = parts;
    if (parts.length <= 1) return first;
    const nullable = parts.some((part) => part.nullable);
    return this.#make(`|${parts.map(({ id }) => id)}`, { kind: 'either', parts }, nullable);
  }

  #all(of: readonly Term[]): Term {
    const parts = this.#flat(of, 'all');
    if (parts.some(({ kind }) => kind === 'none')) return this.#none;
    if (parts.length === 1) return parts[0]!;
    return this.#make(
      `&${parts.map(({ id }) => id)}`,
      { kind: 'all', parts },
      parts.every((part) => part.nullable),
    );
  }

  #not(body: Term): Term {
    return body.kind === 'not' ? body.body : this.#make(`!${body.id}`, { kind: 'not', body }, !body.nullable);
  }

  #repeat(body: Term, min: number, max: number): Term {
    if (max === 0 || body.kind === 'empty') return this.#empty;
    if (body.kind === 'none') return min === 0 ? this.#empty : this.#none;
    if (min === 1 && max === 1) return body;
    return this.#make(`${body.id}{${min},${max}}`, { kind: 'repeat', body, min, max }, min === 0 || body.nullable);
  }

  #make(name: string, term: Without<Term, 'id' | 'nullable'>, nullable: boolean): Term {
    const known = this.#known.get(name);
    if (known) return known;
    if (this.#known.size === mostTerms) throw tooMuch(this.#where);
    const made = { ...term, id: this.#known.size, nullable } as Term;
    this.#known.set(name, made);
    return made;
  }

  /** Each once, in one order, those of parts of the same kind among them. */
  #flat(terms: readonly Term[], kind: 'either' | 'all'): Term[] {
    const all = terms.flatMap((term) => (term.kind === kind ? term.parts : [term]));
    this.#work.spend(all.length * sorting, this.#where);
    return [...new Set(all)].sort((a, b) => a.id - b.id);
  }
}

/** Omit, for each member of a union by itself. */
type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;
