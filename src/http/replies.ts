// The events of an engine as a route needs them: begun before the reply is, gathered whole, or passed on as they come.
import { SteerError } from '../errors.ts';
import type { CompletionEvent, FinishReason, TokenLikelihood } from '../generation/language-model.ts';
import type { Measured } from './measure.ts';

export interface Reply {
  text: string;
  finishReason: FinishReason;
  completionTokens: number;
  /** Its time was up. */
  deadline?: true;
  /** Where likelihoods were asked for, of each token. */
  tokens?: TokenLikelihood[];
  /** Where the reply was chosen among several: what decided, how many they were, and their tokens together. */
  measured?: Measured;
  candidates?: number;
  spentTokens?: number;
}

/** What an engine tells, and what was found out about a reply since. */
export type ReplyEvent =
  | (CompletionEvent & { kind: 'delta' })
  | (CompletionEvent & { kind: 'end' } & Pick<Reply, 'measured' | 'candidates' | 'spentTokens'>);

/** Waits for the first event, so that a refusal (overloaded, not ready) still has a status to be told with. */
export async function beginReplies<Event>(events: AsyncIterable<Event>): Promise<AsyncIterable<Event>> {
  const iterator = events[Symbol.asyncIterator]();
  return resume(await iterator.next(), iterator);
}

async function* resume<Event>(first: IteratorResult<Event>, iterator: AsyncIterator<Event>) {
  try {
    for (let step = first; !step.done; step = await iterator.next()) yield step.value;
  } finally {
    await iterator.return?.();
  }
}

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

/** Passes text on with a closing newline held back until more follows, so that joined deltas equal the trimmed reply. */
export function holdClosingNewline(): (index: number, text: string) => string {
  const held = new Set<number>();
  return (index, text) => {
    const whole = (held.delete(index) ? '\n' : '') + text;
    if (!whole.endsWith('\n')) return whole;
    held.add(index);
    return whole.slice(0, -1);
  };
}

/** Token counts of a whole request. */
export function countUsage(promptTokens: number, replies: Reply[]) {
  const completionTokens = replies.reduce((sum, reply) => sum + (reply.spentTokens ?? reply.completionTokens), 0);
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens };
}
