// The decoder of a graphics device: weights, keys and values stay there; token ids go in and scores come out. Where the host's decoder answers with
// new rows that the host appends, this one's graph answers with the lanes those rows are already in, and three small graphs rebuild a set of lanes
// when sequences come, go or grow. Letters as in decoder.ts; M picked lanes, E slots added.

import { causalBias, forwardTrunk, hidden, logits, type Network, type Past } from '../../model/forward.ts';
import { type LoadedNetwork, loadNetwork, type Precision, type WeightSource } from '../../model/loaded-network.ts';
import { type LlamaShape, windowTokens } from '../../model/shape.ts';
import type { Dim, Node } from '../../tensor/graph.ts';
import { int64 } from '../../tensor/int64.ts';
import { emitOnnx } from '../../tensor/onnx.ts';
import * as t from '../../tensor/primitives.ts';
import { type Feeds, type HeldTensor, type Provider, Session, type Tensor } from '../../tensor/session.ts';
import { Later, vectorSumFeeds, vectorSumsInput } from '../onnx/steered-graph.ts';
import type { VectorSum } from '../vector-sums.ts';
import { LaneSet } from './lane-set.ts';

/** New tokens of every lane of a set: as many of each. */
export interface DeviceInput {
  /** (B·T), lane by lane. */
  ids: readonly number[];
  /** (B): tokens of each lane before them. Its slots have room for the new ones. */
  computed: readonly number[];
  set: LaneSet;
  /** (B·T): the sum of vectors each token is read under; absent where none is. */
  sums?: readonly (VectorSum | undefined)[];
}

export interface DeviceOutput {
  /** (B, V): scores of the token that comes after the last of each lane. */
  scores: Float32Array;
  /** The lanes with the new tokens in them. */
  set: LaneSet;
}

type Sessions = Readonly<Record<'step' | 'pick' | 'join' | 'grow', Session>>;

export interface DeviceOptions {
  provider: Provider;
  /** Of the weights; keys, values and scores are fp32 always. */
  precision: Precision;
}

export class DeviceDecoder {
  readonly shape: LlamaShape;
  /** Bytes of the weights. */
  readonly weightBytes: number;
  readonly #sessions: Sessions;
  readonly #steered: Later<OpenStep>;

  /** Frees what the weights lay in. */
  readonly #disposeWeights: () => Promise<void>;

  private constructor({ shape, weightBytes, dispose }: LoadedNetwork, sessions: Sessions, steered: () => Promise<OpenStep>) {
    this.shape = shape;
    this.weightBytes = weightBytes;
    this.#disposeWeights = dispose;
    this.#sessions = sessions;
    this.#steered = new Later(steered);
  }

  /** Compiles the graphs, the model's weights in the first. Blocks the thread meanwhile. */
  static async open(source: WeightSource, options: DeviceOptions): Promise<DeviceDecoder> {
    const loaded = await loadNetwork(source, options.precision);
    const { shape, network } = loaded;
    const compile = (outputs: Record<string, Node>, name: string) => compiled(outputs, name, options, loaded);
    try {
      const step = await compile(stepGraph(shape, network), 'decoder');
      const pick = await compile(pickGraph(shape), 'picked lanes');
      const join = await compile(joinGraph(shape), 'joined lanes');
      const sessions = { step, pick, join, grow: await compile(growGraph(shape), 'grown lanes') };
      return new DeviceDecoder(loaded, sessions, () => openSteered(source, options));
    } finally {
      await loaded.dispose();
    }
  }

  /** One lane with nothing in it. */
  empty(slots: number): LaneSet {
    const { kvHeads: K, headDim: d } = this.shape;
    const zeros = new Float32Array(K * d * slots);
    return new LaneSet(
      1,
      slots,
      eachLayer(this.shape, () => ({
        key: { data: zeros, shape: [1, K, d, slots] } as Tensor,
        value: { data: zeros, shape: [1, K, slots, d] } as Tensor,
      })),
    );
  }

