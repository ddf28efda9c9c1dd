// The forward pass of a Llama-shaped model as a graph: training, scoring, prefill and decoding all build on these functions. Dimension letters: B
// batch, T new tokens, P past slots, D hidden, H heads, K key/value heads, G heads per key/value head, d head size, V vocabulary.
import type { Dim, Node } from '../tensor/graph.ts';
import * as t from '../tensor/primitives.ts';
import { type Rotate, rotationsOf } from './rotation.ts';
import { attentionScale, type LlamaShape, layerWindow, windowTokens } from './shape.ts';

export interface Network {
  /** A norm's weight by its Hugging Face name, or a parameter beside the trunk. */
  parameter(name: string): Node;
  /** Rows of the embedding table. ids (…) int64 → (…, D). */
  embed(ids: Node): Node;
  /** x (…, in) → (…, out) through the projection `name`, e.g. `model.layers.0.mlp.up_proj`. */
  linear(x: Node, name: string): Node;
}

/** Keys and values of tokens already read, one entry a layer. */
export interface Past {
  /** (B, K, d, P): transposed, as the scores need them. */
  keys: Node[];
  /** (B, K, P, d). */
  values: Node[];
  /** Added to the scores of the past, (B, 1, 1, P): 0 where a slot is in use, very negative where not. */
  bias: Node;
  /** Added to them in windowed layers, (B, 1, T, P): very negative where the window does not reach back to a slot. */
  windowBias: Node | null;
}

export interface Tokens {
  /** (B, T) int64. */
  ids: Node;
  /** (B, T) int64. */
  positions: Node;
  /** Added to the scores among the new tokens, broadcast to (B, 1, T, T). */
  bias: Node;
  past?: Past;
  /** Added to what the layers give, one after the other: (B, T, L·D). Not together with `last`. */
  vectorSums?: Node;
  /** When only one token of each row is read, the last layer need not compute the others. */
  last?: LastToken;
}

/** The one token of each row whose hidden state is wanted. */
export interface LastToken {
  /** Places in the flattened batch, (B) int64. */
  ends: Node;
  /** (B, 1) int64. */
  positions: Node;
  /** Added to its scores, (B, 1, 1, T). */
  bias: Node;
}

export interface Trunk {
  /** After the final norm, (B, T, D), or (B, 1, D) of the last tokens. */
  hidden: Node;
  /** New keys, rotated, (B, K, T, d) a layer. */
  keys: Node[];
  /** New values, (B, K, T, d) a layer. */
  values: Node[];
}

/** Added to the score of a pair that may not see each other. */
export const hidden = -1e9;

/** Linear layers that only multiply by their weight and add their bias where the shape has one. */
export function plainNetwork(parameter: (name: string) => Node, shape: LlamaShape): Network {
  return biasedNetwork(shape, {
    parameter,
    embed: (ids) => t.gather(parameter(`${embeddings}.weight`), ids),
    linear: (x, name) => t.matmul(x, parameter(`${name}.weight`), { transposeB: true }),
  });
}

/** The network with the biases its shape has added. */
export function biasedNetwork(shape: LlamaShape, network: Network): Network {
  const biased = /\.(q|k|v)_proj$/;
  return {
    ...network,
    linear(x, name) {
      const y = network.linear(x, name);
      return shape.attentionBias && biased.test(name) ? t.add(y, network.parameter(`${name}.bias`)) : y;
    },
  };
}

/** The embedding table, which may be the output projection too. */
export const embeddings = 'model.embed_tokens';

/** Everything between token ids and the last hidden state. */
export function forwardTrunk(shape: LlamaShape, network: Network, tokens: Tokens): Trunk {
  const rotationOf = rotationsOf(shape);
  const keys: Node[] = [];
  const values: Node[] = [];
  const wholeView = viewOf(shape, tokens, null);
  const window = windowTokens(shape);
  const windowedView = window === null ? wholeView : viewOf(shape, tokens, window);
  let x = times(network.embed(tokens.ids), shape.embeddingMultiplier); // (B, T, D)
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `model.layers.${layer}.`;
    const norm = (y: Node, name: string) => normed(shape, network, y, `${at}${name}`);
    const answer = (y: Node, name: string) => times(shape.outputNorms ? norm(y, name) : y, shape.residualMultiplier);
    const view = layerWindow(shape, layer) === null ? wholeView : windowedView;
    const input = norm(x, 'input_layernorm');
    const last = layer === shape.layers - 1 ? tokens.last : undefined;
    const asking = last
      ? { ...last, parts: view.last, x: pickRows(input, last.ends) }
      : { ...tokens, parts: view.parts, x: input };
    const past = tokens.past && { keys: tokens.past.keys[layer]!, values: tokens.past.values[layer]!, bias: view.past! };
    const attention = attend(shape, network, `${at}self_attn.`, input, asking, tokens.positions, past, rotationOf(layer));
    keys.push(attention.keys);
    values.push(attention.values);
    x = t.add(last ? pickRows(x, last.ends) : x, answer(attention.output, 'post_attention_layernorm'));
    const toMlp = norm(x, shape.outputNorms ? 'pre_feedforward_layernorm' : 'post_attention_layernorm');
    x = t.add(x, answer(gatedMlp(shape, network, `${at}mlp.`, toMlp), 'post_feedforward_layernorm'));
    if (tokens.vectorSums) {
      const [start, end] = [layer * shape.hiddenSize, (layer + 1) * shape.hiddenSize];
      x = t.add(x, t.slice(tokens.vectorSums, -1, start, end));
    }
  }
  return { hidden: normed(shape, network, x, 'model.norm'), keys, values };
}

