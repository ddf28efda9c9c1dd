// What every format is read into and rendered from: one training example, a labelled conversation or plain text.
// Knows its identity (conversation, split, hash); knows no format and no database.
import { createHash } from 'node:crypto';
import type { Conversation, Turn } from '../steerlm/conversation.ts';
import type { Split } from '../store/schema.ts';

/** Assistant turns carry their labels in `turn.label`. */
export type SampleContent = { kind: 'conversation'; conversation: Conversation } | { kind: 'text'; text: string };

/** A sample as a format gives it. */
export interface ParsedSample {
  content: SampleContent;
  /** What the record calls its conversation; null when it has no name and the prompt must do. */
  conversationId: string | null;
  /** What the record calls itself. */
  source: string | null;
}

export interface Sample extends ParsedSample {
  /** Samples of one conversation fall on one side of the split. */
  conversationId: string;
  split: Split;
}

/** Conversation id of a record without one: replies to the same prompt belong together. */
export function promptKey(content: SampleContent): string {
  if (content.kind === 'text') return contentHash(content).slice(0, 32);
  const { system, turns } = content.conversation;
  const reply = turns.findLastIndex(({ role }) => role === 'assistant');
  const prompt = reply > 0 ? turns.slice(0, reply) : turns;
  return contentHash({ kind: 'conversation', conversation: { system, turns: prompt } }).slice(0, 32);
}

/** SHA-256 in hex over what is said, by whom and in which order; labels do not count. */
export function contentHash(content: SampleContent): string {
  const canonical =
    content.kind === 'text'
      ? content.text
      : JSON.stringify([content.conversation.system, content.conversation.turns.map(spoken)]);
  return createHash('sha256').update(`${content.kind}\n${canonical}`).digest('hex');
}

function spoken({ role, content }: Turn): [string, string] {
  return [role, content];
}
