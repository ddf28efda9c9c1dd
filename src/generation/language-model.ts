// What the rest of the program may ask of a loaded language model. Knows no HTTP, no database and no steering dial.
import type { AttributeSchema, Piece } from '../steerlm.ts';

export interface CompletionRequest {
  /** Token ids of the prompt. */
  prompt: number[];
  maxTokens: number;
  /** 0 picks the likeliest token. */
  temperature: number;
  topP: number;
  /** 0 means no limit. */
  topK: number;
  /** Strings that end the reply; they are not part of it. */
  stop: string[];
  seed: number;
  /** Number of replies; reply i uses seed + i. */
  n: number;
}

export type FinishReason = 'stop' | 'length';

export type CompletionEvent =
  /** Next text of reply `index`; never half a character. */
  | { kind: 'delta'; index: number; text: string }
  /** Reply `index` is over. `text` is the whole reply. */
  | { kind: 'end'; index: number; text: string; finishReason: FinishReason; completionTokens: number };

export interface LanguageModel {
  readonly id: string;
  /** Hash that changes when the weights do. */
  readonly revision: string;
  readonly schema: AttributeSchema;
  /** Most tokens of prompt and reply together. */
  readonly contextLength: number;
  encode(pieces: Piece[]): number[];
  /** Events of all n replies as they come. Aborting ends the work within one decoding step; the iterator then throws `cancelled`. */
  complete(request: CompletionRequest, signal: AbortSignal): AsyncIterable<CompletionEvent>;
  dispose(): Promise<void>;
}
