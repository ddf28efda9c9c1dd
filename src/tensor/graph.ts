// A tensor graph: frozen plain nodes, each knowing its element type and shape from the moment it is built. A graph is not an object: it is whatever
// its output nodes reach.

export type ElementType = 'float32' | 'int64' | 'bool' | 'uint8';

/** Values in a file, from this byte on, that the graph only points at. */
export interface Stored {
  file: string;
  offset: number;
}

/** A size, or the name of one that is only known when the graph runs. Equal names mean equal sizes. */
export type Dim = number | string;
export type Shape = readonly Dim[];

type None = Record<never, never>;

/** Of one quantised number. */
export type Bits = 8 | 4;
/** Neighbours in a row that share a scale. */
export const blockSize = 32;

/** Every primitive with its own parameters; the tables that must be complete are keyed by this. */
export interface Parameters {
  input: { name: string };
  constant: { data: Float32Array | BigInt64Array | Uint8Array | Stored };
  add: None;
  sub: None;
  mul: None;
  div: None;
  minimum: None;
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  sigmoid: None;
  silu: None;
  gelu: None;
  equal: None;
  greaterOrEqual: None;
  where: None;
  matmul: { transposeA: boolean; transposeB: boolean; scale: number };
  sum: { axes: readonly number[] };
  softmax: None;
  logSoftmax: None;
  crossEntropy: None;
  subtractOneHot: None;
  rmsNorm: { epsilon: number };
  rope: None;
  reshape: { shape: Shape };
  transpose: { order: readonly number[] };
  slice: { axis: number; start: Dim; end: Dim };
  concat: { axis: number };
  expand: { shape: Shape };
  gather: None;
  scatterAdd: None;
  matmulNBits: { bits: Bits };
  gatherNBits: { bits: Bits };
}
export type Primitive = keyof Parameters;

export interface Node<P extends Primitive = Primitive> {
  readonly id: number;
  readonly op: P;
  readonly inputs: readonly Node[];
  readonly parameters: Parameters[P];
  readonly type: ElementType;
  readonly shape: Shape;
}

let nextId = 0;

export function createNode<P extends Primitive>(
  op: P,
  inputs: readonly Node[],
  parameters: Parameters[P],
  type: ElementType,
  shape: Shape,
): Node<P> {
  return Object.freeze({ id: nextId++, op, inputs, parameters, type, shape });
}

/** Throws an error that names the primitive and the shapes it was given; a bug of the caller, never of a user. */
export function refuse(op: Primitive, inputs: readonly Node[], why: string): never {
  throw new Error(`${op}(${inputs.map(describe).join(', ')}): ${why}`);
}

export function describe(node: Node): string {
  return `${node.type}[${node.shape.join('×')}]`;
}

/** Shape of an element-wise result; sizes must match or be 1, aligned at the last axis. */
export function broadcast(op: Primitive, inputs: readonly Node[]): Shape {
  const rank = Math.max(...inputs.map((node) => node.shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size: Dim = 1;
    for (const { shape } of inputs) {
      const own = shape[axis - rank + shape.length] ?? 1;
      if (own === 1 || own === size) continue;
      if (size !== 1) refuse(op, inputs, `sizes ${size} and ${own} of axis ${axis} differ`);
      size = own;
    }
    return size;
  });
}

/** Number of elements; throws when a size is only known at run time. */
export function elements(shape: Shape): number {
  return shape.reduce<number>((product, size) => {
    if (typeof size === 'string') throw new Error(`the size of [${shape.join('×')}] is only known when the graph runs`);
    return product * size;
  }, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** All nodes that `outputs` reach, every node after its inputs. */
export function inOrder(outputs: readonly Node[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack = outputs.map((node) => ({ node, next: 0 })).reverse();
  while (stack.length > 0) {
    const top = stack[stack.length - 1] as { node: Node; next: number };
    const input = top.node.inputs[top.next++];
    if (input !== undefined && !seen.has(top.node)) {
      if (!seen.has(input)) stack.push({ node: input, next: 0 });
      continue;
    }
    stack.pop();
    if (!seen.has(top.node)) {
      seen.add(top.node);
      order.push(top.node);
    }
  }
  return order;
}
