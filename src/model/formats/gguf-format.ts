// The GGUF file format: a header of typed values and of tensors with their places, then the numbers, each tensor at a multiple of 32 bytes. What both
// directions share, and the writing of version 3, one tensor at a time. Little-endian machines only, like the format.
import { SteerError } from '../../errors.ts';
import { toBfloat16, toFloat16 } from './half-floats.ts';
import { writeWhole } from './json-file.ts';

/** Types of numbers that are written, as the format counts them. */
export const tensorTypes = { f32: 0, f16: 1, bf16: 30 } as const;
export type GgufType = keyof typeof tensorTypes;

type GgufArray = { strings: readonly string[] } | { float32s: readonly number[] } | { int32s: readonly number[] };
export type GgufValue = { uint32: number } | { float32: number } | { bool: boolean } | { string: string } | GgufArray;

export interface GgufTensor {
  /** Rows first, as everywhere here; the file has the fastest dimension first. */
  shape: readonly number[];
  type: GgufType;
  read(): Promise<Float32Array>;
}

export const magic = 0x46554747;
const version = 3;
/** Of tensors, where the header does not name another. */
export const usualAlignment = 32;
/** Types of values of the header, as the format counts them. */
export const valueTypes = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
};

/** Bytes put one after another. */
class Bytes {
  readonly #parts: Uint8Array[] = [];
  length = 0;

  put(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.length += bytes.length;
  }

  uint32(value: number): void {
    this.#view(4, (view) => view.setUint32(0, value, true));
  }

  uint64(value: number): void {
    this.#view(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }

  float32(value: number): void {
    this.#view(4, (view) => view.setFloat32(0, value, true));
  }

  string(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.uint64(bytes.length);
    this.put(bytes);
  }

  whole(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  #view(length: number, fill: (view: DataView) => void): void {
    const view = new DataView(new ArrayBuffer(length));
    fill(view);
    this.put(new Uint8Array(view.buffer));
  }
}

function putValue(into: Bytes, value: GgufValue): void {
  if ('uint32' in value) {
    into.uint32(valueTypes.uint32);
    into.uint32(value.uint32);
  } else if ('float32' in value) {
    into.uint32(valueTypes.float32);
    into.float32(value.float32);
  } else if ('bool' in value) {
    into.uint32(valueTypes.bool);
    into.put(Uint8Array.of(value.bool ? 1 : 0));
  } else if ('string' in value) {
    into.uint32(valueTypes.string);
    into.string(value.string);
  } else putArray(into, value);
}

function putArray(into: Bytes, value: GgufArray): void {
  into.uint32(valueTypes.array);
  if ('strings' in value) {
    into.uint32(valueTypes.string);
    into.uint64(value.strings.length);
    for (const text of value.strings) into.string(text);
    return;
  }
  const numbers = 'int32s' in value ? Int32Array.from(value.int32s) : Float32Array.from(value.float32s);
  into.uint32('int32s' in value ? valueTypes.int32 : valueTypes.float32);
  into.uint64(numbers.length);
  into.put(new Uint8Array(numbers.buffer));
}

const bytesOf = (type: GgufType): number => (type === 'f32' ? 4 : 2);
const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
const aligned = (bytes: number): number => Math.ceil(bytes / usualAlignment) * usualAlignment;

function headerOf(values: ReadonlyMap<string, GgufValue>, tensors: ReadonlyMap<string, GgufTensor>): Uint8Array {
  const header = new Bytes();
  header.uint32(magic);
  header.uint32(version);
  header.uint64(tensors.size);
  header.uint64(values.size);
  for (const [name, value] of values) {
    header.string(name);
    putValue(header, value);
  }
  let offset = 0;
  for (const [name, { shape, type }] of tensors) {
    header.string(name);
    header.uint32(shape.length);
    for (const length of shape.toReversed()) header.uint64(length);
    header.uint32(tensorTypes[type]);
    header.uint64(offset);
    offset = aligned(offset + sizeOf(shape) * bytesOf(type));
  }
  header.put(new Uint8Array(aligned(header.length) - header.length));
  return header.whole();
}

/** Writes the file, whole or not at all. Throws invalid_model for a number that its tensor's type cannot hold. */
export async function writeGgufFile(
  path: string,
  values: ReadonlyMap<string, GgufValue>,
  tensors: ReadonlyMap<string, GgufTensor>,
): Promise<void> {
  await writeWhole(path, async (file) => {
    await file.writeFile(headerOf(values, tensors));
    for (const [name, tensor] of tensors) {
      const bytes = stored(name, tensor.type, await tensor.read());
      await file.writeFile(bytes);
      await file.writeFile(new Uint8Array(aligned(bytes.length) - bytes.length));
    }
  });
}

function stored(name: string, type: GgufType, values: Float32Array): Uint8Array {
  const most = 65_504;
  if (type === 'f16' && values.some((value) => Math.abs(value) > most)) {
    throw new SteerError('invalid_model', `${name} holds numbers beyond ${most}, the most of f16. Export as bf16 or f32.`);
  }
  const numbers = type === 'f32' ? values : type === 'f16' ? toFloat16(values) : toBfloat16(values);
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}
