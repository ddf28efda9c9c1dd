// The weights of a model as the kernels take them: matrices rounded to 8 bits and packed, queries, keys and values together, gate and up together.
// Norms, biases and the tables of rotations stay fp32. Dimension letters as in decoder.ts.

import { embeddings } from '../../model/forward.ts';
import { type OpenSource, piecesOf } from '../../model/loaded-network.ts';
import { type LlamaShape, parameterShapes, ropeFrequencies } from '../../model/shape.ts';
import type { Crew } from './crew.ts';
import { Matrix } from './matrix.ts';
import { groupChannels } from './product.ts';

/** Of one layer; vectors by their addresses. */
export interface Layer {
  attentionNorm: number;
  /** Queries, keys and values one under the other, with their biases. */
  qkv: Matrix;
  qkvBias: number;
  queryNorm: number;
  keyNorm: number;
  output: Matrix;
  mlpNorm: number;
  gateUp: Matrix;
  down: Matrix;
}

export interface KernelWeights {
  layers: Layer[];
  table: Matrix;
  outputNorm: number;
  outputMatrix: Matrix;
  cosines: number;
  sines: number;
  /** As many as the widest output. */
  zeros: number;
}

/** Reads a few rows at a time, so that no weight is held twice. Throws invalid_model in one clear line. */
export async function loadKernelWeights(opened: OpenSource, crew: Crew): Promise<KernelWeights> {
  const { shape } = opened;
  const {
    hiddenSize: D,
    intermediateSize: F,
    heads: H,
    kvHeads: K,
    headDim: d,
    vocabSize: V,
    attentionBias,
    queryKeyNorm,
  } = shape;
  const dims = parameterShapes(shape);
  const matrix = async (rows: number, columns: number, ...names: string[]): Promise<Matrix> => {
    const made = new Matrix(crew, rows, columns);
    for (const name of names) {
      for await (const piece of piecesOf(opened, `${name}.weight`, dims.get(`${name}.weight`)!)) made.fill(crew, piece);
    }
    return made;
  };
  const vectors = async (...names: string[]): Promise<number> => {
    const length = names.reduce((sum, name) => sum + dims.get(name)![0]!, 0);
    const place = crew.allocate(4 * length);
    let end = 0;
    for (const name of names) {
      const values = await opened.weights.read(name);
      crew.floats(place, length).set(values, end);
      end += values.length;
    }
    return place;
  };
  const zeros = crew.allocate(4 * Math.max(V + groupChannels, 2 * F, (H + 2 * K) * d));
  const layers: Layer[] = [];
  for (let layer = 0; layer < shape.layers; layer++) {
    const at = `model.layers.${layer}`;
    const self = `${at}.self_attn`;
    const projections = ['q', 'k', 'v'].map((name) => `${self}.${name}_proj`);
    layers.push({
      attentionNorm: await vectors(`${at}.input_layernorm.weight`),
      qkv: await matrix((H + 2 * K) * d, D, ...projections),
      qkvBias: attentionBias ? await vectors(...projections.map((name) => `${name}.bias`)) : zeros,
      queryNorm: queryKeyNorm ? await vectors(`${self}.q_norm.weight`) : zeros,
      keyNorm: queryKeyNorm ? await vectors(`${self}.k_norm.weight`) : zeros,
      output: await matrix(D, H * d, `${self}.o_proj`),
      mlpNorm: await vectors(`${at}.post_attention_layernorm.weight`),
      gateUp: await matrix(2 * F, D, `${at}.mlp.gate_proj`, `${at}.mlp.up_proj`),
      down: await matrix(D, F, `${at}.mlp.down_proj`),
    });
  }
  const table = await matrix(V, D, embeddings);
  return {
    layers,
    table,
    outputNorm: await vectors('model.norm.weight'),
    outputMatrix: shape.tiedEmbeddings ? table : await matrix(V, D, 'lm_head'),
    ...rotations(shape, crew),
    zeros,
  };
}

/** Cosines and sines (positions, d / 2). */
function rotations(shape: LlamaShape, crew: Crew): { cosines: number; sines: number } {
  const frequencies = ropeFrequencies(shape);
  const length = shape.contextLength * frequencies.length;
  const [cosines, sines] = [crew.allocate(4 * length), crew.allocate(4 * length)];
  const [cosine, sine] = [crew.floats(cosines, length), crew.floats(sines, length)];
  for (let i = 0; i < length; i++) {
    const angle = Math.floor(i / frequencies.length) * frequencies[i % frequencies.length]!;
    cosine[i] = Math.cos(angle);
    sine[i] = Math.sin(angle);
  }
  return { cosines, sines };
}
