// The events of an engine as a route needs them: begun before the reply is, and passed on as they come.
import type { Reply } from '../generation/replies.ts';

/** Waits for the first event, so that a refusal (overloaded, not ready) still has a status to be told with. Throws the reason of the signal. */
export async function beginReplies<Event>(events: AsyncIterable<Event>, signal: AbortSignal): Promise<AsyncIterable<Event>> {
  const iterator = events[Symbol.asyncIterator]();
  const first = await iterator.next();
  // Nobody waits any more who would go on to the end.
  if (signal.aborted) await iterator.return?.();
  signal.throwIfAborted();
  return resume(first, iterator);
}

async function* resume<Event>(first: IteratorResult<Event>, iterator: AsyncIterator<Event>) {
  try {
    for (let step = first; !step.done; step = await iterator.next()) yield step.value;
  } finally {
    await iterator.return?.();
  }
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

/** Token counts of a whole request; those of the prompt as an upstream told them, where it did. */
export function countUsage(encoded: number, replies: Reply[]) {
  const promptTokens = replies[0]?.promptTokens ?? encoded;
  const completionTokens = replies.reduce((sum, reply) => sum + (reply.spentTokens ?? reply.completionTokens), 0);
  return { prompt_tokens: promptTokens, completion_tokens: completionTokens, total_tokens: promptTokens + completionTokens };
}
