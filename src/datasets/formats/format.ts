// What a format is: how to recognise one record, read it into samples, and where that makes sense write samples back.
// Reading files, checking labels against a schema and storing are others' work.
import type { z } from 'zod';
import { SteerError } from '../../errors.ts';
import type { AttributeSchema, Label } from '../../steerlm/attributes.ts';
import type { Conversation, Turn } from '../../steerlm/conversation.ts';
import type { ParsedSample, Sample, SampleContent } from '../sample.ts';

export interface Format {
  description: string;
  /** Whether a record, any JSON object, is of this format; formats are asked in the order of the table. */
  matches(record: Record<string, unknown>): boolean;
  /** Samples of one record. `key` is the name of the record where the file is one object of records. Throws `invalid_dataset` with the reason. */
  parse(record: unknown, key: string | null): ParsedSample[];
  /** Records that say what the sample says; null where the format is only read. Throws `invalid_dataset` for a sample it cannot hold. */
  render: ((sample: Sample, schema: AttributeSchema | null) => Record<string, unknown>[]) | null;
  /** Attributes its labels speak of; null when the labels name what they like. */
  schema: AttributeSchema | null;
  /** Attributes that are computed from the text, each with the name of its rule. */
  rules: Record<string, string>;
}

/** The record in the shape asked for. Throws `invalid_dataset` naming the field that differs. */
export function shapeOf<T>(shape: z.ZodType<T>, record: unknown): T {
  const { success, data, error } = shape.safeParse(record);
  if (success) return data;
  const issue = error.issues[0]!;
  const path = issue.path.join('.');
  throw unfit(path === '' ? issue.message : `${path}: ${issue.message}`);
}

/** The failure of one record; whoever reads the file adds the line. */
export function unfit(reason: string): SteerError {
  return new SteerError('invalid_dataset', reason);
}

/** A turn with its label, or without one when there is nothing in it; null and absent values say nothing. */
export function turnOf(role: Turn['role'], content: string, values?: Record<string, number | null | undefined> | null): Turn {
  const said = Object.entries(values ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return role === 'assistant' && said.length > 0 ? { role, content, label: Object.fromEntries(said) } : { role, content };
}

/** A sample that is a conversation. */
export function conversationSample(
  system: string,
  turns: Turn[],
  names: { conversationId?: string | null | undefined; source?: string | undefined } = {},
): ParsedSample {
  return {
    content: { kind: 'conversation', conversation: { system, turns } },
    conversationId: names.conversationId ?? null,
    source: names.source ?? null,
  };
}

/** The conversation of a sample about to be rendered. Throws `invalid_dataset` for plain text. */
export function conversationOf(content: SampleContent): Conversation {
  if (content.kind === 'conversation') return content.conversation;
  throw unfit('the sample is plain text; export it as text');
}

/** `{ attributes }` to spread into a rendered turn; empty without a label, so unlabelled exports look like anyone's. */
export function attributesOf(label: Label | undefined): { attributes?: Label } {
  return label && Object.keys(label).length > 0 ? { attributes: label } : {};
}

/** System messages at the head of a conversation, and the rest. Throws `invalid_dataset` for one further down, which the prompt layout cannot hold. */
export function leadingSystem<T>(messages: T[], isSystem: (message: T) => boolean): { system: T[]; rest: T[] } {
  const first = messages.findIndex((message) => !isSystem(message));
  const rest = first === -1 ? [] : messages.slice(first);
  if (rest.some(isSystem)) throw unfit('a system message stands after the first turn; only the start may hold one');
  return { system: messages.slice(0, messages.length - rest.length), rest };
}
