// A model's packed weights, kept in a file: what the kernels read, byte for byte, so that a model that was loaded once is there at once. A copy is named
// by what it was made of and how, is checked whenever it is read, and is made anew where it does not hold. Without it a model loads as the first time.
import { createHash } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { makePrivateFolder, privateFile } from '../../private-files.ts';

/** Where copies are kept, and most bytes of all of them. */
export interface PackedFolder {
  folder: string;
  mostBytes: number;
}

/** Raised with every change of how weights lie in memory, or are rounded. */
const layoutVersion = 3;
const suffix = '.packed';
/** The head of a file: its key and the checksum of what follows. */
const headBytes = 64;
/** Read and checked while the next one is read: so much stays in a processor's cache. A multiple of what the checksum takes at a time. */
const pieceBytes = 2 ** 22;

export class PackedCopy {
  readonly #place: PackedFolder;
  readonly #key: Buffer;
  readonly #told: (note: string) => void;

  /** `made` is all that the packed weights follow from; `told` hears in a line why a copy was not read or could not be kept. */
  constructor(place: PackedFolder, made: unknown, told: (note: string) => void) {
    this.#place = place;
    this.#key = createHash('sha256')
      .update(JSON.stringify([layoutVersion, made]))
      .digest();
    this.#told = told;
  }

  get path(): string {
    return join(this.#place.folder, `${this.#key.toString('hex').slice(0, 32)}${suffix}`);
  }

  /** Fills `into` from the copy; false where there is none that holds. */
  async read(into: Uint8Array): Promise<boolean> {
    const file = await open(this.path, 'r').catch(() => undefined);
    if (!file) return false;
    try {
      const fault = await this.#readFrom(file, into);
      if (fault === undefined) {
        // So that those used least are known.
        await utimes(this.path, new Date(), new Date()).catch(() => {});
        return true;
      }
      this.#told(`The packed copy ${this.path} ${fault}: it is made anew.`);
    } catch (cause) {
      this.#told(`The packed copy ${this.path} cannot be read (${(cause as Error).message}): it is made anew.`);
    } finally {
      await file.close();
    }
    into.fill(0);
    return false;
  }

  async #readFrom(file: FileHandle, into: Uint8Array): Promise<string | undefined> {
    const { size } = await file.stat();
    if (size !== headBytes + into.length) return `has ${size} bytes instead of ${headBytes + into.length}`;
    const head = Buffer.alloc(headBytes);
    await file.read(head, 0, headBytes, 0);
    if (!head.subarray(0, 32).equals(this.#key)) return 'is of another model';
    const found = new Checksum();
    let reading = readPiece(file, into, 0);
    for (let at = 0; at < into.length; at += pieceBytes) {
      const piece = await reading;
      if (!piece) return 'ends early';
      reading = readPiece(file, into, at + pieceBytes);
      found.update(piece);
    }
    return head.subarray(32).equals(found.digest()) ? undefined : 'is damaged';
  }

  /** Keeps a copy, whole or not at all, and drops those unused for longest where they are too many. */
  async write(bytes: Uint8Array): Promise<void> {
    const { folder, mostBytes } = this.#place;
    if (headBytes + bytes.length > mostBytes) return;
    const partial = join(folder, `.${process.pid}-${performance.now().toString(36)}${suffix}`);
    try {
      makePrivateFolder(folder);
      await makeRoom(folder, mostBytes - headBytes - bytes.length);
      const file = await open(partial, 'wx', privateFile);
      try {
        await file.write(Buffer.concat([this.#key, new Checksum().update(bytes).digest()], headBytes), 0, headBytes, 0);
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await file.write(bytes, at, Math.min(pieceBytes, bytes.length - at), headBytes + at);
          at += bytesWritten;
        }
      } finally {
        await file.close();
      }
      await rename(partial, this.path);
    } catch (cause) {
      await rm(partial, { force: true }).catch(() => {});
      this.#told(`No packed copy is kept in ${folder} (${(cause as Error).message}): the model loads slowly next time too.`);
    }
  }
}

/** Drops copies, and what others left half written, until the rest takes at most `mostBytes`. */
async function makeRoom(folder: string, mostBytes: number): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(suffix));
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      const found = await stat(path).catch(() => undefined);
      return { path, bytes: found?.size ?? 0, usedMs: found?.mtimeMs ?? 0 };
    }),
  );
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  for (const file of files.sort((a, b) => a.usedMs - b.usedMs)) {
    if (bytes <= mostBytes) return;
    await rm(file.path, { force: true });
    bytes -= file.bytes;
  }
}

/** A piece of the file where it comes to lie; undefined where the file ends before. */
async function readPiece(file: FileHandle, into: Uint8Array, start: number): Promise<Uint8Array | undefined> {
  const end = Math.min(start + pieceBytes, into.length);
  for (let at = start; at < end; ) {
    const { bytesRead } = await file.read(into, at, end - at, headBytes + at);
    if (bytesRead === 0) return undefined;
    at += bytesRead;
  }
  return into.subarray(start, end);
}

/** 32 bytes that any change of a word changes; not for those who mean to deceive, who could as well change the model. */
class Checksum {
  #words = [1, 2, 3, 4];
  readonly #rest = createHash('sha256');

  /** Every piece but the last is a multiple of 16 bytes long. */
  update(bytes: Uint8Array): this {
    const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    let [a, b, c, d] = this.#words as [number, number, number, number];
    const fours = words.length & ~3;
    for (let i = 0; i < fours; i += 4) {
      a = Math.imul(a ^ words[i]!, 0x01000193);
      b = Math.imul(b ^ words[i + 1]!, 0x01000193);
      c = Math.imul(c ^ words[i + 2]!, 0x01000193);
      d = Math.imul(d ^ words[i + 3]!, 0x01000193);
    }
    this.#words = [a, b, c, d];
    this.#rest.update(bytes.slice(4 * fours));
    return this;
  }

  digest(): Buffer {
    return this.#rest.update(new Int32Array(this.#words)).digest();
  }
}
