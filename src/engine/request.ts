// What the engine is asked and what it answers: plain data, token ids only, as it crosses into the engine's thread.
import type { ConstraintSpec } from '../constraints/constraint.ts';
import type { TokenBytes } from '../constraints/token-trie.ts';
import type { Penalties } from './penalties.ts';
import type { Sampling } from './sampler.ts';
import type { VectorSum, VectorTokens } from './vector-sums.ts';

/** Waiting requests of people go before those of batch jobs. */
export const priorities = ['interactive', 'batch'] as const;
export type Priority = (typeof priorities)[number];

/** One prompt whose scores count in a reply. */
export interface Branch {
  prompt: number[];
  /** Of its scores in the mixture; the weights of a phase sum to 1, and one below 0 pushes away from what its prompt asks for. */
  weight: number;
}

/** Where a phase of a reply ends: after so many tokens or sentences of it. */
export type Boundary = { tokens: number } | { sentences: number };

/** Part of a reply that is written under the same prompts. */
export interface Phase {
  branches: Branch[];
  /** Kept out of it beside those of the whole reply. */
  badWords?: readonly string[] | undefined;
  /** Of the steering vectors it is written under, (layers, D), added in every branch alike; absent where there are none. */
  vectorSum?: VectorSum | undefined;
  /** Counted from the start of the reply; absent in the last phase. */
  until?: Boundary | undefined;
}

/** How tokens are drawn. What may be left out changes nothing. */
export interface Drawing extends Omit<Sampling, 'minP'>, Penalties {
  /** Tokens less likely than this share of the likeliest are dropped. */
  minP?: number | undefined;
  /** No stop token is picked before the reply has so many tokens. */
  minTokens?: number | undefined;
  /** Ids that end the reply beside the model's own; they are not part of it, and may be picked even where a reply may not hold them. */
  stopTokens?: readonly number[] | undefined;
  /** The model's own stop tokens are never picked. */
  ignoreEos?: boolean | undefined;
  /**
   * Tells how likely each picked token was, and this many of the likeliest (0 to 20) beside it; null or absent tells nothing. By the raw scores,
   * before bias, penalties and temperature, as vLLM tells them, over the ids that may be picked at that place. What would complete a bad word counts
   * in it, and is never told.
   */
  topLogprobs?: number | null | undefined;
}

/** Each prompt and maxTokens together fit the context. */
export interface GenerationRequest extends Drawing {
  phases: Phase[];
  maxTokens: number;
  n: number;
  /** Reply i draws with seed + i. */
  seed: number;
  priority: Priority;
  /** Whose it is, in any words: callers take turns. Absent where they are not told apart. */
  caller?: string | undefined;
  /**
   * Words and phrases that no reply holds, by its text (bad-words.ts); a constraint goes before them. Where nothing else can be said, a reply ends.
   */
  badWords?: readonly string[] | undefined;
  /** The tokens that vector sums are added to: `reply` where absent. With `all` the prompts are read under the sum of the first phase. */
  vectorTokens?: VectorTokens | undefined;
  /** Name of a low-rank adapter that was added to the runner: prompts and replies are read under it. The model itself where absent. */
  adapter?: string | undefined;
  /** What each reply must be, unless maxTokens are too few for it or maxMs are over. */
  constraint?: ConstraintSpec | undefined;
  /** Milliseconds from its arrival after which a reply ends with what there is. */
  maxMs?: number | undefined;
  /** (n), in shared memory: the caller sets ended[i] to 1 when it wants no more of reply i. */
  ended: Uint8Array;
}

export type FinishReason = 'stop' | 'length';

/** How likely a token was among all that could have been picked, in nats, and the likeliest beside it. */
export interface Likelihood {
  logprob: number;
  top: { token: number; logprob: number }[];
}

export type GenerationEvent =
  | { index: number; token: number; likelihood?: Likelihood | undefined }
  | { index: number; finished: FinishReason; deadline?: true | undefined };

/** Which ids a reply may hold, which end it, and which end a sentence. */
export interface Vocabulary {
  /** (V): 1 where an id may be picked. */
  allowed: Uint8Array;
  /** Picking one of these ends the reply; they are not part of it. */
  stopTokens: number[];
  /** (V): 1 where a token's text ends a sentence. */
  endsSentence: Uint8Array;
  /** Absent where replies need neither be constrained nor kept free of words. */
  tokenBytes?: TokenBytes | undefined;
}

/** The phases of a reply that is written under one prompt from start to end. */
export function onePrompt(prompt: number[]): Phase[] {
  return [{ branches: [{ prompt, weight: 1 }] }];
}