function times(x: Node, factor: number): Node {
  return factor === 1 ? x : t.mul(x, t.scalar(factor));
}

function normed({ normOffset, normEpsilon }: LlamaShape, network: Network, x: Node, name: string): Node {
  const weight = network.parameter(`${name}.weight`);
  return t.rmsNorm(x, normOffset === 0 ? weight : t.add(weight, t.scalar(normOffset)), normEpsilon);
}

/** One row of each sequence. x (B, T, D), ends (B) → (B, 1, D). */
function pickRows(x: Node, ends: Node): Node {
  const [B, T, D] = x.shape as [Dim, Dim, Dim];
  const rows = typeof B === 'number' && typeof T === 'number' ? B * T : `${B}·${T}`;
  return t.reshape(t.gather(t.reshape(x, [rows, D]), ends), [B, 1, D]);
}

/** Scores of every token of the vocabulary. hidden (…, D) → (…, V). */
export function logits(shape: LlamaShape, network: Network, x: Node): Node {
  return network.linear(times(x, 1 / shape.logitsScaling), shape.tiedEmbeddings ? embeddings : 'lm_head');
}

function gatedMlp(shape: LlamaShape, network: Network, at: string, x: Node): Node {
  const activate = shape.activation === 'silu' ? t.silu : t.gelu;
  const gate = activate(network.linear(x, `${at}gate_proj`)); // (B, T, F)
  return network.linear(t.mul(gate, network.linear(x, `${at}up_proj`)), `${at}down_proj`);
}

/** Keys and values of one layer's past. */
interface LayerPast {
  keys: Node; // (B, K, d, P)
  values: Node; // (B, K, P, d)
  bias: Node; // broadcast to (B, 1, G·T, P)
}

interface Attention {
  output: Node; // (B, T, D)
  keys: Node; // (B, K, T, d)
  values: Node; // (B, K, T, d)
}

/** The tokens that ask, which are all of them or the last of each row. */
interface Asking {
  x: Node; // (B, A, D)
  positions: Node; // (B, A)
  parts: AttentionPart[];
}

/** Tokens that ask together, with all that come before the last of them; all with all where no stretch is named. */
interface AttentionPart {
  bias: Node; // broadcast to (B, 1, G·A, T)
  stretch?: { start: number; end: number };
}

/** Asking tokens of one part. Nothing is computed for keys that come after all of them, which at four parts are six of sixteen blocks. */
const partTokens = 128;

/** What the tokens of a layer see: of each other, of the past, and what the last ones see. */
interface View {
  parts: AttentionPart[];
  past: Node | undefined; // broadcast to (B, 1, G·T, P)
  last: AttentionPart[];
}

/** All that comes before, or no more than a window of it. */
function viewOf(shape: LlamaShape, tokens: Tokens, window: number | null): View {
  const { positions, past, last } = tokens;
  const within = (bias: Node, asking: Node): Node =>
    window === null ? bias : t.add(bias, windowBias(asking, positions, window));
  const pastBias = past && (window === null ? past.bias : forHeads(shape, t.add(past.bias, past.windowBias!)));
  return {
    parts: attentionParts(shape, within(tokens.bias, positions), past),
    past: pastBias,
    last: last ? [{ bias: forHeads(shape, within(last.bias, last.positions)) }] : [],
  };
}

function attentionParts(shape: LlamaShape, bias: Node, past: Past | undefined): AttentionPart[] {
  const T = bias.shape[2];
  if (past || typeof T !== 'number' || T <= partTokens || T !== bias.shape[3]) return [{ bias: forHeads(shape, bias) }];
  return Array.from({ length: Math.ceil(T / partTokens) }, (_, part) => {
    const [start, end] = [part * partTokens, Math.min(T, (part + 1) * partTokens)];
    return { bias: forHeads(shape, t.slice(t.slice(bias, 2, start, end), 3, 0, end)), stretch: { start, end } };
  });
}

