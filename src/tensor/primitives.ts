// Constructors of graph nodes, one per primitive, with shape inference. Dimension letters: B batch, T time, D width, H heads, V vocabulary.
// A wrong shape throws here, where the bad node is built, and not in the runtime.
import {
  type Bits,
  blockSize,
  broadcast,
  createNode,
  type Dim,
  type ElementType,
  elements,
  type Node,
  type Primitive,
  refuse,
  type Shape,
  type Stored,
} from './graph.ts';

/** A value fed at run time. */
export function input(name: string, type: ElementType, shape: Shape): Node {
  return createNode('input', [], { name }, type, shape);
}

/** A fixed tensor; `data` is row-major. */
export function constant(data: Float32Array | BigInt64Array | Uint8Array, shape: Shape): Node {
  const type = data instanceof Float32Array ? 'float32' : data instanceof Uint8Array ? 'uint8' : 'int64';
  const node = createNode('constant', [], { data }, type, shape);
  if (elements(shape) !== data.length) refuse('constant', [node], `got ${data.length} elements`);
  return node;
}

/** A fixed tensor whose values stay in a file until the runtime maps them. */
export function stored(type: ElementType, shape: readonly number[], place: Stored): Node {
  return createNode('constant', [], { data: place }, type, shape);
}

export function scalar(value: number): Node {
  return constant(Float32Array.of(value), []);
}

function elementwise(op: 'add' | 'sub' | 'mul' | 'div' | 'minimum', a: Node, b: Node, type: ElementType = 'float32'): Node {
  if (a.type !== type || b.type !== type) refuse(op, [a, b], `wants ${type}`);
  return createNode(op, [a, b], {}, type, broadcast(op, [a, b]));
}
/** Positions, which are int64, can be added too. */
export const add = (a: Node, b: Node): Node => elementwise('add', a, b, a.type === 'int64' ? 'int64' : 'float32');
export const sub = (a: Node, b: Node): Node => elementwise('sub', a, b);
export const mul = (a: Node, b: Node): Node => elementwise('mul', a, b);
export const div = (a: Node, b: Node): Node => elementwise('div', a, b);
export const minimum = (a: Node, b: Node): Node => elementwise('minimum', a, b);

function unary(op: 'neg' | 'exp' | 'log' | 'sqrt' | 'sigmoid' | 'silu' | 'gelu' | 'softmax' | 'logSoftmax', x: Node): Node {
  if (x.type !== 'float32') refuse(op, [x], 'wants float32');
  return createNode(op, [x], {}, 'float32', x.shape);
}
export const neg = (x: Node): Node => unary('neg', x);
export const exp = (x: Node): Node => unary('exp', x);
export const log = (x: Node): Node => unary('log', x);
export const sqrt = (x: Node): Node => unary('sqrt', x);
export const sigmoid = (x: Node): Node => unary('sigmoid', x);
/** x · sigmoid(x). */
export const silu = (x: Node): Node => unary('silu', x);
/** x · σ(2u) = x (1 + tanh u) / 2 with u = √(2/π) (x + 0.044715 x³). Hendrycks & Gimpel 2016, the approximation by tanh. */
export const gelu = (x: Node): Node => unary('gelu', x);
/** The two numbers in u. */
export const geluTerms = { slope: Math.sqrt(2 / Math.PI), cubic: 0.044715 };
/** Over the last axis. */
export const softmax = (x: Node): Node => unary('softmax', x);
/** Over the last axis. */
export const logSoftmax = (x: Node): Node => unary('logSoftmax', x);

function compare(op: 'equal' | 'greaterOrEqual', a: Node, b: Node): Node {
  if (a.type !== 'int64' || b.type !== 'int64') refuse(op, [a, b], 'compares int64');
  return createNode(op, [a, b], {}, 'bool', broadcast(op, [a, b]));
}
export const equal = (a: Node, b: Node): Node => compare('equal', a, b);
export const greaterOrEqual = (a: Node, b: Node): Node => compare('greaterOrEqual', a, b);

/** `condition ? a : b`, element by element. */
export function where(condition: Node, a: Node, b: Node): Node {
  const inputs = [condition, a, b];
  if (condition.type !== 'bool' || a.type !== b.type) refuse('where', inputs, 'wants a bool and two tensors of one type');
  return createNode('where', inputs, {}, a.type, broadcast('where', inputs));
}

