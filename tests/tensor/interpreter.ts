// The slow, obvious meaning of every primitive, in double precision: the oracle for gradients and for what ONNX Runtime answers.
import { blockSize, inOrder, type Node, type Parameters, type Primitive } from '../../src/tensor/graph.ts';

export interface Value {
  shape: number[];
  data: number[];
}
type Kernel<P extends Primitive> = (inputs: Value[], node: Node<P>) => Value;

/** Sizes that only the feeds tell, by name. */
const sizes = new Map<string, number>();

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Index of every element, row-major. */
function* positions(shape: readonly number[]): Generator<number[]> {
  for (let flat = 0; flat < size(shape); flat++) {
    let rest = flat;
    yield shape.map((_, axis) => {
      const stride = size(shape.slice(axis + 1));
      const at = Math.floor(rest / stride);
      rest %= stride;
      return at;
    });
  }
}

function at(value: Value, position: readonly number[]): number {
  const extra = position.length - value.shape.length;
  let flat = 0;
  value.shape.forEach((length, axis) => {
    flat = flat * length + (length === 1 ? 0 : (position[axis + extra] as number));
  });
  return value.data[flat] as number;
}

function build(shape: number[], f: (position: number[]) => number): Value {
  return { shape, data: [...positions(shape)].map(f) };
}

function joint(values: Value[]): number[] {
  const rank = Math.max(...values.map((v) => v.shape.length));
  return Array.from({ length: rank }, (_, axis) => Math.max(...values.map((v) => v.shape[axis - rank + v.shape.length] ?? 1)));
}

const each =
  (f: (...xs: number[]) => number): Kernel<Primitive> =>
  (inputs) =>
    build(joint(inputs), (p) => f(...inputs.map((value) => at(value, p))));

function overRows(f: (row: number[]) => number[]): Kernel<Primitive> {
  return ([x]) => {
    const width = x!.shape.at(-1) as number;
    const rows = Array.from({ length: x!.data.length / width }, (_, i) => x!.data.slice(i * width, (i + 1) * width));
    return { shape: x!.shape, data: rows.flatMap(f) };
  };
}

function logSumExp(row: number[]): number {
  const top = Math.max(...row);
  return top + Math.log(row.reduce((total, x) => total + Math.exp(x - top), 0));
}

const sigma = (x: number): number => 1 / (1 + Math.exp(-x));

/** A quantised matrix as plain numbers, its rows filled up to whole blocks. */
function dequantise(codes: Value, scales: Value, zeroPoints: Value | undefined, bits: number): Value {
  const [rows, blocks] = scales.shape as [number, number];
  const code = (of: Value, row: number, i: number): number => {
    const byte = of.data[(row * of.data.length) / rows + Math.floor((i * bits) / 8)]!;
    return bits === 8 ? byte : (byte >> (4 * (i % 2))) & 15;
  };
  return build([rows, blocks * blockSize], ([row, i]) => {
    const block = Math.floor(i! / blockSize);
    const zero = zeroPoints ? code(zeroPoints, row!, block) : 2 ** (bits - 1);
    return at(scales, [row!, block]) * (code(codes, row!, i!) - zero);
  });
}

/** A block of activations in steps of a 127th of its largest magnitude. */
function round8(block: number[]): number[] {
  const step = Math.max(...block.map(Math.abs)) / 127;
  return step === 0 ? block : block.map((x) => step * Math.round(x / step));
}

function held(data: Parameters['constant']['data']): number[] {
  if ('file' in data) throw new Error('values in a file are for the runtime to read');
  return Array.from(data, Number);
}

