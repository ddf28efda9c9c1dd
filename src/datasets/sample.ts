// What every format is read into and rendered from: one training example, a labelled conversation or plain text.
// Knows its identity (conversation, split, hash); knows no format and no database.
import { createHash } from 'node:crypto';
import type { Conversation, Turn } from '../steerlm/conversation.ts';
import type { Split } from '../store/schema.ts';
import type { RecordFields } from './record-fields.ts';

/** Assistant turns carry their labels in `turn.label`. */
export type SampleContent = { kind: 'conversation'; conversation: Conversation } | { kind: 'text'; text: string };

/** How sure a rating is, by attribute; null where nobody said. */
export type LabelReadings = Record<string, { level: number | null; confidence: number | null }>;

/** Which of the replies to one prompt a sample ends with: the better one of a pair, or the worse one, which is context alone. */
export const preferences = ['chosen', 'rejected'] as const;
export type Preference = (typeof preferences)[number];

/** A sample as a format gives it. */
export interface ParsedSample {
  content: SampleContent;
  preference?: Preference | undefined;
  /** Of the labels by turn, where more is known than their values. */
  readings?: (LabelReadings | undefined)[] | undefined;
  /** What the record says beside what its format knows. */
  fields?: RecordFields | undefined;
  /** What the record calls its conversation; null when it has no name and the prompt must do. */
  conversationId: string | null;
  /** What the record calls itself. */
  source: string | null;
}

export interface Sample extends ParsedSample {
  /** `fields` as JSON, each number with all its digits. */
  fieldsText?: string | undefined;
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
