// A model written as a GGUF file whose matrices are in blocks of the types a test asks for.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { families, ggufName, isPaired, pairedRow } from '../../../src/model/formats/gguf-families.ts';
import { toFloat16 } from '../../../src/model/formats/half-floats.ts';
import { fitFours } from '../../../src/model/four-bits.ts';
import { type LlamaShape, parameterShapes } from '../../../src/model/shape.ts';
import { ggufFile, list, text, uint32 } from '../../model/formats/gguf-file.ts';
import { llama } from '../../model/formats/small-gguf.ts';

export type BlockName = 'Q4_1' | 'Q8_0';
const types = { Q4_1: 3, Q8_0: 8 };

/** Writes the model into the folder; matrices have the type `typeOf` answers for GGUF's name of them. */
export async function writeGguf(
  folder: string,
  shape: LlamaShape,
  values: ReadonlyMap<string, Float32Array>,
  typeOf: (name: string) => BlockName,
): Promise<void> {
  const { vocabSize, hiddenSize, layers, intermediateSize, heads, kvHeads, contextLength, headDim } = shape;
  const header = llama({
    'llama.context_length': uint32(contextLength),
    'llama.embedding_length': uint32(hiddenSize),
    'llama.block_count': uint32(layers),
    'llama.feed_forward_length': uint32(intermediateSize),
    'llama.attention.head_count': uint32(heads),
    'llama.attention.head_count_kv': uint32(kvHeads),
    'tokenizer.ggml.tokens': list(Array.from({ length: vocabSize }, (_, id) => text(`t${id}`))),
    'tokenizer.ggml.token_type': list(Array.from({ length: vocabSize }, () => uint32(1))),
    'tokenizer.ggml.merges': undefined,
  });
  const tensors = [...parameterShapes(shape)].map(([name, dims]) => {
    const given = ggufName(name, families.llama!)!;
    const data = isPaired(name, families.llama!) ? inPairs(values.get(name)!, dims[1]!, headDim) : values.get(name)!;
    if (dims.length === 1) return { name: given, shape: dims, data: new Uint8Array(data.slice().buffer) };
    const type = typeOf(given);
    return { name: given, shape: dims, type: types[type], data: type === 'Q4_1' ? fours(data) : eights(data) };
  });
  await writeFile(join(folder, 'model.gguf'), ggufFile(header, tensors));
}

function inPairs(values: Float32Array, columns: number, headDim: number): Float32Array {
  const paired = new Float32Array(values.length);
  for (let row = 0; row < values.length / columns; row++) {
    paired.set(values.subarray(row * columns, (row + 1) * columns), pairedRow(row, headDim) * columns);
  }
  return paired;
}

function fours(values: Float32Array): Buffer {
  const { codes, scales, bases } = fitFours(values);
  const [scale, base] = [scales, bases].map((numbers) => Buffer.from(toFloat16(numbers).buffer)) as [Buffer, Buffer];
  const blocks = Array.from(scales, (_, block) => [
    scale.subarray(2 * block, 2 * block + 2),
    base.subarray(2 * block, 2 * block + 2),
    codes.subarray(16 * block, 16 * block + 16),
  ]);
  return Buffer.concat(blocks.flat());
}

function eights(values: Float32Array): Buffer {
  const blocks = Array.from({ length: values.length / 32 }, (_, block) => {
    const own = values.subarray(32 * block, 32 * block + 32);
    const scale = Math.max(...own.map(Math.abs)) / 127;
    const half = Buffer.from(toFloat16(Float32Array.of(scale)).buffer);
    return [half, Buffer.from(Int8Array.from(own, (value) => Math.round(value / scale)).buffer)];
  });
  return Buffer.concat(blocks.flat());
}
