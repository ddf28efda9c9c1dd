// One entry of a zip archive, straight to disk. Reads what packages of Python are: no encryption, no parts, below 4 GB.
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';
import { SteerError } from '../errors.ts';

const endMark = 0x06054b50;
const entryMark = 0x02014b50;
const localMark = 0x04034b50;
/** Of the record at the end, and of what stands before the name in an entry and in front of its data. */
const [endBytes, entryBytes, localBytes] = [22, 46, 30];
const longestComment = 2 ** 16;
const longestDirectory = 2 ** 26;
const [stored, deflated] = [0, 8];

interface Entry {
  method: number;
  packedBytes: number;
  bytes: number;
  /** Of its own header. */
  at: number;
}

/** Writes the entry into `target` and tells how far it is. Throws invalid_model where the archive has none of that name or is none. */
export async function unzipEntry(
  archive: string,
  name: string,
  target: string,
  { signal, onBytes }: { signal: AbortSignal; onBytes(bytes: number): void },
): Promise<void> {
  const { entry, begin } = await findEntry(archive, name);
  const { packedBytes, method, bytes } = entry;
  let at = 0;
  const count = new Transform({
    transform(chunk: Buffer, _, done) {
      at += chunk.length;
      onBytes(at);
      done(at > bytes ? broken(archive) : null, chunk);
    },
  });
  const packed = createReadStream(archive, { start: begin, end: begin + packedBytes - 1 });
  const file = createWriteStream(target);
  const unpack = method === stored ? [] : [createInflateRaw()];
  await pipeline([packed, ...unpack, count, file], { signal }).catch((cause) => {
    throw /^Z_/.test((cause as NodeJS.ErrnoException).code ?? '') ? broken(archive) : cause;
  });
  if (at !== bytes) throw broken(archive);
}

async function findEntry(archive: string, name: string): Promise<{ entry: Entry; begin: number }> {
  const file = await open(archive, 'r');
  try {
    const read = async (at: number, length: number): Promise<Buffer> => {
      const buffer = Buffer.alloc(length);
      const { bytesRead } = await file.read(buffer, 0, length, at);
      if (bytesRead < length) throw broken(archive);
      return buffer;
    };
    const { size } = await file.stat();
    const tailBytes = Math.min(size, endBytes + longestComment);
    const tail = await read(size - tailBytes, tailBytes);
    const end = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
    if (end < 0 || tail.length - end < endBytes || tail.readUInt32LE(end) !== endMark) throw broken(archive);
    const length = tail.readUInt32LE(end + 12);
    if (length > longestDirectory) throw broken(archive);
    const entry = entryIn(await read(tail.readUInt32LE(end + 16), length), name);
    if (entry === undefined || ![stored, deflated].includes(entry.method)) {
      throw new SteerError('invalid_model', `Expected ${name} in ${archive}, found none that can be unpacked.`);
    }
    const local = await read(entry.at, localBytes);
    if (local.readUInt32LE(0) !== localMark) throw broken(archive);
    return { entry, begin: entry.at + localBytes + local.readUInt16LE(26) + local.readUInt16LE(28) };
  } finally {
    await file.close();
  }
}

function entryIn(directory: Buffer, wanted: string): Entry | undefined {
  for (let at = 0; at + entryBytes <= directory.length && directory.readUInt32LE(at) === entryMark; ) {
    const lengths = [28, 30, 32].map((place) => directory.readUInt16LE(at + place));
    const [nameBytes = 0] = lengths;
    const name = directory.toString('utf8', at + entryBytes, at + entryBytes + nameBytes);
    if (name === wanted) {
      return {
        method: directory.readUInt16LE(at + 10),
        packedBytes: directory.readUInt32LE(at + 20),
        bytes: directory.readUInt32LE(at + 24),
        at: directory.readUInt32LE(at + 42),
      };
    }
    at += entryBytes + lengths.reduce((sum, each) => sum + each, 0);
  }
  return undefined;
}

function broken(archive: string): SteerError {
  return new SteerError('invalid_model', `${archive} is no whole zip archive. Fetch it again.`);
}
