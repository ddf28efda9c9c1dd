// The header of a GGUF file, version 2 or 3: its values and where its tensors lie, checked against the length of the file before anything is read
// from there. Long lists stay in the file until they are asked for.
import { open } from 'node:fs/promises';
import { SteerError } from '../../errors.ts';
import { type BlockType, blockTypes, foreignType } from './gguf-blocks.ts';
import { corrupt, GgufCursor, type HeaderValue, type ListPlace, listIn, type Scalar, textsIn, WindowEnd } from './gguf-cursor.ts';
import { magic, usualAlignment, valueTypes } from './gguf-format.ts';
import { type OpenFile, regularFile, unreadable } from './json-file.ts';

export interface StoredTensor {
  /** Rows first, as everywhere here; the file has the fastest dimension first. */
  shape: number[];
  type: BlockType;
  /** Byte range from the start of the file. */
  start: number;
  end: number;
}

export interface GgufHeader {
  path: string;
  values: ReadonlyMap<string, HeaderValue>;
  tensors: ReadonlyMap<string, StoredTensor>;
}

/** Enough for vocabularies of up to 100,000 tokens; where it is not, four times as much is read and parsed from its beginning, up to the most. */
const firstWindow = 2 ** 22;
/** The largest vocabularies take some 20 MB. Counting through them holds up the thread. */
const mostHeaderBytes = 2 ** 26;
/** Far more values, and tensors, than any model has. */
const mostEntries = 2 ** 16;
const mostNameBytes = 256;
const mostDimensions = 4;
const mostAlignment = 2 ** 16;
const bigEndianVersions = [2 ** 25, 3 * 2 ** 24];

/** Throws invalid_model in one clear line for what is missing, cut short, or no GGUF file that can be read here. */
export async function readGgufHeader(path: string): Promise<GgufHeader> {
  return await withFile(path, async (file) => {
    const { size } = await file.stat();
    for (let length = firstWindow; ; length *= 4) {
      const window = await readBytes(file, path, 0, Math.min(length, size));
      try {
        return parseHeader(new GgufCursor(path, window, size), path, size);
      } catch (cause) {
        if (!(cause instanceof WindowEnd)) throw cause;
        if (length >= mostHeaderBytes) throw corrupt(path, `its header is longer than ${mostHeaderBytes} bytes`);
      }
    }
  });
}

/** The values of a list of the header; undefined where it has none of that name. Throws invalid_model for a value that is no list. */
export async function readList({ path, values }: GgufHeader, key: string): Promise<readonly Scalar[] | undefined> {
  const value = values.get(key);
  if (value === undefined || isList(value)) return value;
  if (!isPlace(value)) throw new SteerError('invalid_model', `${path}: expected ${key} to be a list, found a single value.`);
  return await withFile(path, async (file) => listIn(await readBytes(file, path, value.start, value.end), value));
}

/** Texts of a list of the header by their places, undefined where it has none there; what lies between is passed over. Throws as readList does. */
export async function readTexts(header: GgufHeader, key: string, places: readonly number[]): Promise<(string | undefined)[]> {
  const value = header.values.get(key);
  if (value === undefined || !isPlace(value) || value.elementType !== valueTypes.string) {
    const list = await readList(header, key);
    return places.map((place) => (list?.[place] === undefined ? undefined : String(list[place])));
  }
  return await withFile(header.path, async (file) => textsIn(await readBytes(file, header.path, value.start, value.end), places));
}

export function isList(value: HeaderValue): value is readonly Scalar[] {
  return Array.isArray(value);
}

function isPlace(value: HeaderValue): value is ListPlace {
  return typeof value === 'object' && !isList(value);
}

/** Opens the file for as long as `act` takes. */
export async function withFile<Result>(path: string, act: (file: OpenFile) => Promise<Result>): Promise<Result> {
  await regularFile(path);
  const file = await open(path, 'r').catch((cause) => {
    throw unreadable(path, cause);
  });
  try {
    return await act(file);
  } catch (cause) {
    throw cause instanceof SteerError ? cause : unreadable(path, cause);
  } finally {
    await file.close();
  }
}

/** Bytes start … end-1 of the file. Throws invalid_model where it has become shorter. */
export async function readBytes(file: OpenFile, path: string, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.alloc(end - start);
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
    if (bytesRead === 0) throw corrupt(path, `it ends at byte ${start + done}`);
    done += bytesRead;
  }
  return bytes;
}

