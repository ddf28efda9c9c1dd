// The kernels against the runtime in fp32 on the same weights, and against themselves: a row is the same bits whatever is computed beside it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KernelDecoder } from '../../../src/engine/kernel/decoder.ts';
import { Lanes } from '../../../src/engine/onnx/cache.ts';
import { openDecoder } from '../../../src/engine/onnx/decoder.ts';
import { fitFours, unpackFours } from '../../../src/model/four-bits.ts';
import { initialWeights } from '../../../src/model/initial-weights.ts';
import type { WeightSource } from '../../../src/model/loaded-network.ts';
import type { LlamaShape } from '../../../src/model/shape.ts';
import type { Model } from '../../../src/model/whole-model.ts';
import { tinyShape } from '../../model/tiny-shape.ts';
import { writeGguf } from './gguf-model.ts';
import { exactModel, kernelModels } from './models.ts';

const blocksFor = (decoder: KernelDecoder, tokens: number) =>
  Array.from({ length: Math.ceil(tokens / 16) }, () => decoder.newBlock());

/** Scores after each chunk of the ids. */
function readInChunks(decoder: KernelDecoder, ids: readonly number[], chunk: number, blocks: readonly number[]): Float32Array[] {
  const scores: Float32Array[] = [];
  for (let computed = 0; computed < ids.length; computed += chunk) {
    scores.push(decoder.read({ ids: ids.slice(computed, computed + chunk), computed, blocks }, true)!.slice());
  }
  return scores;
}

const idsOf = (length: number, from = 0) => Array.from({ length }, (_, i) => (from + i * i * 7 + 3 * i) % 60);
const open = (model: Pick<Model, 'shape' | 'values'>, threads = 1) => KernelDecoder.open(model, { threads, rows: 64 });

