// An expression as states: automata over bytes that call one another as a parser's rules do (a recursive transition network, Woods 1970).
import { type CharacterRange, type Expression, type GraphNode, type Rule, shared, unsupported } from './expression.ts';
import { fewestBytes } from './fewest-bytes.ts';
import type { Edge, Entry, State } from './state.ts';
import { utf8Spans } from './utf8.ts';
import { Work } from './work.ts';

/** States of one repetition that only differ in how many more copies of its body must and may be read. */
interface Counted {
  /** What a copy calls; a copy is one byte where it calls nothing. */
  copy: Entry | undefined;
  states: { id: number; must: number; may: number }[];
}

export interface Network {
  start: State;
  /** By id. */
  states: readonly State[];
  /** Ids of the first state of every rule. */
  firsts: readonly number[];
  /** (states): how few bytes lead from a state to the end of its rule. */
  fewest: Float64Array;
  counted: readonly Counted[];
  /** (256): bytes of one class are alike to every state. */
  classOf: Uint8Array;
  classes: number;
}

/** What a constraint may grow to; well above any schema written by hand, and compiled in milliseconds. */
export const mostStates = 50_000;
/** Steps of work for each state, and for each span of bytes of a character. */
const stateWork = 6;
const spanWork = 4;
/** Edges and states gone through in one step. */
const goneThrough = 4;
/** Small bodies are repeated in place; calling them would cost more. */
const copiedRepeats = 4;

/**
 * Throws invalid_request when there would be more than mostStates, when it takes more work than is left, or when no text of finite length can be
 * what some part asks for.
 */
export function buildNetwork(expression: Expression, work = new Work()): Network {
  const builder = new Builder(work);
  const entry = builder.entry({ expression });
  const network = builder.finish();
  return { start: entry.start, ...network };
}

class Builder {
  readonly #states: State[] = [];
  readonly #entries = new Map<Rule, Entry>();
  readonly #waiting: [Rule, Entry][] = [];
  /** The first state of every rule that is compiled. */
  readonly #firsts: number[] = [];
  readonly #counted: Counted[] = [];
  /** [i] is 1 where bytes i and i + 1 are told apart by some state. */
  readonly #borders = new Uint8Array(256);
  readonly #work: Work;
  /** Of all states. */
  #edges = 0;
  /** What is being compiled, for errors. */
  #where = 'as a whole';

  constructor(work: Work) {
    this.#work = work;
  }

  entry(rule: Rule): Entry {
    let entry = this.#entries.get(rule);
    if (!entry) {
      // Its states come later: a rule may call itself, and a chain of rules may be long.
      entry = {} as Entry;
      this.#entries.set(rule, entry);
      this.#waiting.push([rule, entry]);
    }
    return entry;
  }

  finish(): Omit<Network, 'start'> {
    for (let next = this.#waiting.pop(); next; next = this.#waiting.pop()) {
      const [rule, entry] = next;
      this.#firsts.push(this.#states.length);
      this.#where = rule.name ?? this.#where;
      entry.start = this.#compile(rule.expression, this.#state({ kind: 'end' }));
    }
    const round = () => this.#spend(Math.ceil((this.#states.length + this.#edges) / goneThrough));
    const fewest = fewestBytes(this.#states, this.#firsts, { round });
    this.#refuseEndless(fewest);
    return { states: this.#states, firsts: this.#firsts, fewest, counted: this.#counted, ...this.#classes() };
  }

  /** A schema that needs itself within itself could be written on and on, but never to its end. */
  #refuseEndless(fewest: Float64Array): void {
    const endless = [...this.#entries].filter(([, { start }]) => fewest[start.id] === Number.POSITIVE_INFINITY);
    if (endless.length === 0) return;
    const name = endless.findLast(([rule]) => rule.name !== undefined)?.[0].name ?? 'as a whole';
    throw unsupported(name, 'no finite value can meet it, since it needs itself within itself.');
  }

  #classes(): { classOf: Uint8Array; classes: number } {
    const classOf = new Uint8Array(256);
    let classes = 0;
    for (let byte = 0; byte < 256; byte++) {
      classOf[byte] = classes;
      if (this.#borders[byte] === 1) classes++;
    }
    return { classOf, classes: classes + 1 };
  }

  /** A state that reads the expression and then is at `next`. */
  #compile(expression: Expression, next: State): State {
    this.#spend(1);
    switch (expression.kind) {
      case 'words':
        return this.#words(expression.words, next);
      case 'character':
        return this.#character(expression.ranges, next);
      case 'sequence':
        return this.#sequence(expression.parts, next);
      case 'either':
        return this.#either(expression.options.map((option) => this.#compile(option, next)));
      case 'repeat':
        return this.#repeat(expression, next);
      case 'graph':
        return this.#graph(expression.nodes, next);
      case 'call':
        return this.#state({ kind: 'call', rule: this.entry(expression.rule), next });
    }
  }

  #graph(nodes: readonly GraphNode[], next: State): State {
    // Its states know one another: their ways on come when all are there.
    const ways: State[][] = nodes.map(({ final }) => (final ? [next] : []));
    const states = ways.map((own) => this.#state({ kind: 'split', next: own }));
    for (const [place, { edges }] of nodes.entries()) {
      const read = edges.map(({ on, to }) => this.#compile(on, states[to]!));
      if (read.length > 0) ways[place]!.push(this.#either(read));
    }
    return states[0]!;
  }

  #sequence(parts: readonly Expression[], next: State): State {
    let state = next;
    for (let i = parts.length - 1; i >= 0; i--) state = this.#compile(parts[i]!, state);
    return state;
  }

  /** Alternatives told apart by their first byte are one state, which keeps what pushdown.ts follows small. */
  #either(all: State[]): State {
    const options = [...new Set(all)];
    const edges = options.flatMap((option) => (option.kind === 'bytes' ? option.edges : []));
    this.#spend(all.length + edges.length);
    edges.sort((a, b) => a.first - b.first);
    const apart = edges.every((edge, i) => i === 0 || edges[i - 1]!.last < edge.first);
    if (apart && options.every(({ kind }) => kind === 'bytes')) return this.#state({ kind: 'bytes', edges });
    return this.#state({ kind: 'split', next: options });
  }

  #repeat({ body, min, max }: Expression & { kind: 'repeat' }, next: State): State {
    const copies = Number.isFinite(max) ? max : min;
    const copy = copies > copiedRepeats && !isByte(body) ? shared(body) : body;
    const counted = this.#countedBy(copy, copies);
    let state = next;
    let copied = 0;
    if (Number.isFinite(max)) {
      const bodies = this.#countedBy(copy, copies);
      for (let may = 1; may <= max - min; may++) {
        const once = this.#compile(copy, state);
        if (once.kind === 'bytes') bodies.push({ id: once.id, must: 0, may: may - 1 });
        state = this.#either([once, next]);
        counted.push({ id: state.id, must: 0, may });
      }
    } else {
      const again: State[] = [];
      const loop = this.#state({ kind: 'split', next: again });
      const once = this.#compile(body, loop);
      again.push(once, next);
      // The loop's own body is the last of those that must stand.
      copied = Math.min(min, 1);
      state = copied === 1 ? once : loop;
    }
    for (let must = copied + 1; must <= min; must++) {
      state = this.#compile(copy, state);
      counted.push({ id: state.id, must, may: max - min + must });
    }
    return state;
  }

