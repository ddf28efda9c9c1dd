// Texts that a PNG carries in its tEXt chunks (PNG specification, 11.3.3.3): read, and put back with every other chunk as it was.
import { crc32 } from 'node:zlib';
import { SteerError } from '../errors.ts';

const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

interface Chunk {
  type: string;
  /** The chunk with its length and checksum. */
  bytes: Buffer;
  data: Buffer;
}

/** Text by keyword; of chunks with one keyword the last. Throws invalid_request saying which chunk is broken and how. */
export function readTexts(png: Uint8Array): Map<string, string> {
  return new Map(
    readChunks(png)
      .flatMap((chunk) => textOf(chunk) ?? [])
      .map(({ keyword, text }) => [keyword, text]),
  );
}

/** The picture with other texts for these keywords, which it must have. Throws as `readTexts` does. */
export function replaceTexts(png: Uint8Array, texts: ReadonlyMap<string, string>): Buffer {
  const chunks = readChunks(png).map((chunk) => {
    const [known] = textOf(chunk) ?? [];
    const text = known && texts.get(known.keyword);
    if (!known || text === undefined || text === known.text) return chunk.bytes;
    return makeChunk(Buffer.from(`${known.keyword}\0${text}`, 'latin1'));
  });
  return Buffer.concat([signature, ...chunks]);
}

function readChunks(png: Uint8Array): Chunk[] {
  const bytes = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  if (!bytes.subarray(0, 8).equals(signature)) throw broken('expected a PNG file, whose first bytes are 89 50 4E 47 0D 0A 1A 0A');
  const chunks: Chunk[] = [];
  let at = 8;
  while (at < bytes.length) {
    const place = `chunk ${chunks.length + 1}, at byte ${at}`;
    if (at + 12 > bytes.length) throw broken(`${place}, is cut off`);
    const length = bytes.readUInt32BE(at);
    const end = at + 12 + length;
    const type = bytes.toString('latin1', at + 4, at + 8);
    if (!/^[A-Za-z]{4}$/.test(type)) throw broken(`${place}, has no type of four letters`);
    if (end > bytes.length) throw broken(`${place}, ${type}, says it has ${length} bytes and ${bytes.length - at - 8} follow`);
    if (crc32(bytes.subarray(at + 4, end - 4)) !== bytes.readUInt32BE(end - 4))
      throw broken(`${place}, ${type}, does not fit its checksum`);
    chunks.push({ type, bytes: bytes.subarray(at, end), data: bytes.subarray(at + 8, end - 4) });
    if (type === 'IEND') return withRest(chunks, bytes.subarray(end));
    at = end;
  }
  throw broken('the file ends before its last chunk, IEND');
}

/** Bytes behind the end belong to no chunk, and stay. */
function withRest(chunks: Chunk[], rest: Buffer): Chunk[] {
  return rest.length === 0 ? chunks : [...chunks, { type: '', bytes: rest, data: rest }];
}

function textOf({ type, data }: Chunk): [{ keyword: string; text: string }] | undefined {
  const end = data.indexOf(0);
  if (type !== 'tEXt' || end < 1) return undefined;
  return [{ keyword: data.toString('latin1', 0, end), text: data.toString('latin1', end + 1) }];
}

function makeChunk(data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length);
  head.write('tEXt', 4, 'latin1');
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(data, crc32('tEXt')));
  return Buffer.concat([head, data, checksum]);
}

function broken(reason: string): SteerError {
  return new SteerError('invalid_request', `card: ${reason}. Export the picture again.`, { details: { param: 'card' } });
}
