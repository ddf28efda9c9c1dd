// Chooses what reads a model's tokens: kernels of our own for 8 bits on the host, the runtime for everything else.

import { openSource, type Precision, type WeightSource } from '../model/loaded-network.ts';
import { parameterShapes } from '../model/shape.ts';
import type { Provider } from '../tensor/session.ts';
import { Shares } from '../turns.ts';
import { KernelDecoder } from './kernel/decoder.ts';
import { kernelsFit } from './kernel/kernels.ts';
import { KernelRunner } from './kernel/runner.ts';
import { openDecoder } from './onnx/decoder.ts';
import { HostRunner } from './onnx/runner.ts';
import type { Runner } from './runner.ts';
import { chunkTokens } from './scheduler.ts';
import { DeviceDecoder } from './webgpu/decoder.ts';
import { DeviceRunner } from './webgpu/runner.ts';

export interface RunnerOptions {
  threads: number;
  precision: Precision;
  provider: Provider;
  /** This and `sequences`: of one caller. */
  cacheBytes: number;
  prefixBytes: number;
  sequences: number;
}

export interface OpenRunner {
  runner: Runner;
  weightBytes: number;
  dispose(): Promise<void>;
}

/** What the kernels' memory can hold, less room to work in. */
const mostKernelBytes = 2 ** 32 - 2 ** 28;

/** Throws invalid_model in one clear line. */
export async function openRunner(source: WeightSource, options: RunnerOptions): Promise<OpenRunner> {
  const { threads, precision, provider, prefixBytes, sequences } = options;
  const opened = (decoder: { weightBytes: number; dispose(): Promise<void> }, runner: Runner): OpenRunner => ({
    runner,
    weightBytes: decoder.weightBytes,
    dispose() {
      runner.dispose();
      return decoder.dispose();
    },
  });
  // Only on webgpu can a session's outputs stay on the device.
  if (provider === 'webgpu') {
    const decoder = await DeviceDecoder.open(source, { provider, precision });
    return opened(decoder, new DeviceRunner(decoder, prefixBytes));
  }
  if (provider === 'cpu' && precision === 'int8' && (await kernelsHold(source, options))) {
    const decoder = await KernelDecoder.open(source, { threads, rows: Math.max(new Shares(sequences).total, chunkTokens) });
    return opened(decoder, new KernelRunner(decoder, prefixBytes));
  }
  const decoder = await openDecoder(source, { threads, precision, provider });
  return opened(decoder, new HostRunner(decoder, prefixBytes));
}

async function kernelsHold(source: WeightSource, { cacheBytes, prefixBytes }: RunnerOptions): Promise<boolean> {
  const { shape, weights } = await openSource(source);
  await weights.close();
  const numbers = [...parameterShapes(shape).values()].reduce(
    (sum, dims) => sum + dims.reduce((product, size) => product * size, 1),
    0,
  );
  return kernelsFit(shape) && numbers + new Shares(cacheBytes).total + prefixBytes < mostKernelBytes;
}
