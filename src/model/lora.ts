// Low-rank adapters (Hu et al. 2021): the projections of the model stay fixed, each gets a trained product B·A of small rank beside it.
import type { Node } from '../tensor/graph.ts';
import { add, input, matmul } from '../tensor/primitives.ts';
import type { Network } from './forward.ts';
import { type LlamaShape, parameterShapes } from './shape.ts';

export interface Lora {
  /** Inner size r of the adapters. */
  rank: number;
  /** The product is scaled by alpha / rank. */
  alpha: number;
}

/** What was trained beside a fixed base model. */
export interface Adapter {
  lora: Lora;
  /** By the names of adapterShapes. */
  values: ReadonlyMap<string, Float32Array>;
  /** Name of the base model, as PEFT looks for it. */
  base: string;
  /** The vocabulary is larger than that of the base, so the adapter brings its embeddings. */
  grown: boolean;
}

/** What one projection gets beside its weight: up · down, scaled by alpha / rank. */
export interface LowRank extends Lora {
  /** (r, in). */
  down: Float32Array;
  /** (out, r). */
  up: Float32Array;
}

/** An adapter that is not merged, by projections, e.g. `model.layers.0.mlp.up_proj`. */
export type LowRanks = ReadonlyMap<string, LowRank>;

/** Weights that have adapters. */
export const projection = /\.(q|k|v|o|gate|up|down)_proj\.weight$/;

/** Names and shapes of the adapters: `<projection>.lora_A` (r, in) and `<projection>.lora_B` (out, r). */
export function adapterShapes(shape: LlamaShape, { rank }: Lora): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  for (const [name, [out, inner]] of parameterShapes(shape)) {
    if (!projection.test(name)) continue;
    const at = name.slice(0, -'.weight'.length);
    shapes.set(`${at}.lora_A`, [rank, inner as number]);
    shapes.set(`${at}.lora_B`, [out as number, rank]);
  }
  return shapes;
}

/** y = linear(x) + (alpha / rank) · x Aᵀ Bᵀ. `adapters` gets the input nodes that are to be trained. */
export function loraNetwork(network: Network, adapters: ReadonlyMap<string, Node>, { rank, alpha }: Lora): Network {
  return {
    ...network,
    linear(x, name) {
      const down = adapters.get(`${name}.lora_A`);
      const up = adapters.get(`${name}.lora_B`);
      const y = network.linear(x, name);
      if (!down || !up) return y;
      return add(y, matmul(matmul(x, down, { transposeB: true }), up, { transposeB: true, scale: alpha / rank }));
    },
  };
}

export function adapterInputs(shape: LlamaShape, lora: Lora): Map<string, Node> {
  return new Map([...adapterShapes(shape, lora)].map(([name, dims]) => [name, input(name, 'float32', dims)]));
}

/** weight + (alpha / rank) · B·A, the projection a served model carries. weight (out, in) row-major. */
export function mergeAdapter(weight: Float32Array, down: Float32Array, up: Float32Array, { rank, alpha }: Lora): Float32Array {
  const inner = down.length / rank;
  const merged = Float32Array.from(weight);
  for (let row = 0; row < up.length / rank; row++) {
    for (let r = 0; r < rank; r++) {
      const factor = (up[row * rank + r]! * alpha) / rank;
      for (let column = 0; column < inner; column++) merged[row * inner + column]! += factor * down[r * inner + column]!;
    }
  }
  return merged;
}
