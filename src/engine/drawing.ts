// How the tokens of one reply are drawn, one after the other. The order is that of transformers, with frequency and
// presence, which it lacks, where vLLM has them:
//
// raw scores ── mask: ids a reply may hold, constraint, stop tokens barred ──► log-probabilities told to the caller
//        └──► bias ──► repetition ──► frequency, presence ──► temperature ──► top_k ──► top_p ──► min_p ──► one token
import type { Constraint } from '../constraints/constraint.ts';
import { SteerError } from '../errors.ts';
import { randomStream } from '../random.ts';
import { PenaltyRecord } from './penalties.ts';
import type { Drawing, Likelihood, Vocabulary } from './request.ts';
import { Sampler, type Sampling } from './sampler.ts';
import { findTop } from './selection.ts';

export interface Picked {
  token: number;
  likelihood?: Likelihood | undefined;
}

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

  /**
   * The next token by its scores (V), which are left as they are, where `left` tokens are left for the reply. Throws invalid_model when one that
   * may be picked is no number, internal_error when all are -Infinity.
   */
  pick(scores: Float32Array, left = Number.POSITIVE_INFINITY): Picked {
    const form = this.#constraint?.allowed(left) ?? null;
    const barred = this.#barred;
    const picked =
      this.#pick(scores, this.#mask(barred, form)) ??
      (barred.length > 0 ? this.#pick(scores, this.#mask(none, form)) : undefined);
    if (picked) return picked;
    throw new SteerError(
      'internal_error',
      'Expected a finite score for some token that may be picked, found none. Are the weights and the constraint sound?',
    );
  }

  ends(token: number): boolean {
    return this.#stops.includes(token);
  }

  /** The reply has one more token. */
  note(token: number): void {
    this.#tokens++;
    this.#penalties.note(token);
    this.#constraint?.accept(token);
  }

  /** The reply is all that the constraint asks for. */
  get complete(): boolean {
    return this.#constraint?.complete ?? false;
  }

  /** Nothing can follow under the constraint. */
  get over(): boolean {
    return this.#constraint?.over ?? false;
  }

  #pick(scores: Float32Array, mask: Uint8Array): Picked | undefined {
    const { sampler } = this.#scratch;
    const token = sampler.pick(this.#penalised(scores), mask, this.#sampling, this.#random);
    if (token < 0) return undefined;
    return this.#topLogprobs === null
      ? { token }
      : { token, likelihood: this.#likelihood(scores, mask, token, this.#topLogprobs) };
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

  #likelihood(scores: Float32Array, mask: Uint8Array, token: number, count: number): Likelihood {
    const { sampler, top } = this.#scratch;
    const found = findTop(scores, mask, Math.max(count, 1), top);
    const logMass = sampler.logMass(scores, mask, top[0]!);
    const logprobOf = (id: number): number => scores[id]! - logMass;
    return {
      logprob: logprobOf(token),
      top: Array.from(top.subarray(0, Math.min(count, found)), (id) => ({ token: id, logprob: logprobOf(id) })),
    };
  }
}

const none: readonly number[] = [];

/** What drawing works in; all replies of a thread share it, since each is done with it before the next begins. */
interface Scratch {
  sampler: Sampler;
  penalised: Float32Array;
  mask: Uint8Array;
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
