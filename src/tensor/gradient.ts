// Reverse-mode gradients as one table: a rule per primitive, written in primitives, so that the backward pass is more of the same graph.
// Nothing else in the program knows that gradients exist.
import { type Dim, elements, inOrder, type Node, type Primitive, refuse, type Shape, sameShape } from './graph.ts';
import {
  add,
  concat,
  constant,
  div,
  exp,
  expand,
  gather,
  geluTerms,
  matmul,
  mul,
  neg,
  reshape,
  rope,
  scalar,
  scatterAdd,
  sigmoid,
  slice,
  sqrt,
  sub,
  subtractOneHot,
  sum,
  transpose,
  where,
} from './primitives.ts';

/**
 * Gradient of each input of `node` given dy, the gradient of its output; null where none flows.
 * A gradient may come in the broadcast shape: the walk below sums it back to the shape of the input.
 */
type Rule<P extends Primitive> = (dy: Node, node: Node<P>) => readonly (Node | null)[];

const one = scalar(1);
const none = (): [] => [];
const quantised = 'has no gradient rule: weights in 8 or 4 bits are not trained';

const rules: { [P in Primitive]: Rule<P> } = {
  input: none,
  constant: none,
  // d(a + b) = da + db
  add: (dy) => [dy, dy],
  // d(a − b) = da − db
  sub: (dy) => [dy, neg(dy)],
  // d(ab) = b da + a db
  mul: (dy, { inputs: [a, b] }) => [mul(dy, b!), mul(dy, a!)],
  // d(a/b) = da/b − a/b² db
  div: (dy, node) => [div(dy, node.inputs[1]!), neg(div(mul(dy, node), node.inputs[1]!))],
  minimum: (dy, node) =>
    refuse('minimum', [dy, ...node.inputs], 'has no gradient rule: it is used after the gradients, in clipping'),
  // d(−x) = −dx
  neg: (dy) => [neg(dy)],
  // d(eˣ) = eˣ dx
  exp: (dy, node) => [mul(dy, node)],
  // d(ln x) = dx / x
  log: (dy, { inputs: [x] }) => [div(dy, x!)],
  // d(√x) = dx / 2√x
  sqrt: (dy, node) => [div(mul(dy, scalar(0.5)), node)],
  // d(σ(x)) = σ(x)(1 − σ(x)) dx
  sigmoid: (dy, node) => [mul(dy, mul(node, sub(one, node)))],
  // y = xσ(x): dy/dx = y + σ(x)(1 − y)
  silu: (dy, node) => [mul(dy, add(node, mul(sigmoid(node.inputs[0]!), sub(one, node))))],
  gelu: geluRule,
  equal: () => [null, null],
  greaterOrEqual: () => [null, null],
  // the branch taken gets the gradient, the other gets 0
  where: (dy, { inputs: [condition] }) => [null, where(condition!, dy, scalar(0)), where(condition!, scalar(0), dy)],
  matmul: matmulRule,
  sum: (dy, { inputs: [x] }) => [expand(dy, x!.shape)],
  // y = softmax(x): dx = y (dy − Σ dy y)
  softmax: (dy, node) => [mul(node, sub(dy, sum(mul(dy, node), [-1])))],
  // y = x − ln Σ eˣ: dx = dy − eʸ Σ dy
  logSoftmax: (dy, node) => [sub(dy, mul(exp(node), sum(dy, [-1])))],
  // d nll / d logits = softmax(logits) − onehot(target); the log-probabilities (input 1) are only read
  crossEntropy: (dy, { inputs: [, logProbabilities, targets] }) => [
    mul(subtractOneHot(exp(logProbabilities!), targets!), reshape(dy, [dy.shape[0]!, 1])),
    null,
    null,
  ],
  subtractOneHot: (dy) => [dy, null],
  rmsNorm: rmsNormRule,
  // a rotation is undone by rotating back
  rope: (dy, { inputs: [, positions, cosine, sine] }) => [rope(dy, positions!, cosine!, neg(sine!)), null, null, null],
  reshape: (dy, { inputs: [x] }) => [reshape(dy, x!.shape)],
  transpose: (dy, { parameters: { order } }) => [
    transpose(
      dy,
      order.map((_, axis) => order.indexOf(axis)),
    ),
  ],
  slice: sliceRule,
  concat: concatRule,
  // the walk sums a broadcast gradient back
  expand: (dy) => [dy],
  gather: (dy, { inputs: [table, ids] }) => {
    const count = elements(ids!.shape);
    const flat = reshape(dy, [count, table!.shape[1]!]);
    return [scatterAdd(zeros(table!.shape), reshape(ids!, [count]), flat), null];
  },
  scatterAdd: (dy, { inputs: [, ids] }) => [dy, null, gather(dy, ids!)],
  matmulNBits: (dy, node) => refuse('matmulNBits', [dy, ...node.inputs], quantised),
  gatherNBits: (dy, node) => refuse('gatherNBits', [dy, ...node.inputs], quantised),
};

