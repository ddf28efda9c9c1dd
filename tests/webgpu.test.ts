// The webgpu provider, with parameters, keys and values on the device, on a software Vulkan driver: what it decodes and learns must be what the
// processor decodes and learns. In processes of their own, since the driver must be known before Node starts.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { hasSoftwareVulkan, softwareVulkan } from './software-vulkan.ts';

const built = (path: string) => fileURLToPath(new URL(`../dist/${path}`, import.meta.url));

async function inProcess(args: string[], variables: Record<string, string>): Promise<unknown> {
  const env = { ...process.env, ...variables };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 2 ** 24 });
  return JSON.parse(stdout);
}

interface Decoded {
  together: number[][][];
  alone: number[][];
  cacheBytes: number;
  prefixes: boolean;
}

interface Computed {
  training: { steps: { loss: number; gradientNorm: number }[]; learnt: number[]; heldOut: number };
  /** By two threads that ran at the same time, all requests and the first of them. */
  decoded: [Decoded, Decoded];
  /** With weights in 4 bits, and 8. */
  scores: number[];
}

const where = hasSoftwareVulkan
  ? ''
  : `, not tested on ${process.platform}-${process.arch}: there is a software driver for linux-x64 only`;

describe.skipIf(!hasSoftwareVulkan)(`the webgpu provider${where}`, () => {
  let cpu: Computed;
  let device: Computed;
  let slowness: string;

  beforeAll(async () => {
    const found = await inProcess([built('bench/device-equality.js'), 'webgpu'], softwareVulkan());
    ({ cpu, device, slowness } = found as { cpu: Computed; device: Computed; slowness: string });
  }, 240_000);

  it('writes the same replies, whoever comes, goes and grows beside them, while another thread decodes and a third trains', () => {
    for (const [i, { together }] of device.decoded.entries()) expect(together).toEqual(cpu.decoded[i]!.together);
    const lengths = device.decoded.map(({ together }) => together.map((replies) => replies.map(({ length }) => length)));
    expect(lengths).toEqual([[[8], [5, 5], [6], [4], [3], [8], [8]], [[8]]]);
  });

  it('writes a reply as it does alone', () => {
    const [many, one] = device.decoded;
    expect(many.alone).toEqual(many.together[2]);
    expect(one.alone).toEqual(many.together[0]);
  });

  it('holds no lanes when all is said, but the beginnings of prompts', () => {
    for (const { cacheBytes } of device.decoded) expect(cacheBytes).toBe(0);
    expect(device.decoded.map(({ prefixes }) => prefixes)).toEqual([true, false]);
  });

  it('scores with quantised weights, where the processor rounds the activations too', () => {
    expect(largestDifference(device.scores, cpu.scores)).toBeLessThan(0.1);
    expect(Math.max(...cpu.scores)).toBeGreaterThan(1);
  });

  it('learns the same in six steps, and brings it home', () => {
    expect(device.training.steps).toHaveLength(6);
    for (const [i, { loss, gradientNorm }] of cpu.training.steps.entries()) {
      expect(device.training.steps[i]!.loss).toBeCloseTo(loss, 4);
      expect(device.training.steps[i]!.gradientNorm).toBeCloseTo(gradientNorm, 3);
    }
    expect(new Set(cpu.training.steps.map(({ loss }) => loss)).size).toBe(6);
    expect(device.training.heldOut).toBeCloseTo(cpu.training.heldOut, 4);
    expect(largestDifference(device.training.learnt, cpu.training.learnt)).toBeLessThan(1e-4);
  });

  it('is told from a graphics device by its pace', () => {
    expect(slowness).toMatch(/^(its adapter took \d+ ms for a small product|took [\d.]+ ms for a product the processor makes)/);
  });
});

describe('the choice of a provider without a driver', () => {
  const choose = (asked: string) => {
    const module = JSON.stringify(built('src/tensor/providers.js'));
    const script = `import { chooseProvider } from ${module}; const found = await chooseProvider('${asked}').catch(({ code, message }) => ({ code, message })); console.log(JSON.stringify(found));`;
    const nowhere = { VK_DRIVER_FILES: '/nowhere.json', VK_ICD_FILENAMES: '/nowhere.json' };
    return inProcess(['--input-type=module', '-e', script], nowhere);
  };

  it('is the processor as asked', async () => {
    expect(await choose('cpu')).toEqual({ provider: 'cpu', reason: 'cpu: as asked' });
  });

  it.skipIf(process.platform !== 'linux')('is the processor with auto, and says why', async () => {
    const found = await choose('auto');
    expect(found).toEqual({
      provider: 'cpu',
      reason: expect.stringMatching(/^webgpu.*(no graphics device found|no Vulkan adapter).*; using cpu$/),
    });
  });

  it.skipIf(process.platform !== 'linux')('is refused by name, with the way out', async () => {
    expect(await choose('webgpu')).toEqual({
      code: 'invalid_config',
      message: expect.stringMatching(
        /^EXECUTION_PROVIDER: expected webgpu to open .* found no Vulkan adapter\. Install .* or set EXECUTION_PROVIDER=cpu\.$/,
      ),
    });
    expect(await choose('dml')).toMatchObject({ code: 'invalid_config', message: expect.stringContaining('Windows only') });
  });
});

function largestDifference(a: readonly number[], b: readonly number[]): number {
  expect(a.length).toBe(b.length);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}
