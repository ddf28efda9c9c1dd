// Replies that must be JSON of a schema, match a pattern or be one of a few texts: before each token, which ones keep to that.
import { SteerError } from '../errors.ts';
import { type Expression, unsupported, words } from './expression.ts';
import { anyObject } from './json.ts';
import { schemaExpression } from './json-schema.ts';
import { buildNetwork } from './network.ts';
import { type Position, Pushdown } from './pushdown.ts';
import { parsePattern } from './regex.ts';
import { refuseHalves } from './schema-fields.ts';
import { TokenMasks, TokenTries } from './token-masks.ts';
import { bytesOf, type TokenBytes } from './token-trie.ts';
import { Work } from './work.ts';

/** A form the reply must have, followed token by token. */
export interface Constraint {
  /**
   * (V): 1 where an id may be picked next, stop tokens among them; null where any may. `left` tokens are left for the reply: where they are enough
   * to complete it, they are after each of these ids too. Read before the next call of `accept`, and never kept.
   */
  allowed(left: number): Uint8Array | null;
  /** The reply has one more token. */
  accept(token: number): void;
  /** The reply may end here. */
  readonly complete: boolean;
  /** Nothing can follow: the reply is complete. */
  readonly over: boolean;
}

/** What a whole reply must be. */
export type ConstraintSpec =
  /** JSON of this schema. */
  | { kind: 'json_schema'; schema: unknown }
  /** Any JSON object. */
  | { kind: 'json_object' }
  /** A text the whole of which the pattern matches. */
  | { kind: 'regex'; pattern: string }
  /** One of these texts. */
  | { kind: 'choice'; choices: string[] };

/** Bounds of a specification, whatever is in it; a schema of a hundred properties has a hundredth of that. */
const mostParts = 20_000;
const mostCharacters = 100_000;
const deepestParts = 200;
/** Compiled constraints kept, those used longest ago let go first. */
const mostCompiled = 8;

/** Throws invalid_request naming what is not supported and where. Its work is bounded, whatever it is given; `work` counts it. */
export function checkConstraint(spec: ConstraintSpec, work = new Work()): void {
  compile(spec, work);
}

function compile(spec: ConstraintSpec, work: Work, tries?: TokenTries): Pushdown {
  refuseLarge(spec);
  return new Pushdown(buildNetwork(expressionOf(spec, work), work), tries?.lookaheads, tries?.bytes);
}

function expressionOf(spec: ConstraintSpec, work: Work): Expression {
  switch (spec.kind) {
    case 'json_schema':
      return schemaExpression(spec.schema, work);
    case 'json_object':
      return anyObject;
    case 'regex':
      return parsePattern(spec.pattern, 'pattern', false, work);
    case 'choice':
      if (spec.choices.length === 0) throw unsupported('choices', 'expected at least one.');
      for (const [i, choice] of spec.choices.entries()) refuseHalves(choice, `choices/${i}`);
      return words(...spec.choices);
  }
}

/** Without recursion: what is nested too deep could not even be copied between threads. */
function refuseLarge(spec: ConstraintSpec): void {
  const open: [unknown, number][] = [[spec, 0]];
  let parts = 0;
  let characters = 0;
  for (let next = open.pop(); next; next = open.pop()) {
    const [value, depth] = next;
    if (typeof value === 'string') characters += value.length;
    else if (typeof value === 'object' && value !== null) {
      if (depth === deepestParts)
        throw unsupported('as a whole', `it is nested too deep; expected at most ${deepestParts} levels.`);
      for (const [key, part] of Object.entries(value)) {
        parts++;
        characters += key.length;
        open.push([part, depth + 1]);
      }
    }
    if (parts > mostParts || characters > mostCharacters) {
      const most = `${mostParts} parts and ${mostCharacters} characters`;
      throw unsupported('as a whole', `it is too large; expected at most ${most}.`);
    }
  }
}

/** A constraint with what is known of it for one vocabulary. */
interface Compiled {
  automaton: Pushdown;
  masks: TokenMasks;
}

/** The constraints of one vocabulary. */
export class Constraints {
  readonly #tokens: { tokenBytes: TokenBytes; stopTokens: readonly number[] };
  readonly #compiled = new Map<string, Compiled>();
  #made: TokenTries | undefined;

  constructor(tokens: { tokenBytes: TokenBytes; stopTokens: readonly number[] }) {
    this.#tokens = tokens;
  }

  /** Made for the first constraint: for a large vocabulary that takes a good part of what loading a model takes. */
  get #tries(): TokenTries {
    this.#made ??= new TokenTries(this.#tokens.tokenBytes, this.#tokens.stopTokens);
    return this.#made;
  }

  /** The constraint of one reply. Throws invalid_request as checkConstraint does. */
  open(spec: ConstraintSpec): OpenConstraint {
    const key = JSON.stringify(spec);
    const compiled = this.#compiled.get(key) ?? this.#compile(spec);
    this.#compiled.delete(key);
    this.#compiled.set(key, compiled);
    if (this.#compiled.size > mostCompiled) this.#compiled.delete(this.#compiled.keys().next().value!);
    return new OpenConstraint(compiled, this.#tries);
  }

  #compile(spec: ConstraintSpec): Compiled {
    const automaton = compile(spec, new Work(), this.#tries);
    return { automaton, masks: new TokenMasks(this.#tries, automaton) };
  }
}

/** Follows one reply. */
export class OpenConstraint implements Constraint {
  readonly #automaton: Pushdown;
  readonly #masks: TokenMasks;
  readonly #tries: TokenTries;
  #position: Position;
  #ended = false;

  constructor({ automaton, masks }: Compiled, tries: TokenTries) {
    this.#automaton = automaton;
    this.#masks = masks;
    this.#tries = tries;
    this.#position = automaton.start;
  }

  /** Whether the reply is all that was asked for. */
  get complete(): boolean {
    return this.#ended || this.#position.complete;
  }

  /** Whether the reply is all that was asked for and nothing can follow. */
  get over(): boolean {
    return this.#ended || (this.#position.complete && this.#position.places.length === 0);
  }

  /**
   * (V): 1 where a token may come next, which is also true of those that end the reply once it is complete. Of `left` tokens, where the shortest
   * text that completes it takes no more. Shared: not to be written to. Throws invalid_request when the constraint proves too ambiguous to follow.
   */
  allowed(left = Number.POSITIVE_INFINITY): Uint8Array {
    this.#automaton.trim();
    return this.#masks.at(this.#position, left);
  }

  /** Goes on by a token that was allowed. Throws invalid_request as `allowed` does. */
  accept(token: number): void {
    if (this.#position.complete && this.#tries.stopTokens.includes(token)) {
      this.#ended = true;
      return;
    }
    const bytes = bytesOf(this.#tries.tokens, token);
    let position: Position | null = bytes.length === 0 ? null : this.#position;
    for (const byte of bytes) position &&= this.#automaton.step(position, byte);
    if (!position) throw new SteerError('internal_error', `Expected a token the constraint allows, found ${token}.`);
    this.#position = position;
  }
}
