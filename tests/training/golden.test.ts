// Logits, gradients and ten losses of tiny models against numbers PyTorch and transformers wrote (tests/golden/make_llama_golden.py).
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openTensorFile } from '../../src/model/formats/safetensors.ts';
import { forwardTrunk, logits, plainNetwork, rowPositions } from '../../src/model/forward.ts';
import { readShape } from '../../src/model/model-folder.ts';
import { type LlamaShape, parameterShapes } from '../../src/model/shape.ts';
import { openWeights } from '../../src/model/weights.ts';
import { defaultAdamW } from '../../src/tensor/adamw.ts';
import { gradient } from '../../src/tensor/gradient.ts';
import { int64 } from '../../src/tensor/int64.ts';
import { emitOnnx } from '../../src/tensor/onnx.ts';
import { input } from '../../src/tensor/primitives.ts';
import { Session, type Tensor } from '../../src/tensor/session.ts';
import type { MicroBatch } from '../../src/training/batches.ts';
import { nextTokenObjective, packedBias } from '../../src/training/objective.ts';
import { TrainingState } from '../../src/training/state.ts';

const folder = (name: string): string => fileURLToPath(new URL(`../golden/llama/${name}`, import.meta.url));

interface Golden {
  input_ids: number[][];
  loss_weights: number[][];
  loss: number;
  losses: number[];
  grad_norms: number[];
  adamw: { learning_rates: number[] };
}

async function load(name: string) {
  const at = folder(name);
  const shape = await readShape(at);
  const weights = await openWeights(at, shape);
  const values = new Map<string, Float32Array>();
  for (const parameter of weights.names) values.set(parameter, await weights.read(parameter));
  await weights.close();
  return { shape, parameters: { shapes: parameterShapes(shape), values } };
}

function batchOf(golden: Golden): { B: number; T: number; batch: MicroBatch } {
  const [B, T] = [golden.input_ids.length, golden.input_ids[0]!.length];
  const shift = (rows: number[][]): number[] => rows.flatMap((row) => [...row.slice(1), 0]);
  const weights = Float32Array.from(shift(golden.loss_weights));
  const feeds = {
    ids: int64(golden.input_ids.flat(), [B, T]),
    segments: int64(new Int32Array(B * T), [B, T]),
    targets: int64(shift(golden.input_ids), [B * T]),
    weights: { data: weights, shape: [B * T] },
  };
  return { B, T, batch: { feeds, weight: weights.reduce((a, b) => a + b, 0), tokens: B * T } };
}

function expectClose(name: string, found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(found.length, name).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(found[i]! - expected[i]!));
  expect(worst, `${name}: largest difference`).toBeLessThan(tolerance);
}

async function gradientsAndLogits(shape: LlamaShape, values: ReadonlyMap<string, Float32Array>, golden: Golden) {
  const { B, T, batch } = batchOf(golden);
  const nodes = new Map([...parameterShapes(shape)].map(([name, dims]) => [name, input(name, 'float32', dims)]));
  const network = plainNetwork((name) => nodes.get(name)!, shape);
  const { loss } = nextTokenObjective(shape, network, B, T);
  const gradients = gradient(loss, [...nodes.values()]);
  const ids = input('plain_ids', 'int64', [B, T]);
  const bias = packedBias(input('plain_segments', 'int64', [B, T]));
  const trunk = forwardTrunk(shape, network, { ids, positions: rowPositions(B, T), bias });
  const named = [...nodes.keys()].map((name, i) => [`gradient.${name}`, gradients[i]!] as const);
  const session = await Session.open(
    emitOnnx({ loss, logits: logits(shape, network, trunk.hidden), ...Object.fromEntries(named) }),
  );
  const parameters = Object.fromEntries(
    [...values].map(([name, data]): [string, Tensor] => [name, { data, shape: nodes.get(name)!.shape as number[] }]),
  );
  const answer = await session.run({
    ...parameters,
    ...batch.feeds,
    plain_ids: batch.feeds.ids!,
    plain_segments: batch.feeds.segments!,
    inverse_weight: { data: Float32Array.of(1 / batch.weight), shape: [] },
  });
  await session.dispose();
  return answer;
}

describe.each(['gqa', 'tied-llama3-rope', 'qwen2', 'qwen3', 'mistral', 'gemma3', 'granite', 'smollm3'])(
  '%s against PyTorch',
  (name) => {
    it('gives the logits, the loss and the gradient of every parameter', async () => {
      const { shape, parameters } = await load(name);
      const golden: Golden = JSON.parse(await readFile(`${folder(name)}/golden.json`, 'utf8'));
      const expected = await openTensorFile(`${folder(name)}/golden.safetensors`);
      const answer = await gradientsAndLogits(shape, parameters.values, golden);
      expectClose('loss', answer.loss!.data as Float32Array, [golden.loss], 1e-5);
      for (const tensor of ['logits', ...[...parameters.shapes.keys()].map((parameter) => `gradient.${parameter}`)]) {
        expectClose(tensor, answer[tensor]!.data as Float32Array, await expected.read(tensor), 5e-5);
      }
      await expected.close();
    });

    it('makes the same ten updates', async () => {
      const { shape, parameters } = await load(name);
      const golden: Golden = JSON.parse(await readFile(`${folder(name)}/golden.json`, 'utf8'));
      const { B, T, batch } = batchOf(golden);
      const state = await TrainingState.open(
        shape,
        new Set(parameters.shapes.keys()),
        parameters,
        (network) => nextTokenObjective(shape, network, B, T),
        { adamw: defaultAdamW, accumulation: 1, lora: null },
      );
      for (const [i, loss] of golden.losses.entries()) {
        const result = await state.update([batch], golden.adamw.learning_rates[i]!, i + 1);
        expectClose(`loss of step ${i + 1}`, [result.loss], [loss], 2e-3 * Math.max(1, loss));
        expectClose(`norm of step ${i + 1}`, [result.gradientNorm], [golden.grad_norms[i]!], 2e-2 * golden.grad_norms[i]!);
      }
      await state.dispose();
    });
  },
);

it('accumulating two halves of a batch makes the same update as the whole', async () => {
  const { shape, parameters } = await load('gqa');
  const golden: Golden = JSON.parse(await readFile(`${folder('gqa')}/golden.json`, 'utf8'));
  const whole = batchOf(golden);
  const halves = golden.input_ids.map((row, i) =>
    batchOf({ ...golden, input_ids: [row], loss_weights: [golden.loss_weights[i]!] }),
  );
  const updated = async (B: number, batches: MicroBatch[]): Promise<Float32Array> => {
    const options = { adamw: defaultAdamW, accumulation: batches.length, lora: null };
    const trunk = new Set(parameters.shapes.keys());
    const state = await TrainingState.open(
      shape,
      trunk,
      parameters,
      (network) => nextTokenObjective(shape, network, B, whole.T),
      options,
    );
    for (let step = 1; step <= 3; step++) await state.update(batches, 1e-3, step);
    const value = Float32Array.from(state.value('model.layers.1.mlp.up_proj.weight'));
    await state.dispose();
    return value;
  };
  const together = await updated(2, [whole.batch]);
  expectClose(
    'up_proj',
    await updated(
      1,
      halves.map(({ batch }) => batch),
    ),
    together,
    1e-5,
  );
});

it('shards hold the weights of the whole', async () => {
  const [whole, shards] = [await load('gqa'), await load('sharded')];
  expect(shards.shape).toEqual(whole.shape);
  expect(shards.parameters.values).toEqual(whole.parameters.values);
});
