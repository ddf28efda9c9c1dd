// How layers rotate queries and keys by their positions: tables of cosines and sines, shared by the layers that rotate alike. Dimension letters: B
// batch, T tokens, L positions of the context, d head size.
import type { Node } from '../tensor/graph.ts';
import * as t from '../tensor/primitives.ts';
import { type LlamaShape, type RotationKind, ropeFrequencies, rotationOf } from './shape.ts';

/** Turns queries or keys by their positions; leaves them as they are in a layer without. x (B, heads, T, d), positions (B, T). */
export type Rotate = (x: Node, positions: Node) => Node;

/** The rotation of each layer. */
export function rotationsOf(shape: LlamaShape): (layer: number) => Rotate {
  const made = new Map<RotationKind, Rotate>([['none', (x) => x]]);
  /** Of position × frequency for every position of the context, (L, d/2). */
  const table = (frequencies: Float64Array, f: (angle: number) => number): Node => {
    const data = new Float32Array(shape.contextLength * frequencies.length);
    for (let i = 0; i < data.length; i++) {
      data[i] = f(Math.floor(i / frequencies.length) * frequencies[i % frequencies.length]!);
    }
    return t.constant(data, [shape.contextLength, frequencies.length]);
  };
  return (layer) => {
    const kind = rotationOf(shape, layer);
    let rotate = made.get(kind);
    if (!rotate) {
      const frequencies = ropeFrequencies(shape, kind === 'local' ? kind : 'whole');
      const [cosine, sine] = [table(frequencies, Math.cos), table(frequencies, Math.sin)];
      rotate = (x, positions) => t.rope(x, positions, cosine, sine);
      made.set(kind, rotate);
    }
    return rotate;
  };
}
