// Chooses what reads a model's tokens: kernels of our own for 8 and 4 bits on the host, the runtime for everything else, which is loaded only then.

import { readAdapter } from '../model/formats/peft.ts';
import type { Precision, WeightSource } from '../model/loaded-network.ts';
import { readShape } from '../model/model-folder.ts';
import { type LlamaShape, parameterShapes } from '../model/shape.ts';
import { weightStamps } from '../model/weights.ts';
import type { Model } from '../model/whole-model.ts';
import type { Provider } from '../tensor/session.ts';
import { Shares } from '../turns.ts';
import { blockBytes, blockTokens } from './kernel/cache-block.ts';
import { KernelDecoder } from './kernel/decoder.ts';
import { kernelsFit } from './kernel/kernels.ts';
import { PackedCopy, type PackedFolder } from './kernel/packed-copy.ts';
import { foursAreFaster } from './kernel/relaxed.ts';
import { KernelRunner } from './kernel/runner.ts';
import { bytesPerSlot } from './onnx/cache.ts';
import type { Runner } from './runner.ts';
import { chunkTokens } from './scheduler.ts';

export interface RunnerOptions {
  threads: number;
  precision: Precision;
  provider: Provider;
  /** This and `sequences`: of one caller. */
  cacheBytes: number;
  prefixBytes: number;
  sequences: number;
  /** Where packed weights are kept between starts, and who hears why a copy was not used; absent where they are not kept. */
  packed?: (PackedFolder & { told(note: string): void }) | undefined;
  /** Folders of PEFT adapters by the names that requests give; what cannot keep them apart from the model refuses them by name. */
  adapters?: ReadonlyMap<string, string> | undefined;
}

export interface OpenRunner {
  runner: Runner;
  weightBytes: number;
  /** Most tokens of prompt and reply: the model's context, or what of it the cache has room for. */
  contextLength: number;
  dispose(): Promise<void>;
}

/** What the kernels' memory can hold, less room to work in. */
const mostKernelBytes = 2 ** 32 - 2 ** 28;
/** Of a weight in 8 bits, with its part of a block's scale. */
const mostBytesOfNumber = 1.125;

/** A model that is in memory already. */
type Weighted = Pick<Model, 'shape' | 'values'>;

/** Opens a model's folder, or a model. Throws invalid_model in one clear line. */
export async function openRunner(model: string | Weighted, options: RunnerOptions): Promise<OpenRunner> {
  const opened = await openPlain(model, options);
  try {
    const shape = typeof model === 'string' ? await readShape(model) : model.shape;
    for (const [name, folder] of options.adapters ?? []) opened.runner.addAdapter(name, await readAdapter(folder, shape));
    return opened;
  } catch (cause) {
    await opened.dispose();
    throw cause;
  }
}

async function openPlain(model: string | Weighted, options: RunnerOptions): Promise<OpenRunner> {
  const { threads, precision, provider, prefixBytes, sequences } = options;
  const shape = typeof model === 'string' ? await readShape(model) : model.shape;
  const kernels = provider === 'cpu' && precision !== 'fp32' && kernelsHold(shape, options);
  const contextLength = Math.min(shape.contextLength, tokensWithin(options.cacheBytes, shape, kernels));
  const source: WeightSource =
    typeof model === 'string' ? { folder: model, contextLength } : { ...model, shape: { ...shape, contextLength } };
  const opened = (decoder: { weightBytes: number; dispose(): Promise<void> }, runner: Runner): OpenRunner => ({
    runner,
    weightBytes: decoder.weightBytes,
    contextLength,
    dispose() {
      runner.dispose();
      return decoder.dispose();
    },
  });
  // Only on webgpu can a session's outputs stay on the device.
  if (provider === 'webgpu') {
    const [{ DeviceDecoder }, { DeviceRunner }] = await Promise.all([
      import('./webgpu/decoder.ts'),
      import('./webgpu/runner.ts'),
    ]);
    const decoder = await DeviceDecoder.open(source, { provider, precision });
    return opened(decoder, new DeviceRunner(decoder, prefixBytes));
  }
  if (kernels) {
    const inFours = foursAreFaster();
    const made = { shape, contextLength, precision, inFours };
    const packed = typeof model === 'string' ? await packedCopy(model, made, options) : undefined;
    const rows = Math.max(new Shares(sequences).total, chunkTokens);
    const decoder = await KernelDecoder.open(source, { threads, rows, precision, inFours, packed });
    return opened(decoder, new KernelRunner(decoder, prefixBytes));
  }
  const [{ openDecoder }, { HostRunner }] = await Promise.all([import('./onnx/decoder.ts'), import('./onnx/runner.ts')]);
  const decoder = await openDecoder(source, { threads, precision, provider });
  return opened(decoder, new HostRunner(decoder, prefixBytes));
}

/** Keyed by everything the packed weights follow from: the files as they stand, the shape, the precision, how much of the context is laid out. */
async function packedCopy(folder: string, made: object, { packed }: RunnerOptions): Promise<PackedCopy | undefined> {
  return packed && new PackedCopy(packed, { ...made, files: await weightStamps(folder) }, packed.told);
}

/** Tables are laid out for the whole context, so one that no reply could ever fill is not laid out. */
function tokensWithin(cacheBytes: number, shape: LlamaShape, kernels: boolean): number {
  const tokenBytes = kernels ? blockBytes(shape) / blockTokens : bytesPerSlot(shape);
  return blockTokens * Math.max(1, Math.floor(cacheBytes / tokenBytes / blockTokens));
}

function kernelsHold(shape: LlamaShape, { cacheBytes, prefixBytes }: RunnerOptions): boolean {
  const numbers = [...parameterShapes(shape).values()].reduce(
    (sum, dims) => sum + dims.reduce((product, size) => product * size, 1),
    0,
  );
  return kernelsFit(shape) && mostBytesOfNumber * numbers + new Shares(cacheBytes).total + prefixBytes < mostKernelBytes;
}
