// Likelihoods of tokens against logits that PyTorch wrote, against themselves one by one, and divergences against sums by hand.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openDivergence } from '../../../src/evaluation/likelihood/divergence.ts';
import { openDivergenceThread, openLikelihood } from '../../../src/evaluation/likelihood/open.ts';
import { type Passage, passagesOf, runsOf } from '../../../src/evaluation/likelihood/passages.ts';
import { openTokenLikelihood } from '../../../src/evaluation/likelihood/token-likelihood.ts';
import { openTensorFile } from '../../../src/model/formats/safetensors.ts';
import { initialWeights } from '../../../src/model/initial-weights.ts';
import { parameterShapes } from '../../../src/model/shape.ts';
import { randomStream } from '../../../src/random.ts';
import type { Sequence } from '../../../src/training/packing.ts';
import { readGolden } from '../../engine/models.ts';

const folder = (name: string): string => fileURLToPath(new URL(`../../golden/llama/${name}`, import.meta.url));

/** Token ids and the logits after each of them, by row. */
async function readLogits(name: string): Promise<{ rows: number[][]; after: (row: number, at: number) => Float32Array }> {
  const golden = JSON.parse(await readFile(`${folder(name)}/golden.json`, 'utf8')) as { input_ids: number[][] };
  const file = await openTensorFile(`${folder(name)}/golden.safetensors`);
  const [B, T] = [golden.input_ids.length, golden.input_ids[0]!.length];
  const logits = await file.read('logits');
  await file.close();
  const V = logits.length / (B * T);
  return { rows: golden.input_ids, after: (row, at) => logits.subarray((row * T + at) * V, (row * T + at + 1) * V) };
}

/** ln softmax in float64. */
function logProbabilities(scores: Float32Array): number[] {
  const top = Math.max(...scores);
  const total = Math.log(scores.reduce((sum, score) => sum + Math.exp(score - top), 0)) + top;
  return Array.from(scores, (score) => score - total);
}

const all = (ids: number[]): Sequence => ({ ids, weights: new Float32Array(ids.length).fill(1) });

describe.each(['gqa', 'tied-llama3-rope', 'qwen2', 'qwen3', 'mistral', 'gemma3', 'granite', 'smollm3'])('%s', (name) => {
  it('finds every token as likely as PyTorch does', async () => {
    const { rows, after } = await readLogits(name);
    const likelihood = await openTokenLikelihood(await readGolden(name), { threads: 1 });
    // Of different lengths, so that there is padding; the first token of a row has nothing before it.
    const sequences = rows.map((ids, row) => all(ids.slice(0, ids.length - 3 * row)));
    const found = await likelihood.score(sequences, { perToken: true });
    await likelihood.dispose();
    sequences.forEach(({ ids }, row) => {
      const expected = ids.slice(1).map((id, at) => -logProbabilities(after(row, at))[id]!);
      expect(found[row]!.tokens).toBe(expected.length);
      expect(found[row]!.perToken).toHaveLength(expected.length);
      expected.forEach((nats, at) => {
        expect(found[row]!.perToken![at]).toBeCloseTo(nats, 4);
      });
      const sum = expected.reduce((a, b) => a + b, 0);
      expect(Math.abs(found[row]!.nats - sum)).toBeLessThan(2e-5 * expected.length);
    });
  });
});

const random = randomStream('token likelihood');
const V = (await readGolden('gqa')).shape.vocabSize;
const mixed: Sequence[] = Array.from({ length: 40 }, () => {
  const length = 1 + Math.floor(random() * 30);
  const ids = Array.from({ length }, () => Math.floor(random() * V));
  return { ids, weights: ids.map(() => (random() < 0.4 ? 0 : Math.ceil(random() * 4) / 4)) };
});

