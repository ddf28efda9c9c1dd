// How each matrix of a model is packed, before any is read: by the precision asked for, and by what its file holds.
import { embeddings } from '../../model/forward.ts';
import type { OpenSource, Precision } from '../../model/loaded-network.ts';
import { parameterShapes } from '../../model/shape.ts';
import type { Packings } from './kernels.ts';
import { type Packing, packingOf, productName } from './packing.ts';

export class PackingPlan implements Packings {
  readonly #packings: ReadonlyMap<string, Packing>;

  /** `int4` is for layers: the table and the output projection keep 8 bits, as does what a file holds in more than 4. */
  constructor({ shape, weights }: OpenSource, precision: Exclude<Precision, 'fp32'>, inFours: boolean) {
    const matrices = [...parameterShapes(shape)].filter(([, dims]) => dims.length === 2);
    const numbers = matrices.reduce((sum, [, dims]) => sum + dims[0]! * dims[1]!, 0);
    const bitsOf = (name: string) => {
      const whole = precision === 'int8' || isOutside(name) || (weights.storedBits?.(name) ?? 4) > 4;
      return whole ? 8 : 4;
    };
    this.#packings = new Map(matrices.map(([name, dims]) => [name, packingOf(bitsOf(name), dims[1]!, numbers, inFours)]));
  }

  get table(): Packing {
    return this.of(embeddings);
  }

  get matrices(): readonly Packing[] {
    return [...this.#packings.values()];
  }

  of(name: string): Packing {
    return this.#packings.get(`${name}.weight`)!;
  }

  /** Neighbours that are packed alike. */
  together(names: readonly string[]): { packing: Packing; names: string[] }[] {
    const runs: { packing: Packing; names: string[] }[] = [];
    for (const name of names) {
      const packing = this.of(name);
      const last = runs.at(-1);
      if (last && productName(last.packing) === productName(packing)) last.names.push(name);
      else runs.push({ packing, names: [name] });
    }
    return runs;
  }
}

/** They cost most of what 4 bits cost in quality, and little of what these save. */
function isOutside(name: string): boolean {
  return name === `${embeddings}.weight` || name === 'lm_head.weight';
}