/** scale · A B over the last two axes, each operand transposed on request; leading axes broadcast. */
export function matmul(a: Node, b: Node, options: { transposeA?: boolean; transposeB?: boolean; scale?: number } = {}): Node {
  const { transposeA = false, transposeB = false, scale = 1 } = options;
  if (a.shape.length < 2 || b.shape.length < 2) refuse('matmul', [a, b], 'wants at least two axes');
  const [rows, innerA] = lastTwo(a, transposeA);
  const [innerB, columns] = lastTwo(b, transposeB);
  if (innerA !== innerB) refuse('matmul', [a, b], `inner sizes ${innerA} and ${innerB} differ`);
  const batchA = { ...a, shape: a.shape.slice(0, -2) };
  const batchB = { ...b, shape: b.shape.slice(0, -2) };
  const batch = broadcast('matmul', [batchA, batchB]);
  return createNode('matmul', [a, b], { transposeA, transposeB, scale }, 'float32', [...batch, rows, columns]);
}

function lastTwo({ shape }: Node, transposed: boolean): [Dim, Dim] {
  const [x, y] = shape.slice(-2) as [Dim, Dim];
  return transposed ? [y, x] : [x, y];
}

/** Sum over `axes` (all when absent), which stay as size 1. */
export function sum(x: Node, axes: readonly number[] = x.shape.map((_, axis) => axis)): Node {
  const from = axes.map((axis) => normalAxis('sum', x, axis));
  return createNode(
    'sum',
    [x],
    { axes: from },
    'float32',
    x.shape.map((size, axis) => (from.includes(axis) ? 1 : size)),
  );
}

/** Negative log-likelihood of each row's target. logits (N, V), targets (N) int64 → (N), in nats. */
export function crossEntropy(logits: Node, targets: Node): Node {
  if (logits.shape.length !== 2 || targets.type !== 'int64')
    refuse('crossEntropy', [logits, targets], 'wants (N, V) and int64 (N)');
  if (targets.shape[0] !== logits.shape[0]) refuse('crossEntropy', [logits, targets], 'wants one target a row');
  return createNode('crossEntropy', [logits, logSoftmax(logits), targets], {}, 'float32', targets.shape);
}

/** p − onehot(targets). p (N, V), targets (N) int64 → (N, V). */
export function subtractOneHot(p: Node, targets: Node): Node {
  if (p.shape.length !== 2 || targets.type !== 'int64') refuse('subtractOneHot', [p, targets], 'wants (N, V) and int64 (N)');
  return createNode('subtractOneHot', [p, targets], {}, 'float32', p.shape);
}

/** x / sqrt(mean(x²) + ε) · weight over the last axis. x (…, D), weight (D). Zhang & Sennrich 2019. */
export function rmsNorm(x: Node, weight: Node, epsilon: number): Node {
  if (weight.shape.length !== 1 || weight.shape[0] !== x.shape.at(-1))
    refuse('rmsNorm', [x, weight], 'wants one weight a column');
  return createNode('rmsNorm', [x, weight], { epsilon }, 'float32', x.shape);
}

/**
 * Rotary position embedding, halves rotated as in Hugging Face's Llama (Su et al. 2021).
 * x (B, H, T, d), positions (B, T) int64, cosine and sine (L, d/2) → (B, H, T, d).
 */
export function rope(x: Node, positions: Node, cosine: Node, sine: Node): Node {
  const inputs = [x, positions, cosine, sine];
  if (x.shape.length !== 4 || positions.type !== 'int64') refuse('rope', inputs, 'wants (B, H, T, d) and int64 (B, T)');
  if (x.shape[0] !== positions.shape[0] || x.shape[2] !== positions.shape[1]) refuse('rope', inputs, 'B or T differ');
  return createNode('rope', inputs, {}, 'float32', x.shape);
}

/** The same elements in another shape. With sizes known only at run time, at most one of them may move to another axis. */
export function reshape(x: Node, shape: Shape): Node {
  const known = [...x.shape, ...shape].every((size) => typeof size === 'number');
  if (known && elements(x.shape) !== elements(shape)) refuse('reshape', [x], `cannot become [${shape.join('×')}]`);
  return createNode('reshape', [x], { shape }, x.type, shape);
}

export function transpose(x: Node, order: readonly number[]): Node {
  if (order.toSorted().join() !== x.shape.map((_, axis) => axis).join())
    refuse('transpose', [x], `[${order}] is no order of its axes`);
  return createNode(
    'transpose',
    [x],
    { order },
    x.type,
    order.map((axis) => x.shape[axis] as Dim),
  );
}

/** Elements start … end-1 of one axis; a bound may be a size that is only known at run time. */
export function slice(x: Node, axis: number, start: Dim, end: Dim): Node {
  const at = normalAxis('slice', x, axis);
  const size = x.shape[at] as Dim;
  const known = typeof start === 'number' && typeof end === 'number';
  if (known && (start < 0 || start >= end || (typeof size === 'number' && end > size))) {
    refuse('slice', [x], `has no ${start}…${end} on axis ${at}`);
  }
  const length = known ? end - start : start === 0 ? end : `${end}`.replace(`${start}+`, '');
  return createNode('slice', [x], { axis: at, start, end }, x.type, x.shape.with(at, length));
}

