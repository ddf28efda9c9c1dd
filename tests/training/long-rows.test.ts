// Rows longer than the stretch of tokens that attention takes together: gradients against differences of the loss itself.
// That the forward pass is the same is what tests/engine/onnx/decoder.test.ts says, whose rows are as long.
import { expect, test } from 'vitest';
import { plainNetwork } from '../../src/model/forward.ts';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { parameterShapes } from '../../src/model/shape.ts';
import { randomStream } from '../../src/random.ts';
import { gradient } from '../../src/tensor/gradient.ts';
import { int64 } from '../../src/tensor/int64.ts';
import { emitOnnx } from '../../src/tensor/onnx.ts';
import { input } from '../../src/tensor/primitives.ts';
import { Session } from '../../src/tensor/session.ts';
import { nextTokenObjective } from '../../src/training/objective.ts';
import { tinyShape } from '../model/tiny-shape.ts';

const shape = { ...tinyShape, vocabSize: 23, contextLength: 300 };

test.each([300, 256])('rows of %i tokens, heads that share keys, two texts in a row', async (T) => {
  const shapes = parameterShapes(shape);
  const nodes = new Map([...shapes].map(([name, dims]) => [name, input(name, 'float32', dims)]));
  const { loss } = nextTokenObjective(
    shape,
    plainNetwork((name) => nodes.get(name)!, shape),
    1,
    T,
  );
  const names = ['q', 'k', 'v', 'o'].map((projection) => `model.layers.0.self_attn.${projection}_proj.weight`);
  const gradients = gradient(
    loss,
    names.map((name) => nodes.get(name)!),
  );
  const outputs = Object.fromEntries(gradients.map((node, i) => [names[i]!, node]));
  const session = await Session.open(
    emitOnnx({ loss, ...Object.fromEntries(names.map((name) => [`d ${name}`, outputs[name]!])) }),
  );
  const random = randomStream(5);
  const ids = Int32Array.from({ length: T }, () => Math.floor(random() * shape.vocabSize));
  // Wider than a model begins, for a loss that tells small differences apart.
  const values = new Map(
    [...initialWeights(shape, 3)].map(([name, data]) => [
      name,
      { data: shapes.get(name)!.length > 1 ? data.map((x) => 5 * x) : data, shape: shapes.get(name)! },
    ]),
  );
  const feeds = {
    ids: int64(ids, [1, T]),
    segments: int64(
      Int32Array.from({ length: T }, (_, i) => Number(i >= 150)),
      [1, T],
    ),
    targets: int64(ids, [T]),
    weights: { data: new Float32Array(T).fill(1), shape: [T] },
    inverse_weight: { data: Float32Array.of(1), shape: [] },
  };
  const run = () => session.run({ ...Object.fromEntries(values), ...feeds });
  const found = await run();
  for (const name of names) {
    const rule = found[`d ${name}`]!.data as Float32Array;
    const steepest = [...rule.keys()].toSorted((a, b) => Math.abs(rule[b]!) - Math.abs(rule[a]!)).slice(0, 4);
    const { data } = values.get(name)!;
    for (const at of steepest) {
      const [step, before] = [4e-3, data[at]!];
      const losses: number[] = [];
      for (const by of [step, -step]) {
        data[at] = before + by;
        losses.push((await run()).loss!.data[0] as number);
      }
      data[at] = before;
      const difference = (losses[0]! - losses[1]!) / (2 * step);
      expect(Math.abs(rule[at]! / difference - 1), `${name}[${at}]: ${rule[at]} beside ${difference}`).toBeLessThan(0.02);
    }
  }
  await session.dispose();
});
