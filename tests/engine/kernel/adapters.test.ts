// Low-rank adapters that stay apart from their base: the kernels against the obvious way, a model under an adapter against the merged model in fp32, and
// sequences under different adapters against themselves alone.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KernelAdapters, type StackName } from '../../../src/engine/kernel/adapters.ts';
import { Crew } from '../../../src/engine/kernel/crew.ts';
import { KernelDecoder, type KernelInput } from '../../../src/engine/kernel/decoder.ts';
import { compileKernels } from '../../../src/engine/kernel/kernels.ts';
import { Lanes } from '../../../src/engine/onnx/cache.ts';
import { openDecoder } from '../../../src/engine/onnx/decoder.ts';
import { fromBfloat16, toBfloat16 } from '../../../src/model/formats/half-floats.ts';
import { initialWeights } from '../../../src/model/initial-weights.ts';
import { type LowRank, type LowRanks, mergeAdapter } from '../../../src/model/lora.ts';
import type { LlamaShape } from '../../../src/model/shape.ts';
import { openWeights } from '../../../src/model/weights.ts';
import type { Model } from '../../../src/model/whole-model.ts';
import { randomStream } from '../../../src/random.ts';
import { randomLowRanks } from '../../model/random-models.ts';
import { tinyShape } from '../../model/tiny-shape.ts';
import { writeGguf } from './gguf-model.ts';
import { exactModel, kernelModels } from './models.ts';

type Weighted = Pick<Model, 'shape' | 'values'>;

const random = randomStream(12);
const numbers = (count: number) => Float32Array.from({ length: count }, () => 2 * random() - 1);

const size = { hiddenSize: 64, intermediateSize: 104, layers: 2, heads: 5, kvHeads: 1, headDim: 8, contextLength: 32 };
const shape: LlamaShape = { ...tinyShape, ...size, residualMultiplier: 0.5 };

/** By stack: its projections with their channels, columns, numbers between its rows of input. */
const stacks: Record<StackName, { widths: [string, number][]; columns: number; inWidth: number; factor: number }> = {
  qkv: {
    widths: ['q', 'k', 'v'].map((name) => [`self_attn.${name}_proj`, name === 'q' ? 40 : 8]),
    columns: 64,
    inWidth: 64,
    factor: 1,
  },
  output: { widths: [['self_attn.o_proj', 64]], columns: 40, inWidth: 40, factor: 0.5 },
  gateUp: { widths: ['gate', 'up'].map((name) => [`mlp.${name}_proj`, 104]), columns: 64, inWidth: 64, factor: 1 },
  down: { widths: [['mlp.down_proj', 64]], columns: 104, inWidth: 208, factor: 0.5 },
};

const held = (matrix: Float32Array, scale = 1) => fromBfloat16(toBfloat16(matrix.map((value) => value * scale)));

/** out + up · (down · x), channel by channel. */
function obvious(x: Float32Array, out: Float32Array, adapter: LowRanks | undefined, name: StackName): number[] {
  const { widths, factor } = stacks[name];
  let first = 0;
  return widths.flatMap(([projection, width]) => {
    const lowRank = adapter?.get(`model.layers.1.${projection}`);
    const start = first;
    first += width;
    const before = [...out.subarray(start, first)];
    if (!lowRank) return before;
    const { rank, alpha } = lowRank;
    const [down, up] = [held(lowRank.down), held(lowRank.up, (factor * alpha) / rank)];
    const columns = down.length / rank;
    const inner = Array.from({ length: rank }, (_, r) => {
      return down.subarray(r * columns, (r + 1) * columns).reduce((sum, value, k) => sum + value * x[k]!, 0);
    });
    return before.map((value, channel) => inner.reduce((sum, own, r) => sum + own * up[channel * rank + r]!, value));
  });
}

/** Adapters of ranks that fill panels and do not, for all projections and for some. */
const adapters: Record<string, LowRanks> = {
  whole: randomLowRanks(shape, { rank: 16, alpha: 24 }, 'whole'),
  narrow: randomLowRanks(shape, { rank: 3, alpha: 3 }, 'narrow', /[qv]_proj|down/),
  mixed: new Map([
    ...randomLowRanks(shape, { rank: 40, alpha: 10 }, 'mixed'),
    ...randomLowRanks(shape, { rank: 12, alpha: 12 }, 'lower', /[kv]_proj|up_proj/),
  ]),
};

