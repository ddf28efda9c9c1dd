// The tensors of a GGUF file as those of a model in Hugging Face's layout: by its names, in float32, in its order of rows. A part is read from the
// blocks it lies in, a few at a time.
import { open } from 'node:fs/promises';
import { emptyFours, type FourBitRows, fourBitBlock } from '../four-bits.ts';
import { headDimOf } from './gguf-config.ts';
import { familyOf, type GgufFamily, huggingFaceName, isPaired, pairedRow } from './gguf-families.ts';
import { takeFours } from './gguf-fours.ts';
import { type GgufHeader, readBytes, type StoredTensor, withFile } from './gguf-header.ts';
import { type OpenFile, unreadable } from './json-file.ts';
import type { Part, TensorFile } from './safetensors.ts';

/** Divisors of the rotary frequencies: part of the shape here, no parameter. */
const stretches = 'rope_freqs.weight';
/** Numbers unpacked at a time, a multiple of every block. */
const together = 2 ** 18;

/** Opens the tensors. Throws invalid_model for an architecture that is not read. */
export async function openGgufTensors(header: GgufHeader): Promise<TensorFile> {
  const { path } = header;
  const family = familyOf(path, header.values.get('general.architecture'));
  const headDim = family.pairedRows ? headDimOf(header) : 0;
  const tensors = new Map([...header.tensors].map(([name, tensor]) => [huggingFaceName(name, family), tensor]));
  tensors.delete(stretches);
  const file = await open(path, 'r').catch((cause) => {
    throw unreadable(path, cause);
  });
  return {
    shapes: new Map([...tensors].map(([name, { shape }]) => [name, shape])),
    async read(name, part) {
      const tensor = tensors.get(name)!;
      const wanted = part ?? { start: 0, end: tensor.shape.reduce((product, length) => product * length, 1) };
      const source = { file, path, tensor };
      const numbers = isPaired(name, family) ? await readUnpaired(source, wanted, headDim) : await readNumbers(source, wanted);
      return withoutShift(numbers, name, family);
    },
    bits: (name) => Number(/\d+/.exec(tensors.get(name)!.type.name)?.[0]),
    async readFours(name, part) {
      const source = { file, path, tensor: tensors.get(name)! };
      return isPaired(name, family) ? await readUnpairedFours(source, part, headDim) : await readStoredFours(source, part);
    },
    close: () => file.close(),
  };
}

/** What the frequencies of a header's model are divided by; undefined where nothing is. */
export async function readStretches({ path, tensors }: GgufHeader): Promise<Float32Array | undefined> {
  const tensor = tensors.get(stretches);
  if (!tensor) return;
  return await withFile(path, (file) => readNumbers({ file, path, tensor }, { start: 0, end: tensor.shape[0]! }));
}

interface Source {
  file: OpenFile;
  path: string;
  tensor: StoredTensor;
}

/** Numbers start … end-1 as the file has them. */
async function readNumbers({ file, path, tensor }: Source, { start, end }: Part): Promise<Float32Array> {
  const { numbers, bytes, unpack } = tensor.type;
  const from = Math.floor(start / numbers) * numbers;
  const into = new Float32Array(Math.ceil(end / numbers) * numbers - from);
  const byteAt = (at: number) => tensor.start + ((from + at) / numbers) * bytes;
  for (let at = 0; at < into.length; at += together) {
    const next = Math.min(into.length, at + together);
    unpack(await readBytes(file, path, byteAt(at), byteAt(next)), into.subarray(at, next));
  }
  return into.length === end - start ? into : into.slice(start - from, end - from);
}

/** Numbers of a matrix whose rows lie in rotary pairs, in Hugging Face's order: by whole heads, within which rows change places. */
async function readUnpaired(source: Source, { start, end }: Part, headDim: number): Promise<Float32Array> {
  const columns = source.tensor.shape.at(-1)!;
  const head = headDim * columns;
  const from = Math.floor(start / head) * head;
  const paired = await readNumbers(source, { start: from, end: Math.ceil(end / head) * head });
  const rows = new Float32Array(paired.length);
  for (let row = 0; row < rows.length / columns; row++) {
    const at = pairedRow(row, headDim) * columns;
    rows.set(paired.subarray(at, at + columns), row * columns);
  }
  return rows.length === end - start ? rows : rows.slice(start - from, end - from);
}

/** Whole rows of a tensor of 4 bits, block by block as the file has them. */
async function readStoredFours({ file, path, tensor }: Source, { start, end }: Part): Promise<FourBitRows> {
  const { numbers, bytes, name } = tensor.type;
  const byteAt = (at: number) => tensor.start + (at / numbers) * bytes;
  return takeFours(name, await readBytes(file, path, byteAt(start), byteAt(end)), end - start);
}

/** The same of a matrix whose rows lie in rotary pairs. */
async function readUnpairedFours(source: Source, { start, end }: Part, headDim: number): Promise<FourBitRows> {
  const columns = source.tensor.shape.at(-1)!;
  const head = headDim * columns;
  const from = Math.floor(start / head) * head;
  const paired = await readStoredFours(source, { start: from, end: Math.ceil(end / head) * head });
  const blocks = columns / fourBitBlock;
  const rows = emptyFours((end - start) / fourBitBlock);
  for (let row = 0; row < (end - start) / columns; row++) {
    const at = pairedRow((start - from) / columns + row, headDim);
    for (const kind of ['codes', 'scales', 'bases'] as const) {
      const each = (paired[kind].length / paired.scales.length) * blocks;
      rows[kind].set(paired[kind].subarray(at * each, (at + 1) * each), row * each);
    }
  }
  return rows;
}

function withoutShift(numbers: Float32Array, name: string, { normShift = 0 }: GgufFamily): Float32Array {
  return normShift !== 0 && name.endsWith('norm.weight') ? numbers.map((weight) => weight - normShift) : numbers;
}
