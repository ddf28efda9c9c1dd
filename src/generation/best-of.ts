import { own } from '../own.ts';
import { type AttributeSchema, type Label, maxLevel } from '../steerlm/attributes.ts';
import { trimReply } from '../steerlm/prompt-layout.ts';
import type { CompletionEvent } from './language-model.ts';
import { gatherReplies, type Reading, type ReplyEvent } from './replies.ts';

/** Rates replies to one conversation, in order. */
export type Measure = (replies: string[]) => Promise<Reading[]>;

export interface Choice {
  /** Replies told. */
  n: number;
  /** Candidates for each; the engine is asked for n · bestOf replies. */
  bestOf: number;
  measure: Measure;
  /** Distance of what was measured from what was asked. */
  distance(measured: Readonly<Record<string, { value: number }>>): number;
}

/** The chosen replies, each whole in one delta, once all candidates are there. */
export async function* keepNearest(events: AsyncIterable<CompletionEvent>, choice: Choice): AsyncGenerator<ReplyEvent> {
  const { n, bestOf, measure, distance } = choice;
  const replies = await gatherReplies(events, n * bestOf, trimReply);
  const readings = await measure(replies.map(({ text }) => text));
  for (let index = 0; index < n; index++) {
    const candidates = replies.map((reply, i) => ({ reply, ...readings[i]! })).slice(index * bestOf, (index + 1) * bestOf);
    const [nearest] = candidates.toSorted((a, b) => distance(a.measured) - distance(b.measured));
    const { text, tokens, ...reply } = nearest!.reply;
    const spentTokens = candidates.reduce((sum, candidate) => sum + candidate.reply.completionTokens, 0);
    if (text !== '') yield { kind: 'delta', index, text, ...(tokens ? { tokens } : {}) };
    yield {
      kind: 'end',
      index,
      text,
      ...reply,
      measured: nearest!.measured,
      ground: nearest!.ground,
      candidates: bestOf,
      spentTokens,
    };
  }
}

/** Mean squared distance over the attributes of `target`, each scale of length 1. */
export function distanceFrom(schema: AttributeSchema, target: Label): Choice['distance'] {
  const wanted = schema.attributes.filter(({ name }) => own(target, name) !== undefined);
  return (measured) =>
    wanted.reduce((sum, attribute) => {
      const value = own(measured, attribute.name)?.value ?? target[attribute.name]!;
      return sum + ((value - target[attribute.name]!) / maxLevel(attribute)) ** 2;
    }, 0) / Math.max(1, wanted.length);
}
