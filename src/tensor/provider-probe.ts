// Whether a provider works here, and whether it is faster than the processor: tried on a product that is known.
import { emitOnnx } from './onnx.ts';
import { add, input, matmul, sum } from './primitives.ts';
import { type Provider, Session } from './session.ts';

/** What keeps the provider from opening a session and computing the right thing; null when nothing does. */
export async function faultOf(provider: Provider): Promise<string | null> {
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