// Y = s A B: dA = s dY Bᵀ, dB = s Aᵀ dY, and the transposed forms of both
function matmulRule(dy: Node, { inputs: [a, b], parameters: { transposeA, transposeB, scale } }: Node<'matmul'>): Node[] {
  const da = transposeA
    ? matmul(b!, dy, { transposeA: transposeB, transposeB: true, scale })
    : matmul(dy, b!, { transposeB: !transposeB, scale });
  const weightLike = b!.shape.length === 2 && a!.shape.length > 2;
  const [x, dOut] = weightLike ? [flattenRows(a!), flattenRows(dy)] : [a!, dy];
  const db = transposeB
    ? matmul(dOut, x, { transposeA: true, transposeB: transposeA, scale })
    : matmul(x, dOut, { transposeA: !transposeA, scale });
  return [da, db];
}

// y = x s with s = σ(2u): dy/dx = s + 2u′ y (1 − s), where 2u = kx (1 + c x²) and 2u′ = k (1 + 3c x²)
function geluRule(dy: Node, node: Node<'gelu'>): Node[] {
  const x = node.inputs[0]!;
  const [k, c] = [2 * geluTerms.slope, geluTerms.cubic];
  const square = mul(x, x);
  const s = sigmoid(mul(x, add(mul(square, scalar(k * c)), scalar(k))));
  const inner = add(mul(square, scalar(3 * k * c)), scalar(k));
  return [mul(dy, add(s, mul(mul(node, sub(one, s)), inner)))];
}

// y = x r w with r = (mean x² + ε)^-½ and q = dy x:  dx = r (dy w) − x r³ Σⱼ(q w) / D,  dw = Σ r q.
// Both sums are products with a vector, which pass over q once and write next to nothing.
function rmsNormRule(dy: Node, { inputs: [x, weight], parameters: { epsilon } }: Node<'rmsNorm'>): Node[] {
  const D = x!.shape.at(-1) as number;
  const width = scalar(1 / D);
  const r = div(one, sqrt(add(mul(sum(mul(x!, x!), [-1]), width), scalar(epsilon))));
  const q = mul(dy, x!);
  const along = mul(matmul(q, reshape(weight!, [D, 1])), width);
  const drift = mul(mul(mul(r, r), r), along);
  const dx = sub(mul(mul(dy, weight!), r), mul(x!, drift));
  const dw = matmul(flattenRows(q), flattenRows(r), { transposeA: true });
  return [dx, reshape(dw, [D])];
}

function sliceRule(dy: Node, { inputs: [x], parameters: { axis, start, end } }: Node<'slice'>): Node[] {
  const size = x!.shape[axis] as number;
  const pads = [start as number, size - (end as number)].map((length) =>
    length > 0 ? zeros(x!.shape.with(axis, length)) : null,
  );
  return [
    concat(
      [pads[0], dy, pads[1]].filter((part) => part != null),
      axis,
    ),
  ];
}

function concatRule(dy: Node, { inputs, parameters: { axis } }: Node<'concat'>): Node[] {
  let start = 0;
  return inputs.map((part) => {
    const end = start + (part.shape[axis] as number);
    const piece = slice(dy, axis, start, end);
    start = end;
    return piece;
  });
}

/** Gradients of a scalar with respect to each of `wrt`. Throws when one of them does not influence it. */
export function gradient(loss: Node, wrt: readonly Node[]): Node[] {
  if (elements(loss.shape) !== 1) throw new Error(`gradient wants a scalar, got [${loss.shape.join('×')}]`);
  const order = inOrder([loss]);
  const needed = new Set<Node>(wrt);
  for (const node of order) if (node.inputs.some((from) => needed.has(from))) needed.add(node);
  const found = new Map<Node, Node[]>([[loss, [constant(Float32Array.of(1), loss.shape)]]]);
  for (const node of order.toReversed()) {
    const parts = found.get(node);
    if (!parts || !needed.has(node)) continue;
    const dy = total(parts);
    found.set(node, [dy]);
    (rules[node.op] as Rule<Primitive>)(dy, node).forEach((dx, i) => {
      const from = node.inputs[i] as Node;
      if (dx && needed.has(from)) found.set(from, [...(found.get(from) ?? []), sumToShape(dx, from.shape)]);
    });
  }
  return wrt.map((node) => {
    const parts = found.get(node);
    if (!parts) throw new Error(`${node.op} ${JSON.stringify(node.parameters)} does not influence the loss`);
    return total(parts);
  });
}

/** Adds gradients; a scatter onto zeros is turned into a scatter onto the rest, which saves a pass over a whole table. */
function total(parts: readonly Node[]): Node {
  const scatters = parts.filter((part) => part.op === 'scatterAdd');
  const rest = parts.filter((part) => part.op !== 'scatterAdd');
  const base = rest.length > 0 ? rest.reduce(add) : (scatters.shift() as Node);
  return scatters.reduce((sofar, scatter) => scatterAdd(sofar, scatter.inputs[1]!, scatter.inputs[2]!), base);
}

/** Undoes broadcasting: sums the axes that were added or stretched. */
function sumToShape(dx: Node, shape: Shape): Node {
  if (sameShape(dx.shape, shape)) return dx;
  const extra = dx.shape.length - shape.length;
  const axes = dx.shape.flatMap((size: Dim, axis) => (axis < extra || shape[axis - extra] !== size ? [axis] : []));
  return reshape(sum(dx, axes), shape);
}

function flattenRows(x: Node): Node {
  return reshape(x, [elements(x.shape.slice(0, -1)), x.shape.at(-1)!]);
}

function zeros(shape: Shape): Node {
  return expand(
    constant(
      new Float32Array(1),
      shape.map(() => 1),
    ),
    shape,
  );
}
