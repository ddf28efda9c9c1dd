// One small expression per primitive, shared by the gradient and the runtime tests; the type makes the list complete.
import { elements, type Node, type Primitive } from '../../src/tensor/graph.ts';
import * as p from '../../src/tensor/primitives.ts';
import type { Value } from './interpreter.ts';

export interface Case {
  outputs: Node[];
  feeds: Record<string, Value>;
  /** Inputs that have a gradient. */
  wrt: Node[];
}

/** mulberry32: small, seeded, good enough for test values. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const float = (name: string, ...shape: number[]): Node => p.input(name, 'float32', shape);
const ids = (name: string, ...shape: number[]): Node => p.input(name, 'int64', shape);
const angles = Float32Array.from({ length: 5 * 2 }, (_, i) => Math.cos(i));
const sines = Float32Array.from({ length: 5 * 2 }, (_, i) => Math.sin(i));
const bytes = (seed: number, ...shape: number[]): Node => {
  const next = random(seed);
  return p.constant(
    Uint8Array.from({ length: elements(shape) }, () => 256 * next()),
    shape,
  );
};
const positive = (x: Node): Node => p.add(p.mul(x, x), p.scalar(0.5));

export const expressions: { [P in Primitive]: () => Node[] } = {
  input: () => [p.add(float('a', 2, 3), float('b', 2, 3))],
  constant: () => [p.mul(float('a', 2, 3), p.constant(Float32Array.of(1, -2, 3), [3]))],
  add: () => [
    p.add(float('a', 2, 3), float('b', 3)),
    p.add(float('c', 1, 3), float('d', 4, 1)),
    p.where(
      p.greaterOrEqual(p.add(ids('i', 2, 1), ids('j', 3)), p.constant(BigInt64Array.of(2n), [1])),
      float('e', 2, 3),
      p.scalar(7),
    ),
  ],
  sub: () => [p.sub(float('a', 2, 1), float('b', 2, 3))],
  mul: () => {
    const twice = float('c', 2);
    return [p.mul(float('a', 2, 3), float('b', 1, 3)), p.mul(twice, twice)];
  },
  div: () => [p.div(float('a', 2, 3), positive(float('b', 2, 1)))],
  minimum: () => [p.minimum(float('a', 2, 3), float('b', 3))],
  neg: () => [p.neg(float('a', 4))],
  exp: () => [p.exp(float('a', 4))],
  log: () => [p.log(positive(float('a', 4)))],
  sqrt: () => [p.sqrt(positive(float('a', 4)))],
  sigmoid: () => [p.sigmoid(float('a', 4))],
  silu: () => [p.silu(float('a', 4))],
  gelu: () => [p.gelu(p.mul(float('a', 8), p.scalar(4)))],
  equal: () => [p.where(p.equal(ids('i', 2, 1), ids('j', 1, 3)), float('a', 2, 3), p.scalar(7))],
  greaterOrEqual: () => [p.where(p.greaterOrEqual(ids('i', 2, 1), ids('j', 3)), float('a', 2, 3), float('b', 3))],
  where: () => [p.where(p.equal(ids('i', 3), ids('j', 3)), float('a', 2, 3), float('b', 2, 3))],
  matmul: () => [
    p.matmul(float('a', 2, 3, 4), float('b', 4, 5)),
    p.matmul(float('c', 3, 4), float('d', 5, 4), { transposeB: true, scale: 0.5 }),
    p.matmul(float('e', 2, 4, 3), float('f', 2, 4, 5), { transposeA: true }),
    p.matmul(float('g', 4, 3), float('h', 5, 4), { transposeA: true, transposeB: true }),
  ],
  sum: () => [p.sum(float('a', 2, 3, 4), [1]), p.sum(float('b', 2, 3)), p.sum(float('c', 2, 3), [-1, 0])],
  softmax: () => [p.softmax(float('a', 2, 3))],
  logSoftmax: () => [p.logSoftmax(float('a', 2, 3))],
  crossEntropy: () => [p.crossEntropy(float('a', 3, 4), ids('i', 3))],
  subtractOneHot: () => [p.subtractOneHot(float('a', 3, 4), ids('i', 3))],
  rmsNorm: () => [p.rmsNorm(float('a', 2, 3, 4), float('w', 4), 1e-5)],
  rope: () => [p.rope(float('a', 2, 3, 2, 4), ids('i', 2, 2), p.constant(angles, [5, 2]), p.constant(sines, [5, 2]))],
  reshape: () => [p.reshape(float('a', 2, 6), [3, 4])],
  transpose: () => [p.transpose(float('a', 2, 3, 4), [2, 0, 1])],
  slice: () => [p.slice(float('a', 2, 5), -1, 1, 3), p.slice(float('b', 4, 2), 0, 0, 3)],
  concat: () => [p.concat([float('a', 2, 3), float('b', 2, 1)], 1)],
  expand: () => [p.expand(float('a', 2, 1, 3), [2, 4, 3])],
  gather: () => [p.gather(float('a', 4, 3), ids('i', 2, 3))],
  scatterAdd: () => [p.scatterAdd(float('a', 4, 3), ids('i', 5), float('b', 5, 3))],
  matmulNBits: () => {
    const [x, scales] = [
      float('x', 2, 3, 80),
      p.constant(
        Float32Array.from({ length: 15 }, (_, i) => (i - 5) / 999),
        [5, 3],
      ),
    ];
    return [
      p.matmulNBits(x, { bits: 8, codes: bytes(1, 5, 3, 32), scales }),
      p.matmulNBits(x, { bits: 8, codes: bytes(2, 5, 3, 32), scales, zeroPoints: bytes(3, 5, 3) }),
      p.matmulNBits(x, { bits: 4, codes: bytes(4, 5, 3, 16), scales }),
      p.matmulNBits(x, { bits: 4, codes: bytes(5, 5, 3, 16), scales, zeroPoints: bytes(6, 5, 2) }),
    ];
  },
  gatherNBits: () => {
    const [scales, i] = [p.mul(float('s', 4, 3), p.scalar(0.01)), ids('i', 2, 2)];
    return [
      p.gatherNBits({ bits: 8, codes: bytes(1, 4, 96), scales }, i),
      p.gatherNBits({ bits: 8, codes: bytes(2, 4, 96), scales, zeroPoints: bytes(3, 4, 3) }, i),
      p.gatherNBits({ bits: 4, codes: bytes(4, 4, 48), scales }, i),
      p.gatherNBits({ bits: 4, codes: bytes(5, 4, 48), scales, zeroPoints: bytes(6, 4, 2) }, i),
    ];
  },
};

const collect = (nodes: Node[], seen = new Map<string, Node>()): Map<string, Node> => {
  for (const node of nodes) {
    if (node.op === 'input') seen.set((node as Node<'input'>).parameters.name, node);
    collect([...node.inputs], seen);
  }
  return seen;
};

/** Inputs of one name are one node; values are random, ids below 3. */
export function makeCase(build: () => Node[], seed: number): Case {
  const next = random(seed);
  const outputs = build();
  const inputs = collect(outputs);
  const feeds = Object.fromEntries(
    [...inputs].map(([name, node]) => {
      const shape = [...(node.shape as number[])];
      const data = Array.from({ length: elements(shape) }, () =>
        node.type === 'int64' ? Math.floor(next() * 3) : next() * 2 - 1,
      );
      return [name, { shape, data }];
    }),
  );
  return { outputs, feeds, wrt: [...inputs.values()].filter((node) => node.type === 'float32') };
}