describe.each([1, 2, 3])('on %s threads', (threads) => {
  it.each(Object.keys(stacks) as StackName[])('adds to each row of %s what its own adapter answers', async (name) => {
    const table = { bits: 8 as const, columns: 64, block: 64, inFours: false };
    const crew = await Crew.open(await compileKernels(shape, { table, matrices: [] }), threads);
    const under = new KernelAdapters(crew, shape, 64);
    for (const [each, adapter] of Object.entries(adapters)) under.add(each, adapter);
    const { widths, columns, inWidth } = stacks[name];
    const outWidth = widths.reduce((sum, [, width]) => sum + width, 0);
    const [xAt, outAt] = [crew.allocate(4 * 64 * inWidth), crew.allocate(4 * 64 * outWidth)];
    const runs = [
      ['whole'],
      ['mixed', 'mixed'],
      ['narrow', undefined, 'whole', 'whole', 'whole'],
      new Array<string>(37).fill('mixed'),
    ];
    const all = Object.keys(adapters);
    runs.push(Array.from({ length: 23 }, (_, row) => [...all, undefined][Math.floor(row / 5) % 4]));
    for (const rows of runs) {
      const [x, out] = [numbers(rows.length * inWidth), numbers(rows.length * outWidth)];
      crew.floats(xAt, x.length).set(x);
      crew.floats(outAt, out.length).set(out);
      crew.begin();
      const places = rows.map((adapter) => ({ adapter }));
      under.place(places, [...rows.keys()]);
      under.apply(1, name, xAt, outAt);
      crew.run();
      for (const [row, owner] of rows.entries()) {
        const found = crew.floats(outAt + 4 * row * outWidth, outWidth);
        const own = out.subarray(row * outWidth, (row + 1) * outWidth);
        const expected = obvious(
          x.subarray(row * inWidth, row * inWidth + columns),
          own,
          owner === undefined ? undefined : adapters[owner],
          name,
        );
        for (const [i, value] of expected.entries()) expect(found[i], `row ${row}, channel ${i}`).toBeCloseTo(value, 4);
        if (owner === undefined) expect(found).toEqual(own);
      }
    }
    await crew.dispose();
  });
});

const idsOf = (length: number, from = 0) => Array.from({ length }, (_, i) => (from + i * i * 7 + 3 * i) % 60);
const blocksFor = (decoder: KernelDecoder, tokens: number) =>
  Array.from({ length: Math.ceil(tokens / 16) }, () => decoder.newBlock());

/** The values of a model with an adapter merged into them. */
function merged(values: ReadonlyMap<string, Float32Array>, adapter: LowRanks): Map<string, Float32Array> {
  const all = new Map(values);
  for (const [projection, { down, up, ...lora }] of adapter) {
    const name = `${projection}.weight`;
    all.set(name, mergeAdapter(all.get(name)!, down, up, lora));
  }
  return all;
}

/** Largest difference of scores after these ids from those of the runtime in fp32, as a share of their spread. */
async function distance(model: Weighted, ids: readonly number[], scores: Float32Array): Promise<number> {
  const whole = await openDecoder(model, { threads: 1, precision: 'fp32' });
  const expected = (await whole.run({ ids, computed: [0], lanes: new Lanes(model.shape, 64, 1), firstLane: 0 })).scores;
  await whole.dispose();
  const spread = Math.max(...expected) - Math.min(...expected);
  return scores.reduce((most, score, id) => Math.max(most, Math.abs(score - expected[id]!)), 0) / spread;
}

