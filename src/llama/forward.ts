// The forward pass of a Llama-shaped model as a graph: training, scoring, prefill and decoding all build on these functions.
// Knows no weights: a Network says where parameters come from and how a linear layer is applied (plain or with LoRA).
// Dimension letters: B batch, T new tokens, P past slots, D hidden, H heads, K key/value heads, G heads per key/value head, d head size, V vocabulary.
import type { Dim, Node } from '../tensor/graph.ts';
import * as t from '../tensor/primitives.ts';
import { type LlamaShape, ropeFrequencies } from './shape.ts';

export interface Network {
  /** A parameter by its Hugging Face name. */
  parameter(name: string): Node;
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
}

export interface Tokens {
  /** (B, T) int64. */
  ids: Node;
  /** (B, T) int64. */
  positions: Node;
  /** Added to the scores among the new tokens, broadcast to (B, 1, T, T). */
  bias: Node;
  past?: Past;
}

export interface Trunk {
  /** After the final norm, (B, T, D). */
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
  const biased = /\.(q|k|v)_proj$/;
  return {
    parameter,
    linear(x, name) {
      const y = t.matmul(x, parameter(`${name}.weight`), { transposeB: true });
      return shape.attentionBias && biased.test(name) ? t.add(y, parameter(`${name}.bias`)) : y;
    },
  };
}

/** Everything between token ids and the last hidden state. */
export function forwardTrunk(shape: LlamaShape, network: Network, tokens: Tokens): Trunk {
  const rotation = ropeTables(shape);
  const keys: Node[] = [];
  const values: Node[] = [];
  let x = t.gather(network.parameter('model.embed_tokens.weight'), tokens.ids); // (B, T, D)
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `model.layers.${layer}.`;
    const norm = (y: Node, name: string) => t.rmsNorm(y, network.parameter(`${at}${name}.weight`), shape.normEpsilon);
    const attention = attend(shape, network, `${at}self_attn.`, norm(x, 'input_layernorm'), tokens, layer, rotation);
    keys.push(attention.keys);
    values.push(attention.values);
    x = t.add(x, attention.output);
    x = t.add(x, gatedMlp(network, `${at}mlp.`, norm(x, 'post_attention_layernorm')));
  }
  return { hidden: t.rmsNorm(x, network.parameter('model.norm.weight'), shape.normEpsilon), keys, values };
}

/** Scores of every token of the vocabulary. hidden (…, D) → (…, V). */
export function logits(shape: LlamaShape, network: Network, x: Node): Node {
  const weight = shape.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  return t.matmul(x, network.parameter(weight), { transposeB: true });
}

function gatedMlp(network: Network, at: string, x: Node): Node {
  const gate = t.silu(network.linear(x, `${at}gate_proj`)); // (B, T, F)
  return network.linear(t.mul(gate, network.linear(x, `${at}up_proj`)), `${at}down_proj`);
}

interface Rotation {
  cosine: Node; // (L, d/2)
  sine: Node; // (L, d/2)
}

interface Attention {
  output: Node; // (B, T, D)
  keys: Node; // (B, K, T, d)
  values: Node; // (B, K, T, d)
}

function attend(
  shape: LlamaShape,
  network: Network,
  at: string,
  x: Node,
  tokens: Tokens,
  layer: number,
  { cosine, sine }: Rotation,
): Attention {
  const heads = (name: 'q' | 'k' | 'v', count: number): Node => {
    const [B, T] = x.shape as [Dim, Dim, Dim];
    let y = t.reshape(network.linear(x, `${at}${name}_proj`), [B, T, count, shape.headDim]);
    if (shape.queryKeyNorm && name !== 'v') y = t.rmsNorm(y, network.parameter(`${at}${name}_norm.weight`), shape.normEpsilon);
    return t.transpose(y, [0, 2, 1, 3]); // (B, heads, T, d)
  };
  const q = t.rope(heads('q', shape.heads), tokens.positions, cosine, sine);
  const keys = t.rope(heads('k', shape.kvHeads), tokens.positions, cosine, sine);
  const values = heads('v', shape.kvHeads);
  const mixed = mixValues(shape, q, keys, values, tokens, layer); // (B, H, T, d)
  const [B, , T] = mixed.shape as [Dim, Dim, Dim, Dim];
  const joined = t.reshape(t.transpose(mixed, [0, 2, 1, 3]), [B, T, shape.heads * shape.headDim]);
  return { output: network.linear(joined, `${at}o_proj`), keys, values };
}

/**
 * softmax(q [K_past K_new]ᵀ / √d + bias) [V_past V_new], in two parts so that the past is only read, never copied.
 * Heads that share keys are an axis of their own (G), along which keys and values broadcast.
 */
function mixValues(shape: LlamaShape, q: Node, keys: Node, values: Node, tokens: Tokens, layer: number): Node {
  const { kvHeads: K, headDim: d } = shape;
  const G = shape.heads / K;
  const [B, , T] = q.shape as [Dim, Dim, Dim, Dim];
  const grouped = G > 1;
  const share = (x: Node): Node => (grouped ? t.reshape(x, [x.shape[0]!, x.shape[1]!, 1, x.shape[2]!, x.shape[3]!]) : x);
  const queries = grouped ? t.reshape(q, [B, K, G, T, d]) : q;
  const scale = 1 / Math.sqrt(d);
  const scores = t.add(t.matmul(queries, share(keys), { transposeB: true, scale }), share(tokens.bias));
  const { past } = tokens;
  if (!past) {
    const mixed = t.matmul(t.softmax(scores), share(values));
    return grouped ? t.reshape(mixed, [B, shape.heads, T, d]) : mixed;
  }
  const pastScores = t.add(t.matmul(queries, share(past.keys[layer]!), { scale }), share(past.bias));
  const weights = t.softmax(t.concat([pastScores, scores], -1)); // (B, K, G, T, P+T)
  const P = past.bias.shape[3]!;
  const ofPast = t.matmul(t.slice(weights, -1, 0, P), share(past.values[layer]!));
  const ofNew = t.matmul(t.slice(weights, -1, P, weights.shape.at(-1)!), share(values));
  const mixed = t.add(ofPast, ofNew);
  return grouped ? t.reshape(mixed, [B, shape.heads, T, d]) : mixed;
}

/** Hides later tokens from earlier ones. positions (B, T) → (B, 1, T, T). */
export function causalBias(positions: Node): Node {
  const [B, T] = positions.shape as [Dim, Dim];
  const seen = t.greaterOrEqual(t.reshape(positions, [B, 1, T, 1]), t.reshape(positions, [B, 1, 1, T]));
  return t.where(seen, t.scalar(0), t.scalar(hidden));
}

/** cos and sin of position × frequency, for every position of the context. */
function ropeTables(shape: LlamaShape): Rotation {
  const frequencies = ropeFrequencies(shape);
  const size = [shape.contextLength, frequencies.length];
  const table = (f: (angle: number) => number): Node => {
    const data = new Float32Array(size[0]! * size[1]!);
    for (let i = 0; i < data.length; i++) {
      data[i] = f(Math.floor(i / frequencies.length) * frequencies[i % frequencies.length]!);
    }
    return t.constant(data, size);
  };
  return { cosine: table(Math.cos), sine: table(Math.sin) };
}
