// The safetensors file format: eight bytes of header length, a JSON header of names, types, shapes and byte ranges, then the numbers. Reads one
// tensor at a time from an open file; writes whole files or none. Little-endian machines only, like the format.
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { SteerError } from '../../errors.ts';
import type { FourBitRows } from '../four-bits.ts';
import { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from './half-floats.ts';
import { type OpenFile, regularFile, unreadable, writeWhole } from './json-file.ts';

/** Bytes per element of every type the format knows. */
const elementBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
} as const;

type ElementType = keyof typeof elementBytes;
export type FloatType = 'F32' | 'F16' | 'BF16';

interface Entry {
  type: ElementType;
  shape: number[];
  /** Byte range from the start of the file. */
  start: number;
  end: number;
}

/** Room for a hundred thousand tensors; a longer header means the file is something else, and parsing it would hold up the thread. */
const maxHeaderBytes = 2 ** 24;
/** A read or write call takes at most 2 GiB. */
const chunkBytes = 1 << 28;

const size = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const metadataName = '__metadata__';
const metadataSchema = z.record(z.string(), z.string());
const entrySchema = z.object({ dtype: z.string(), shape: z.array(size), data_offsets: z.tuple([size, size]) });

/** Numbers start … end-1 of a tensor. */
export interface Part {
  start: number;
  end: number;
}

export interface TensorFile {
  /** Shape of every tensor by name. */
  readonly shapes: ReadonlyMap<string, number[]>;
  /** The tensor's numbers as float32, row-major, or a part of them. Throws invalid_model for an unknown name or a type that is not F32, F16 or BF16. */
  read(name: string, part?: Part): Promise<Float32Array>;
  /** Bits of a number of the tensor, scales apart; absent where the type has none beside its numbers. */
  bits?(name: string): number;
  /** Whole rows of a tensor of 4 bits. */
  readFours?(name: string, part: Part): Promise<FourBitRows>;
  close(): Promise<void>;
}

export interface SafetensorsFile extends TensorFile {
  /** What the file says of itself. */
  readonly metadata: ReadonlyMap<string, string>;
}

/** Opens a safetensors file and checks its header. Throws invalid_model, naming what is wrong, when it is missing, cut short or corrupt. */
export async function openTensorFile(path: string): Promise<SafetensorsFile> {
  await regularFile(path);
  const file = await open(path, 'r').catch((cause) => {
    throw unreadable(path, cause);
  });
  try {
    const { entries, metadata } = await readHeader(file, path);
    return {
      metadata,
      shapes: new Map([...entries].map(([name, entry]) => [name, entry.shape])),
      read: (name, part) => readTensor(file, path, name, entries.get(name), part),
      close: () => file.close(),
    };
  } catch (cause) {
    await file.close();
    throw cause instanceof SteerError ? cause : unreadable(path, cause);
  }
}

function corrupt(path: string, problem: string): SteerError {
  return new SteerError('invalid_model', `${path} is not a whole safetensors file: ${problem}. Copy or download it again.`);
}

interface Header {
  entries: Map<string, Entry>;
  metadata: Map<string, string>;
}

async function readHeader(file: OpenFile, path: string): Promise<Header> {
  const fileBytes = (await file.stat()).size;
  if (fileBytes < 8) throw corrupt(path, `expected at least 8 bytes, found ${fileBytes}`);
  const prefix = new Uint8Array(8);
  await readFully(file, path, prefix, 0);
  const headerBytes = Number(new DataView(prefix.buffer).getBigUint64(0, true));
  if (headerBytes > Math.min(maxHeaderBytes, fileBytes - 8)) {
    throw corrupt(path, `its header claims ${headerBytes} bytes, the file has ${fileBytes - 8} after the length`);
  }
  const header = new Uint8Array(headerBytes);
  await readFully(file, path, header, 8);
  const parsed = parseHeader(header, path, 8 + headerBytes);
  checkLayout(parsed.entries, path, 8 + headerBytes, fileBytes);
  return parsed;
}

