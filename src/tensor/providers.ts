// Which execution provider computes: the one asked for, or with `auto` whatever is really faster here than the processor. Only opening a session
// tells whether a provider works, and only a product tells a graphics device from a driver that imitates one. The runtime is not even loaded where the
// processor is to compute: kernels of our own may do without it.
import { existsSync, readdirSync } from 'node:fs';
import { SteerError } from '../errors.ts';
import type { Provider } from './session.ts';

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
  if (asked === 'auto' && !hasGraphicsDevice())
    return { provider: 'cpu', reason: 'webgpu, cuda: no graphics device found; using cpu' };
  const { faultOf, slowness } = await import('./provider-probe.ts');
  if (asked !== 'auto') {
    const fault = await faultOf(asked);
    if (fault === null) return { provider: asked, reason: `${asked}: as asked` };
    throw new SteerError(
      'invalid_config',
      `EXECUTION_PROVIDER: expected ${asked} to open on this machine, found ${fault}. ${remedies[asked]}`,
    );
  }
  const { builtProviders } = await import('./session.ts');
  const built = builtProviders();
  const faults: string[] = [];
  for (const device of devices.filter((each) => built.includes(each))) {
    const fault = (await faultOf(device)) ?? (await slowness(device));
    if (fault === null) return { provider: device, reason: `${device}: faster than the processor here` };
    faults.push(`${device}: ${fault}`);
  }
  if (faults.length === 0) faults.push('the runtime is built for no graphics device here');
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
