// One reply as it grows: which tokens it has, under which phase it is written and when it is over.
import { isDeepStrictEqual } from 'node:util';
import type { Constraint } from '../constraints/constraint.ts';
import { SteerError } from '../errors.ts';
import { BadWords, wordsOf } from './bad-words.ts';
import { Drawer, type Picked } from './drawing.ts';
import type { Boundary, Branch, FinishReason, GenerationRequest, Phase, Vocabulary } from './request.ts';
import type { SumFrom, SumsOfReading, VectorSum } from './vector-sums.ts';

export class Reply {
  readonly index: number;
  readonly tokens: number[] = [];
  over = false;
  readonly #request: GenerationRequest;
  readonly #vocabulary: Vocabulary;
  readonly #drawer: Drawer;
  /** Counted from the first token of the reply, so that -1 is the last one of the prompt. */
  readonly #sums: SumFrom[];
  #phase = 0;
  #sentences = 0;

  constructor(request: GenerationRequest, index: number, vocabulary: Vocabulary, constraint?: Constraint) {
    this.#request = request;
    this.index = index;
    this.#vocabulary = vocabulary;
    this.#drawer = new Drawer(request, vocabulary, request.phases[0]!.branches[0]!.prompt, request.seed + index, constraint);
    this.#sums = [{ from: -1, sum: this.vectorSum }];
    this.#keepOut();
  }

  get branches(): readonly Branch[] {
    return this.#current.branches;
  }

  /** Of the steering vectors under which its newest token is read. */
  get vectorSum(): VectorSum | undefined {
    return this.#current.vectorSum;
  }

  /** The sums under which a prompt of so many tokens and what is said are read: what was written keeps the one it was written under. */
  sumsAfter(promptTokens: number): SumsOfReading {
    const all = this.#request.vectorTokens === 'all';
    return this.#sums.map(({ from, sum }, i) => ({ from: all && i === 0 ? 0 : promptTokens + from, sum }));
  }

  /** Tokens of its prompts and of itself, as often as they are read. */
  get readTokens(): number {
    return this.branches.reduce((sum, { prompt }) => sum + prompt.length + this.tokens.length, 0);
  }

  get #current(): Phase {
    return this.#request.phases[this.#phase]!;
  }

  /** The next token by the scores (V) of each branch, which may be altered. Throws invalid_model when they are no numbers. */
  draw(scores: readonly Float32Array[]): Picked {
    return this.#drawer.pick(mix(scores, this.branches), this.#request.maxTokens - this.tokens.length);
  }

  ends(token: number): boolean {
    return this.#drawer.ends(token);
  }

  /** Adds a drawn token; true when the next one is drawn under other prompts. It is itself read under the sum of vectors of the phase it leads to. */
  add(token: number): boolean {
    const { endsSentence } = this.#vocabulary;
    // Of several marks in a row the first ends the sentence.
    if (endsSentence[token] === 1 && endsSentence[this.tokens.at(-1) ?? -1] !== 1) this.#sentences++;
    this.tokens.push(token);
    this.#drawer.note(token);
    const before = this.#current;
    while (this.#current.until && this.#reached(this.#current.until)) this.#phase++;
    if (this.#current === before) return false;
    this.#sums.push({ from: this.tokens.length - 1, sum: this.vectorSum });
    this.#keepOut();
    return !samePrompts(before, this.#current);
  }

  /** How it ends with its newest token: with all that was asked for, or at its length; undefined where it goes on. */
  get ending(): FinishReason | undefined {
    const full = this.tokens.length >= this.#request.maxTokens;
    if (this.#drawer.over || (full && this.#drawer.complete)) return 'stop';
    return full ? 'length' : undefined;
  }

  /** What the phase keeps out, of all that is said: a word may have begun before it. */
  #keepOut(): void {
    const words = wordsOf(this.#request, this.#current);
    const { tokenBytes } = this.#vocabulary;
    if (words.length > 0 && !tokenBytes) {
      const message = 'bad_words: the tokenizer of this model does not tell the bytes of its tokens. Leave it out.';
      throw new SteerError('invalid_request', message, { details: { param: 'bad_words' } });
    }
    const kind = this.#request.constraint?.kind;
    const json = kind === 'json_schema' || kind === 'json_object';
    this.#drawer.keepOut(words.length === 0 ? undefined : new BadWords(words, tokenBytes!, this.tokens, { json }));
  }

  #reached(until: Boundary): boolean {
    return 'tokens' in until ? this.tokens.length >= until.tokens : this.#sentences >= until.sentences;
  }
}

/** Whether what is read under one of them can be gone on with under the other. */
function samePrompts({ branches }: Phase, other: Phase): boolean {
  return isDeepStrictEqual(
    branches.map(({ prompt }) => prompt),
    other.branches.map(({ prompt }) => prompt),
  );
}

/** Σ weight · scores: guidance (Ho & Salimans 2022; Sanchez et al. 2023 for language models) and values between levels. */
function mix(scores: readonly Float32Array[], branches: readonly Branch[]): Float32Array {
  const [first] = scores as [Float32Array];
  scores.forEach((own, branch) => {
    const { weight } = branches[branch]!;
    if (branch === 0 && weight === 1) return;
    for (let id = 0; id < first.length; id++) first[id] = (branch === 0 ? 0 : first[id]!) + weight * own[id]!;
  });
  return first;
}
