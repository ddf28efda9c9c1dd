import { describe, expect, it } from 'vitest';
import { gradient } from '../../src/tensor/gradient.ts';
import { elements, type Node, type Primitive } from '../../src/tensor/graph.ts';
import { addAll, constant, mul, reshape, scalar, sum } from '../../src/tensor/primitives.ts';
import { type Case, expressions, makeCase, random } from './cases.ts';
import { interpret } from './interpreter.ts';

/** A scalar that weighs every element differently, so that a misplaced gradient shows. */
function scalarOf(outputs: Node[], seed: number): Node {
  const next = random(seed + 1);
  return addAll(
    outputs.map((node) => {
      const weights = Float32Array.from({ length: elements(node.shape) }, () => next() * 2 - 1);
      return reshape(sum(mul(node, constant(weights, node.shape))), []);
    }),
  );
}

function finiteDifference(loss: Node, feeds: Case['feeds'], name: string, index: number): number {
  const step = 1e-5;
  const value = feeds[name]!;
  const shifted = (by: number): number => {
    const data = value.data.with(index, value.data[index]! + by);
    return interpret([loss], { ...feeds, [name]: { ...value, data } })[0]!.data[0]!;
  };
  return (shifted(step) - shifted(-step)) / (2 * step);
}

const forwardOnly: Primitive[] = ['minimum', 'matmulNBits', 'gatherNBits'];

describe('gradient rules against finite differences', () => {
  for (const [primitive, build] of Object.entries(expressions)) {
    if (forwardOnly.includes(primitive as Primitive)) continue;
    it(primitive, () => {
      const seed = 11;
      const { outputs, feeds, wrt } = makeCase(build, seed);
      const loss = scalarOf(outputs, seed);
      const gradients = interpret(gradient(loss, wrt), feeds);
      wrt.forEach((node, i) => {
        const { name } = (node as Node<'input'>).parameters;
        gradients[i]!.data.forEach((found, index) => {
          expect(found, `seed ${seed}, d/d${name}[${index}]`).toBeCloseTo(finiteDifference(loss, feeds, name, index), 6);
        });
      });
    });
  }

  it('refuses a primitive without a gradient, and an input that has no influence', () => {
    for (const primitive of forwardOnly) {
      const { outputs, wrt } = makeCase(expressions[primitive], 1);
      expect(() => gradient(sum(outputs[0]!), wrt)).toThrow(new RegExp(`${primitive}.*no gradient`));
    }
    const other = makeCase(expressions.neg, 1);
    expect(() => gradient(scalarOf(other.outputs, 1), [scalar(1)])).toThrow(/does not influence/);
  });
});
