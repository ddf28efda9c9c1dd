// How the tokens of one reply are drawn, one after the other. The order is that of transformers, with frequency and
// presence, which it lacks, where vLLM has them:
//
// raw scores ── mask: ids a reply may hold, constraint, stop tokens barred ──► log-probabilities told to the caller
//        └──► bias ──► repetition ──► frequency, presence ──► temperature ──► top_k ──► top_p ──► min_p ──► one token
//                                                              ▲────── without it where it would complete a bad word ──┘
import type { Constraint } from '../constraints/constraint.ts';
import { SteerError } from '../errors.ts';
import { randomStream } from '../random.ts';
import type { BadWords } from './bad-words.ts';
import { PenaltyRecord } from './penalties.ts';
import type { Drawing, Likelihood, Vocabulary } from './request.ts';
import { Sampler, type Sampling } from './sampler.ts';
import { findTop } from './selection.ts';

export interface Picked {
  token: number;
  likelihood?: Likelihood | undefined;
}

/** A token that would complete a bad word is drawn again without it, so often at most: hardly ever more than once. */
const mostDraws = 12;
/**
 * Before each further draw eight times as many of the likeliest are looked at, up to so many. Where a list bars most of what could be said this ends soon,
 * and no draw walks through a whole vocabulary.
 */
const mostTested = 8 ** 4;
/** Beyond those that are told, how many of the likeliest are looked at to tell none that would complete a bad word. */
const spareTop = 64;

export class Drawer {
  readonly #sampling: Sampling;
  readonly #allowed: Uint8Array;
  /** Ends the reply: the model's own and the request's. */
  readonly #stops: readonly number[];
  readonly #ownStops: readonly number[];
  readonly #ignoreEos: boolean;
  readonly #minTokens: number;
  readonly #topLogprobs: number | null;
  /** Stop tokens of the request that a reply may not hold. */
  readonly #extraStops: readonly number[];
  readonly #penalties: PenaltyRecord;
  readonly #constraint: Constraint | undefined;
  readonly #random: () => number;
  readonly #scratch: Scratch;
  #words: BadWords | undefined;
  #tokens = 0;

  /** `prompt` is what the repetition penalty counts beside the reply. Throws invalid_request for an id that the vocabulary lacks. */
  constructor(
    drawing: Drawing,
    { allowed, stopTokens }: Pick<Vocabulary, 'allowed' | 'stopTokens'>,
    prompt: readonly number[],
    seed: number,
    constraint?: Constraint,
  ) {
    const { temperature, topK, topP, minP = 0, minTokens = 0, ignoreEos = false, topLogprobs = null } = drawing;
    const stops = drawing.stopTokens ?? [];
    refuseUnknown(stops, allowed.length, 'stop_token_ids');
    refuseUnknown(
      (drawing.logitBias ?? []).map(([id]) => id),
      allowed.length,
      'logit_bias',
    );
    this.#sampling = { temperature, topK, topP, minP };
    this.#allowed = allowed;
    this.#stops = [...stopTokens, ...stops];
    this.#ownStops = stopTokens.filter((id) => !stops.includes(id));
    this.#extraStops = stops.filter((id) => allowed[id] !== 1);
    this.#ignoreEos = ignoreEos;
    this.#minTokens = minTokens;
    this.#topLogprobs = topLogprobs;
    this.#penalties = new PenaltyRecord(drawing, prompt);
    this.#constraint = constraint;
    this.#random = randomStream(seed);
    this.#scratch = scratchOf(allowed.length);
  }

  /** From here on no token is picked that completes one of the words, unless the constraint leaves no other. */
  keepOut(words: BadWords | undefined): void {
    this.#words = words;
  }

