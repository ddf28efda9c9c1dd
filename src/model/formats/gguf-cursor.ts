// Reads typed values one after another from the beginning of a GGUF file, of which only a window is in memory. Every length is held against the file
// before anything is made of it.
import { SteerError } from '../../errors.ts';
import { valueTypes } from './gguf-format.ts';

/** Thrown where the window ends before the value does: more of the file is to be read. */
export class WindowEnd extends Error {}

export type Scalar = number | boolean | string;
/** Where a long list lies in the file: vocabularies are read when they are wanted, not kept. */
export interface ListPlace {
  elementType: number;
  count: number;
  start: number;
  end: number;
}
export type HeaderValue = Scalar | readonly Scalar[] | ListPlace;

/** Lists of up to so many values, one for each layer for instance, are kept as they are. */
const shortList = 1024;
/** Texts in all lists: vocabulary and merges of the largest models are a million. Counting through them holds up the thread. */
const mostTexts = 2 ** 21;

/** Bytes of each type of fixed length, and how it is read. */
const fixed: Record<number, { bytes: number; read(from: Buffer, at: number): number | boolean }> = {
  [valueTypes.uint8]: { bytes: 1, read: (from, at) => from.readUInt8(at) },
  [valueTypes.int8]: { bytes: 1, read: (from, at) => from.readInt8(at) },
  [valueTypes.bool]: { bytes: 1, read: (from, at) => from.readUInt8(at) !== 0 },
  [valueTypes.uint16]: { bytes: 2, read: (from, at) => from.readUInt16LE(at) },
  [valueTypes.int16]: { bytes: 2, read: (from, at) => from.readInt16LE(at) },
  [valueTypes.uint32]: { bytes: 4, read: (from, at) => from.readUInt32LE(at) },
  [valueTypes.int32]: { bytes: 4, read: (from, at) => from.readInt32LE(at) },
  [valueTypes.float32]: { bytes: 4, read: (from, at) => from.readFloatLE(at) },
  [valueTypes.uint64]: { bytes: 8, read: readUint64 },
  [valueTypes.int64]: { bytes: 8, read: (from, at) => from.readUInt32LE(at) + from.readInt32LE(at + 4) * 2 ** 32 },
  [valueTypes.float64]: { bytes: 8, read: (from, at) => from.readDoubleLE(at) },
};

/** Beyond 2^53 not to the unit; such a number is no length of anything and is refused where it claims to be one. */
function readUint64(from: Buffer, at: number): number {
  return from.readUInt32LE(at) + from.readUInt32LE(at + 4) * 2 ** 32;
}

export class GgufCursor {
  at = 0;
  /** What is being read, for messages. */
  reading = 'the beginning';
  #texts = 0;
  readonly path: string;
  readonly #window: Buffer;
  readonly #fileBytes: number;

  constructor(path: string, window: Buffer, fileBytes: number) {
    this.path = path;
    this.#window = window;
    this.#fileBytes = fileBytes;
  }

  corrupt(problem: string): SteerError {
    return corrupt(this.path, problem);
  }

  uint32(): number {
    return this.#window.readUInt32LE(this.#take(4));
  }

  uint64(): number {
    return readUint64(this.#window, this.#take(8));
  }

  string(): string {
    const length = this.uint64();
    const at = this.#take(length);
    return this.#window.toString('utf8', at, at + length);
  }

  value(): HeaderValue {
    const type = this.uint32();
    return type === valueTypes.array ? this.#list() : this.#scalar(type);
  }

  #scalar(type: number): Scalar {
    if (type === valueTypes.string) return this.string();
    const { bytes, read } = this.#fixed(type);
    return read(this.#window, this.#take(bytes));
  }

  #fixed(type: number) {
    const known = fixed[type];
    if (known) return known;
    if (type === valueTypes.array) throw this.corrupt(`${this.reading} is a list of lists, which nothing here reads`);
    throw this.corrupt(`${this.reading} has the unknown type ${type}`);
  }

  #list(): Scalar[] | ListPlace {
    const elementType = this.uint32();
    const count = this.uint64();
    const start = this.at;
    if (elementType === valueTypes.string) this.#passStrings(count);
    else this.#take(count * this.#fixed(elementType).bytes);
    const place = { elementType, count, start, end: this.at };
    return count > shortList ? place : listIn(this.#window.subarray(start, this.at), place);
  }

  #passStrings(count: number): void {
    // Before counting through them: each has a length of 8 bytes.
    if (count * 8 > this.#fileBytes - this.at) throw this.#tooLong(count * 8);
    this.#texts += count;
    if (this.#texts > mostTexts) throw this.corrupt(`its lists hold more than ${mostTexts} texts`);
    for (let i = 0; i < count; i++) this.#take(this.uint64());
  }

  /** Where the next bytes begin. */
  #take(bytes: number): number {
    if (bytes > this.#fileBytes - this.at) throw this.#tooLong(bytes);
    if (this.at + bytes > this.#window.length) throw new WindowEnd();
    const { at } = this;
    this.at += bytes;
    return at;
  }

  #tooLong(bytes: number): SteerError {
    return this.corrupt(`${this.reading} claims ${bytes} bytes at byte ${this.at}, the file has ${this.#fileBytes}`);
  }
}

export function corrupt(path: string, problem: string): SteerError {
  return new SteerError('invalid_model', `${path} is not a whole GGUF file: ${problem}. Copy or download it again.`);
}

/** The values of a list, from its bytes. */
export function listIn(bytes: Buffer, { elementType, count }: ListPlace): Scalar[] {
  if (elementType !== valueTypes.string) {
    const { bytes: step, read } = fixed[elementType]!;
    return Array.from({ length: count }, (_, i) => read(bytes, i * step));
  }
  const texts: string[] = [];
  for (let at = 0; texts.length < count; ) {
    const end = at + 8 + readUint64(bytes, at);
    texts.push(bytes.toString('utf8', at + 8, end));
    at = end;
  }
  return texts;
}

/** Those at some places of a list of texts, from its bytes; undefined where it has none. */
export function textsIn(bytes: Buffer, places: readonly number[]): (string | undefined)[] {
  const wanted = new Set(places);
  const starts = new Map<number, number>();
  const last = Math.max(...places);
  for (let place = 0, at = 0; place <= last && at < bytes.length; place++) {
    if (wanted.has(place)) starts.set(place, at);
    at += 8 + readUint64(bytes, at);
  }
  return places.map((place) => {
    const at = starts.get(place);
    return at === undefined ? undefined : bytes.toString('utf8', at + 8, at + 8 + readUint64(bytes, at));
  });
}