function parseHeader(header: Uint8Array, path: string, dataStart: number): Header {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch {
    throw corrupt(path, 'its header is not JSON');
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw corrupt(path, 'its header is not a JSON object');
  const entries = new Map<string, Entry>();
  for (const [name, value] of Object.entries(json)) {
    if (name !== metadataName) entries.set(name, parseEntry(name, value, path, dataStart));
  }
  const metadata = metadataSchema.safeParse(Object.hasOwn(json, metadataName) ? json[metadataName as keyof object] : {});
  if (!metadata.success) throw corrupt(path, `${metadataName} is no object of texts`);
  return { entries, metadata: new Map(Object.entries(metadata.data)) };
}

function parseEntry(name: string, value: unknown, path: string, dataStart: number): Entry {
  const parsed = entrySchema.safeParse(value);
  if (!parsed.success) throw corrupt(path, `the entry of ${name} is malformed`);
  const {
    dtype,
    shape,
    data_offsets: [start, end],
  } = parsed.data;
  if (!Object.hasOwn(elementBytes, dtype))
    throw corrupt(path, `${name} has the unknown type ${JSON.stringify(dtype.slice(0, 20))}`);
  const type = dtype as ElementType;
  const expected = shape.reduce((product, dim) => product * dim, elementBytes[type]);
  if (end - start !== expected) {
    throw corrupt(path, `${name} is ${type} [${shape.join(', ')}], ${expected} bytes, but spans ${end - start}`);
  }
  return { type, shape, start: dataStart + start, end: dataStart + end };
}

/** Tensors must follow each other without gap or overlap and fill the file exactly. */
function checkLayout(entries: Map<string, Entry>, path: string, dataStart: number, fileBytes: number): void {
  let at = dataStart;
  for (const [name, entry] of [...entries].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (entry.end > fileBytes) throw corrupt(path, `${name} ends at byte ${entry.end}, the file at ${fileBytes}`);
    if (entry.start !== at)
      throw corrupt(path, `${name} ${entry.start < at ? 'overlaps' : 'leaves a gap after'} the tensor before it`);
    at = entry.end;
  }
  if (at !== fileBytes) throw corrupt(path, `${fileBytes - at} bytes follow the last tensor`);
}

async function readTensor(
  file: OpenFile,
  path: string,
  name: string,
  entry: Entry | undefined,
  part?: Part,
): Promise<Float32Array> {
  if (!entry) throw new SteerError('invalid_model', `${path} has no tensor ${name}.`);
  const { type } = entry;
  if (type !== 'F32' && type !== 'F16' && type !== 'BF16') {
    throw new SteerError(
      'invalid_model',
      `${path}: expected ${name} as F32, F16 or BF16, found ${type}. Convert the model first.`,
    );
  }
  const { start, end } = part ?? { start: 0, end: (entry.end - entry.start) / elementBytes[type] };
  const bytes = new Uint8Array((end - start) * elementBytes[type]);
  await readFully(file, path, bytes, entry.start + start * elementBytes[type]);
  if (type === 'F32') return new Float32Array(bytes.buffer);
  const halves = new Uint16Array(bytes.buffer);
  return type === 'F16' ? fromFloat16(halves) : fromBfloat16(halves);
}

async function readFully(file: OpenFile, path: string, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const length = Math.min(chunkBytes, into.length - done);
    const { bytesRead } = await file.read(into, done, length, position + done);
    if (bytesRead === 0) throw corrupt(path, `it ends at byte ${position + done}`);
    done += bytesRead;
  }
}

/**
 * Writes `shapes` as one safetensors file of the given type, whole or not at all. Tensors may come in any order, each once; the file keeps
 * the order of `shapes`. `metadata` is what it says of itself. Throws invalid_model when one is missing, unknown, repeated or of another length.
 */
export async function writeTensorFile(
  path: string,
  shapes: ReadonlyMap<string, number[]>,
  tensors: Iterable<[string, Float32Array]> | AsyncIterable<[string, Float32Array]>,
  type: FloatType,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Promise<void> {
  const { header, spans } = layOut(shapes, type, metadata);
  await writeWhole(path, async (file) => {
    await writeFully(file, header, 0);
    const missing = new Set(spans.keys());
    for await (const [name, values] of tensors) {
      const span = spans.get(name);
      if (!span || !missing.delete(name)) {
        throw new SteerError(
          'invalid_model',
          `Writing ${path}: ${name} ${span ? 'came twice' : 'is not a tensor of this model'}.`,
        );
      }
      if (values.length !== span.elements) {
        throw new SteerError(
          'invalid_model',
          `Writing ${path}: expected ${span.elements} numbers in ${name}, found ${values.length}.`,
        );
      }
      await writeFully(file, encode(values, type), span.start);
    }
    if (missing.size > 0)
      throw new SteerError('invalid_model', `Writing ${path}: ${[...missing].slice(0, 5).join(', ')} never came.`);
  });
}

function layOut(shapes: ReadonlyMap<string, number[]>, type: FloatType, metadata: Readonly<Record<string, string>>) {
  const header: Record<string, unknown> = { [metadataName]: metadata };
  const spans = new Map<string, { start: number; elements: number }>();
  let at = 0;
  for (const [name, shape] of shapes) {
    const elements = shape.reduce((product, dim) => product * dim, 1);
    const end = at + elements * elementBytes[type];
    header[name] = { dtype: type, shape, data_offsets: [at, end] };
    spans.set(name, { start: at, elements });
    at = end;
  }
  const json = JSON.stringify(header);
  // Padded so that the numbers start on a multiple of eight bytes.
  const text = new TextEncoder().encode(json + ' '.repeat((8 - (Buffer.byteLength(json) % 8)) % 8));
  const bytes = new Uint8Array(8 + text.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  for (const span of spans.values()) span.start += bytes.length;
  return { header: bytes, spans };
}

function encode(values: Float32Array, type: FloatType): Uint8Array {
  const stored = type === 'F32' ? values : type === 'F16' ? toFloat16(values) : toBfloat16(values);
  return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
}

async function writeFully(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const length = Math.min(chunkBytes, bytes.length - done);
    done += (await file.write(bytes, done, length, position + done)).bytesWritten;
  }
}
