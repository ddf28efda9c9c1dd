// The decoding graph and its session: reads new tokens beside the lanes of those already read. Two-part attention: the past is fed in, only the rows
// of the new tokens come out, since every output of the runtime is copied. Dimension letters: B batch, T new tokens, P past slots, L layers, K
// key/value heads, d head size, D hidden, V vocabulary.

import { causalBias, forwardTrunk, logits, type Network, type Past, windowBias } from '../../model/forward.ts';
import { loadNetwork, type Precision, type WeightSource } from '../../model/loaded-network.ts';
import { type LlamaShape, windowTokens } from '../../model/shape.ts';
import type { Node } from '../../tensor/graph.ts';
import { int64 } from '../../tensor/int64.ts';
import { emitOnnx } from '../../tensor/onnx.ts';
import * as t from '../../tensor/primitives.ts';
import { type Provider, Session, type Tensor } from '../../tensor/session.ts';
import type { VectorSum } from '../vector-sums.ts';
import type { Lanes } from './cache.ts';
import { Later, vectorSumFeeds, vectorSumsInput } from './steered-graph.ts';

export interface DecoderOptions {
  /** Threads of one run. */
  threads: number;
  /** Of the weights; keys, values and scores are fp32 always. */
  precision: Precision;
  /** cpu when absent; keys and values stay with the host whatever it is. */
  provider?: Provider;
}

/** New tokens of one or more lanes that lie side by side: as many of each. */
export interface DecoderInput {
  /** (B·T), lane by lane. */
  ids: readonly number[];
  /** (B): tokens of each lane before them. */
  computed: readonly number[];
  lanes: Lanes;
  firstLane: number;
  /** (B·T): the sum of vectors each token is read under; absent where none is. */
  sums?: readonly (VectorSum | undefined)[];
}

export interface DecoderOutput {
  /** (B, V): scores of the token that comes after the last of each lane. */
  scores: Float32Array;
  /** (B, L, 2, K, T, d): keys, then values, to be added to the lanes. */
  rows: Float32Array;
}

export interface Decoder {
  readonly shape: LlamaShape;
  /** Bytes of the weights. */
  readonly weightBytes: number;
  /** Leaves the lanes as they are. */
  run(input: DecoderInput): Promise<DecoderOutput>;
  dispose(): Promise<void>;
}

/** Compiles the decoding graph with the model's weights in it. Blocks the thread meanwhile. */
export async function openDecoder(source: WeightSource, options: DecoderOptions): Promise<Decoder> {
  const { shape, weightBytes, session, dispose } = await openGraph(source, options, decodingGraph);
  const steered = new Later(() => openGraph(source, options, steeredGraph));
  return {
    shape,
    weightBytes,
    async run(input) {
      const chosen = input.sums ? (await steered.get()).session : session;
      const answer = await chosen.run(toFeeds(shape, input));
      return { scores: answer.scores!.data as Float32Array, rows: answer.rows!.data as Float32Array };
    },
    dispose: () => steered.dispose().finally(dispose),
  };
}

type Graph = (shape: LlamaShape, network: Network) => Record<string, Node>;

async function openGraph(source: WeightSource, { threads, precision, provider = 'cpu' }: DecoderOptions, graph: Graph) {
  const { shape, network, weightBytes, ...loaded } = await loadNetwork(source, precision);
  const bytes = emitOnnx(graph(shape, network), provider);
  const session = await Session.open(bytes, { threads, provider, name: 'decoder', folder: loaded.folder }).finally(
    loaded.dispose,
  );
  return { shape, weightBytes, session, dispose: () => session.dispose().finally(loaded.dispose) };
}

function toFeeds(shape: LlamaShape, { ids, computed, lanes, firstLane, sums }: DecoderInput): Record<string, Tensor> {
  const { kvHeads: K, headDim: d } = shape;
  const [B, P] = [computed.length, lanes.slots];
  const T = ids.length / B;
  const some = (data: Float32Array, size: number) => data.subarray(firstLane * size, (firstLane + B) * size);
  const feeds: Record<string, Tensor> = {
    ids: int64(ids, [B, T]),
    positions: int64(
      ids.map((_, i) => computed[Math.floor(i / T)]! + (i % T)),
      [B, T],
    ),
    last: int64(
      computed.map((_, lane) => lane * T + T - 1),
      [B],
    ),
    past_bias: { data: some(lanes.bias, P), shape: [B, 1, 1, P] },
  };
  if (sums) Object.assign(feeds, vectorSumFeeds(shape, sums, B));
  if (windowTokens(shape) !== null) feeds.slots = int64([...Array(P).keys()], [P]);
  for (let layer = 0; layer < shape.layers; layer++) {
    feeds[`past_key.${layer}`] = { data: some(lanes.keys[layer]!, K * d * P), shape: [B, K, d, P] };
    feeds[`past_value.${layer}`] = { data: some(lanes.values[layer]!, K * d * P), shape: [B, K, P, d] };
  }
  return feeds;
}

/** Outputs scores (B, V) of the tokens `last` names among all B·T, and rows (B, L·2·K, T, d): one output, since each costs a crossing. */
function decodingGraph(shape: LlamaShape, network: Network, vectorSums?: Node): Record<string, Node> {
  const positions = t.input('positions', 'int64', ['B', 'T']);
  const trunk = forwardTrunk(shape, network, {
    ids: t.input('ids', 'int64', ['B', 'T']),
    positions,
    bias: causalBias(positions),
    past: pastInputs(shape, positions),
    ...(vectorSums && { vectorSums }),
  });
  const flat = t.reshape(trunk.hidden, ['rows', shape.hiddenSize]); // (B·T, D)
  const rows = trunk.keys.flatMap((keys, layer) => [keys, trunk.values[layer]!]);
  return {
    scores: logits(shape, network, t.gather(flat, t.input('last', 'int64', ['B']))),
    rows: t.concat(rows, 1),
  };
}

function steeredGraph(shape: LlamaShape, network: Network): Record<string, Node> {
  return decodingGraph(shape, network, vectorSumsInput(shape));
}

function pastInputs(shape: LlamaShape, positions: Node): Past {
  const { layers, kvHeads: K, headDim: d } = shape;
  const window = windowTokens(shape);
  const each = (name: string, size: (number | string)[]): Node[] =>
    Array.from({ length: layers }, (_, layer) => t.input(`${name}.${layer}`, 'float32', size));
  return {
    keys: each('past_key', ['B', K, d, 'P']),
    values: each('past_value', ['B', K, 'P', d]),
    bias: t.input('past_bias', 'float32', ['B', 1, 1, 'P']),
    windowBias: window === null ? null : windowBias(positions, t.input('slots', 'int64', ['P']), window),
  };
}