describe.each(kernelModels)('%s', (name) => {
  it('gives under an adapter the scores of the merged model, but for the rounding of activations, keys and values', async () => {
    const model = await exactModel(name);
    const adapter = randomLowRanks(model.shape, { rank: 16, alpha: 16 }, name);
    const decoder = await KernelDecoder.open(model, { threads: 2, rows: 64 });
    decoder.adapters.add('own', adapter);
    const ids = idsOf(60);
    const found = decoder.read({ ids, computed: 0, blocks: blocksFor(decoder, 60), adapter: 'own' }, true)!.slice();
    const plain = decoder.read({ ids, computed: 0, blocks: blocksFor(decoder, 60) }, true)!.slice();
    await decoder.dispose();
    const apart = (values: Map<string, Float32Array>, scores: Float32Array) => distance({ ...model, values }, ids, scores);
    const both = merged(model.values, adapter);
    expect(await apart(model.values, plain)).toBeLessThan(0.02);
    expect(await apart(both, found)).toBeLessThan(0.02);
    expect(await apart(both, plain)).toBeGreaterThan(0.1);
  });

  it('gives sequences under three adapters and none what each gets alone, on any number of threads', async () => {
    const model = await exactModel(name);
    const names = ['a', 'b', 'c'];
    const answers: Float32Array[][] = [];
    for (const threads of [1, 2, 3]) {
      const decoder = await KernelDecoder.open(model, { threads, rows: 64 });
      for (const own of names) decoder.adapters.add(own, randomLowRanks(model.shape, { rank: 8, alpha: 8 }, own));
      const inputs = Array.from({ length: 11 }, (_, i): KernelInput => {
        const [ids, adapter] = [idsOf(1 + 6 * i, i), [...names, undefined][i % 4]];
        const blocks = blocksFor(decoder, ids.length + 1);
        decoder.read({ ids, computed: 0, blocks, adapter }, false);
        return { ids: [i + 1], computed: ids.length, blocks, adapter };
      });
      const alone = inputs.map((input) => decoder.step([input])[0]!.slice());
      for (const count of [2, 3, 5, 11]) {
        const together = decoder.step(inputs.slice(0, count)).map((scores) => scores.slice());
        expect(together, `${count} on ${threads} threads`).toEqual(alone.slice(0, count));
      }
      answers.push(alone);
      await decoder.dispose();
    }
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });
});

it('adds to what weights of 4 bits give, also where a stack is packed in two widths', async () => {
  const sizes = { hiddenSize: 64, intermediateSize: 96, heads: 4, kvHeads: 2, headDim: 16, vocabSize: 67 };
  const shape = { ...tinyShape, ...sizes };
  const values = new Map(initialWeights(shape, 3));
  const folder = await mkdtemp(join(tmpdir(), 'kernel-adapters-'));
  await writeGguf(folder, shape, values, (name) => (/token_embd|attn_v/.test(name) ? 'Q8_0' : 'Q4_1'));
  const adapter = randomLowRanks(shape, { rank: 16, alpha: 16 }, 'fours');
  const decoder = await KernelDecoder.open(folder, { threads: 2, rows: 64, precision: 'int4' });
  decoder.adapters.add('own', adapter);
  const ids = idsOf(40);
  const scores = decoder.read({ ids, computed: 0, blocks: blocksFor(decoder, 40), adapter: 'own' }, true)!.slice();
  await decoder.dispose();
  const weights = await openWeights(folder, shape);
  const stored = new Map<string, Float32Array>();
  for (const name of weights.names) stored.set(name, await weights.read(name));
  await weights.close();
  await rm(folder, { recursive: true });
  expect(await distance({ shape, values: merged(stored, adapter) }, ids, scores)).toBeLessThan(0.03);
  expect(await distance({ shape, values: stored }, ids, scores)).toBeGreaterThan(0.1);
});

describe('refused', () => {
  const lowRank = (rank: number, columns: number, width: number): LowRank => {
    return { rank, alpha: 1, down: new Float32Array(rank * columns), up: new Float32Array(width * rank) };
  };

  it('names what does not fit the model, and adds nothing of it', async () => {
    const decoder = await KernelDecoder.open(await exactModel('gqa'), { threads: 1, rows: 4 });
    const { hiddenSize: D, layers } = decoder.shape;
    const add = (projection: string, own: LowRank) => decoder.adapters.add('own', new Map([[projection, own]]));
    const expectRefused = (act: () => void, said: RegExp) =>
      expect(act).toThrow(expect.objectContaining({ code: 'invalid_model', message: expect.stringMatching(said) }));
    expectRefused(
      () => add(`model.layers.${layers}.self_attn.q_proj`, lowRank(2, D, D)),
      /"own": expected .*q_proj, found model\.layers\.\d+/,
    );
    expectRefused(() => add('lm_head', lowRank(2, D, D)), /expected projections of the model, .*, found lm_head/);
    expectRefused(
      () => add('model.layers.0.self_attn.o_proj', lowRank(2, D + 1, D)),
      /columns and \d+ channels for .*o_proj, found \d+ and/,
    );
    expect(decoder.adapters.names).toEqual([]);
    add('model.layers.0.self_attn.v_proj', lowRank(2, D, decoder.shape.kvHeads * decoder.shape.headDim));
    expect(() => add('model.layers.0.self_attn.v_proj', lowRank(2, D, D))).toThrow(expect.objectContaining({ code: 'conflict' }));
    await decoder.dispose();
  });
});
