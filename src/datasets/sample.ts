// What every format is read into and rendered from: one training example, a labelled conversation or plain text.
import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Conversation } from '../steerlm/conversation.ts';
import type { Split } from '../store/schema.ts';
import type { RecordFields } from './record-fields.ts';
import { inPieces, pieceLength } from './text-pieces.ts';

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
  /** `fields` as JSON, each number with all its digits. */
  fieldsText?: string | undefined;
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
  return contentHash(promptOf(content)).slice(0, keyLength);
}

/** The same of a content of any length, between whose pieces other work has its turn. */
export async function promptKeySlowly(content: SampleContent): Promise<string> {
  return (await contentHashSlowly(promptOf(content))).slice(0, keyLength);
}

const keyLength = 32;

function promptOf(content: SampleContent): SampleContent {
  if (content.kind === 'text') return content;
  const { system, turns } = content.conversation;
  const reply = turns.findLastIndex(({ role }) => role === 'assistant');
  return { kind: 'conversation', conversation: { system, turns: reply > 0 ? turns.slice(0, reply) : turns } };
}

/** SHA-256 in hex over what is said, by whom and in which order; labels do not count. */
export function contentHash(content: SampleContent): string {
  const hash = createHash('sha256');
  for (const piece of canonical(content)) hash.update(piece);
  return hash.digest('hex');
}

/** The same, and other work has its turn after every piece of a long content. */
export async function contentHashSlowly(content: SampleContent): Promise<string> {
  const hash = createHash('sha256');
  let since = 0;
  for (const piece of canonical(content)) {
    hash.update(piece);
    since += piece.length;
    if (since < pieceLength) continue;
    await setImmediate();
    since = 0;
  }
  return hash.digest('hex');
}

/** What is hashed: the text, or JSON of the system text and of the speaker and words of each turn. */
function* canonical(content: SampleContent): Generator<string> {
  yield `${content.kind}\n`;
  if (content.kind === 'text') {
    yield* inPieces(content.text);
    return;
  }
  const { system, turns } = content.conversation;
  yield '[';
  yield* quoted(system);
  yield ',[';
  for (const [i, { role, content }] of turns.entries()) {
    yield `${i === 0 ? '' : ','}["${role}",`;
    yield* quoted(content);
    yield ']';
  }
  yield ']]';
}

/** The text as JSON, in pieces. */
function* quoted(text: string): Generator<string> {
  if (text.length <= pieceLength) yield JSON.stringify(text);
  else {
    yield '"';
    for (const piece of inPieces(text)) yield JSON.stringify(piece).slice(1, -1);
    yield '"';
  }
}
