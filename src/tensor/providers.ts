// Which execution provider computes: the one asked for, or with `auto` whatever is really faster here than the processor. Only opening a session
// tells whether a provider works, and only a product tells a graphics device from a driver that imitates one.
import { existsSync, readdirSync } from 'node:fs';
import { SteerError } from '../errors.ts';
import { emitOnnx } from './onnx.ts';
import { add, input, matmul, sum } from './primitives.ts';
import { builtProviders, type Provider, Session } from './session.ts';

export type ProviderChoice = 'auto' | Provider;

export interface Execution {
  provider: Provider;
  /** One line: what was found and what is used. */
  reason: string;
}

/** In the order `auto` tries them: with cuda and dml the binding copies every output to the host and back. */
const devices = ['webgpu', 'cuda', 'dml', 'coreml'] as const;
type Device = (typeof devices)[number];

/** Settles on a provider. Throws invalid_config when one that was asked for by name does not open. */
export async function chooseProvider(asked: ProviderChoice): Promise<Execution> {
  if (asked === 'cpu') return { provider: 'cpu', reason: 'cpu: as asked' };
  if (asked !== 'auto') {
    const fault = await faultOf(asked);
    if (fault === null) return { provider: asked, reason: `${asked}: as asked` };
    throw new SteerError(
      'invalid_config',
      `EXECUTION_PROVIDER: expected ${asked} to open on this machine, found ${fault}. ${remedies[asked]}`,
    );
  }
  const built = builtProviders();
  const found = devices.filter((device) => built.includes(device));
  const faults: string[] = [];
  for (const device of hasGraphicsDevice() ? found : []) {
    const fault = (await faultOf(device)) ?? (await slowness(device));
    if (fault === null) return { provider: device, reason: `${device}: faster than the processor here` };
    faults.push(`${device}: ${fault}`);
  }
  if (faults.length === 0) faults.push(`${found.join(', ')}: no graphics device found`);
  return { provider: 'cpu', reason: `${faults.join('; ')}; using cpu` };
}

const remedies: Record<Device, string> = {
  webgpu:
    'Install the driver of the graphics device and, on Linux, a Vulkan loader (libvulkan.so.1), or set EXECUTION_PROVIDER=cpu.',
  cuda:
    'Install the CUDA libraries of the runtime (node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12) ' +
    'beside a CUDA 12 driver, or set EXECUTION_PROVIDER=cpu.',
  coreml: 'It exists on macOS only: set EXECUTION_PROVIDER=auto or cpu.',
  dml: 'It exists on Windows only: set EXECUTION_PROVIDER=auto or cpu.',
};

/** On Linux a device has a file; asking before the driver is loaded spares a machine without one the attempt and its warnings. */
function hasGraphicsDevice(): boolean {
  if (process.platform !== 'linux') return true;
  if (['/dev/nvidia0', '/dev/dxg', '/dev/kfd'].some((path) => existsSync(path))) return true;
  return existsSync('/dev/dri') && readdirSync('/dev/dri').some((name) => name.startsWith('renderD'));
}

/** What keeps the provider from opening a session and computing the right thing; null when nothing does. */
async function faultOf(provider: Device): Promise<string | null> {
  try {
    const session = await Session.open(productGraph(provider), { provider, name: `probe of ${provider}` });
    try {
      const product = await multiply(session, 16);
      return product === 16 ** 3 ? null : `a product of ${product} where ${16 ** 3} is right`;
    } finally {
      await session.dispose();
    }
  } catch (error) {
    return inShort((error as Error).message);
  }
}

function inShort(message: string): string {
  if (/adapter/i.test(message)) return `no ${process.platform === 'linux' ? 'Vulkan ' : ''}adapter`;
  if (/backend not found|failed to load|not supported|not enabled/i.test(message))
    return 'that this build of the runtime lacks it';
  return message.split('\n', 1)[0]!.slice(0, 200);
}

/** Milliseconds a software adapter needs many times over for a small product, and no device does. */
const softwareMs = 50;

/** Why the processor is the better choice; null when it is not. A software adapter is told by a small product, before it is given a large one. */
export async function slowness(device: Provider): Promise<string | null> {
  const small = await productMs(device, 256);
  if (small > softwareMs)
    return `its adapter took ${Math.round(small)} ms for a small product, as one without a graphics device does`;
  const [own, processors] = [await productMs(device, 1024), await productMs('cpu', 1024)];
  return own < processors ? null : `took ${own.toFixed(1)} ms for a product the processor makes in ${processors.toFixed(1)} ms`;
}

/** Median of three warm products of that size. */
async function productMs(provider: Provider, size: number): Promise<number> {
  const session = await Session.open(productGraph(provider), { provider, name: `probe of ${provider}` });
  const times: number[] = [];
  for (let run = 0; run < 4; run++) {
    const started = performance.now();
    await multiply(session, size);
    times.push(performance.now() - started);
  }
  await session.dispose();
  return times.slice(1).toSorted((a, b) => a - b)[1]!;
}

/** Σ A Aᵀ of a square A of ones that is made where the product is, so that only the arithmetic counts. */
function productGraph(provider: Provider): Uint8Array {
  const square = add(input('row', 'float32', [1, 'N']), input('column', 'float32', ['N', 1])); // (N, N)
  return emitOnnx({ total: sum(matmul(square, square, { transposeB: true })) }, provider);
}

async function multiply(session: Session, size: number): Promise<number> {
  const feeds = {
    row: { data: new Float32Array(size).fill(1), shape: [1, size] },
    column: { data: new Float32Array(size), shape: [size, 1] },
  };
  return Number((await session.run(feeds)).total!.data[0]);
}