function parseHeader(cursor: GgufCursor, path: string, fileBytes: number): GgufHeader {
  if (cursor.uint32() !== magic) throw corrupt(path, 'it does not begin with GGUF');
  refuseVersion(path, cursor.uint32());
  const [tensorCount, valueCount] = [cursor.uint64(), cursor.uint64()];
  for (const [what, count] of [['tensors', tensorCount] as const, ['values', valueCount] as const]) {
    if (count > mostEntries) throw corrupt(path, `it claims ${count} ${what}, more than ${mostEntries}`);
  }
  const values = new Map<string, HeaderValue>();
  for (let i = 0; i < valueCount; i++) {
    cursor.reading = `the name of value ${i}`;
    const key = cursor.string();
    if (values.has(key)) throw corrupt(path, `it has two values ${quoted(key)}`);
    cursor.reading = quoted(key);
    values.set(key, cursor.value());
  }
  const found: [string, PlacedTensor][] = [];
  for (let i = 0; i < tensorCount; i++) found.push(parseTensor(cursor, i));
  const alignment = alignmentOf(path, values);
  const dataStart = Math.ceil(cursor.at / alignment) * alignment;
  return { path, values, tensors: placed(path, found, dataStart, alignment, fileBytes) };
}

function refuseVersion(path: string, version: number): void {
  if (version === 2 || version === 3) return;
  if (bigEndianVersions.includes(version)) {
    throw new SteerError('invalid_model', `${path} is a big-endian GGUF file; only little-endian ones are read.`);
  }
  throw new SteerError('invalid_model', `${path}: expected GGUF version 2 or 3, found ${version}. Convert the model again.`);
}

const quoted = (name: string) => JSON.stringify(name.slice(0, mostNameBytes));

interface PlacedTensor extends Omit<StoredTensor, 'start' | 'end'> {
  /** From the first byte after the header. */
  offset: number;
  bytes: number;
}

function parseTensor(cursor: GgufCursor, index: number): [string, PlacedTensor] {
  cursor.reading = `the name of tensor ${index}`;
  const name = cursor.string();
  if (Buffer.byteLength(name) > mostNameBytes) throw cursor.corrupt(`${cursor.reading} is longer than ${mostNameBytes} bytes`);
  cursor.reading = quoted(name);
  const dimensions = cursor.uint32();
  if (dimensions < 1 || dimensions > mostDimensions) {
    throw cursor.corrupt(`${quoted(name)} claims ${dimensions} dimensions, expected 1 to ${mostDimensions}`);
  }
  const lengths = Array.from({ length: dimensions }, () => cursor.uint64());
  const typeNumber = cursor.uint32();
  const type = blockTypes.get(typeNumber);
  if (!type) {
    const known = [...blockTypes.values()].map((each) => each.name).join(', ');
    const message = `${name} is stored as ${foreignType(typeNumber)}; read are ${known}. Choose another quantisation of the model.`;
    throw new SteerError('invalid_model', `${cursor.path}: ${message}`);
  }
  const count = lengths.reduce((product, length) => product * length, 1);
  const whole = lengths[0]! % type.numbers === 0;
  if (!(count > 0 && Number.isSafeInteger(count * type.bytes) && whole)) {
    throw cursor.corrupt(`${quoted(name)} claims the shape [${lengths.join(', ')}] of ${type.name}`);
  }
  const bytes = (count / type.numbers) * type.bytes;
  return [name, { shape: lengths.reverse(), type, bytes, offset: cursor.uint64() }];
}

function alignmentOf(path: string, values: ReadonlyMap<string, HeaderValue>): number {
  const key = 'general.alignment';
  const alignment = values.get(key) ?? usualAlignment;
  const fits =
    typeof alignment === 'number' && alignment >= 1 && alignment <= mostAlignment && Number.isInteger(Math.log2(alignment));
  if (!fits) throw corrupt(path, `expected ${key} to be a power of two up to ${mostAlignment}, found ${String(alignment)}`);
  return alignment;
}

/** Tensors with their bytes: in the file, at multiples of the alignment, no two sharing any. */
function placed(
  path: string,
  found: readonly [string, PlacedTensor][],
  dataStart: number,
  alignment: number,
  fileBytes: number,
): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  let end = dataStart;
  for (const [name, { shape, type, offset, bytes }] of found.toSorted(([, a], [, b]) => a.offset - b.offset)) {
    const start = dataStart + offset;
    if (tensors.has(name)) throw corrupt(path, `it has two tensors ${quoted(name)}`);
    if (offset % alignment !== 0) throw corrupt(path, `${quoted(name)} lies at ${offset}, no multiple of ${alignment}`);
    if (start < end) throw corrupt(path, `${quoted(name)} overlaps the tensor before it`);
    end = start + bytes;
    if (end > fileBytes) throw corrupt(path, `${quoted(name)} ends at byte ${end}, the file at ${fileBytes}`);
    tensors.set(name, { shape, type, start, end });
  }
  return tensors;
}
