// The weights of a model as the kernels take them: matrices in 8 or 4 bits and packed, queries, keys and values together, gate and up together.
// Norms, biases and the tables of rotations stay fp32. What answers and scores are multiplied by is multiplied into the weights here. Dimension
// letters as in decoder.ts.

import { embeddings } from '../../model/forward.ts';
import { foursOf, type OpenSource, piecesOf } from '../../model/loaded-network.ts';
import { type LlamaShape, parameterShapes, type RotationKind, ropeFrequencies, rotationOf } from '../../model/shape.ts';
import type { Crew } from './crew.ts';
import { Matrix } from './matrix.ts';
import type { PackedCopy } from './packed-copy.ts';
import { groupChannels } from './packing.ts';
import type { PackingPlan } from './packing-plan.ts';

/** Of one layer; vectors by their addresses. */
export interface Layer {
  attentionNorm: number;
  /** Queries, keys and values one under the other, with their biases. */
  qkv: Stack;
  qkvBias: number;
  queryNorm: number;
  keyNorm: number;
  rotation: Rotation;
  output: Stack;
  /** On what attention answers and on what the MLP answers, where the shape has such norms. */
  outputNorms: { attention: number; mlp: number } | null;
  mlpNorm: number;
  gateUp: Stack;
  down: Stack;
}

/** Matrices one under the other; more than one where a file holds them in different widths. */
export type Stack = readonly Matrix[];

export interface KernelWeights {
  layers: Layer[];
  table: Matrix;
  outputNorm: number;
  outputMatrix: Stack;
  /** As many as the widest output. */
  zeros: number;
}

/** Addresses of cosines and sines (positions, d / 2), and the kernel that goes by them. */
interface Rotation {
  kernel: 'place' | 'placePlain';
  cosines: number;
  sines: number;
}

/**
 * Lays the weights out, then takes them from a packed copy, or reads them a few rows at a time, so that none is held twice, and leaves such a copy. Throws
 * invalid_model in one clear line.
 */
export async function loadKernelWeights(
  opened: OpenSource,
  plan: PackingPlan,
  crew: Crew,
  packed?: PackedCopy,
): Promise<KernelWeights> {
  const start = crew.allocate(0);
  const read = new Reading(opened, plan, crew);
  const weights = layOut(read, crew);
  const bytes = new Uint8Array(crew.memory.buffer, start, crew.bytes - start);
  if (await packed?.read(bytes)) return weights;
  await read.fill();
  await packed?.write(bytes);
  return weights;
}

function layOut(read: Reading, crew: Crew): KernelWeights {
  const { shape } = read;
  const { hiddenSize: D, intermediateSize: F, heads: H, kvHeads: K, headDim: d, vocabSize: V } = shape;
  const zeros = crew.allocate(4 * Math.max(V + groupChannels, 2 * F, (H + 2 * K) * d, D));
  const rotationFor = rotations(read, crew);
  const layers = Array.from({ length: shape.layers }, (_, layer) => layOutLayer(read, layer, rotationFor(layer), zeros));
  const [table] = read.stack([embeddings]) as [Matrix];
  return {
    layers,
    table,
    outputNorm: read.norm('model.norm', 1 / shape.logitsScaling),
    outputMatrix: shape.tiedEmbeddings ? [table] : read.stack(['lm_head']),
    zeros,
  };
}

function layOutLayer(read: Reading, layer: number, rotation: Rotation, zeros: number): Layer {
  const { shape } = read;
  const { residualMultiplier } = shape;
  const at = `model.layers.${layer}`;
  const self = `${at}.self_attn`;
  const projections = ['q', 'k', 'v'].map((name) => `${self}.${name}_proj`);
  const afterAttention = `${at}.post_attention_layernorm`;
  return {
    attentionNorm: read.norm(`${at}.input_layernorm`),
    qkv: read.stack(projections),
    qkvBias: shape.attentionBias ? read.vectors(projections.map((name) => `${name}.bias`)) : zeros,
    queryNorm: shape.queryKeyNorm ? read.norm(`${self}.q_norm`) : zeros,
    keyNorm: shape.queryKeyNorm ? read.norm(`${self}.k_norm`) : zeros,
    rotation,
    output: read.stack([`${self}.o_proj`], residualMultiplier),
    outputNorms: shape.outputNorms
      ? { attention: read.norm(afterAttention), mlp: read.norm(`${at}.post_feedforward_layernorm`) }
      : null,
    mlpNorm: read.norm(shape.outputNorms ? `${at}.pre_feedforward_layernorm` : afterAttention),
    gateUp: read.stack([`${at}.mlp.gate_proj`, `${at}.mlp.up_proj`]),
    down: read.stack([`${at}.mlp.down_proj`], residualMultiplier),
  };
}

