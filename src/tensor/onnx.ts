// Emits a tensor graph as an ONNX model: one entry per primitive, each only appends nodes. Fused operators of the runtime (com.microsoft) stand where
// one primitive would otherwise be several passes over memory.
import { blockSize, type Dim, inOrder, type Node, type Primitive, refuse, type Shape } from './graph.ts';
import { type OnnxAttribute, type OnnxGraph, writeModel } from './onnx-format.ts';
import type { Provider } from './session.ts';

class Emission {
  readonly graph: OnnxGraph = { nodes: [], initializers: [], inputs: [], outputs: [] };
  readonly provider: Provider;
  readonly #names = new Map<Node, string>();
  readonly #indices = new Map<string, string>();
  readonly #sizes = new Map<string, () => string>();
  #fresh = 0;

  constructor(provider: Provider) {
    this.provider = provider;
  }

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
      this.graph.initializers.push({ name, type: 'int64', shape, data: BigInt64Array.from(values, BigInt) });
      this.#indices.set(key, name);
    }
    return name;
  }

  number(value: number): string {
    const name = `s${this.graph.initializers.length}`;
    this.graph.initializers.push({ name, type: 'float32', shape: [], data: Float32Array.of(value) });
    return name;
  }
}

const microsoft = 'com.microsoft';
/** The accuracy_level of MatMulNBits at which it is fastest; at the others a row alone is computed unlike a row among many. */
const int8Activations = 4;
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
    e.graph.initializers.push({ name, type: node.type, shape: node.shape as number[], data: node.parameters.data });
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
  gelu: (e, node) => e.op('FastGelu', node.inputs, {}, microsoft),
  equal: plain('Equal'),
  greaterOrEqual: plain('GreaterOrEqual'),
  where: plain('Where'),
  matmul: (e, node) => {
    const { inputs, parameters } = node;
    const { transposeA, transposeB, scale } = parameters;
    if (!transposeA && !transposeB && scale === 1) return e.op('MatMul', inputs);
    if (e.provider === 'webgpu') return standardProduct(e, node);
    const attributes = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: scale } };
    return e.op('FusedMatMul', inputs, attributes, microsoft);
  },
  sum: (e, { inputs: [x], parameters: { axes } }) => e.op('ReduceSum', [x!, e.indices(axes)], { keepdims: 1 }),
  softmax: (e, { inputs }) => e.op('Softmax', inputs, { axis: -1 }),
  logSoftmax: (e, { inputs: [x] }) => {
    if (e.provider !== 'webgpu') return e.op('LogSoftmax', [x!], { axis: -1 });
    // x − ln Σ eˣ, beside the largest: that provider has no kernel for the whole.
    const last = e.indices([-1]);
    const shifted = e.op('Sub', [x!, e.op('ReduceMax', [x!, last], { keepdims: 1 })]);
    const total = e.op('ReduceSum', [e.op('Exp', [shifted]), last], { keepdims: 1 });
    return e.op('Sub', [shifted, e.op('Log', [total])]);
  },
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
  matmulNBits: (e, { inputs, parameters: { bits } }) => {
    const [K, N] = [inputs[0]!.shape.at(-1) as number, inputs[1]!.shape[0] as number];
    const attributes = { K, N, bits, block_size: blockSize, accuracy_level: int8Activations };
    return e.op('MatMulNBits', inputs, attributes, microsoft);
  },
  gatherNBits: (e, { inputs, parameters: { bits } }) =>
    e.op('GatherBlockQuantized', inputs, { gather_axis: 0, quantize_axis: 1, block_size: blockSize, bits }, microsoft),
};

/** Without FusedMatMul, which the webgpu provider would leave to the processor, with every operand carried there and back. */
function standardProduct(e: Emission, { inputs: [a, b], parameters: { transposeA, transposeB, scale } }: Node<'matmul'>): string {
  if (a!.shape.length === 2 && b!.shape.length === 2) {
    const attributes = { transA: Number(transposeA), transB: Number(transposeB), alpha: { float: scale } };
    return e.op('Gemm', [a!, b!], attributes);
  }
  const operand = (x: Node, transposed: boolean): Node | string => {
    const order = x.shape.map((_, axis) => axis);
    return transposed ? e.op('Transpose', [x], { perm: [...order.slice(0, -2), order.at(-1)!, order.at(-2)!] }) : x;
  };
  const left = operand(a!, transposeA);
  const scaled = scale === 1 ? left : e.op('Mul', [left, e.number(scale)]);
  return e.op('MatMul', [scaled, operand(b!, transposeB)]);
}

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

/** ONNX bytes of the graph that the named outputs reach, for a provider; its inputs are the input nodes found on the way. */
export function emitOnnx(outputs: Readonly<Record<string, Node>>, provider: Provider = 'cpu'): Uint8Array<ArrayBuffer> {
  const emission = new Emission(provider);
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
