// Where the constants of a graph lie until the runtime has them: small models in memory, in the graph itself; large ones in a temporary file that the
// runtime maps, since a graph's bytes have a limit of 2 GB and would hold every weight several times over.
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SteerError } from '../errors.ts';
import { privateFile } from '../private-files.ts';
import type { Node } from '../tensor/graph.ts';
import { constant, stored } from '../tensor/primitives.ts';
import type { OpenFile } from './formats/json-file.ts';

/** A constant that is written piece by piece. */
export interface Place {
  write(piece: Float32Array | Uint8Array): Promise<void>;
  /** The constant as a node; further nodes, in whatever shape, have the same values. */
  node(shape?: readonly number[]): Node;
}

export interface Constants {
  /** Where the session finds what is not in the graph. */
  readonly folder?: string;
  place(type: 'float32' | 'uint8', shape: readonly number[]): Place;
  /** Everything is written. */
  finish(): Promise<void>;
  /** To be called when the session is open, and again when it is closed: not every system lets go of a mapped file before. */
  dispose(): Promise<void>;
}

const elementBytes = { float32: 4, uint8: 1 };
const fileName = 'weights';
/** Each constant starts at a multiple of this. */
const alignment = 64;

function size(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

export function constantsInMemory(): Constants {
  return {
    place(type, shape) {
      const data = type === 'float32' ? new Float32Array(size(shape)) : new Uint8Array(size(shape));
      let at = 0;
      return {
        async write(piece) {
          data.set(piece, at);
          at += piece.length;
        },
        node: (as = shape) => constant(data, as),
      };
    },
    finish: async () => {},
    dispose: async () => {},
  };
}

/** Room for so many bytes among the temporary files. Throws invalid_config where there is none. */
export async function constantsInFile(bytes: number): Promise<Constants> {
  const folder = await mkdtemp(join(tmpdir(), 'steer-weights-')).catch((cause) => {
    throw noRoom(bytes, cause);
  });
  const file = await open(join(folder, fileName), 'w', privateFile);
  let end = 0;
  return {
    folder,
    place(type, shape) {
      const offset = end;
      end += Math.ceil((size(shape) * elementBytes[type]) / alignment) * alignment;
      let at = offset;
      return {
        async write(piece) {
          await writeAt(file, piece, at).catch((cause) => {
            throw noRoom(bytes, cause);
          });
          at += piece.byteLength;
        },
        node: (as = shape) => stored(type, as, { file: fileName, offset }),
      };
    },
    finish: () => file.close(),
    async dispose() {
      await file.close().catch(() => {});
      await rm(folder, { recursive: true, force: true }).catch(() => {});
    },
  };
}

async function writeAt(file: OpenFile, piece: Float32Array | Uint8Array, position: number): Promise<void> {
  const raw = new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength);
  for (let done = 0; done < raw.length; ) {
    done += (await file.write(raw, done, raw.length - done, position + done)).bytesWritten;
  }
}

function noRoom(bytes: number, cause: unknown): SteerError {
  const found = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
  return new SteerError(
    'invalid_config',
    `Expected room for ${Math.ceil(bytes / 2 ** 20)} MiB of weights in ${tmpdir()} while the model opens, found ${found}. ` +
      'Point TMPDIR to a folder with room on a disk.',
    { cause },
  );
}