export function concat(parts: readonly Node[], axis: number): Node {
  const first = parts[0] as Node;
  const at = normalAxis('concat', first, axis);
  for (const part of parts) {
    const fits = part.shape.length === first.shape.length && part.shape.every((size, i) => i === at || size === first.shape[i]);
    if (!fits || part.type !== first.type) refuse('concat', parts, `differ beside axis ${at}`);
  }
  const sizes = parts.map((part) => part.shape[at] as Dim);
  const total = sizes.every((size) => typeof size === 'number') ? sizes.reduce((a, b) => a + b, 0) : sizes.join('+');
  return createNode('concat', parts, { axis: at }, first.type, first.shape.with(at, total));
}

/** Repeats axes of size 1 up to `shape`. */
export function expand(x: Node, shape: Shape): Node {
  const target = { ...x, shape };
  if (broadcast('expand', [x, target]).join() !== shape.join()) refuse('expand', [x], `cannot become [${shape.join('×')}]`);
  return createNode('expand', [x], { shape }, x.type, shape);
}

/** Rows of a table. table (V, D), ids (…) int64 → (…, D). */
export function gather(table: Node, ids: Node): Node {
  if (ids.type !== 'int64' || table.shape.length !== 2) refuse('gather', [table, ids], 'wants (V, D) and int64 ids');
  return createNode('gather', [table, ids], {}, table.type, [...ids.shape, table.shape[1] as Dim]);
}

/** base with row i of updates added to row ids[i]; ids may repeat. base (V, D), ids (N) int64, updates (N, D) → (V, D). */
export function scatterAdd(base: Node, ids: Node, updates: Node): Node {
  const inputs = [base, ids, updates];
  if (ids.type !== 'int64' || ids.shape.length !== 1 || updates.shape.length !== 2)
    refuse('scatterAdd', inputs, 'wants (V, D), (N), (N, D)');
  if (ids.shape[0] !== updates.shape[0] || base.shape[1] !== updates.shape[1]) refuse('scatterAdd', inputs, 'N or D differ');
  return createNode('scatterAdd', inputs, {}, 'float32', base.shape);
}

/** A matrix (N, K) of 8- or 4-bit numbers: every row in blocks of `blockSize`, the last one filled up. */
export interface QuantisedMatrix {
  bits: Bits;
  /** uint8 (N, blocks, blockSize · bits / 8), the lower half of a byte first; a row may be flat where it is only gathered. */
  codes: Node;
  /** (N, blocks). */
  scales: Node;
  /** The code of 0 in each block, uint8 (N, ⌈blocks · bits / 8⌉); absent where it is 2^(bits - 1) everywhere. */
  zeroPoints?: Node | undefined;
}

/**
 * x Wᵀ with W = scale · (code - zero point). x is rounded to 8 bits a block as well, so every row is computed alike however many there are.
 * x (…, K), W (N, K) → (…, N).
 */
export function matmulNBits(x: Node, { bits, codes, scales, zeroPoints }: QuantisedMatrix): Node {
  const inputs = zeroPoints ? [x, codes, scales, zeroPoints] : [x, codes, scales];
  const [N, blocks, bytes] = codes.shape;
  if (codes.type !== 'uint8' || bytes !== (blockSize * bits) / 8) refuse('matmulNBits', inputs, `wants blocks of ${bits} bits`);
  const K = x.shape.at(-1) as number;
  if (Math.ceil(K / blockSize) !== blocks) refuse('matmulNBits', inputs, `${K} columns do not make ${blocks} blocks`);
  return createNode('matmulNBits', inputs, { bits }, 'float32', [...x.shape.slice(0, -1), N as Dim]);
}

/** Rows of a quantised table, filled up to whole blocks. codes (V, bytes), ids (…) int64 → (…, blocks · blockSize). */
export function gatherNBits({ bits, codes, scales, zeroPoints }: QuantisedMatrix, ids: Node): Node {
  const inputs = zeroPoints ? [codes, ids, scales, zeroPoints] : [codes, ids, scales];
  const width = (scales.shape[1] as number) * blockSize;
  const fits = codes.type === 'uint8' && codes.shape.length === 2 && codes.shape[1] === (width * bits) / 8;
  if (!fits || ids.type !== 'int64') refuse('gatherNBits', inputs, `wants ${bits}-bit rows and int64 ids`);
  return createNode('gatherNBits', inputs, { bits }, 'float32', [...ids.shape, width]);
}

/** Adds up many tensors of one shape. */
export function addAll(parts: readonly Node[]): Node {
  return parts.reduce((total, part) => add(total, part));
}

function normalAxis(op: Primitive, x: Node, axis: number): number {
  const at = axis < 0 ? axis + x.shape.length : axis;
  if (!(at >= 0 && at < x.shape.length)) refuse(op, [x], `has no axis ${axis}`);
  return at;
}
