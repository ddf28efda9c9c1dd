// The predictor's loss and gradients against PyTorch, and scoring alone against scoring packed or padded.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { plainNetwork } from '../../src/model/forward.ts';
import { loadNetwork } from '../../src/model/loaded-network.ts';
import { readShape } from '../../src/model/model-folder.ts';
import { parameterShapes } from '../../src/model/shape.ts';
import { openWeights } from '../../src/model/weights.ts';
import { ratedBatches } from '../../src/predictor/batches.ts';
import { headShapes, predictorObjective, scoringOutputs } from '../../src/predictor/graph.ts';
import { openScorer } from '../../src/predictor/scorer.ts';
import type { AttributeSchema, Label } from '../../src/steerlm/attributes.ts';
import { gradient } from '../../src/tensor/gradient.ts';
import { int64 } from '../../src/tensor/int64.ts';
import { emitOnnx } from '../../src/tensor/onnx.ts';
import { input } from '../../src/tensor/primitives.ts';
import { Session, type Tensor } from '../../src/tensor/session.ts';

const folder = fileURLToPath(new URL('../golden/llama/gqa', import.meta.url));
const golden = JSON.parse(await readFile(`${folder}/predictor.json`, 'utf8'));
const schema: AttributeSchema = {
  name: 'golden',
  version: 1,
  attributes: (golden.levels as number[]).map((count, i) => ({
    name: `a${i}`,
    aliases: [],
    description: '',
    levels: Array.from({ length: count }, (_, level) => `${level}`),
    default: null,
    cap: count - 1,
  })),
};
const sequences = (golden.input_ids as number[][]).map((ids, i) => ids.slice(0, golden.lengths[i]));
const labels = (golden.ratings as (number | null)[][]).map(
  (row): Label => Object.fromEntries(row.flatMap((rating, i) => (rating === null ? [] : [[`a${i}`, rating]]))),
);

async function load() {
  const shape = await readShape(folder);
  const weights = await openWeights(folder, shape);
  const values = new Map<string, Float32Array>();
  for (const name of weights.names) values.set(name, await weights.read(name));
  await weights.close();
  values.set('score.weight', Float32Array.from((golden.head as number[][]).flat()));
  values.set('score.bias', Float32Array.from(golden.with_bias.bias as number[]));
  return { shape, values, shapes: new Map([...parameterShapes(shape), ...headShapes(schema, shape)]) };
}

function close(found: ArrayLike<number>, expected: number[], tolerance: number): void {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => {
    expect(Math.abs(found[i]! - value), `element ${i}`).toBeLessThan(tolerance);
  });
}

it('gives PyTorch’s loss and gradients, readings packed into one row', async () => {
  const { shape, values, shapes } = await load();
  const [B, T, R] = [1, 32, 4];
  const nodes = new Map([...shapes].map(([name, dims]) => [name, input(name, 'float32', dims)]));
  const network = plainNetwork((name) => nodes.get(name)!, shape);
  const { loss } = predictorObjective(shape, schema, network, { B, T, R });
  const wanted = ['score.weight', 'score.bias', 'model.embed_tokens.weight'];
  const gradients = gradient(
    loss,
    wanted.map((name) => nodes.get(name)!),
  );
  const session = await Session.open(
    emitOnnx({ loss, ...Object.fromEntries(wanted.map((name, i) => [`d ${name}`, gradients[i]!])) }),
  );
  const readings = sequences.map((ids, i) => ({ ids, label: labels[i]! }));
  const batch = ratedBatches(readings, schema, { B, T, R, seed: 1 }).fetch(0, 0);
  const parameters = Object.fromEntries(
    [...values].map(([name, data]): [string, Tensor] => [name, { data, shape: shapes.get(name)! }]),
  );
  const feeds = { ...parameters, ...batch.feeds, inverse_weight: { data: Float32Array.of(1 / batch.weight), shape: [] } };
  const answer = await session.run(feeds);
  close(answer.loss!.data as Float32Array, [golden.with_bias.loss], 1e-5);
  close(answer['d score.weight']!.data as Float32Array, golden.with_bias.gradient_head.flat(), 2e-5);
  close(answer['d score.bias']!.data as Float32Array, golden.with_bias.gradient_bias, 2e-5);
  close(answer['d model.embed_tokens.weight']!.data as Float32Array, golden.with_bias.gradient_embed_tokens.flat(), 2e-5);
  await session.dispose();
});

it('has weights too large for a graph in a file, and scores the same', async () => {
  const { shape, values } = await load();
  const further = () => headShapes(schema, shape);
  const ids = sequences[0]!;
  const feeds = {
    ids: int64(ids, [1, ids.length]),
    positions: int64(
      ids.map((_, i) => i),
      [1, ids.length],
    ),
    ends: int64([ids.length - 1], [1]),
  };
  const scores: (readonly number[])[] = [];
  for (const limits of [
    { mostInMemory: Number.POSITIVE_INFINITY, piece: 2 ** 20 },
    { mostInMemory: 0, piece: 50 },
  ]) {
    const loaded = await loadNetwork({ shape, values }, 'fp32', { limits, further });
    expect(loaded.folder === undefined).toBe(limits.mostInMemory > 0);
    const bytes = emitOnnx(scoringOutputs(loaded, schema));
    const session = await Session.open(bytes, { folder: loaded.folder });
    const { probabilities } = await session.run(feeds);
    scores.push([...(probabilities!.data as Float32Array)]);
    await session.dispose();
    await loaded.dispose();
  }
  expect(scores[1]).toEqual(scores[0]);
  close(Float32Array.from(scores[1]!), (golden.with_bias.probabilities as number[][][])[0]!.flat(), 1e-5);
});

it('scores right-padded batches as PyTorch does, whatever runs beside a sequence', async () => {
  const { shape, values } = await load();
  const scorer = await openScorer({ shape, values }, schema, 1);
  const expected = (golden.with_bias.probabilities as number[][][]).map((row) => row.flat());
  const together = await scorer.score(sequences);
  together.forEach((row, i) => {
    close(row, expected[i]!, 1e-5);
  });
  for (const [i, sequence] of sequences.entries()) close((await scorer.score([sequence]))[0]!, expected[i]!, 1e-5);
  await scorer.dispose();
});
