// Blocks of 4 bits taken as they are stand for the numbers that are read from them, to the last bit; rows in rotary pairs come in Hugging Face's order.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { readGgufHeader } from '../../../src/model/formats/gguf-header.ts';
import { openGgufTensors } from '../../../src/model/formats/gguf-tensors.ts';
import { unpackFours } from '../../../src/model/four-bits.ts';
import { ggufFile, uint32 } from './gguf-file.ts';
import { llama } from './small-gguf.ts';

const path = fileURLToPath(new URL('../../golden/gguf-blocks.json', import.meta.url));
const golden: Record<string, { type: number; blocks: string; values: string }> = JSON.parse(readFileSync(path, 'utf8'));
const folder = await mkdtemp(join(tmpdir(), 'gguf-fours-'));
afterAll(() => rm(folder, { recursive: true }));

/** So that a zero has one sign. */
const plusZero = (value: number) => value + 0;

const columns = 256;
const [heads, headDim] = [2, 4];

test.each(['Q4_0', 'Q4_1', 'Q4_K'])('%s', async (name) => {
  const { type, blocks, values } = golden[name]!;
  const rows = heads * headDim;
  const [stored, numbers] = [Buffer.from(blocks, 'base64'), Buffer.from(values, 'base64').length / 4];
  const bytes = (columns / numbers) * stored.length;
  // Every row begins elsewhere in the blocks there are, and so is another.
  const blockBytes = stored.length / (numbers / (name === 'Q4_K' ? 256 : 32));
  const data = Buffer.concat(
    Array.from({ length: rows }, (_, row) => {
      const shifted = Buffer.concat([stored.subarray(((row * blockBytes) % stored.length) as number), stored]);
      return Buffer.concat(new Array<Buffer>(Math.ceil(bytes / shifted.length)).fill(shifted)).subarray(0, bytes);
    }),
  );
  const header = llama({ 'llama.embedding_length': uint32(heads * headDim), 'llama.attention.head_count': uint32(heads) });
  const tensors = ['attn_q', 'attn_v'].map((part) => ({ name: `blk.0.${part}.weight`, shape: [rows, columns], type, data }));
  const file = join(folder, `${name}.gguf`);
  await writeFile(file, ggufFile(header, tensors));
  const opened = await openGgufTensors(await readGgufHeader(file));
  for (const part of ['q', 'v']) {
    const tensor = `model.layers.0.self_attn.${part}_proj.weight`;
    expect(opened.bits!(tensor)).toBe(4);
    for (const [start, end] of [
      [0, rows],
      [1, 3],
      [3, 7],
    ] as const) {
      const place = { start: start * columns, end: end * columns };
      expect(unpackFours(await opened.readFours!(tensor, place))).toEqual((await opened.read(tensor, place)).map(plusZero));
    }
  }
  await opened.close();
});