  /**
   * The next token by its scores (V), which are left as they are, where `left` tokens are left for the reply; -1, which ends it, where any would complete
   * a bad word. Throws invalid_model when one that may be picked is no number, internal_error when all are -Infinity.
   */
  pick(scores: Float32Array, left = Number.POSITIVE_INFINITY): Picked {
    const form = this.#constraint?.allowed(left) ?? null;
    const barred = this.#barred;
    const pick = (words: BadWords | undefined) =>
      this.#pick(scores, this.#mask(barred, form), words) ??
      (barred.length > 0 ? this.#pick(scores, this.#mask(none, form), words) : undefined);
    const picked = pick(this.#words);
    if (picked) return picked;
    const bad = this.#words && pick(undefined);
    // What a reply must be goes before what it may not hold.
    if (bad) return this.#constraint && !this.complete ? bad : { token: -1 };
    throw new SteerError(
      'internal_error',
      'Expected a finite score for some token that may be picked, found none. Are the weights and the constraint sound?',
    );
  }

  ends(token: number): boolean {
    return token < 0 || this.#stops.includes(token);
  }

  /** The reply has one more token. */
  note(token: number): void {
    this.#tokens++;
    this.#penalties.note(token);
    this.#constraint?.accept(token);
    this.#words?.note(token);
  }

  /** The reply is all that the constraint asks for. */
  get complete(): boolean {
    return this.#constraint?.complete ?? false;
  }

  /** Nothing can follow under the constraint. */
  get over(): boolean {
    return this.#constraint?.over ?? false;
  }

  #pick(scores: Float32Array, mask: Uint8Array, words: BadWords | undefined): Picked | undefined {
    const completes = words && ((id: number) => !this.ends(id) && words.completes(id));
    const token = this.#draw(this.#penalised(scores), mask, completes);
    if (token < 0) return undefined;
    return this.#topLogprobs === null
      ? { token }
      : { token, likelihood: this.#likelihood(scores, mask, token, this.#topLogprobs, completes) };
  }

  /** -1 where none is found that completes no bad word. */
  #draw(scores: Float32Array, mask: Uint8Array, completes: ((id: number) => boolean) | undefined): number {
    const { sampler, top, unbarred } = this.#scratch;
    let token = sampler.pick(scores, mask, this.#sampling, this.#random);
    let tested = 1;
    for (let draws = 1; completes && token >= 0 && completes(token); draws++) {
      if (draws === mostDraws) return -1;
      if (draws === 1) unbarred.set(mask);
      unbarred[token] = 0;
      tested *= 8;
      const likeliest = tested <= mostTested ? top.subarray(0, findTop(scores, unbarred, tested, top)) : none;
      for (const id of likeliest) if (completes(id)) unbarred[id] = 0;
      token = sampler.pick(scores, unbarred, this.#sampling, this.#random);
    }
    return token;
  }

  #penalised(scores: Float32Array): Float32Array {
    if (!this.#penalties.active) return scores;
    const { penalised } = this.#scratch;
    penalised.set(scores);
    this.#penalties.apply(penalised);
    return penalised;
  }

  /** Stop tokens that may not be picked yet. They yield where nothing else is left, as at the end of what a constraint allows. */
  get #barred(): readonly number[] {
    if (this.#tokens < this.#minTokens) return this.#stops;
    return this.#ignoreEos ? this.#ownStops : none;
  }

  #mask(barred: readonly number[], form: Uint8Array | null): Uint8Array {
    if (barred.length === 0 && this.#extraStops.length === 0 && !form) return this.#allowed;
    const { mask } = this.#scratch;
    mask.set(this.#allowed);
    for (const id of this.#extraStops) mask[id] = 1;
    for (const id of barred) mask[id] = 0;
    if (form) for (let id = 0; id < mask.length; id++) mask[id]! &= form[id]!;
    return mask;
  }

  #likelihood(
    scores: Float32Array,
    mask: Uint8Array,
    token: number,
    count: number,
    completes: ((id: number) => boolean) | undefined,
  ): Likelihood {
    const { sampler, top } = this.#scratch;
    const found = findTop(scores, mask, completes ? count + spareTop : Math.max(count, 1), top);
    const logMass = sampler.logMass(scores, mask, top[0]!);
    const logprobOf = (id: number): number => scores[id]! - logMass;
    const likeliest = Array.from(top.subarray(0, found)).filter((id) => !completes?.(id));
    return { logprob: logprobOf(token), top: likeliest.slice(0, count).map((id) => ({ token: id, logprob: logprobOf(id) })) };
  }
}

const none: readonly number[] = [];

/** What drawing works in; all replies of a thread share it, since each is done with it before the next begins. */
interface Scratch {
  sampler: Sampler;
  penalised: Float32Array;
  mask: Uint8Array;
  /** The mask without tokens that would complete a bad word. */
  unbarred: Uint8Array;
  top: Int32Array;
}

const scratches = new Map<number, Scratch>();

function scratchOf(vocabSize: number): Scratch {
  let scratch = scratches.get(vocabSize);
  if (!scratch) {
    scratch = {
      sampler: new Sampler(vocabSize),
      penalised: new Float32Array(vocabSize),
      mask: new Uint8Array(vocabSize),
      unbarred: new Uint8Array(vocabSize),
      top: new Int32Array(vocabSize),
    };
    scratches.set(vocabSize, scratch);
  }
  return scratch;
}

function refuseUnknown(ids: readonly number[], vocabSize: number, param: string): void {
  const unknown = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
  if (unknown === undefined) return;
  throw new SteerError(
    'invalid_request',
    `Expected token ids from 0 to ${vocabSize - 1}, found ${unknown}. Use ids of this model's vocabulary.`,
    {
      details: { param },
    },
  );
}
