// The starting values of a new model: small random numbers, among which some attention heads already do what takes training longest to find.
// Left to itself, a small model learns which words are about long before it learns to look one up: a head that finds where the same token
// stood before needs another, a layer below, that tells each position which token it follows, and neither is of use without the other (Olsson
// et al., 2022, "In-context learning and induction heads"). So they start as a pair, and training keeps what it can use. bench/copying.ts measures it.
import { type LlamaShape, parameterShapes, ropeFrequencies } from './shape.ts';

const deviation = 0.02;
/** Amplitude in each of the two fastest rotary frequencies: puts the token before some three nats above its neighbours. */
const lookBack = 5.5;
/** Deviation of the entries of a query and a key that are to meet. */
const likeness = 1.5;

const noExtra: ReadonlyMap<string, number[]> = new Map();

/**
 * Starting values of a new model, one parameter at a time: normal with deviation 0.02, the projections that feed the residual stream divided by
 * √(2 · layers) as in GPT-2, norms 1 in effect, biases 0. Where the shape has attention biases (Qwen2) and two layers, a third of the key and value heads of the
 * first two start as induction heads. The same seed gives the same numbers, parameter by parameter.
 */
export function* initialWeights(
  shape: LlamaShape,
  seed: number,
  extra: ReadonlyMap<string, number[]> = noExtra,
): Generator<[string, Float32Array]> {
  const shapes = new Map([...parameterShapes(shape), ...extra]);
  const drawn = (name: string): Float32Array => drawValues(shape, seed, name, shapes.get(name)!);
  for (const name of shapes.keys()) {
    const values = drawn(name);
    if (shape.layers > 1 && shape.attentionBias) startInduction(shape, name, values, drawn);
    yield [name, values];
  }
}

/** Rows for tokens that a model in use gets beside its own, about the mean of those there are: [rows, width] numbers behind the old ones. */
export function furtherEmbeddings(old: Float32Array, rows: number, width: number): Float32Array {
  const count = old.length / width;
  const values = new Float32Array(old.length + rows * width);
  fillNormal(values, deviation, hash('model.embed_tokens.weight', 0));
  const mean = new Float64Array(width);
  for (const [i, value] of old.entries()) mean[i % width]! += value / count;
  for (let i = old.length; i < values.length; i++) values[i]! += mean[i % width]!;
  values.set(old);
  return values;
}

/** The values of one parameter, all by chance. */
function drawValues(shape: LlamaShape, seed: number, name: string, dims: readonly number[]): Float32Array {
  const values = new Float32Array(dims.reduce((product, dim) => product * dim, 1));
  if (name.endsWith('norm.weight')) return values.fill(1 - shape.normOffset);
  if (name.endsWith('.bias')) return values;
  const residual = name.endsWith('o_proj.weight') || name.endsWith('down_proj.weight');
  fillNormal(values, residual ? deviation / Math.sqrt(2 * shape.layers) : deviation, hash(name, seed));
  return values;
}

type Projection = 'q' | 'k' | 'v' | 'o';
const weightOf = (layer: number, which: Projection) => `model.layers.${layer}.self_attn.${which}_proj.weight`;
const biasOf = (layer: number, which: Projection) => `model.layers.${layer}.self_attn.${which}_proj.bias`;

/**
 * Writes the heads that start as induction heads into the values of one parameter. By their biases those of the first layer look at the token before,
 * and write what they read beside what stands there. In the second layer queries read as those values do and keys read what was written, so a token
 * meets the places that follow it; what is found there is written back as it was read, which makes it the likeliest next token.
 */
function startInduction(shape: LlamaShape, name: string, values: Float32Array, drawn: (name: string) => Float32Array): void {
  const { hiddenSize: D, kvHeads, headDim } = shape;
  const perGroup = shape.heads / kvHeads;
  const outputs = shape.heads * headDim;
  const pairs = Math.max(1, Math.round(kvHeads / 3));
  /** Length of what the weights of one output are by chance, and of what a head of the first layer writes with one of its entries. */
  const rowLength = deviation * Math.sqrt(D);
  const columnLength = rowLength / Math.sqrt(2 * shape.layers);
  /** Every entry of the wired heads: its place among the queries, among the keys and values, and within its head. */
  const entries = Array.from({ length: pairs * headDim }, (_, i) => {
    const [head, dim] = [Math.floor(i / headDim), i % headDim];
    return { query: head * perGroup * headDim + dim, value: i, dim };
  });
  const write = {
    [biasOf(0, 'q')]: () => {
      const back = lookBackEntries(shape, 1);
      for (const { query, dim } of entries) values[query] = back[dim]!;
    },
    [biasOf(0, 'k')]: () => {
      const here = lookBackEntries(shape, 0);
      for (const { value, dim } of entries) values[value] = here[dim]!;
    },
    [weightOf(1, 'q')]: () => {
      const read = drawn(weightOf(0, 'v'));
      for (const { query, value } of entries)
        for (let d = 0; d < D; d++) values[query * D + d] = (likeness * read[value * D + d]!) / rowLength;
    },
    [weightOf(1, 'k')]: () => {
      const written = drawn(weightOf(0, 'o'));
      for (const { query, value } of entries)
        for (let d = 0; d < D; d++) values[value * D + d] = (likeness * written[d * outputs + query]!) / columnLength;
    },
    [weightOf(1, 'o')]: () => {
      const read = drawn(weightOf(1, 'v'));
      for (const { query, value } of entries)
        for (let d = 0; d < D; d++) values[d * outputs + query] = read[value * D + d]! / rowLength;
    },
  };
  write[name]?.();
}

/** Entries of a query or key that all positions share: rotated by their positions, one `back` before the other meets it best. */
function lookBackEntries(shape: LlamaShape, back: number): Float64Array {
  const half = shape.headDim / 2;
  const entries = new Float64Array(shape.headDim);
  for (const [i, frequency] of ropeFrequencies(shape).subarray(0, 2).entries()) {
    entries[i] = lookBack * Math.cos(back * frequency);
    entries[i + half] = -lookBack * Math.sin(back * frequency);
  }
  return entries;
}

/** FNV-1a of seed and name, so that each parameter has its own sequence. */
function hash(name: string, seed: number): number {
  let state = 0x811c9dc5;
  for (const character of `${seed}/${name}`) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193) >>> 0;
  return state;
}

/** Box–Muller over splitmix32. */
function fillNormal(values: Float32Array, deviation: number, start: number): void {
  let state = start;
  const uniform = () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < values.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    values[i] = radius * Math.cos(angle);
    if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle);
  }
}
