// The several ways a record spells replies of which people preferred one: what was said before, and each reply, as lists of messages.
import { z } from 'zod';
import { mostTurns } from '../record-size.ts';
import { shapeOf, unfit } from './format.ts';
import { parsePrompt } from './helpsteer.ts';
import { type Message, openaiMessage, sharegptMessage } from './messages.ts';

const message = z.union([openaiMessage, sharegptMessage], {
  error: 'expected messages with role and content, or with from and value, of system, user and assistant',
});
const spoken = z.union([z.string(), message, z.array(message).min(1)], {
  error: 'expected a text, a message with role and content, or a list of them',
});
type Spoken = z.infer<typeof spoken>;
const list = z.array(message).min(1);

const shape = z.object({
  system: z.string().nullish(),
  /** What was said before, in whichever of these a record has it. */
  prompt: spoken.nullish(),
  conversations: list.nullish(),
  messages: list.nullish(),
  question: z.string().nullish(),
  instruction: z.string().nullish(),
  input: z.union([z.string(), z.object({ messages: list })], { error: 'expected a text, or messages' }).nullish(),
  /** A pair. */
  chosen: spoken.nullish(),
  rejected: spoken.nullish(),
  chosen_response: z.string().nullish(),
  rejected_response: z.string().nullish(),
  preferred_output: list.nullish(),
  non_preferred_output: list.nullish(),
  /** A pair of HelpSteer2: below 0 the first is better, above 0 the second. */
  response_1: z.string().nullish(),
  response_2: z.string().nullish(),
  preference_strength: z.number().nullish(),
  /** One reply by itself. */
  completion: spoken.nullish(),
  label: z.union([z.boolean(), z.literal(0), z.literal(1)], { error: 'expected true or false' }).nullish(),
  conversation_id: z.unknown().optional(),
});
type Fields = z.infer<typeof shape>;

export const preferenceFields = Object.keys(shape.shape).filter((name) => name !== 'messages');

/** Whether a record has the fields of a pair, or of one reply by itself. */
export function isPreference(record: Record<string, unknown>): boolean {
  const has = (...names: string[]) => names.every((name) => Object.hasOwn(record, name));
  return (
    has('chosen', 'rejected') ||
    has('chosen_response', 'rejected_response') ||
    has('preferred_output', 'non_preferred_output') ||
    has('response_1', 'response_2', 'preference_strength') ||
    has('prompt', 'completion')
  );
}

export interface SpokenReply {
  messages: Message[];
  /** How many of the messages are the prompt; null where they are not told apart. */
  prompt: number | null;
  /** Undefined where nobody preferred it or another. */
  better: boolean | undefined;
}

export interface PreferenceRecord {
  system: string;
  conversationId: unknown;
  /** The better one first. */
  replies: SpokenReply[];
}

/** Throws `invalid_dataset` naming the field that is missing or differs. */
export function readPreference(record: unknown): PreferenceRecord {
  const fields = shapeOf(shape, record);
  const replies = repliesOf(fields).map(({ said, name, better }) => ({ ...joined(fields, said, name), better }));
  return { system: fields.system ?? '', conversationId: fields.conversation_id, replies };
}

interface Told {
  said: Spoken;
  name: string;
  better: boolean | undefined;
}

function repliesOf(fields: Fields): Told[] {
  const { completion, label, response_1: first, response_2: second, preference_strength: strength } = fields;
  if (completion !== undefined && completion !== null) {
    return [{ said: completion, name: 'completion', better: label === undefined || label === null ? undefined : Boolean(label) }];
  }
  if (typeof first === 'string' && typeof second === 'string') {
    const told = [
      { said: first, name: 'response_1', better: strength ? strength < 0 : undefined },
      { said: second, name: 'response_2', better: strength ? strength > 0 : undefined },
    ];
    return told.toSorted((a, b) => Number(b.better ?? false) - Number(a.better ?? false));
  }
  const chosen = fields.chosen ?? fields.chosen_response ?? fields.preferred_output;
  const rejected = fields.rejected ?? fields.rejected_response ?? fields.non_preferred_output;
  if (chosen === undefined || chosen === null) throw unfit('expected the better reply in chosen or preferred_output, found none');
  if (rejected === undefined || rejected === null) {
    throw unfit('expected the worse reply in rejected or non_preferred_output, found none');
  }
  return [
    { said: chosen, name: 'chosen', better: true },
    { said: rejected, name: 'rejected', better: false },
  ];
}

/** The prompt and the reply as one list; a reply that starts with another speaker than the assistant is a whole conversation by itself. */
function joined(fields: Fields, said: Spoken, name: string): Pick<SpokenReply, 'messages' | 'prompt'> {
  const reply = toMessages(said, 'assistant');
  if (!isReply(reply[0]!)) return { messages: reply, prompt: null };
  const prompt = promptOf(fields);
  if (prompt.length === 0) {
    throw unfit(`${name}: expected what the reply answers, in prompt or before it in the list of messages; found nothing`);
  }
  return { messages: [...prompt, ...reply], prompt: prompt.length };
}

function promptOf({ prompt, conversations, messages, question, instruction, input, response_1 }: Fields): Message[] {
  if (typeof prompt === 'string' && typeof response_1 === 'string')
    return parsePrompt(prompt).map(({ role, content }) => ({ role, content }));
  if (prompt !== undefined && prompt !== null) return toMessages(prompt, 'user');
  const listed = conversations ?? messages ?? (typeof input === 'object' ? input?.messages : undefined);
  if (listed) return listed;
  const asked = question ?? instruction;
  const more = typeof input === 'string' ? input : '';
  const text = typeof asked === 'string' && more !== '' ? `${asked}\n\n${more}` : (asked ?? more);
  return text === '' ? [] : [{ role: 'user', content: text }];
}

function toMessages(said: Spoken, role: 'user' | 'assistant'): Message[] {
  if (Array.isArray(said)) return said;
  if (typeof said !== 'string') return [said];
  return transcript(said) ?? [{ role, content: said }];
}

function isReply(message: Message): boolean {
  const speaker = 'role' in message ? message.role : message.from;
  return !['system', 'developer', 'user', 'human'].includes(speaker as string);
}

/** Looked through in one go. */
const longestTranscript = 4 * 2 ** 20;

/** A conversation as hh-rlhf writes it in one text; null for any other text. */
function transcript(text: string): Message[] | null {
  if (!/^\s*(\n\n)?Human: /.test(text)) return null;
  if (text.length > longestTranscript) {
    throw unfit(`expected at most ${longestTranscript} characters of a conversation in one text, found ${text.length}`);
  }
  const [before, ...parts] = `\n\n${text.trimStart()}`.split(/\n\n(Human|Assistant):/);
  if (before !== '' || parts.length < 4) return null;
  if (parts.length > 2 * mostTurns) throw unfit(`expected at most ${mostTurns} turns of one conversation, found more`);
  const messages: Message[] = [];
  for (let i = 0; i < parts.length; i += 2) {
    messages.push({ role: parts[i] === 'Human' ? 'user' : 'assistant', content: (parts[i + 1] ?? '').trim() });
  }
  return messages;
}
