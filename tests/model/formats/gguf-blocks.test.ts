// Blocks of every type, made and unpacked by the Python package gguf (tests/golden/make_gguf_golden.py), to the last bit.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { blockTypes } from '../../../src/model/formats/gguf-blocks.ts';
import { readGgufHeader } from '../../../src/model/formats/gguf-header.ts';
import { openGgufTensors } from '../../../src/model/formats/gguf-tensors.ts';
import { ggufFile, text } from './gguf-file.ts';

interface Golden {
  type: number;
  blocks: string;
  values: string;
}
const path = fileURLToPath(new URL('../../golden/gguf-blocks.json', import.meta.url));
const golden: Record<string, Golden> = JSON.parse(readFileSync(path, 'utf8'));
const folder = await mkdtemp(join(tmpdir(), 'gguf-blocks-'));
afterAll(() => rm(folder, { recursive: true }));

test('every type that is read is held to what gguf makes of it', () => {
  const read = [...blockTypes].map(([type, { name }]) => [name, type]);
  expect(Object.fromEntries(read)).toEqual(Object.fromEntries(Object.entries(golden).map(([name, { type }]) => [name, type])));
});

test.each(Object.entries(golden))('%s, whole and in parts that begin anywhere', async (name, { type, blocks, values }) => {
  const data = Buffer.from(blocks, 'base64');
  const expected = new Float32Array(new Uint8Array(Buffer.from(values, 'base64')).buffer);
  const file = join(folder, `${name}.gguf`);
  const tensor = { name: 'token_embd.weight', shape: [expected.length], type, data };
  await writeFile(file, ggufFile([['general.architecture', text('qwen2')]], [tensor]));
  const tensors = await openGgufTensors(await readGgufHeader(file));
  const read = (start: number, end: number) => tensors.read('model.embed_tokens.weight', { start, end });
  expect(await tensors.read('model.embed_tokens.weight')).toEqual(expected);
  for (const [start, end] of [
    [0, 1] as const,
    [3, expected.length - 5] as const,
    [expected.length - 1, expected.length] as const,
  ]) {
    expect(await read(start, end)).toEqual(expected.slice(start, end));
  }
  await tensors.close();
});
