// The two ways in which an upstream is asked: by token ids or by messages. What of a model depends on the way stands behind one interface.
import type { CompletionEvent, CompletionRequest, LanguageModel } from '../generation/language-model.ts';
import type { ReplyText } from '../generation/reply-text.ts';
import type { Route } from './connection.ts';

/** What of a model is known where it does not run. */
export type KnownModel = Omit<LanguageModel, 'mixes' | 'complete' | 'dispose'>;

/** Takes what comes of a reply and gives out what is certain of its text. */
export type ReplyReader = Pick<ReplyText, 'text' | 'stopped' | 'push' | 'pushText' | 'finish'>;

export interface Dialect {
  model: KnownModel;
  route: Route;
  /** The request for one reply but for its seed. Throws invalid_request for what cannot be asked in this way. */
  toBody(request: CompletionRequest, maxTokens: number): Record<string, unknown>;
  /** Reads one reply to the request. */
  readerOf(request: CompletionRequest): ReplyReader;
  /** The events with what the model thought told apart from what it answers. */
  split(events: AsyncIterable<CompletionEvent>, request: CompletionRequest): AsyncIterable<CompletionEvent>;
  /** Ids that end a reply and are no part of it. */
  stopTokensOf(request: CompletionRequest): ReadonlySet<number>;
}