  /** Leaves the set it was given as it is. */
  async run({ ids, computed, set, sums }: DeviceInput): Promise<DeviceOutput> {
    const B = computed.length;
    const T = ids.length / B;
    const positions = ids.map((_, i) => computed[Math.floor(i / T)]! + (i % T));
    const session = sums ? (await this.#steered.get()).session : this.#sessions.step;
    const { values, held } = await session.step({
      ...(sums && vectorSumFeeds(this.shape, sums, B)),
      ids: int64(ids, [B, T]),
      positions: int64(positions, [B, T]),
      at: { data: Float32Array.from(positions), shape: [B, 1, T, 1] },
      computed: { data: Float32Array.from(computed), shape: [B, 1, 1, 1] },
      slots: { data: Float32Array.from({ length: set.slots }, (_, slot) => slot), shape: [1, 1, 1, set.slots] },
      last: int64(
        computed.map((_, lane) => lane * T + T - 1),
        [B],
      ),
      ...set.tensors,
    });
    return { scores: values.scores!.data as Float32Array, set: this.#setOf(B, set.slots, held) };
  }

  /** A set of these lanes of another, in this order; a lane may be there several times. */
  async pick(set: LaneSet, lanes: readonly number[]): Promise<LaneSet> {
    const { held } = await this.#sessions.pick.step({ lanes: int64(lanes, [lanes.length]), ...set.tensors });
    return this.#setOf(lanes.length, set.slots, held);
  }

  /** The lanes of one set, then those of another with as many slots. */
  async join(a: LaneSet, b: LaneSet): Promise<LaneSet> {
    const others = Object.fromEntries(Object.entries(b.tensors).map(([name, tensor]) => [`other_${name}`, tensor]));
    const { held } = await this.#sessions.join.step({ ...a.tensors, ...others });
    return this.#setOf(a.count + b.count, a.slots, held);
  }

  /** The same lanes with room for more tokens. */
  async grow({ count, slots, tensors }: LaneSet, to: number): Promise<LaneSet> {
    const { kvHeads: K, headDim: d } = this.shape;
    const added = to - slots;
    const room = new Float32Array(count * K * d * added);
    const { held } = await this.#sessions.grow.step({
      key_room: { data: room, shape: [count, K, d, added] },
      value_room: { data: room, shape: [count, K, added, d] },
      ...tensors,
    });
    return this.#setOf(count, to, held);
  }

