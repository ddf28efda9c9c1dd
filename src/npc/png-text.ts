// Texts that a PNG carries in its tEXt, zTXt and iTXt chunks (PNG specification, 11.3.3): found, unpacked, and put back with every other byte as it was.
// A picture may be large and its chunks many, so that both are gone through with turns for everyone else in between.
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { crc32, inflate } from 'node:zlib';
import { SteerError } from '../errors.ts';

/** A text, packed as it may be. */
export interface TextChunk {
  type: 'tEXt' | 'zTXt' | 'iTXt';
  keyword: string;
  /** The whole chunk in the picture, with its length and checksum. */
  start: number;
  end: number;
  /** What follows the keyword. */
  content: Buffer;
}

/** Texts by what they are called, in the order of the picture. */
export interface Texts {
  wanted: TextChunk[];
  /** Keywords of a few others. */
  others: string[];
}

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Types as the four bytes they are. */
const codeOf = (type: string) => Buffer.from(type, 'latin1').readUInt32BE();
const textTypes = new Map((['tEXt', 'zTXt', 'iTXt'] as const).map((type) => [codeOf(type), type]));
const endType = codeOf('IEND');
/** Longest keyword the specification allows. */
const mostKeyword = 79;
/** Wanted texts of one picture: each program that adds its own without looking for those before leaves one. */
const mostWanted = 64;
const mostOthers = 5;
/** How long one turn may take; a request that waits for several of them hardly notices. */
const turnMs = 10;
/** Bytes of a checksum between two looks at the clock, and chunks: some tenths of a millisecond each. */
const bytesAtOnce = 2 ** 20;
const chunksAtOnce = 1024;
/** Unpacked by another thread and handed over at a time. */
const unpackedAtOnce = 2 ** 18;

/**
 * Texts whose keywords, in lower case, are among the wanted ones. Every chunk is held against its checksum.
 * Throws invalid_request saying which chunk is broken and how.
 */
export async function findTexts(png: Uint8Array, keywords: readonly string[]): Promise<Texts> {
  const bytes = bufferOf(png);
  if (!bytes.subarray(0, signature.length).equals(signature)) throw broken(`expected a PNG file, found ${kindOf(bytes)}`);
  const turns = new Turns();
  const texts: Texts = { wanted: [], others: [] };
  let number = 1;
  for (let start = signature.length; start < bytes.length; number++) {
    const end = endOfChunk(bytes, start, number);
    const summed = bytes.subarray(start + 4, end - 4);
    // Waited for only where it takes long: a picture may have a million chunks.
    const sum = summed.length <= bytesAtOnce ? crc32(summed) : await checksum(summed, turns);
    if (sum !== bytes.readUInt32BE(end - 4))
      throw broken(`${place(start, number)}, ${typeAt(bytes, start)}, does not fit its checksum`);
    const code = bytes.readUInt32BE(start + 4);
    // Bytes behind the end belong to no chunk.
    if (code === endType) return texts;
    const type = textTypes.get(code);
    if (type) note(texts, keywords, { type, start, end }, bytes);
    if (number % chunksAtOnce === 0) await turns.pass();
    start = end;
  }
  throw broken('the file ends before its last chunk, IEND');
}

/** The text of a chunk; undefined where it is longer than `mostBytes`. Throws invalid_request where it does not unpack. */
export async function readText(chunk: TextChunk, mostBytes: number): Promise<string | undefined> {
  const { bytes, packed } = textPart(chunk);
  if (bytes.length > mostBytes) return undefined;
  if (!packed) return bytes.toString('latin1');
  try {
    return (await promisify(inflate)(bytes, { maxOutputLength: mostBytes, chunkSize: unpackedAtOnce })).toString('latin1');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw broken(`the ${chunk.type} chunk named ${chunk.keyword} does not unpack (${message})`);
  }
}

/** The picture with other texts in place of some chunks, as tEXt, which every program reads; null takes a chunk out. */
export function replaceTexts(png: Uint8Array, texts: ReadonlyMap<TextChunk, string | null>): Buffer {
  const bytes = bufferOf(png);
  const parts: Buffer[] = [];
  let at = 0;
  for (const [{ keyword, start, end }, text] of [...texts].sort(([a], [b]) => a.start - b.start)) {
    parts.push(bytes.subarray(at, start));
    if (text !== null) parts.push(makeChunk(Buffer.from(`${keyword}\0${text}`, 'latin1')));
    at = end;
  }
  return Buffer.concat([...parts, bytes.subarray(at)]);
}

