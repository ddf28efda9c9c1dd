import { expect, it } from 'vitest';
import type { Node } from '../../src/tensor/graph.ts';
import { emitOnnx } from '../../src/tensor/onnx.ts';
import * as p from '../../src/tensor/primitives.ts';
import { Session, type Tensor } from '../../src/tensor/session.ts';
import { expressions, makeCase } from './cases.ts';
import { interpret, type Value } from './interpreter.ts';

function toTensor(value: Value, node: Node): Tensor {
  return {
    shape: value.shape,
    data: node.type === 'int64' ? BigInt64Array.from(value.data, BigInt) : Float32Array.from(value.data),
  };
}

async function runBoth(outputs: Node[], feeds: Record<string, Value>, inputs: Node[]): Promise<void> {
  const session = await Session.open(emitOnnx(Object.fromEntries(outputs.map((node, i) => [`out${i}`, node]))), { threads: 1 });
  const tensors = Object.fromEntries(
    inputs.map((node) => {
      const { name } = (node as Node<'input'>).parameters;
      return [name, toTensor(feeds[name]!, node)];
    }),
  );
  const got = await session.run(tensors);
  interpret(outputs, feeds).forEach((expected, i) => {
    const { shape, data } = got[`out${i}`]!;
    expect(shape).toEqual(expected.shape);
    Array.from(data as Float32Array).forEach((value, at) => {
      expect(value, `out${i}[${at}]`).toBeCloseTo(expected.data[at]!, 5);
    });
  });
  await session.dispose();
}

function inputsOf(nodes: readonly Node[], seen = new Map<string, Node>()): Node[] {
  for (const node of nodes) {
    if (node.op === 'input') seen.set((node as Node<'input'>).parameters.name, node);
    inputsOf(node.inputs, seen);
  }
  return [...seen.values()];
}

it.each(Object.entries(expressions))('ONNX Runtime and the interpreter agree on %s', async (_, build) => {
  const { outputs, feeds } = makeCase(build, 5);
  await runBoth(outputs, feeds, inputsOf(outputs));
});

it('runs one graph at several sizes', async () => {
  const x = p.input('x', 'float32', ['B', 'T', 4]);
  const heads = p.transpose(p.reshape(x, ['B', 'T', 2, 2]), [0, 2, 1, 3]);
  const flat = p.reshape(p.matmul(heads, heads, { transposeB: true }), ['B', 2, 'T', 'T']);
  for (const [b, t] of [
    [1, 3],
    [2, 5],
  ] as const) {
    const data = Array.from({ length: b * t * 4 }, (_, i) => Math.sin(i));
    await runBoth([flat], { x: { shape: [b, t, 4], data } }, [x]);
  }
});

it('names primitive and shapes when they do not fit', () => {
  const a = p.input('a', 'float32', [2, 3]);
  expect(() => p.matmul(a, a)).toThrow('matmul(float32[2×3], float32[2×3]): inner sizes 3 and 2 differ');
  expect(() => p.add(a, p.input('b', 'float32', [2]))).toThrow(/add.*sizes 3 and 2/);
  expect(() => p.reshape(a, [4])).toThrow(/reshape.*\[4\]/);
});

it('answers under every name asked for: a value twice, an input, a constant', async () => {
  const a = p.input('a', 'float32', [2]);
  const double = p.add(a, a);
  const outputs = { once: double, twice: double, same: a, fixed: p.constant(Float32Array.of(7), [1]), after: p.neg(double) };
  const session = await Session.open(emitOnnx(outputs), { threads: 1 });
  const answer = await session.run({ a: { data: Float32Array.of(1, 2), shape: [2] } });
  const values = Object.fromEntries(Object.entries(answer).map(([name, { data }]) => [name, Array.from(data as Float32Array)]));
  expect(values).toEqual({ once: [2, 4], twice: [2, 4], same: [1, 2], fixed: [7], after: [-2, -4] });
  await session.dispose();
});