  async dispose(): Promise<void> {
    await this.#steered.dispose();
    for (const session of Object.values(this.#sessions)) await session.dispose();
    await this.#disposeWeights();
  }

  #setOf(count: number, slots: number, held: Readonly<Record<string, HeldTensor>>): LaneSet {
    const tensors = eachLayer(this.shape, (layer) => ({ key: held[`next_key.${layer}`]!, value: held[`next_value.${layer}`]! }));
    return new LaneSet(count, slots, tensors);
  }
}

/** The graph that reads tokens under sums of vectors, with its weights. */
interface OpenStep {
  session: Session;
  dispose(): Promise<void>;
}

async function openSteered(source: WeightSource, options: DeviceOptions): Promise<OpenStep> {
  const loaded = await loadNetwork(source, options.precision);
  const { shape, network, dispose } = loaded;
  const graph = stepGraph(shape, network, vectorSumsInput(shape));
  const session = await compiled(graph, 'steered decoder', options, loaded).finally(dispose);
  return { session, dispose: () => session.dispose().finally(dispose) };
}

/** All outputs but scores stay on the device. */
function compiled(
  outputs: Record<string, Node>,
  name: string,
  { provider }: DeviceOptions,
  { folder }: LoadedNetwork,
): Promise<Session> {
  const held = Object.keys(outputs).filter((output) => output !== 'scores');
  return Session.open(emitOnnx(outputs, provider), { provider, name, held, folder });
}

function eachLayer({ layers }: LlamaShape, of: (layer: number) => { key: Feeds[string]; value: Feeds[string] }): Feeds {
  const tensors: Record<string, Feeds[string]> = {};
  for (let layer = 0; layer < layers; layer++) {
    const { key, value } = of(layer);
    tensors[`past_key.${layer}`] = key;
    tensors[`past_value.${layer}`] = value;
  }
  return tensors;
}

interface Layers {
  keys: Node[];
  values: Node[];
}

/** Inputs of the keys and values of B lanes with P slots. */
function layerInputs({ layers, kvHeads: K, headDim: d }: LlamaShape, prefix = 'past', B: Dim = 'B', P: Dim = 'P'): Layers {
  const each = (name: string, size: Dim[]): Node[] =>
    Array.from({ length: layers }, (_, layer) => t.input(`${prefix}_${name}.${layer}`, 'float32', size));
  return { keys: each('key', [B, K, d, P]), values: each('value', [B, K, P, d]) };
}

/** Outputs next_key.N and next_value.N. */
function nextLayers(
  { keys, values }: Layers,
  next: (x: Node, kind: 'key' | 'value', layer: number) => Node,
): Record<string, Node> {
  const outputs: Record<string, Node> = {};
  keys.forEach((key, layer) => {
    outputs[`next_key.${layer}`] = next(key, 'key', layer);
    outputs[`next_value.${layer}`] = next(values[layer]!, 'value', layer);
  });
  return outputs;
}

/** Outputs scores (B, V) of the tokens `last` names among all B·T, and the lanes with the new rows in the slots their positions name. */
function stepGraph(shape: LlamaShape, network: Network, vectorSums?: Node): Record<string, Node> {
  const positions = t.input('positions', 'int64', ['B', 'T']);
  const slots = t.input('slots', 'float32', [1, 1, 1, 'P']); // 0 … P−1
  const gap = t.sub(slots, t.input('at', 'float32', ['B', 1, 'T', 1]));
  const window = windowTokens(shape);
  const past = layerInputs(shape);
  const trunk = forwardTrunk(shape, network, {
    ids: t.input('ids', 'int64', ['B', 'T']),
    positions,
    bias: causalBias(positions),
    past: { ...past, bias: unusedBias(slots), windowBias: window === null ? null : beyondBias(gap, window) } satisfies Past,
    ...(vectorSums && { vectorSums }),
  });
  const flat = t.reshape(trunk.hidden, ['rows', shape.hiddenSize]); // (B·T, D)
  const place = t.sub(t.scalar(1), t.minimum(t.scalar(1), t.mul(gap, gap))); // (B, 1, T, P): 1 where the token's slot is
  return {
    scores: logits(shape, network, t.gather(flat, t.input('last', 'int64', ['B']))),
    // Slots still to be written hold zeros, so adding is writing, and a product with 0 and 1 moves a row as it is.
    ...nextLayers(past, (old, kind, layer) => {
      const rows = kind === 'key' ? trunk.keys[layer]! : trunk.values[layer]!; // (B, K, T, d)
      const placed = kind === 'key' ? t.matmul(rows, place, { transposeA: true }) : t.matmul(place, rows, { transposeA: true });
      return t.add(old, placed);
    }),
  };
}

/** Hides the slots from `computed` on: very negative · min(1, max(0, slot − computed + 1)). (B, 1, 1, P) */
function unusedBias(slots: Node): Node {
  const beyond = t.sub(t.input('computed', 'float32', ['B', 1, 1, 1]), slots); // below 1 where the slot is not in use
  const unused = t.neg(t.minimum(t.scalar(0), t.sub(beyond, t.scalar(1))));
  return t.mul(t.minimum(t.scalar(1), unused), t.scalar(hidden));
}

/** Hides the slots that a window of so many does not reach: very negative · min(1, max(0, 1 − gap − window)). gap (B, 1, T, P): slot − position. */
function beyondBias(gap: Node, window: number): Node {
  const beyond = t.neg(t.minimum(t.scalar(0), t.add(gap, t.scalar(window - 1))));
  return t.mul(t.minimum(t.scalar(1), beyond), t.scalar(hidden));
}

function pickGraph(shape: LlamaShape): Record<string, Node> {
  const lanes = t.input('lanes', 'int64', ['M']);
  return nextLayers(layerInputs(shape), (x) => {
    const picked = t.gather(t.reshape(x, ['B', 'rest']), lanes); // (M, K·d·P)
    return t.reshape(picked, ['M', ...x.shape.slice(1)]);
  });
}

function joinGraph(shape: LlamaShape): Record<string, Node> {
  const others = layerInputs(shape, 'other_past', 'C');
  return nextLayers(layerInputs(shape), (x, kind, layer) =>
    t.concat([x, (kind === 'key' ? others.keys : others.values)[layer]!], 0),
  );
}

function growGraph(shape: LlamaShape): Record<string, Node> {
  const { kvHeads: K, headDim: d } = shape;
  const room = {
    key: t.input('key_room', 'float32', ['B', K, d, 'E']),
    value: t.input('value_room', 'float32', ['B', K, 'E', d]),
  };
  return nextLayers(layerInputs(shape), (x, kind) => t.concat([x, room[kind]], kind === 'key' ? 3 : 2));
}