/** Lets everyone else have a turn where this one took long enough. */
class Turns {
  #begun = performance.now();

  async pass(): Promise<void> {
    if (performance.now() - this.#begun < turnMs) return;
    await setImmediate();
    this.#begun = performance.now();
  }
}

async function checksum(bytes: Buffer, turns: Turns): Promise<number> {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += bytesAtOnce) {
    sum = crc32(bytes.subarray(at, at + bytesAtOnce), sum);
    await turns.pass();
  }
  return sum;
}

/** Where the chunk ends that begins at `start`. Throws where it has no type or is cut off. */
function endOfChunk(bytes: Buffer, start: number, number: number): number {
  if (start + 12 > bytes.length) throw broken(`${place(start, number)}, is cut off`);
  const length = bytes.readUInt32BE(start);
  for (let at = start + 4; at < start + 8; at++) {
    const letter = bytes[at]! | 0x20;
    if (letter < 0x61 || letter > 0x7a) throw broken(`${place(start, number)}, has no type of four letters`);
  }
  const end = start + 12 + length;
  if (end <= bytes.length) return end;
  const follow = bytes.length - start - 8;
  throw broken(`${place(start, number)}, ${typeAt(bytes, start)}, says it has ${length} bytes and ${follow} follow`);
}

function typeAt(bytes: Buffer, start: number): string {
  return bytes.toString('latin1', start + 4, start + 8);
}

function note(
  { wanted, others }: Texts,
  keywords: readonly string[],
  place: Pick<TextChunk, 'type' | 'start' | 'end'>,
  bytes: Buffer,
): void {
  const data = bytes.subarray(place.start + 8, place.end - 4);
  const length = data.subarray(0, mostKeyword + 1).indexOf(0);
  if (length < 1) return;
  const keyword = data.toString('latin1', 0, length);
  if (!keywords.includes(keyword.toLowerCase())) {
    if (others.length < mostOthers && !others.includes(keyword)) others.push(keyword);
    return;
  }
  wanted.push({ ...place, keyword, content: data.subarray(length + 1) });
  if (wanted.length <= mostWanted) return;
  throw broken(`expected at most ${mostWanted} texts named ${keywords.join(' or ')}`);
}

/** Where the text of a chunk lies, and whether zlib has to unpack it. */
function textPart({ type, keyword, content }: TextChunk): { bytes: Buffer; packed: boolean } {
  if (type === 'tEXt') return { bytes: content, packed: false };
  const [flag, method] = type === 'zTXt' ? [1, content[0]] : [content[0], content[1]];
  if (flag !== 0 && (flag !== 1 || method !== 0))
    throw broken(`the ${type} chunk named ${keyword} is packed in a way PNG does not know`);
  return { bytes: content.subarray(type === 'zTXt' ? 1 : textStart(content)), packed: flag === 1 };
}

/** Where the text of an iTXt chunk begins: behind flag, method, language and translated keyword. */
function textStart(content: Buffer): number {
  const language = content.indexOf(0, 2);
  const translated = language === -1 ? -1 : content.indexOf(0, language + 1);
  if (translated === -1) throw broken('an iTXt chunk ends before its text');
  return translated + 1;
}

function makeChunk(data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length);
  head.write('tEXt', 4, 'latin1');
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(data, crc32('tEXt')));
  return Buffer.concat([head, data, sum]);
}

/** What else people send for a card. */
function kindOf(bytes: Buffer): string {
  const begins = (text: string, at = 0) => bytes.toString('latin1', at, at + text.length) === text;
  if (begins('\xff\xd8\xff')) return 'a JPEG';
  if (begins('RIFF') && begins('WEBP', 8)) return 'a WebP';
  if (begins('GIF8')) return 'a GIF';
  if (begins('ftypavif', 4)) return 'an AVIF';
  if (begins('PK')) return 'a ZIP archive';
  if (begins('{')) return 'JSON, which is sent as application/json';
  return 'other bytes than the 89 50 4E 47 0D 0A 1A 0A it begins with';
}

function place(start: number, number: number): string {
  return `chunk ${number}, at byte ${start}`;
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function broken(reason: string): SteerError {
  const remedy = 'Export the card as PNG again, from the program it was made in: a picture saved anew loses its card.';
  return new SteerError('invalid_request', `card: ${reason}. ${remedy}`, { details: { param: 'card' } });
}
