// Prompts of a model that is asked by messages and whose tokenizer is not known here: up to three bytes of UTF-8 a token, and those that a chat template
// adds. So they pass through this program as any prompt does, their length estimates what the upstream will count (English has four bytes a token,
// Chinese three), and the messages can be read from them again. Text makes tokens of text alone, whatever it spells.
import { tooLong } from '../generation/model-text.ts';
import type { Piece } from '../steerlm/prompt-layout.ts';

export const messageRoles = ['system', 'user', 'assistant'] as const;

export interface Message {
  role: (typeof messageRoles)[number];
  content: string;
}

const bytesPerToken = 3;
/** Tokens of one byte, of two, of three, then the roles, then what a template adds. */
const firstOfTwo = 2 ** 8;
const firstOfThree = firstOfTwo + 2 ** 16;
const firstRole = firstOfThree + 2 ** 24;
const templateToken = firstRole + messageRoles.length;
/** What templates add beside the role of a message, and where the reply begins (OpenAI's cookbook, "How to count tokens"). ChatML has as many. */
const templateTokens = Array.from({ length: 3 }, () => templateToken);

/** Ids run from 0 to this less 1. */
export const messageVocabulary = templateToken + 1;

/** Messages as pieces of a prompt. */
export function layOutMessages(messages: readonly Message[]): Piece[] {
  const pieces = messages.flatMap(({ role, content }) => [
    { control: spelling(role), trained: false },
    { text: content, trained: false },
  ]);
  // Where the reply begins: no message, and of no spelling.
  return [...pieces, { control: '', trained: false }];
}

/** Throws context_length_exceeded where the text has more bytes than the context has room for. */
export function encodeMessages(pieces: readonly Piece[], contextLength = Number.POSITIVE_INFINITY): number[] {
  const least = pieces.reduce(
    (sum, piece) => sum + ('text' in piece ? estimateTokens(piece.text) : controlTokens(piece.control).length),
    0,
  );
  if (least > contextLength) throw tooLong(contextLength, `about ${least}`);
  return pieces.flatMap((piece) => ('text' in piece ? encodeText(piece.text) : controlTokens(piece.control)));
}

/** Tokens of a text, by its length alone. */
export function estimateTokens(text: string): number {
  return Math.ceil(Buffer.byteLength(text) / bytesPerToken);
}

/** The messages of a prompt; undefined where it is text that no message holds. */
export function decodeMessages(ids: readonly number[]): Message[] | undefined {
  const found: { role: Message['role']; bytes: Uint8Array[] }[] = [];
  for (const id of ids) {
    if (id === templateToken) continue;
    const role = messageRoles[id - firstRole];
    if (role) found.push({ role, bytes: [] });
    else if (found.length === 0) return undefined;
    else found.at(-1)!.bytes.push(messageBytes(id));
  }
  return found.map(({ role, bytes }) => ({ role, content: Buffer.concat(bytes).toString() }));
}

/** Bytes that a token stands for; a role and what a template adds have none. */
export function messageBytes(id: number): Uint8Array {
  if (id >= firstRole) return new Uint8Array();
  const [length, value] = id < firstOfTwo ? [1, id] : id < firstOfThree ? [2, id - firstOfTwo] : [3, id - firstOfThree];
  return Uint8Array.from({ length }, (_, place) => (value >>> (8 * (length - 1 - place))) & 0xff);
}

function encodeText(text: string): number[] {
  const bytes = Buffer.from(text);
  const firsts = [0, firstOfTwo, firstOfThree];
  return Array.from({ length: Math.ceil(bytes.length / bytesPerToken) }, (_, i) => {
    const start = i * bytesPerToken;
    const length = Math.min(bytesPerToken, bytes.length - start);
    return firsts[length - 1]! + bytes.readUIntBE(start, length);
  });
}

function spelling(role: Message['role']): string {
  return `<${role}>`;
}

function controlTokens(control: string): number[] {
  const role = messageRoles.findIndex((each) => spelling(each) === control);
  return role < 0 ? templateTokens : [firstRole + role, ...templateTokens];
}