describe('many sequences', () => {
  it('are scored as each would be alone, in the order given, each token by its weight', async () => {
    const likelihood = await openTokenLikelihood(await readGolden('gqa'), { threads: 1 });
    const together = await likelihood.score(mixed, { perToken: true });
    for (const [i, sequence] of mixed.entries()) {
      const [alone] = await likelihood.score([sequence], { perToken: true });
      expect(Math.abs(together[i]!.nats - alone!.nats)).toBeLessThan(1e-5 * Math.max(1, sequence.ids.length));
      const counted = sequence.ids.flatMap((_, at) => (at > 0 && sequence.weights[at] !== 0 ? [sequence.weights[at]!] : []));
      expect(together[i]!.tokens).toBeCloseTo(counted.reduce((a, b) => a + b, 0));
      const weighted = counted.reduce((sum, weight, at) => sum + weight * together[i]!.perToken![at]!, 0);
      expect(together[i]!.nats).toBeCloseTo(weighted, 4);
    }
    await likelihood.dispose();
  });

  it('are the same from a thread', async () => {
    const name = folder('gqa');
    const direct = await openTokenLikelihood(name, { threads: 1 });
    const thread = await openLikelihood(name, { threads: 1 });
    expect(await thread.score(mixed, { perToken: true })).toEqual(await direct.score(mixed, { perToken: true }));
    await Promise.all([thread.dispose(), direct.dispose()]);
  });

  it('are refused where one is too long, and stopped when asked', async () => {
    const model = await readGolden('gqa');
    const likelihood = await openTokenLikelihood(model, { threads: 1 });
    const long = all(new Array(model.shape.contextLength + 1).fill(1));
    await expect(likelihood.score([mixed[0]!, long])).rejects.toMatchObject({ code: 'context_length_exceeded' });
    await expect(likelihood.score(mixed, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    expect(await likelihood.score([])).toEqual([]);
    await likelihood.dispose();
  });

  it('are cut into runs that hold every counted token once and keep to the bounds', () => {
    const wide = 2 ** 21;
    for (const vocabSize of [V, wide]) {
      const passages = passagesOf(mixed, vocabSize);
      const runs = runsOf(passages, vocabSize);
      const told = (parts: Passage[]) => parts.map(({ sequence, counted }) => `${sequence}: ${counted}`).sort();
      expect(told(runs.flat())).toEqual(told(passages));
      mixed.forEach(({ ids, weights }, sequence) => {
        const own = runs.flat().filter((passage) => passage.sequence === sequence);
        const expected = ids.flatMap((_, at) => (at > 0 && weights[at] !== 0 ? [at] : []));
        expect(own.flatMap(({ counted }) => counted)).toEqual(expected);
      });
      for (const run of runs) {
        const scores = vocabSize * run.reduce((sum, { counted }) => sum + counted.length, 0);
        expect(scores).toBeLessThanOrEqual(2 ** 25);
        expect(run.length * Math.max(...run.map(({ length }) => length))).toBeLessThanOrEqual(1024);
      }
    }
    expect(passagesOf(mixed, wide).length).toBeGreaterThan(passagesOf(mixed, V).length);
  });
});

it('a vocabulary too wide for all tokens at once is read in parts', async () => {
  const { shape: small } = await readGolden('gqa');
  const shape = { ...small, vocabSize: 2 ** 20, hiddenSize: 8, intermediateSize: 8, layers: 1, heads: 2, kvHeads: 1, headDim: 4 };
  const model = { shape, values: new Map(initialWeights({ ...shape, tiedEmbeddings: true }, 1)) };
  model.shape = { ...shape, tiedEmbeddings: true };
  const likelihood = await openTokenLikelihood(model, { threads: 1 });
  const ids = Array.from({ length: 40 }, (_, i) => (i * 9973) % shape.vocabSize);
  const [whole] = await likelihood.score([all(ids)], { perToken: true });
  const some = { ids, weights: ids.map((_, at) => Number(at >= 30)) };
  const [part] = await likelihood.score([some], { perToken: true });
  await likelihood.dispose();
  expect(whole!.perToken).toHaveLength(39);
  expect(Array.from(whole!.perToken!.subarray(29))).toEqual(Array.from(part!.perToken!));
});

describe('divergence', () => {
  it('is the sum over the vocabulary, of the tokens both models have', async () => {
    const model = await readGolden('gqa');
    const { rows, after } = await readLogits('gqa');
    // The same last tokens after two beginnings, all known to the smaller model.
    const known = (id: number) => id < V - 3;
    const end = rows[0]!.findLastIndex((_, at) => at >= 5 && rows[0]!.slice(at - 3, at + 1).every(known)) + 1;
    expect(end).toBeGreaterThan(5);
    const [ids, rest] = [rows[0]!.slice(0, end), rows[1]!.filter(known).slice(0, 4)];
    const tail = ids.slice(-4);
    const count = (sequence: number[]): Sequence => ({
      ids: sequence,
      weights: sequence.map((_, at) => Number(at >= sequence.length - tail.length)),
    });
    const shorter = dropLastTokens(model, 3);
    const expected = (i: number, vocabSize: number) =>
      logProbabilities(after(0, ids.length - tail.length - 1 + i).subarray(0, vocabSize));
    const naive = async (vocabSize: number): Promise<number> => {
      // What the second prompt leads to is read off the likelihoods of every token after it.
      const likelihood = await openTokenLikelihood(model, { threads: 1 });
      let sum = 0;
      for (const [i, _] of tail.entries()) {
        const before = [...rest, ...tail.slice(0, i)];
        const last = (id: number): Sequence => ({ ids: [...before, id], weights: [...before.map(() => 0), 1] });
        const found = await likelihood.score(Array.from({ length: vocabSize }, (_, id) => last(id)));
        const q = logProbabilities(Float32Array.from(found, ({ nats }) => -nats));
        const p = expected(i, vocabSize);
        sum += p.reduce((total, value, id) => total + Math.exp(value) * (value - q[id]!), 0);
      }
      await likelihood.dispose();
      return sum;
    };
    for (const [second, vocabSize] of [
      [model, V],
      [shorter, V - 3],
    ] as const) {
      const divergence = await openDivergence(model, second, { threads: 1 });
      const pair = { first: count(ids), second: count([...rest, ...tail]) };
      const same = { first: count([...rest, ...tail]), second: count([...rest, ...tail]) };
      const [different, none] = await divergence.measure([pair, same]);
      await divergence.dispose();
      expect(different!.tokens).toBe(4);
      expect(different!.nats).toBeGreaterThan(0.001);
      expect(different!.nats).toBeCloseTo(await naive(vocabSize), 4);
      for (const [i, id] of tail.entries()) {
        const p = expected(i, vocabSize);
        expect(different!.first.probability[i]).toBeCloseTo(Math.exp(Math.max(...p)), 4);
        expect(different!.first.right[i]).toBe(Number(p[id] === Math.max(...p)));
      }
      expect(different!.second).toEqual(none!.first);
      // A distribution over fewer tokens of the same scores is the same one, renormalised.
      expect(Math.abs(none!.nats)).toBeLessThan(1e-5);
    }
  });

  it('compares the same tokens only, and is the same from a thread', async () => {
    const pairs = [{ first: all([1, 2, 3]), second: { ids: [7, 8, 2, 3], weights: [0, 0, 1, 1] } }];
    const [direct, thread] = [
      await openDivergence(folder('gqa'), folder('gqa'), { threads: 1 }),
      await openDivergenceThread(folder('gqa'), folder('gqa'), { threads: 1 }),
    ];
    expect(await thread.measure(pairs)).toEqual(await direct.measure(pairs));
    const other = [{ first: all([1, 2, 3]), second: all([1, 2, 4]) }];
    await expect(thread.measure(other)).rejects.toMatchObject({ code: 'invalid_request' });
    await Promise.all([thread.dispose(), direct.dispose()]);
  });
});

type Weights = Awaited<ReturnType<typeof readGolden>>;

function dropLastTokens({ shape, values }: Weights, count: number): Weights {
  const fewer = { ...shape, vocabSize: shape.vocabSize - count };
  const dims = parameterShapes(fewer);
  const cut = [...values].map(([name, data]): [string, Float32Array] => {
    return [
      name,
      data.subarray(
        0,
        dims.get(name)!.reduce((product, size) => product * size, 1),
      ),
    ];
  });
  return { shape: fewer, values: new Map(cut) };
}
