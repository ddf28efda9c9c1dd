// Emits a tensor graph as an ONNX model: one entry per primitive, each only appends nodes. Knows no runtime.
// Fused operators of the runtime (com.microsoft) stand where one primitive would otherwise be several passes over memory.
import { type Dim, inOrder, type Node, type Primitive, refuse, type Shape } from './graph.ts';
import { type OnnxAttribute, type OnnxGraph, writeModel } from './onnx-format.ts';

class Emission {
  readonly graph: OnnxGraph = { nodes: [], initializers: [], inputs: [], outputs: [] };
  readonly #names = new Map<Node, string>();
  readonly #indices = new Map<string, string>();
  readonly #sizes = new Map<string, () => string>();
  #fresh = 0;

  name(node: Node): string {
    return this.#names.get(node) as string;
  }

  call(name: string, node: Node): void {
    this.#names.set(node, name);
  }

  /** Appends an operator and returns the name of its output. */
  op(op: string, inputs: readonly (Node | string)[], attributes: Record<string, OnnxAttribute> = {}, domain = ''): string {
    const output = `t${this.#fresh++}`;
    const names = inputs.map((from) => (typeof from === 'string' ? from : this.name(from)));
    this.graph.nodes.push({ op, domain, inputs: names, outputs: [output], attributes });
    return output;
  }

  /** Remembers where the sizes named in an input's shape can be read when the graph runs. */
  measure(name: string, shape: Shape): void {
    shape.forEach((size, axis) => {
      if (typeof size !== 'string' || this.#sizes.has(size)) return;
      let read: string | undefined;
      this.#sizes.set(size, () => {
        read ??= this.op('Shape', [name], { start: axis, end: axis + 1 });
        return read;
      });
    });
  }

  /** A bound of a slice as a one-element tensor; a sum of names can only mean the end of the axis. */
  bound(size: Dim): string {
    if (typeof size === 'number') return this.indices([size]);
    const read = this.#sizes.get(size);
    return read ? read() : this.indices([2 ** 31 - 1]);
  }

  /** A shared constant of int64 values, as operators take for shapes and axes. */
  indices(values: readonly number[], shape: readonly number[] = [values.length]): string {
    const key = `${values}/${shape}`;
    let name = this.#indices.get(key);
    if (!name) {
      name = `i${this.#indices.size}`;
      this.graph.initializers.push({ name, shape, data: BigInt64Array.from(values, BigInt) });
      this.#indices.set(key, name);
    }
    return name;
  }
}

const microsoft = 'com.microsoft';
type Emitter<P extends Primitive> = (e: Emission, node: Node<P>) => string;

function plain(op: string): Emitter<Primitive> {
  return (e, node) => e.op(op, node.inputs);
}

