// What a request adds to the scores before any is picked: biases of single tokens, and penalties for tokens that were there already.

export interface Penalties {
  /** [id, bias] pairs, added to the score; -100 all but bars an id and 100 all but forces it, as in the OpenAI protocol. */
  logitBias?: readonly (readonly [number, number])[] | undefined;
  /**
   * Scores of tokens of the prompt and of the reply are divided by it where positive and multiplied where negative (Keskar et al. 2019, CTRL;
   * over both as in transformers and vLLM). Above 0; 1 or absent changes nothing.
   */
  repetitionPenalty?: number | undefined;
  /** Tokens that it counts in place of the prompt's. */
  repeated?: readonly number[] | undefined;
  /** Taken once from the score of each token the reply has (OpenAI). */
  presencePenalty?: number | undefined;
  /** Taken from the score of each token once for every time the reply has it (OpenAI). */
  frequencyPenalty?: number | undefined;
}

/** The penalties of one reply as it grows. */
export class PenaltyRecord {
  readonly #bias: readonly (readonly [number, number])[];
  readonly #repetition: number;
  readonly #presence: number;
  readonly #frequency: number;
  /** Distinct ids of prompt and reply, in the order they came; only kept for the repetition penalty. */
  readonly #seen: number[] = [];
  readonly #isSeen = new Set<number>();
  /** Distinct ids of the reply, how often each came, and where it stands in these two. */
  readonly #said: number[] = [];
  readonly #counts: number[] = [];
  readonly #places = new Map<number, number>();

  constructor(penalties: Penalties, prompt: readonly number[]) {
    this.#bias = penalties.logitBias ?? [];
    this.#repetition = penalties.repetitionPenalty ?? 1;
    this.#presence = penalties.presencePenalty ?? 0;
    this.#frequency = penalties.frequencyPenalty ?? 0;
    if (this.#repetition !== 1) for (const token of penalties.repeated ?? prompt) this.#see(token);
  }

  /** Whether `apply` changes anything at this point of the reply. */
  get active(): boolean {
    return this.#bias.length > 0 || this.#seen.length > 0 || this.#said.length > 0;
  }

  /** The reply has one more token. */
  note(token: number): void {
    if (this.#repetition !== 1) this.#see(token);
    if (this.#presence === 0 && this.#frequency === 0) return;
    const place = this.#places.get(token);
    if (place !== undefined) {
      this.#counts[place]! += 1;
      return;
    }
    this.#places.set(token, this.#said.length);
    this.#said.push(token);
    this.#counts.push(1);
  }

  /** Changes scores (V) in the order of vLLM: bias, repetition, frequency and presence. */
  apply(scores: Float32Array): void {
    for (const [token, bias] of this.#bias) scores[token]! += bias;
    for (const token of this.#seen) {
      const score = scores[token]!;
      scores[token] = score < 0 ? score * this.#repetition : score / this.#repetition;
    }
    for (let place = 0; place < this.#said.length; place++) {
      scores[this.#said[place]!]! -= this.#frequency * this.#counts[place]! + this.#presence;
    }
  }

  #see(token: number): void {
    if (this.#isSeen.has(token)) return;
    this.#isSeen.add(token);
    this.#seen.push(token);
  }
}
