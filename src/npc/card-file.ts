// Character cards as files: JSON, or a picture with JSON among its texts, read within bounds and written back with every other byte as it was.
import { SteerError } from '../errors.ts';
import { type CardCharacter, writeCard } from './card.ts';
import { findTexts, readText, replaceTexts, type TextChunk } from './png-text.ts';

/** A card as it came. */
export interface Card {
  /** JSON. */
  text: string;
  image?: Uint8Array | undefined;
}

/** Keywords of the texts that hold a card, the one to be read first: V3 wins over V2. */
const keywords = ['ccv3', 'chara'] as const;
/** Base64 of a card takes a third more than the card, and line breaks some more. */
const base64Growth = 1.5;
/** Members, lists and objects of a card: far more than any book has, and few enough to be parsed in a few hundredths of a second. */
const mostParts = 50_000;

/** A card sent as JSON. Throws invalid_request where it has far more parts than any card. */
export function cardOfJson(text: string): Card {
  return { text: parsable(text, 'the body') };
}

/**
 * The card in a PNG: that of `ccv3` where there is one, else that of `chara`; of several alike the last.
 * Throws invalid_request, and body_too_large for more than `mostBytes` of JSON.
 */
export async function cardOfImage(image: Uint8Array, mostBytes: number): Promise<Card> {
  const { wanted, others } = await findTexts(image, keywords);
  const chunk = leading(wanted);
  if (chunk) return { text: await cardOf(chunk, mostBytes), image };
  const found = others.length === 0 ? 'no text' : `texts named ${others.map((name) => JSON.stringify(name)).join(', ')}`;
  throw refused(`the picture has no tEXt, zTXt or iTXt chunk named ccv3 or chara, so it carries no character; it has ${found}`);
}

/**
 * The picture with `card`, the character's card as it is now, in place of the one it was read from, and the character in the other card it carries where
 * that one can be read. Of several alike only the last stays.
 */
export async function writeCardImage(
  image: Uint8Array,
  card: string,
  { character, mostBytes }: { character: CardCharacter; mostBytes: number },
): Promise<Buffer> {
  const { wanted } = await findTexts(image, keywords);
  const first = leading(wanted);
  const texts = new Map<TextChunk, string | null>();
  for (const chunk of wanted) {
    if (chunk !== latest(wanted, keywordOf(chunk))) texts.set(chunk, null);
    else if (chunk === first) texts.set(chunk, base64Of(card));
    else {
      const written = await rewritten(chunk, character, mostBytes);
      if (written !== undefined) texts.set(chunk, written);
    }
  }
  return replaceTexts(image, texts);
}

/** A second card in base64 with the character in it; undefined where it stays as it is, as one of a version that is not read here does. */
async function rewritten(chunk: TextChunk, character: CardCharacter, mostBytes: number): Promise<string | undefined> {
  try {
    const card = await cardOf(chunk, mostBytes);
    const written = writeCard(card, character);
    return written === card ? undefined : base64Of(written);
  } catch (error) {
    if (error instanceof SteerError) return undefined;
    throw error;
  }
}

async function cardOf(chunk: TextChunk, mostBytes: number): Promise<string> {
  const named = `the ${chunk.type} chunk named ${chunk.keyword}`;
  const text = await readText(chunk, Math.ceil(base64Growth * mostBytes));
  if (text === undefined) throw tooLarge(named, mostBytes);
  if (/[^\w+/=\s-]/.test(text)) throw refused(`expected base64 in ${named}`);
  const json = Buffer.from(text, 'base64');
  if (json.length > mostBytes) throw tooLarge(named, mostBytes);
  if (json.length === 0) throw refused(`${named} is empty`);
  return parsable(new TextDecoder().decode(json), named);
}

function parsable(json: string, named: string): string {
  if (partsOf(json) <= mostParts) return json;
  throw refused(`expected at most ${mostParts} members, lists and objects in ${named}, found more`);
}

/** Members, lists and objects, counted without parsing: an object of many different members takes long to make. */
function partsOf(json: string): number {
  let count = 0;
  for (let at = 0; at < json.length; at++) {
    const letter = json[at];
    if (letter === '{' || letter === '[' || letter === ':') count++;
    else if (letter === '"') at = endOfText(json, at);
  }
  return count;
}

/** Place of the quote that ends the text begun at `start`. */
function endOfText(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let escapes = 0;
    while (json[end - 1 - escapes] === '\\') escapes++;
    if (escapes % 2 === 0) return end;
  }
  return json.length;
}

function leading(chunks: readonly TextChunk[]): TextChunk | undefined {
  return keywords.map((keyword) => latest(chunks, keyword)).find((chunk) => chunk !== undefined);
}

function latest(chunks: readonly TextChunk[], keyword: string): TextChunk | undefined {
  return chunks.findLast((chunk) => keywordOf(chunk) === keyword);
}

function keywordOf({ keyword }: TextChunk): string {
  return keyword.toLowerCase();
}

function base64Of(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function tooLarge(named: string, mostBytes: number): SteerError {
  const message = `card: expected at most ${mostBytes} bytes of JSON in ${named}, found more. Send a smaller card, or raise MAX_BODY_BYTES.`;
  return new SteerError('body_too_large', message, { details: { param: 'card' } });
}

function refused(reason: string): SteerError {
  return new SteerError('invalid_request', `card: ${reason}.`, { details: { param: 'card' } });
}
