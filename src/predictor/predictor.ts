// What the rest of the program may ask of a loaded attribute predictor.
import type { Ground } from '../model/ground.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';

/** A distribution over the levels of one attribute, and what follows from it. */
export interface AttributeScore {
  /** Expected level, a float. */
  value: number;
  /** Likeliest level. */
  level: number;
  /** One probability per level, summing to 1. */
  probabilities: number[];
  /** 1 − entropy / ln(levels): 0 is uniform, 1 is certain. */
  confidence: number;
}

export interface ConversationScore {
  attributes: Record<string, AttributeScore>;
  /** True when the start of the conversation was cut to fit the context. */
  truncated: boolean;
  /** Tokens read. */
  tokens: number;
  /** How far the reply is from what the predictor was trained on; absent where that is unknown. */
  ground?: Ground | undefined;
}

export interface Predictor {
  readonly id: string;
  readonly revision: string;
  readonly schema: AttributeSchema;
  /**
   * Rates the last assistant turn of each conversation; answers in order. Callers take turns; absent where they are not told apart.
   * `onBegun` is called when the first are computed, until when the call has only waited.
   * Throws `invalid_request` when there is none, and `overloaded`.
   */
  score(conversations: Conversation[], signal: AbortSignal, caller?: string, onBegun?: () => void): Promise<ConversationScore[]>;
  /** `ground` of a score, of a reply that is not scored. */
  groundOf?(reply: string): Ground | undefined;
  dispose(): Promise<void>;
}
