// Decoding beside a cache against the slow, obvious way: the whole sequence read anew for every token.
import { describe, expect, it } from 'vitest';
import { KeyValueCache } from '../../src/generation/cache.ts';
import { type Decoder, openDecoder } from '../../src/generation/decoder.ts';
import { int64 } from '../../src/llama/batches.ts';
import { forwardTrunk, logits, plainNetwork } from '../../src/llama/forward.ts';
import type { Model } from '../../src/llama/model.ts';
import { packedBias, rowPositions } from '../../src/llama/objective.ts';
import { parameterShapes } from '../../src/llama/shape.ts';
import { emitOnnx } from '../../src/tensor/onnx.ts';
import { constant, input } from '../../src/tensor/primitives.ts';
import { Session } from '../../src/tensor/session.ts';
import { readGolden } from './models.ts';

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

async function readInChunks(decoder: Decoder, ids: readonly number[], chunk: number): Promise<[Float32Array, KeyValueCache]> {
  const cache = new KeyValueCache(decoder.shape);
  let last = new Float32Array(0) as Float32Array;
  for (let start = 0; start < ids.length; start += chunk) last = await decoder.run(ids.slice(start, start + chunk), cache);
  return [last, cache];
}

describe.each(['gqa', 'qwen3', 'qwen2', 'tied-llama3-rope', 'mistral'])('%s', (name) => {
  it('continues greedily as if the whole sequence were read for every token, over three slot sizes', async () => {
    const model = await readGolden(name);
    const V = model.shape.vocabSize;
    const whole = await openWhole(model);
    const decoder = await openDecoder(model, 1);
    const ids = [5, 17, 3];
    let [found, cache] = await readInChunks(decoder, ids, 3);
    const slots = new Set<number>();
    while (ids.length < T) {
      const expected = (await whole.read(ids)).subarray((ids.length - 1) * V, ids.length * V);
      expect(largestDifference(found, expected), `logits after ${ids.length} tokens`).toBeLessThan(2e-5);
      expect(argmax(found), `token ${ids.length}`).toBe(argmax(expected));
      ids.push(argmax(found));
      slots.add(cache.slots);
      found = await decoder.run([ids.at(-1)!], cache);
    }
    expect([...slots]).toEqual([64, 128, 256]);
    await decoder.dispose();
    await whole.dispose();
  });

  it('reads a prompt in chunks of any size alike', async () => {
    const model = await readGolden(name);
    const decoder = await openDecoder(model, 1);
    const ids = Array.from({ length: 133 }, (_, i) => (i * i * 7 + 3) % model.shape.vocabSize);
    const [expected, at] = await readInChunks(decoder, ids, 133);
    expect(at.length).toBe(133);
    for (const chunk of [1, 5, 64, 128]) {
      const [found] = await readInChunks(decoder, ids, chunk);
      expect(largestDifference(found, expected), `chunks of ${chunk}`).toBeLessThan(1e-5);
    }
    await decoder.dispose();
  });
});

it('a copied cache goes its own way', async () => {
  const decoder = await openDecoder(await readGolden('gqa'), 1);
  const [, cache] = await readInChunks(decoder, [1, 2, 3, 4], 4);
  const twin = cache.copy();
  await decoder.run([9, 9, 9], twin);
  expect([cache.length, twin.length]).toEqual([4, 7]);
  const [alone] = await readInChunks(decoder, [1, 2, 3, 4, 5], 5);
  expect(largestDifference(await decoder.run([5], cache), alone)).toBeLessThan(1e-5);
  await decoder.dispose();
});

it('a cache never has more slots than the context, and refuses what does not fit', () => {
  const rows = (count: number) => [new Float32Array(count)];
  const cache = new KeyValueCache({ layers: 1, kvHeads: 1, headDim: 1, contextLength: 100 });
  cache.append(rows(64), rows(64), 64);
  expect(cache.slots).toBe(64);
  cache.append(rows(36), rows(36), 36);
  expect(cache.slots).toBe(100);
  expect(() => cache.append(rows(1), rows(1), 1)).toThrow('101 tokens do not fit a context of 100');
  expect(new KeyValueCache({ layers: 1, kvHeads: 1, headDim: 1, contextLength: 10 }).slots).toBe(10);
});
