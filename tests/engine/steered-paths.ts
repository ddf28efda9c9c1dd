// The ways a step is computed on the processor, opened on a tiny model, and what each of them says of a whole sequence whose tokens are read under
// sums of steering vectors.
import { Engine, engineDefaults } from '../../src/engine/engine.ts';
import { KernelDecoder } from '../../src/engine/kernel/decoder.ts';
import { KernelRunner } from '../../src/engine/kernel/runner.ts';
import { Lanes } from '../../src/engine/onnx/cache.ts';
import { openDecoder } from '../../src/engine/onnx/decoder.ts';
import { HostRunner } from '../../src/engine/onnx/runner.ts';
import type { Runner } from '../../src/engine/runner.ts';
import type { VectorSum } from '../../src/engine/vector-sums.ts';
import type { LlamaShape } from '../../src/model/shape.ts';
import type { Model } from '../../src/model/whole-model.ts';

type Sums = readonly (VectorSum | undefined)[];

export interface SteeredPath {
  shape: LlamaShape;
  runner(prefixBytes?: number): Runner;
  engine(options?: { prefixBytes?: number }): Engine;
  /** Scores (V) of the token after the last, all read at once, each under its own sum. */
  read(ids: readonly number[], sums: Sums): Promise<Float32Array>;
  dispose(): Promise<void>;
}

type Weighted = Pick<Model, 'shape' | 'values'>;

export async function openKernelPath(model: Weighted): Promise<SteeredPath> {
  const decoder = await KernelDecoder.open(model, { threads: 2, rows: 160 });
  const read: SteeredPath['read'] = async (ids, sums) => {
    for (const sum of sums) decoder.sums.retain(sum);
    const addresses = sums.map((sum) => (sum ? decoder.sums.addressOf(sum) : 0));
    const blocks = Array.from({ length: Math.ceil(ids.length / 16) }, () => decoder.newBlock());
    const scores = decoder.read({ ids, computed: 0, blocks, sums: addresses }, true)!.slice();
    for (const sum of sums) decoder.sums.release(sum);
    return scores;
  };
  return pathOf(
    model.shape,
    (prefixBytes) => new KernelRunner(decoder, prefixBytes),
    read,
    () => decoder.dispose(),
  );
}

export async function openHostPath(model: Weighted): Promise<SteeredPath> {
  const decoder = await openDecoder(model, { threads: 1, precision: 'fp32' });
  const read: SteeredPath['read'] = async (ids, sums) => {
    const lanes = new Lanes(model.shape, 64, 1);
    return (await decoder.run({ ids, computed: [0], lanes, firstLane: 0, sums })).scores;
  };
  return pathOf(
    model.shape,
    (prefixBytes) => new HostRunner(decoder, prefixBytes),
    read,
    () => decoder.dispose(),
  );
}

function pathOf(
  shape: LlamaShape,
  open: (prefixBytes: number) => Runner,
  read: SteeredPath['read'],
  dispose: SteeredPath['dispose'],
): SteeredPath {
  const none = new Uint8Array(shape.vocabSize);
  const endsSentence = none.map((_, id) => (id % 5 === 2 ? 1 : 0));
  const vocabulary = { allowed: none.map(() => 1), stopTokens: [], endsSentence };
  const runner: SteeredPath['runner'] = (prefixBytes = engineDefaults.prefixBytes) => open(prefixBytes);
  const engine: SteeredPath['engine'] = (options = {}) =>
    new Engine(runner(options.prefixBytes), vocabulary, { ...engineDefaults, ...options });
  return { shape, runner, engine, read, dispose };
}

/** Row i, column k: size · sin(1 + 3 i + k + 5 phase), as in golden/make_steered_golden.py. */
export function vectorSum({ layers, hiddenSize: D }: LlamaShape, phase: number, size = 0.7): VectorSum {
  const value = (at: number) => size * Math.sin(1 + 3 * Math.floor(at / D) + (at % D) + 5 * phase);
  return Float32Array.from({ length: layers * D }, (_, at) => value(at));
}
