// Decoding beside a cache against the slow, obvious way: the whole sequence read anew for every token.
import { describe, expect, it } from 'vitest';
import { type Band, Bands } from '../../../src/engine/onnx/bands.ts';
import { LaneSizes } from '../../../src/engine/onnx/cache.ts';
import { type Decoder, openDecoder } from '../../../src/engine/onnx/decoder.ts';
import { PrefixCache } from '../../../src/engine/prefix-cache.ts';
import { PromptRead } from '../../../src/engine/prompt-read.ts';
import { forwardTrunk, logits, plainNetwork, rowPositions } from '../../../src/model/forward.ts';
import { precisions } from '../../../src/model/loaded-network.ts';
import { parameterShapes } from '../../../src/model/shape.ts';
import type { Model } from '../../../src/model/whole-model.ts';
import { int64 } from '../../../src/tensor/int64.ts';
import { emitOnnx } from '../../../src/tensor/onnx.ts';
import { constant, input } from '../../../src/tensor/primitives.ts';
import { Session } from '../../../src/tensor/session.ts';
import { packedBias } from '../../../src/training/objective.ts';
import { readGolden } from '../models.ts';

const T = 140;

/** Scores after every token of a sequence of at most T, (T, V); what lies behind the sequence cannot be seen from it. */
async function openWhole({ shape, values }: Pick<Model, 'shape' | 'values'>) {
  const nodes = new Map([...parameterShapes(shape)].map(([name, dims]) => [name, constant(values.get(name)!, dims)]));
  const network = plainNetwork((name) => nodes.get(name)!, shape);
  const bias = packedBias(input('segments', 'int64', [1, T]));
  const trunk = forwardTrunk(shape, network, { ids: input('ids', 'int64', [1, T]), positions: rowPositions(1, T), bias });
  const session = await Session.open(emitOnnx({ logits: logits(shape, network, trunk.hidden) }), { threads: 1 });
  return {
    async read(ids: readonly number[]): Promise<Float32Array> {
      const padded = Array.from({ length: T }, (_, i) => ids[i] ?? 0);
      const answer = await session.run({ ids: int64(padded, [1, T]), segments: int64(padded.fill(0), [1, T]) });
      return answer.logits!.data as Float32Array;
    },
    dispose: () => session.dispose(),
  };
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

const argmax = (row: Float32Array): number => row.indexOf(Math.max(...row));

const reading = (decoder: Decoder, ids: readonly number[]): PromptRead =>
  new PromptRead(ids, decoder.shape, new LaneSizes(decoder.shape, 0), new PrefixCache(0));

/** Scores after the last token, and the lane that holds them all. */
async function readInChunks(decoder: Decoder, ids: readonly number[], chunk: number): Promise<PromptRead> {
  const read = reading(decoder, ids);
  while (!read.scores) await read.advance(decoder, Math.min(chunk, read.needed - read.computed));
  return read;
}

describe.each(['gqa', 'qwen3', 'qwen2', 'tied-llama3-rope', 'mistral', 'gemma3', 'granite', 'smollm3'])('%s', (name) => {
  it('continues greedily as if the whole sequence were read for every token, over three sizes of lane', async () => {
    const model = await readGolden(name);
    const V = model.shape.vocabSize;
    const whole = await openWhole(model);
    const decoder = await openDecoder(model, { threads: 1, precision: 'fp32' });
    const bands = new Bands(model.shape, new LaneSizes(model.shape, 0));
    const ids = [5, 17, 3];
    const read = await readInChunks(decoder, ids, 3);
    const sequence = { slot: undefined, computed: ids.length };
    bands.hold(sequence, read.lanes, 0);
    const slots = new Set<number>();
    for (let found = read.scores!; ids.length < T; ) {
      const expected = (await whole.read(ids)).subarray((ids.length - 1) * V, ids.length * V);
      expect(largestDifference(found, expected), `scores after ${ids.length} tokens`).toBeLessThan(2e-5);
      expect(argmax(found), `token ${ids.length}`).toBe(argmax(expected));
      ids.push(argmax(found));
      const [band] = bands.used;
      slots.add(band!.lanes.slots);
      const step = await decoder.run({ ids: ids.slice(-1), computed: [sequence.computed], lanes: band!.lanes, firstLane: 0 });
      bands.append(sequence, step.rows, 0);
      found = step.scores;
    }
    expect([...slots]).toEqual([64, 128, 256]);
    await decoder.dispose();
    await whole.dispose();
  });

  it.each(precisions)('in %s reads a prompt in chunks of any size alike', async (precision) => {
    const model = await readGolden(name);
    const decoder = await openDecoder(model, { threads: 1, precision });
    // Where activations are rounded to 8 bits, a last digit may tip one of them over to the next step.
    const tolerance = precision === 'fp32' ? 1e-5 : 3e-2;
    const ids = Array.from({ length: 133 }, (_, i) => (i * i * 7 + 3) % model.shape.vocabSize);
    const expected = await readInChunks(decoder, ids, 133);
    expect(expected.computed).toBe(133);
    for (const chunk of [1, 5, 64, 128]) {
      const { scores } = await readInChunks(decoder, ids, chunk);
      expect(largestDifference(scores!, expected.scores!), `chunks of ${chunk}`).toBeLessThan(tolerance);
    }
    await decoder.dispose();
  });

  // On processors without wide registers the runtime's own 4-bit product sums one row in another order than several: its last digit may differ.
  const rounding = 2e-6;
  it.each(precisions)('in %s gives a lane the very same scores whatever lies beside it', async (precision) => {
    const model = await readGolden(name);
    const decoder = await openDecoder(model, { threads: 2, precision });
    const bands = new Bands(model.shape, new LaneSizes(model.shape, 0));
    const prompts = Array.from({ length: 7 }, (_, i) => Array.from({ length: 3 + 5 * i }, (_, j) => (i * 31 + j * 7) % 60));
    for (const prompt of prompts) {
      bands.hold({ slot: undefined, computed: prompt.length }, (await readInChunks(decoder, prompt, 64)).lanes, 0);
    }
    const [{ lanes }] = bands.used as [Band];
    const computed = prompts.map(({ length }) => length);
    const together = await decoder.run({ ids: computed, computed, lanes, firstLane: 0 });
    for (const [lane, length] of computed.entries()) {
      const alone = await decoder.run({ ids: [length], computed: [length], lanes, firstLane: lane });
      const [V, size] = [alone.scores.length, alone.rows.length];
      const beside = {
        scores: together.scores.slice(lane * V, (lane + 1) * V),
        rows: together.rows.slice(lane * size, (lane + 1) * size),
      };
      if (precision !== 'int4') expect({ scores: alone.scores, rows: alone.rows }).toEqual(beside);
      expect(largestDifference(alone.scores, beside.scores)).toBeLessThan(rounding);
      expect(largestDifference(alone.rows, beside.rows)).toBeLessThan(rounding);
    }
    await decoder.dispose();
  });
});