  /** Where to note the states of a repetition whose copies are alike. */
  #countedBy(copy: Expression, copies: number): Counted['states'] {
    const states: Counted['states'] = [];
    if (copies <= 1) return states;
    if (copy.kind === 'call') this.#counted.push({ copy: this.entry(copy.rule), states });
    else if (isByte(copy)) this.#counted.push({ copy: undefined, states });
    return states;
  }

  #words(all: readonly Uint8Array[], next: State): State {
    this.#spend(all.length);
    const sorted = all.toSorted(Buffer.compare).filter((word, i, those) => i === 0 || Buffer.compare(word, those[i - 1]!) !== 0);
    return this.#tree(sorted, 0, next);
  }

  /** A tree of the words, which ascend and agree up to `depth`: common beginnings are read once. */
  #tree(sorted: readonly Uint8Array[], depth: number, next: State): State {
    const [first] = sorted as [Uint8Array];
    const last = sorted.at(-1)!;
    let fork = depth;
    while (fork < first.length && first[fork] === last[fork]) fork++;
    let state = next;
    if (sorted.length > 1) {
      const longer = first.length === fork ? sorted.slice(1) : sorted;
      const branches = this.#bytes(
        [...byByte(longer, fork)].map(([byte, those]) => edgeOf(byte, this.#tree(those, fork + 1, next))),
      );
      state = longer === sorted ? branches : this.#either([branches, next]);
    }
    for (let at = fork - 1; at >= depth; at--) state = this.#bytes([edgeOf(first[at]!, state)]);
    return state;
  }

  #character(ranges: readonly CharacterRange[], next: State): State {
    const root: Edge[] = [];
    const insides = new Map<Edge, Edge[]>();
    const all = ranges.flatMap(utf8Spans);
    this.#spend(all.length * spanWork);
    for (const spans of all) {
      let edges = root;
      spans.forEach(([first, last], place) => {
        let edge = edges.at(-1);
        if (edge?.first !== first || edge.last !== last) {
          edge = { first, last, next };
          edges.push(edge);
        }
        if (place === spans.length - 1) return;
        edges = insides.get(edge) ?? [];
        insides.set(edge, edges);
      });
    }
    const finish = (edges: Edge[]): State => {
      for (const edge of edges) {
        const inside = insides.get(edge);
        if (inside) edge.next = finish(inside);
      }
      return this.#bytes(edges);
    };
    return finish(root);
  }

  #bytes(edges: Edge[]): State {
    for (const { first, last } of edges) {
      if (first > 0) this.#borders[first - 1] = 1;
      if (last < 255) this.#borders[last] = 1;
    }
    return this.#state({ kind: 'bytes', edges });
  }

  #spend(steps: number): void {
    this.#work.spend(steps, this.#where);
  }

  #state(state: Without<State, 'id'>): State {
    this.#spend(stateWork);
    if (state.kind === 'bytes') this.#edges += state.edges.length;
    if (state.kind === 'split') this.#edges += state.next.length;
    const id = this.#states.length;
    if (id === mostStates) throw unsupported('as a whole', `it is too large; expected at most ${mostStates} states.`);
    const made = Object.assign(state, { id });
    this.#states.push(made);
    return made;
  }
}

function isByte(expression: Expression): boolean {
  return expression.kind === 'character' && expression.ranges.every(([, last]) => last < 0x80);
}

function edgeOf(byte: number, next: State): Edge {
  return { first: byte, last: byte, next };
}

function byByte(sorted: readonly Uint8Array[], depth: number): Map<number, Uint8Array[]> {
  const groups = new Map<number, Uint8Array[]>();
  for (const word of sorted) {
    const group = groups.get(word[depth]!);
    if (group) group.push(word);
    else groups.set(word[depth]!, [word]);
  }
  return groups;
}

/** Omit, for each member of a union by itself. */
type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;
