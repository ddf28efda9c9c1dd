// The decoding graph and its session: reads new tokens beside a cache of those already read. Knows no sampling and no text.
// Two-part attention: the past is fed in, only the rows of the new tokens come out, since every output of the runtime is copied.
// Dimension letters: B batch, T new tokens, P past slots, K key/value heads, d head size, D hidden, V vocabulary.
import { int64 } from '../llama/batches.ts';
import { causalBias, forwardTrunk, logits, type Past, plainNetwork } from '../llama/forward.ts';
import type { Model } from '../llama/model.ts';
import { type LlamaShape, parameterShapes } from '../llama/shape.ts';
import type { Node } from '../tensor/graph.ts';
import { emitOnnx } from '../tensor/onnx.ts';
import * as t from '../tensor/primitives.ts';
import { Session, type Tensor } from '../tensor/session.ts';
import type { KeyValueCache } from './cache.ts';

type DecodedModel = Pick<Model, 'shape' | 'values'>;

export interface Decoder {
  readonly shape: LlamaShape;
  /**
   * Reads `ids` after the tokens of the cache, adds them to it, and answers with the scores (V) of the token that comes next.
   * A cache may be in one run at a time.
   */
  run(ids: readonly number[], cache: KeyValueCache): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Compiles the decoding graph with the model's weights in it. Blocks the thread meanwhile. */
export async function openDecoder(model: DecodedModel, threads: number): Promise<Decoder> {
  const session = await Session.open(emitOnnx(decodingGraph(model)), { threads, name: 'decoder' });
  const { shape } = model;
  const layers = Array.from({ length: shape.layers }, (_, layer) => layer);
  return {
    shape,
    async run(ids, cache) {
      const answer = await session.run(toFeeds(shape, ids, cache));
      const rows = (name: string) => layers.map((layer) => answer[`${name}.${layer}`]!.data as Float32Array);
      cache.append(rows('new_key'), rows('new_value'), ids.length);
      return answer.logits!.data as Float32Array;
    },
    dispose: () => session.dispose(),
  };
}

function toFeeds(shape: LlamaShape, ids: readonly number[], cache: KeyValueCache): Record<string, Tensor> {
  const { kvHeads: K, headDim: d } = shape;
  const [T, P] = [ids.length, cache.slots];
  const feeds: Record<string, Tensor> = {
    ids: int64(ids, [1, T]),
    positions: int64(
      ids.map((_, i) => cache.length + i),
      [1, T],
    ),
    last: int64([T - 1], [1]),
    past_bias: { data: cache.bias, shape: [1, 1, 1, P] },
  };
  for (let layer = 0; layer < shape.layers; layer++) {
    feeds[`past_key.${layer}`] = { data: cache.keys[layer]!, shape: [1, K, d, P] };
    feeds[`past_value.${layer}`] = { data: cache.values[layer]!, shape: [1, K, P, d] };
  }
  return feeds;
}

/** Outputs logits (B, V) of the tokens `last` names among all B·T, new_key.N and new_value.N (B, K, T, d). */
function decodingGraph({ shape, values }: DecodedModel): Record<string, Node> {
  const dims = parameterShapes(shape);
  const parameters = new Map([...dims].map(([name, size]) => [name, t.constant(values.get(name)!, size)]));
  const network = plainNetwork((name) => parameters.get(name)!, shape);
  const positions = t.input('positions', 'int64', ['B', 'T']);
  const trunk = forwardTrunk(shape, network, {
    ids: t.input('ids', 'int64', ['B', 'T']),
    positions,
    bias: causalBias(positions),
    past: pastInputs(shape),
  });
  const rows = t.reshape(trunk.hidden, ['rows', shape.hiddenSize]); // (B·T, D)
  const outputs: Record<string, Node> = {
    logits: logits(shape, network, t.gather(rows, t.input('last', 'int64', ['B']))),
  };
  for (let layer = 0; layer < shape.layers; layer++) {
    outputs[`new_key.${layer}`] = trunk.keys[layer]!;
    outputs[`new_value.${layer}`] = trunk.values[layer]!;
  }
  return outputs;
}

function pastInputs({ layers, kvHeads: K, headDim: d }: LlamaShape): Past {
  const each = (name: string, size: (number | string)[]): Node[] =>
    Array.from({ length: layers }, (_, layer) => t.input(`${name}.${layer}`, 'float32', size));
  return {
    keys: each('past_key', ['B', K, d, 'P']),
    values: each('past_value', ['B', K, 'P', d]),
    bias: t.input('past_bias', 'float32', ['B', 1, 1, 'P']),
  };
}