function attend(
  shape: LlamaShape,
  network: Network,
  at: string,
  x: Node,
  asking: Asking,
  positions: Node,
  past: LayerPast | undefined,
  rotate: Rotate,
): Attention {
  const heads = (from: Node, name: 'q' | 'k' | 'v', count: number): Node => {
    const [B, T] = from.shape as [Dim, Dim, Dim];
    let y = t.reshape(network.linear(from, `${at}${name}_proj`), [B, T, count, shape.headDim]);
    if (shape.queryKeyNorm && name !== 'v') y = normed(shape, network, y, `${at}${name}_norm`);
    return t.transpose(y, [0, 2, 1, 3]); // (B, heads, T, d)
  };
  const q = rotate(heads(asking.x, 'q', shape.heads), asking.positions);
  const keys = rotate(heads(x, 'k', shape.kvHeads), positions);
  const values = heads(x, 'v', shape.kvHeads);
  const mixedParts = asking.parts.map(({ bias, stretch }) => {
    if (!stretch) return mixValues(shape, q, keys, values, bias, past);
    const seen = (of: Node): Node => t.slice(of, 2, 0, stretch.end);
    return mixValues(shape, t.slice(q, 2, stretch.start, stretch.end), seen(keys), seen(values), bias, undefined);
  });
  const mixed = mixedParts.length === 1 ? mixedParts[0]! : t.concat(mixedParts, 2); // (B, H, A, d)
  const [B, , A] = mixed.shape as [Dim, Dim, Dim, Dim];
  const joined = t.reshape(t.transpose(mixed, [0, 2, 1, 3]), [B, A, shape.heads * shape.headDim]);
  return { output: network.linear(joined, `${at}o_proj`), keys, values };
}

/**
 * softmax(scale · q [K_past K_new]ᵀ + bias) [V_past V_new], in two parts so that the past is only read, never copied.
 * Heads that share keys are rows of one product, so that a row is computed the same way whatever else is in the batch.
 */
function mixValues(shape: LlamaShape, q: Node, keys: Node, values: Node, bias: Node, past: LayerPast | undefined): Node {
  const { heads: H, kvHeads: K, headDim: d } = shape;
  const [B, , T] = q.shape as [Dim, Dim, Dim, Dim];
  const queries = H === K ? q : t.reshape(q, [B, K, bias.shape[2]!, d]); // (B, K, G·T, d)
  const back = (x: Node): Node => (H === K ? x : t.reshape(x, [B, H, T, d]));
  const scale = attentionScale(shape);
  const scores = t.add(t.matmul(queries, keys, { transposeB: true, scale }), bias);
  if (!past) return back(t.matmul(t.softmax(scores), values));
  const pastScores = t.add(t.matmul(queries, past.keys, { scale }), past.bias);
  const weights = t.softmax(t.concat([pastScores, scores], -1)); // (B, K, G·T, P+T)
  const P = past.bias.shape[3]!;
  const ofPast = t.matmul(t.slice(weights, -1, 0, P), past.values);
  const ofNew = t.matmul(t.slice(weights, -1, P, weights.shape.at(-1)!), values);
  return back(t.add(ofPast, ofNew));
}

/** The bias once for each head that shares keys: (…, A, T) → (…, G·A, T). */
function forHeads({ heads, kvHeads }: LlamaShape, bias: Node): Node {
  return heads === kvHeads ? bias : t.concat(new Array<Node>(heads / kvHeads).fill(bias), 2);
}

/** Positions 0 … T-1 in every row; within a segment only their differences matter. */
export function rowPositions(B: number, T: number): Node {
  return t.constant(
    BigInt64Array.from({ length: B * T }, (_, i) => BigInt(i % T)),
    [B, T],
  );
}

/** Hides later tokens from those that ask. positions (B, T), asking (B, A) → (B, 1, A, T). */
export function causalBias(positions: Node, asking: Node = positions): Node {
  const [B, T] = positions.shape as [Dim, Dim];
  const seen = t.greaterOrEqual(t.reshape(asking, [B, 1, asking.shape[1]!, 1]), t.reshape(positions, [B, 1, 1, T]));
  return t.where(seen, t.scalar(0), t.scalar(hidden));
}

/** Hides from tokens what a window of so many, their own included, does not reach. asking (B, A), seen (…, S) int64 → (B, 1, A, S). */
export function windowBias(asking: Node, seen: Node, window: number): Node {
  const [B, A] = asking.shape as [Dim, Dim];
  const [batch, S] = [seen.shape.length === 2 ? B : 1, seen.shape.at(-1)!];
  const end = t.add(t.reshape(seen, [batch, 1, 1, S]), t.constant(BigInt64Array.of(BigInt(window)), [1]));
  return t.where(t.greaterOrEqual(t.reshape(asking, [B, 1, A, 1]), end), t.scalar(hidden), t.scalar(0));
}