/** Finds places for parameters, and puts these there when it is told to. */
class Reading {
  readonly shape: LlamaShape;
  readonly #opened: OpenSource;
  readonly #plan: PackingPlan;
  readonly #crew: Crew;
  readonly #dims: ReadonlyMap<string, number[]>;
  readonly #fills: (() => void | Promise<void>)[] = [];

  constructor(opened: OpenSource, plan: PackingPlan, crew: Crew) {
    this.shape = opened.shape;
    this.#opened = opened;
    this.#plan = plan;
    this.#crew = crew;
    this.#dims = parameterShapes(opened.shape);
  }

  /** Puts everything in its place. */
  async fill(): Promise<void> {
    for (const each of this.#fills) await each();
  }

  /** What is computed rather than read. */
  later(fill: () => void): void {
    this.#fills.push(fill);
  }

  /** Projections one under the other, times `factor`. */
  stack(names: readonly string[], factor = 1): Stack {
    return this.#plan.together(names).map(({ packing, names: alike }) => {
      const rows = alike.reduce((sum, name) => sum + this.#dims.get(`${name}.weight`)![0]!, 0);
      const made = new Matrix(this.#crew, rows, packing);
      for (const name of alike) this.#fills.push(() => this.#fill(made, `${name}.weight`, factor));
      return made;
    });
  }

  /** With the blocks of the file where it has such, else rounded. */
  async #fill(matrix: Matrix, name: string, factor: number): Promise<void> {
    const dims = this.#dims.get(name)!;
    const stored = this.#opened.weights.storedBits?.(name);
    if (matrix.packing.bits === 4 && stored === 4) {
      for await (const rows of foursOf(this.#opened, name, dims)) matrix.fillFours(rows, factor);
    } else for await (const piece of piecesOf(this.#opened, name, dims)) matrix.fill(piece, factor, stored === 8);
  }

  /** One behind the other, each number as `change` has it. */
  vectors(names: readonly string[], change?: (value: number) => number): number {
    const length = names.reduce((sum, name) => sum + this.#dims.get(name)![0]!, 0);
    const place = this.#crew.allocate(4 * length);
    this.#fills.push(async () => {
      let end = 0;
      for (const name of names) {
        const values = await this.#opened.weights.read(name);
        this.#crew.floats(place, length).set(change ? values.map(change) : values, end);
        end += values.length;
      }
    });
    return place;
  }

  /** The weight of a norm as it is multiplied by, times `factor`. */
  norm(name: string, factor = 1): number {
    return this.vectors([`${name}.weight`], (value) => factor * (value + this.shape.normOffset));
  }
}

/** The rotation of each layer; those that rotate alike share their tables. */
function rotations(read: Reading, crew: Crew): (layer: number) => Rotation {
  const { shape } = read;
  const made = new Map<RotationKind, Rotation>([['none', { kernel: 'placePlain', cosines: 0, sines: 0 }]]);
  return (layer) => {
    const kind = rotationOf(shape, layer);
    const rotation = made.get(kind) ?? tables(read, ropeFrequencies(shape, kind === 'local' ? kind : 'whole'), crew);
    made.set(kind, rotation);
    return rotation;
  };
}

function tables(read: Reading, frequencies: Float64Array, crew: Crew): Rotation {
  const length = read.shape.contextLength * frequencies.length;
  const [cosines, sines] = [crew.allocate(4 * length), crew.allocate(4 * length)];
  read.later(() => {
    const [cosine, sine] = [crew.floats(cosines, length), crew.floats(sines, length)];
    for (let i = 0; i < length; i++) {
      const angle = Math.floor(i / frequencies.length) * frequencies[i % frequencies.length]!;
      cosine[i] = Math.cos(angle);
      sine[i] = Math.sin(angle);
    }
  });
  return { kernel: 'place', cosines, sines };
}