const kernels: { [P in Primitive]: Kernel<P> } = {
  input: () => {
    throw new Error('an input must be fed');
  },
  constant: (_, node) => ({ shape: [...(node.shape as number[])], data: held(node.parameters.data) }),
  add: each((a, b) => a + b),
  sub: each((a, b) => a - b),
  mul: each((a, b) => a * b),
  div: each((a, b) => a / b),
  minimum: each(Math.min),
  neg: each((x) => -x),
  exp: each(Math.exp),
  log: each(Math.log),
  sqrt: each(Math.sqrt),
  sigmoid: each(sigma),
  silu: each((x) => x * sigma(x)),
  gelu: each((x) => (x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))) / 2),
  equal: each((a, b) => Number(a === b)),
  greaterOrEqual: each((a, b) => Number(a >= b)),
  where: each((c, a, b) => (c ? a : b)),
  matmul: ([a, b], { parameters: { transposeA, transposeB, scale } }) => {
    const left = a!.shape.slice(-2);
    const right = b!.shape.slice(-2);
    const [rows, inner] = transposeA ? left.toReversed() : left;
    const columns = transposeB ? right[0] : right[1];
    const batch = joint([
      { ...a!, shape: a!.shape.slice(0, -2) },
      { ...b!, shape: b!.shape.slice(0, -2) },
    ]);
    return build([...batch, rows!, columns!], (p) => {
      const [i, j] = p.slice(-2) as [number, number];
      const lead = p.slice(0, -2);
      let total = 0;
      for (let k = 0; k < inner!; k++) {
        total += at(a!, [...lead, ...(transposeA ? [k, i] : [i, k])]) * at(b!, [...lead, ...(transposeB ? [j, k] : [k, j])]);
      }
      return scale * total;
    });
  },
  sum: ([x], { parameters: { axes } }) => {
    const shape = x!.shape.map((length, axis) => (axes.includes(axis) ? 1 : length));
    const result = build(shape, () => 0);
    for (const p of positions(x!.shape)) {
      const flat = p.reduce((sofar, index, axis) => sofar * shape[axis]! + (axes.includes(axis) ? 0 : index), 0);
      result.data[flat]! += at(x!, p);
    }
    return result;
  },
  softmax: overRows((row) => row.map((x) => Math.exp(x - logSumExp(row)))),
  logSoftmax: overRows((row) => row.map((x) => x - logSumExp(row))),
  crossEntropy: ([logits, , targets]) =>
    build(targets!.shape, ([i]) => {
      const width = logits!.shape[1] as number;
      const row = logits!.data.slice(i! * width, (i! + 1) * width);
      return logSumExp(row) - row[targets!.data[i!]!]!;
    }),
  subtractOneHot: ([p, targets]) => build(p!.shape, ([i, j]) => at(p!, [i!, j!]) - Number(targets!.data[i!] === j)),
  rmsNorm: ([x, weight], { parameters: { epsilon } }) => {
    const width = x!.shape.at(-1) as number;
    const squares = build(x!.shape.slice(0, -1), (p) =>
      Array.from({ length: width }, (_, j) => at(x!, [...p, j]) ** 2).reduce((a, b) => a + b, 0),
    );
    return build(
      x!.shape,
      (p) => (at(x!, p) * weight!.data[p.at(-1)!]!) / Math.sqrt(at(squares, p.slice(0, -1)) / width + epsilon),
    );
  },
  rope: ([x, ids, cosine, sine]) => {
    const half = (x!.shape[3] as number) / 2;
    return build(x!.shape, ([b, h, t, j]) => {
      const place = at(ids!, [b!, t!]);
      const c = at(cosine!, [place, j! % half]);
      const s = at(sine!, [place, j! % half]);
      return j! < half
        ? at(x!, [b!, h!, t!, j!]) * c - at(x!, [b!, h!, t!, j! + half]) * s
        : at(x!, [b!, h!, t!, j!]) * c + at(x!, [b!, h!, t!, j! - half]) * s;
    });
  },
  reshape: ([x], node) => {
    const known = node.shape.map((length, axis) =>
      typeof length === 'number' ? length : node.inputs[0]!.shape[axis] === length ? x!.shape[axis]! : -1,
    );
    const missing = x!.data.length / known.filter((length) => length !== -1).reduce((a, b) => a * b, 1);
    return { shape: known.map((length) => (length === -1 ? missing : length)), data: x!.data };
  },
  transpose: ([x], { parameters: { order } }) =>
    build(
      order.map((axis) => x!.shape[axis]!),
      (p) =>
        at(
          x!,
          order.map((_, axis) => p[order.indexOf(axis)]!),
        ),
    ),
  slice: ([x], { parameters: { axis, start, end } }) => {
    const from = typeof start === 'number' ? start : sizes.get(start)!;
    const to = typeof end === 'number' ? end : (sizes.get(end) ?? x!.shape[axis]!);
    return build(x!.shape.with(axis, to - from), (p) => at(x!, p.with(axis, p[axis]! + from)));
  },
  concat: (parts, { parameters: { axis } }) => {
    const total = parts.reduce((sofar, part) => sofar + part.shape[axis]!, 0);
    return build(parts[0]!.shape.with(axis, total), (p) => {
      let index = p[axis]!;
      for (const part of parts) {
        if (index < part.shape[axis]!) return at(part, p.with(axis, index));
        index -= part.shape[axis]!;
      }
      throw new Error('unreachable');
    });
  },
  expand: ([x], { parameters: { shape } }) => {
    const target = shape.map((length, axis) => (typeof length === 'number' ? length : x!.shape[axis]!));
    return build(target, (p) => at(x!, p));
  },
  gather: ([table, ids]) => build([...ids!.shape, table!.shape[1]!], (p) => at(table!, [at(ids!, p.slice(0, -1)), p.at(-1)!])),
  scatterAdd: ([base, ids, updates]) => {
    const data = [...base!.data];
    const width = base!.shape[1]!;
    ids!.data.forEach((row, i) => {
      for (let j = 0; j < width; j++) data[row * width + j]! += updates!.data[i * width + j]!;
    });
    return { shape: base!.shape, data };
  },
  matmulNBits: ([x, codes, scales, zeroPoints], { parameters: { bits } }) => {
    const matrix = dequantise(codes!, scales!, zeroPoints, bits);
    const [N, K] = [matrix.shape[0]!, x!.shape.at(-1)!];
    const rows = Array.from({ length: x!.data.length / K }, (_, row) => x!.data.slice(row * K, (row + 1) * K));
    const data = rows.flatMap((row) => {
      const blocks = Array.from({ length: Math.ceil(K / blockSize) }, (_, b) => row.slice(b * blockSize, (b + 1) * blockSize));
      const rounded = blocks.flatMap(round8);
      return Array.from({ length: N }, (_, n) => rounded.reduce((total, value, k) => total + value * at(matrix, [n, k]), 0));
    });
    return { shape: x!.shape.with(-1, N), data };
  },
  gatherNBits: ([codes, ids, scales, zeroPoints], { parameters: { bits } }) => {
    const table = dequantise(codes!, scales!, zeroPoints, bits);
    return build([...ids!.shape, table.shape[1]!], (p) => at(table, [at(ids!, p.slice(0, -1)), p.at(-1)!]));
  },
};

/** Values of `outputs` when the inputs have the given values. */
export function interpret(outputs: readonly Node[], feeds: Readonly<Record<string, Value>>): Value[] {
  const values = new Map<Node, Value>();
  for (const node of inOrder(outputs)) {
    const fed = node.op === 'input' ? feeds[(node as Node<'input'>).parameters.name] : undefined;
    fed?.shape.forEach((length, axis) => {
      sizes.set(`${node.shape[axis]}`, length);
    });
    values.set(
      node,
      fed ??
        (kernels[node.op] as Kernel<Primitive>)(
          node.inputs.map((from) => values.get(from)!),
          node,
        ),
    );
  }
  return outputs.map((node) => values.get(node)!);
}
