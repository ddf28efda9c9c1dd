// Whether a GGUF file comes with a chat template, which is what makes a model one to talk with. Walks the header's values and reads nothing else.
import { closeSync, openSync, readSync } from 'node:fs';
import { SteerError } from '../errors.ts';

const magic = 0x46554747;
const wanted = 'tokenizer.chat_template';
/** Bytes of a number by its type; strings and arrays say how long they are. */
const widths: Record<number, number> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const [stringType, arrayType] = [8, 9];
const windowBytes = 2 ** 20;
/** More values than any model has. */
const mostValues = 2 ** 16;

/** Throws invalid_model for what is no whole GGUF header. */
export function hasChatTemplate(path: string): boolean {
  const file = openSync(path, 'r');
  try {
    return new Header(file, path).finds(wanted);
  } finally {
    closeSync(file);
  }
}

class Header {
  readonly #file: number;
  readonly #path: string;
  #window = Buffer.alloc(0);
  #begin = 0;
  #at = 0;

  constructor(file: number, path: string) {
    this.#file = file;
    this.#path = path;
  }

  finds(key: string): boolean {
    if (this.#take(4).readUInt32LE() !== magic) throw this.#broken('it does not begin as a GGUF file does');
    const version = this.#uint32();
    if (version !== 2 && version !== 3) throw this.#broken(`its format is version ${version}, read are 2 and 3`);
    this.#uint64();
    const count = this.#uint64();
    if (count > mostValues) throw this.#broken(`it claims ${count} values`);
    for (let i = 0; i < count; i++) {
      const name = this.#take(this.#uint64()).toString('utf8');
      const type = this.#uint32();
      if (name === key) return type === stringType && this.#uint64() > 0;
      this.#skip(type);
    }
    return false;
  }

  #skip(type: number): void {
    const width = widths[type];
    if (width !== undefined) this.#at += width;
    else if (type === stringType) this.#skipString();
    else if (type === arrayType) this.#skipArray();
    else throw this.#broken(`it has a value of the unknown type ${type}`);
  }

  #skipString(): void {
    const length = this.#uint64();
    this.#at += length;
  }

  #skipArray(): void {
    const type = this.#uint32();
    const count = this.#uint64();
    const width = widths[type];
    if (width !== undefined) this.#at += width * count;
    else for (let i = 0; i < count; i++) this.#skip(type);
  }

  #uint32(): number {
    return this.#take(4).readUInt32LE();
  }

  #uint64(): number {
    return Number(this.#take(8).readBigUInt64LE());
  }

  #take(length: number): Buffer {
    const inside = this.#at - this.#begin;
    if (inside >= 0 && inside + length <= this.#window.length) {
      this.#at += length;
      return this.#window.subarray(inside, inside + length);
    }
    if (length > windowBytes) throw this.#broken('it holds a name too long to be one');
    this.#window = Buffer.alloc(windowBytes);
    const read = this.#at <= Number.MAX_SAFE_INTEGER ? readSync(this.#file, this.#window, 0, windowBytes, this.#at) : 0;
    this.#window = this.#window.subarray(0, read);
    this.#begin = this.#at;
    if (read < length) throw this.#broken('it ends inside its header');
    this.#at += length;
    return this.#window.subarray(0, length);
  }

  #broken(reason: string): SteerError {
    return new SteerError('invalid_model', `${this.#path} is no whole GGUF file: ${reason}.`);
  }
}
