// Where nobody says, weights are computed in the bits their file has them in.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { precisionOf } from '../../src/model/precision.ts';
import type { LlamaShape } from '../../src/model/shape.ts';
import { writeGguf } from '../engine/kernel/gguf-model.ts';
import { tinyShape } from './tiny-shape.ts';

const shape: LlamaShape = { ...tinyShape, hiddenSize: 32, intermediateSize: 64, headDim: 8 };
const values = new Map(initialWeights(shape, 1));

it.each([
  ['int4', /./],
  // The embedding is often wider; it does not count.
  ['int4', /blk/],
  ['int8', /attn/],
  ['int8', /nothing/],
] as const)('%s where 4 bits hold %s', async (expected, inFour) => {
  const folder = await mkdtemp(join(tmpdir(), 'precision-'));
  await writeGguf(folder, shape, values, (name) => (inFour.test(name) ? 'Q4_1' : 'Q8_0'));
  expect(await precisionOf('auto', folder)).toBe(expected);
  expect(await precisionOf('fp32', folder)).toBe('fp32');
  await rm(folder, { recursive: true });
});

it('int8 where numbers are stored', async () => {
  expect(await precisionOf('auto', 'models/npc')).toBe('int8');
});