describe.each(kernelModels)('%s', (name) => {
  it('gives the scores of the runtime, but for the rounding of activations, keys and values', async () => {
    const model = await exactModel(name);
    const decoder = await open(model);
    const whole = await openDecoder(model, { threads: 1, precision: 'fp32' });
    const ids = idsOf(150);
    const found = readInChunks(decoder, ids, 15, blocksFor(decoder, ids.length));
    const lanes = new Lanes(model.shape, 256, 1);
    for (const [chunk, scores] of found.entries()) {
      const computed = chunk * 15;
      const expected = await whole.run({ ids: ids.slice(computed, computed + 15), computed: [computed], lanes, firstLane: 0 });
      lanes.write(0, computed, expected.rows, 0, 15);
      const spread = Math.max(...expected.scores) - Math.min(...expected.scores);
      const worst = scores.reduce((most, score, id) => Math.max(most, Math.abs(score - expected.scores[id]!)), 0);
      expect(worst / spread, `after ${computed + 15} tokens`).toBeLessThan(0.02);
    }
    await decoder.dispose();
    await whole.dispose();
  });

  it('reads a prompt in chunks of any size to the very same scores, on any number of threads', async () => {
    const model = await exactModel(name);
    const ids = idsOf(64, 5);
    const answers: Float32Array[] = [];
    for (const threads of [1, 2, 3]) {
      const decoder = await open(model, threads);
      const chunks = threads === 1 ? [64, 1, 5, 32] : [64];
      for (const chunk of chunks) answers.push(readInChunks(decoder, ids, chunk, blocksFor(decoder, ids.length)).at(-1)!);
      await decoder.dispose();
    }
    expect(answers[0]!.every(Number.isFinite)).toBe(true);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('gives a sequence the very same scores whatever others are read beside it', async () => {
    const decoder = await open(await exactModel(name), 2);
    const prompts = Array.from({ length: 11 }, (_, i) => idsOf(1 + 6 * i, i));
    const inputs = prompts.map((prompt, i) => {
      const blocks = blocksFor(decoder, prompt.length + 1);
      decoder.read({ ids: prompt, computed: 0, blocks }, false);
      return { ids: [i + 1], computed: prompt.length, blocks };
    });
    const alone = inputs.map((input) => decoder.step([input])[0]!.slice());
    for (const size of [2, 3, 5, 11]) {
      const together = decoder.step(inputs.slice(0, size));
      for (const [i, scores] of together.entries()) expect(scores.slice(), `${i} of ${size}`).toEqual(alone[i]);
    }
    await decoder.dispose();
  });
});

// Node 20 has products in fours wrong, and is never asked for them: there both are in pairs.
const inFours = Number(process.versions.node.split('.')[0]) >= 24;

it.each(['gqa', 'mistral', 'normed', 'windowed', 'gemma3', 'parts'])(
  'gives the very same scores in fours as in pairs: %s',
  async (name) => {
    const sizes = { hiddenSize: 64, intermediateSize: 96, heads: 6, headDim: 64, vocabSize: 67, contextLength: 256 };
    const shape: LlamaShape = { ...tinyShape, ...sizes };
    const model = name === 'parts' ? { shape, values: new Map(initialWeights(shape, 8)) } : await exactModel(name as 'gqa');
    const ids = idsOf(100, 11);
    const [pairs, fours] = await Promise.all(
      [false, inFours].map(async (way) => {
        const decoder = await KernelDecoder.open(model, { threads: 1, rows: 64, inFours: way });
        const blocks = blocksFor(decoder, ids.length + 1);
        const scores = readInChunks(decoder, ids, 33, blocks);
        scores.push(decoder.step([{ ids: [9], computed: ids.length, blocks }])[0]!.slice());
        await decoder.dispose();
        return scores;
      }),
    );
    expect(pairs!.every((scores) => scores.every(Number.isFinite))).toBe(true);
    expect(fours).toEqual(pairs);
  },
);

it('keeps what is no number to the sequence it is in, and nothing of it in a block that is used again', async () => {
  const model = await exactModel('gqa');
  const values = new Map(model.values);
  const table = values.get('model.embed_tokens.weight')!.slice();
  table[7 * model.shape.hiddenSize + 3] = Number.NaN;
  table[8 * model.shape.hiddenSize + 3] = Number.POSITIVE_INFINITY;
  const decoder = await open({ ...model, values: values.set('model.embed_tokens.weight', table) });
  const [first, second, third] = [0, 1, 2].map(() => blocksFor(decoder, 40)) as [number[], number[], number[]];
  const sound = readInChunks(
    decoder,
    idsOf(30).map((id) => id % 7),
    10,
    first,
  );
  const inputs = [7, 1, 8].map((id, i) => ({ ids: [id], computed: 0, blocks: [first, second, third][i]! }));
  const [broken, beside, infinite] = decoder.step(inputs).map((scores) => scores.slice()) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  expect(broken.every(Number.isNaN)).toBe(true);
  expect(infinite.every(Number.isNaN)).toBe(true);
  expect(beside).toEqual(decoder.step([{ ids: [1], computed: 0, blocks: second }])[0]!.slice());
  const after = decoder.step([{ ids: [2], computed: 1, blocks: first }])[0]!;
  expect(after.every(Number.isNaN)).toBe(true);
  for (const blocks of [first, third]) {
    for (const block of blocks) decoder.clearBlock(block);
    expect(
      readInChunks(
        decoder,
        idsOf(30).map((id) => id % 7),
        10,
        blocks,
      ),
    ).toEqual(sound);
  }
  await decoder.dispose();
});

describe('in 4 bits', () => {
  const sizes = {
    hiddenSize: 64,
    intermediateSize: 96,
    heads: 4,
    kvHeads: 2,
    headDim: 16,
    layers: 2,
    vocabSize: 67,
    contextLength: 64,
  };
  const shape: LlamaShape = { ...tinyShape, ...sizes, tiedEmbeddings: true };
  const values = new Map(initialWeights(shape, 3));
  const layers = (name: string) => /layers.*proj\.weight$/.test(name);
  const ids = idsOf(40);

  /** Largest difference of scores from those of the runtime in fp32, as a share of their spread. */
  async function worst(decoder: KernelDecoder, source: WeightSource): Promise<number> {
    const whole = await openDecoder(source, { threads: 1, precision: 'fp32' });
    const found = decoder.read({ ids, computed: 0, blocks: blocksFor(decoder, ids.length) }, true)!;
    const { scores } = await whole.run({ ids, computed: [0], lanes: new Lanes(shape, 64, 1), firstLane: 0 });
    await whole.dispose();
    const most = found.reduce((sum, score, id) => Math.max(sum, Math.abs(score - scores[id]!)), 0);
    return most / (Math.max(...scores) - Math.min(...scores));
  }

  it('gives the scores of the runtime on the weights that were rounded, in any chunks, on any number of threads', async () => {
    const rounded = new Map([...values].map(([name, data]) => [name, layers(name) ? unpackFours(fitFours(data)) : data]));
    const answers: Float32Array[] = [];
    for (const threads of [1, 2]) {
      const decoder = await KernelDecoder.open({ shape, values }, { threads, rows: 64, precision: 'int4' });
      expect(await worst(decoder, { shape, values: rounded })).toBeLessThan(0.03);
      for (const chunk of [40, 1, 8]) answers.push(readInChunks(decoder, ids, chunk, blocksFor(decoder, 40)).at(-1)!);
      await decoder.dispose();
    }
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('keeps the blocks of a file as they are, and what it holds in more bits in 8', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kernel-fours-'));
    // Values in 8 bits beside queries and keys in 4: as files of mixed types have them.
    const eight = (name: string) => /token_embd|attn_v|ffn_down/.test(name);
    await writeGguf(folder, shape, values, (name) => (eight(name) ? 'Q8_0' : 'Q4_1'));
    const decoder = await KernelDecoder.open(folder, { threads: 2, rows: 64, precision: 'int4' });
    expect(await worst(decoder, folder)).toBeLessThan(0.03);
    await decoder.dispose();
    await rm(folder, { recursive: true });
  });
});