const emitters: { [P in Primitive]: Emitter<P> } = {
  input: (e, node) => {
    e.graph.inputs.push({ name: node.parameters.name, type: node.type, shape: node.shape });
    e.measure(node.parameters.name, node.shape);
    return node.parameters.name;
  },
  constant: (e, node) => {
    const name = `c${node.id}`;
    e.graph.initializers.push({ name, shape: node.shape as number[], data: node.parameters.data });
    return name;
  },
  add: plain('Add'),
  sub: plain('Sub'),
  mul: plain('Mul'),
  div: plain('Div'),
  minimum: plain('Min'),
  neg: plain('Neg'),
  exp: plain('Exp'),
  log: plain('Log'),
  sqrt: plain('Sqrt'),
  sigmoid: plain('Sigmoid'),
  silu: (e, node) => e.op('QuickGelu', node.inputs, { alpha: { float: 1 } }, microsoft),
  equal: plain('Equal'),
  greaterOrEqual: plain('GreaterOrEqual'),
  where: plain('Where'),
  matmul: (e, { inputs, parameters: { transposeA, transposeB, scale } }) => {
    if (!transposeA && !transposeB && scale === 1) return e.op('MatMul', inputs);
    const attributes = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: scale } };
    return e.op('FusedMatMul', inputs, attributes, microsoft);
  },
  sum: (e, { inputs: [x], parameters: { axes } }) => e.op('ReduceSum', [x!, e.indices(axes)], { keepdims: 1 }),
  softmax: (e, { inputs }) => e.op('Softmax', inputs, { axis: -1 }),
  logSoftmax: (e, { inputs }) => e.op('LogSoftmax', inputs, { axis: -1 }),
  crossEntropy: (e, { inputs: [, logProbabilities, targets] }) => {
    const column = e.op('Unsqueeze', [targets!, e.indices([1])]);
    const picked = e.op('GatherElements', [logProbabilities!, column], { axis: 1 });
    return e.op('Neg', [e.op('Squeeze', [picked, e.indices([1])])]);
  },
  subtractOneHot: (e, { inputs: [p, targets] }) => {
    const column = e.op('Unsqueeze', [targets!, e.indices([1])]);
    const minusOne = e.op('Cast', [e.op('Expand', [e.indices([-1], []), e.op('Shape', [column])])], { to: 1 });
    return e.op('ScatterElements', [p!, column, minusOne], { axis: 1, reduction: 'add' });
  },
  rmsNorm: (e, { inputs, parameters: { epsilon } }) =>
    e.op('SimplifiedLayerNormalization', inputs, { axis: -1, epsilon: { float: epsilon } }),
  rope: (e, { inputs }) => e.op('RotaryEmbedding', inputs, { interleaved: 0 }, microsoft),
  reshape: (e, node) => e.op('Reshape', [node.inputs[0]!, e.indices(runtimeShape(node))]),
  transpose: (e, { inputs, parameters: { order } }) => e.op('Transpose', inputs, { perm: order }),
  slice: (e, { inputs: [x], parameters: { axis, start, end } }) =>
    e.op('Slice', [x!, e.bound(start), e.bound(end), e.indices([axis])]),
  concat: (e, { inputs, parameters: { axis } }) => e.op('Concat', inputs, { axis }),
  expand: (e, node) => e.op('Expand', [node.inputs[0]!, e.indices(stretch(node))]),
  gather: (e, { inputs }) => e.op('Gather', inputs, { axis: 0 }),
  scatterAdd: (e, { inputs: [base, ids, updates] }) => {
    const column = e.op('Unsqueeze', [ids!, e.indices([1])]);
    return e.op('ScatterND', [base!, column, updates!], { reduction: 'add' });
  },
};

/** A name known only at run time is 0 ("as in the input") where it stays in place, else -1 ("whatever is left"), once. */
function runtimeShape(node: Node<'reshape'>): number[] {
  const from = node.inputs[0]!.shape;
  const sizes = node.parameters.shape.map((size: Dim, axis) => (typeof size === 'number' ? size : from[axis] === size ? 0 : -1));
  if (sizes.filter((size) => size === -1).length > 1) refuse('reshape', node.inputs, `moves two unknown sizes to ${sizes}`);
  return sizes;
}

function stretch(node: Node<'expand'>): number[] {
  return node.parameters.shape.map((size) => (typeof size === 'number' ? size : 1));
}

/** ONNX bytes of the graph that the named outputs reach; its inputs are the input nodes found on the way. */
export function emitOnnx(outputs: Readonly<Record<string, Node>>): Uint8Array<ArrayBuffer> {
  const emission = new Emission();
  for (const node of inOrder(Object.values(outputs))) {
    emission.call((emitters[node.op] as Emitter<Primitive>)(emission, node), node);
  }
  return writeModel(nameOutputs(emission, outputs));
}

/** Gives values the names of the outputs they are; only an input, a constant or a value wanted twice has to be copied. */
function nameOutputs(emission: Emission, outputs: Readonly<Record<string, Node>>): OnnxGraph {
  const { graph } = emission;
  const renamed = new Map<string, string>();
  for (const [name, node] of Object.entries(outputs)) {
    const value = emission.name(node);
    const computed = node.op !== 'input' && node.op !== 'constant';
    if (computed && !renamed.has(value)) renamed.set(value, name);
    else graph.nodes.push({ op: 'Identity', domain: '', inputs: [value], outputs: [name], attributes: {} });
    graph.outputs.push({ name, type: node.type, shape: knownShape(node.shape) });
  }
  const rename = (names: readonly string[]): string[] => names.map((name) => renamed.get(name) ?? name);
  return {
    ...graph,
    nodes: graph.nodes.map((node) => ({ ...node, inputs: rename(node.inputs), outputs: rename(node.outputs) })),
  };
}

/** Sums of names have no meaning to the runtime; any fresh name will do. */
function knownShape(shape: Shape): Shape {
  return shape.map((size) => (typeof size === 'string' ? size.replaceAll('+', '_plus_') : size));
}
