// What a format is: how to recognise one record, read it into samples, and where that makes sense write samples back.
// Reading files, checking labels against a schema and storing are others' work.

import { z } from 'zod';
import { SteerError } from '../../errors.ts';
import { own } from '../../own.ts';
import { faultsOf } from '../../shape-faults.ts';
import type { AttributeSchema, Label } from '../../steerlm/attributes.ts';
import type { Conversation, Turn } from '../../steerlm/conversation.ts';
import { isTarget } from '../../steerlm/prompt-layout.ts';
import type { LabelReadings, ParsedSample, Sample, SampleContent } from '../sample.ts';

export interface Format {
  description: string;
  /** Whether a record, any JSON object, is of this format; formats are asked in the order of the table. */
  matches(record: Record<string, unknown>): boolean;
  /**
   * Samples of one record. `key` is the name of the record where the file is one object of records, `schema` what labels are told to fit.
   * Throws `invalid_dataset` with the reason.
   */
  parse(record: unknown, key: string | null, schema?: AttributeSchema | null): ParsedSample[];
  /** Fields of a record it reads or writes; the others are kept beside the sample as they are. */
  fields: readonly string[];
  /** Whether it writes the name of the conversation as `id` too where the record has none of its own. */
  namesRecords?: true;
  /** Records that say what the sample says; null where the format is only read. Throws `invalid_dataset` for a sample it cannot hold. */
  render: ((sample: Sample, schema: AttributeSchema | null) => Record<string, unknown>[]) | null;
  /** Attributes it has room for in what it writes; any where absent. */
  holds?: AttributeSchema;
  /** Attributes its labels speak of; null when the labels name what they like. */
  schema: AttributeSchema | null;
  /** Attributes that are computed from the text, each with the name of its rule. */
  rules: Record<string, string>;
}

/** The record in the shape asked for. Throws `invalid_dataset` naming the field that differs. */
export function shapeOf<T>(shape: z.ZodType<T>, record: unknown): T {
  const { success, data, error } = shape.safeParse(record);
  if (success) return data;
  const [{ path, words }] = faultsOf(error);
  throw unfit(path === '' ? words : `${path}: ${words}`);
}

/** The failure of one record; whoever reads the file adds the line. */
export function unfit(reason: string): SteerError {
  return new SteerError('invalid_dataset', reason);
}

/** Numbers by attribute. Not z.record, which passes over `__proto__` without a word. */
const byAttribute = (expected: string) =>
  z.custom<Record<string, number | null>>((value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    return Object.values(value).every((entry) => entry === null || typeof entry === 'number');
  }, expected);
const ratings = byAttribute('expected numbers by attribute, such as {"humor": 3}').nullish();

/** How a reply is rated, in every format that has room for it: values, and where known the level of each and how sure its rater was. */
export const ratingFields = { attributes: ratings, attribute_levels: ratings, attribute_confidence: ratings };
export type RatingFields = z.infer<z.ZodObject<typeof ratingFields>>;

/** A turn with its label, or without one when there is nothing in it; null and absent values say nothing. */
export function turnOf(role: Turn['role'], content: string, values?: Record<string, number | null | undefined> | null): Turn {
  const said = Object.entries(values ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return role === 'assistant' && said.length > 0 ? { role, content, label: Object.fromEntries(said) } : { role, content };
}

/** The reply as context alone. */
export function untrained(turn: Turn): Turn {
  return turn.role === 'assistant' ? { ...turn, trained: false } : turn;
}

/** What level and confidence a record tells with the values; undefined where it tells none. */
export function readingsOf({
  attribute_levels: levels,
  attribute_confidence: confidences,
}: RatingFields): LabelReadings | undefined {
  const names = new Set([...Object.keys(levels ?? {}), ...Object.keys(confidences ?? {})]);
  if (names.size === 0) return undefined;
  const entries = [...names].map((name) => [
    name,
    { level: own(levels, name) ?? null, confidence: own(confidences, name) ?? null },
  ]);
  return Object.fromEntries(entries);
}

/** A sample that is a conversation. */
export function conversationSample(
  system: string,
  turns: Turn[],
  more: Partial<Omit<ParsedSample, 'content'>> = {},
): ParsedSample {
  return {
    ...more,
    content: { kind: 'conversation', conversation: { system, turns } },
    conversationId: more.conversationId ?? null,
    source: more.source ?? null,
  };
}

/** The conversation of a sample about to be rendered. Throws `invalid_dataset` for plain text. */
export function conversationOf(content: SampleContent): Conversation {
  if (content.kind === 'conversation') return content.conversation;
  throw unfit('the sample is plain text; export it as text');
}

/** How a turn is rated, to spread into what is rendered; empty without a label, so that unlabelled exports look like anyone's. */
export function ratingsOf({ readings = [] }: Sample, turn: number, label: Label | undefined): Partial<RatingFields> {
  if (!label || Object.keys(label).length === 0) return {};
  const told = (field: 'level' | 'confidence') => {
    const entries = Object.entries(readings[turn] ?? {}).flatMap(([name, reading]) =>
      reading[field] === null || !Object.hasOwn(label, name) ? [] : [[name, reading[field]] as const],
    );
    return entries.length > 0 ? Object.fromEntries(entries) : undefined;
  };
  const [levels, confidence] = [told('level'), told('confidence')];
  return {
    attributes: label,
    ...(levels && { attribute_levels: levels }),
    ...(confidence && { attribute_confidence: confidence }),
  };
}

/** `{ weight: 0 }`, as OpenAI spells it, for a reply that is context alone. */
export function weightOf(turn: Turn): { weight?: 0 } {
  return turn.role === 'assistant' && !isTarget(turn) ? { weight: 0 } : {};
}

/** Fields of a turn no format knows, to spread before what is rendered. */
export function turnFields({ fields }: Sample, turn: number): Record<string, unknown> {
  return fields?.turns?.[turn] ?? {};
}

/** System messages at the head of a conversation, and the rest. Throws `invalid_dataset` for one further down, which the prompt layout cannot hold. */
export function leadingSystem<T>(messages: T[], isSystem: (message: T) => boolean): { system: T[]; rest: T[] } {
  const first = messages.findIndex((message) => !isSystem(message));
  const rest = first === -1 ? [] : messages.slice(first);
  if (rest.some(isSystem)) throw unfit('a system message stands after the first turn; only the start may hold one');
  return { system: messages.slice(0, messages.length - rest.length), rest };
}
