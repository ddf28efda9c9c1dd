// Replies gathered from the events of a model.
import { SteerError } from '../errors.ts';
import type { Ground } from '../model/ground.ts';
import type { CompletionEvent, FinishReason, TokenLikelihood } from './language-model.ts';

/** What a predictor reads in a reply, by attribute. */
export type Measured = Record<string, { value: number; level: number; confidence: number }>;

/** What a predictor makes of one reply. */
export interface Reading {
  measured: Measured;
  /** How far the reply is from what the predictor was trained on, where that is known. */
  ground?: Ground | undefined;
}

export interface Reply {
  text: string;
  /** What the model thought before it. */
  reasoning?: string;
  finishReason: FinishReason;
  completionTokens: number;
  /** As an upstream counted them. */
  promptTokens?: number;
  /** Its time was up. */
  deadline?: true;
  /** Where likelihoods were asked for, of each token. */
  tokens?: TokenLikelihood[];
  /** Where the reply was chosen among several: what decided, how many they were, and their tokens together. */
  measured?: Measured;
  ground?: Ground | undefined;
  candidates?: number;
  spentTokens?: number;
}

/** What a model tells, and what was found out about a reply since. */
export type ReplyEvent =
  | (CompletionEvent & { kind: 'delta' })
  | (CompletionEvent & { kind: 'end' } & Pick<Reply, 'measured' | 'ground' | 'candidates' | 'spentTokens'>);

/** All n replies in order, each text passed through `trim`. */
export async function gatherReplies(
  events: AsyncIterable<ReplyEvent>,
  n: number,
  trim: (text: string) => string = (text) => text,
): Promise<Reply[]> {
  const replies = new Map<number, Reply>();
  const told = new Map<number, TokenLikelihood[]>();
  for await (const event of events) {
    const { index } = event;
    if (event.kind === 'end')
      replies.set(index, { ...toReply(event, trim), ...(told.has(index) ? { tokens: told.get(index)! } : {}) });
    else if (event.tokens) told.set(index, [...(told.get(index) ?? []), ...event.tokens]);
  }
  return inOrder(replies, n);
}

/** One reply of an ended choice. */
export function toReply(
  { kind: _, index: __, text, ...rest }: ReplyEvent & { kind: 'end' },
  trim: (text: string) => string,
): Reply {
  return { text: trim(text), ...rest };
}

/** Replies 0 to n − 1. Throws internal_error when the engine left one out. */
export function inOrder<R extends Reply>(replies: Map<number, R>, n: number): R[] {
  return Array.from({ length: n }, (_, index) => {
    const reply = replies.get(index);
    if (!reply) throw new SteerError('internal_error', `The engine ended without reply ${index} of ${n}`);
    return reply;
  });
}
