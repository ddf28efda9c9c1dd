// One process: the same replies, scores and training steps by a provider and by the processor, and what each of them said, as JSON, which
// tests/webgpu.test.ts compares. Three threads use the device at once: two decode and one trains.

import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { Engine, engineDefaults } from '../src/engine/engine.ts';
import { Lanes } from '../src/engine/onnx/cache.ts';
import { openDecoder } from '../src/engine/onnx/decoder.ts';
import { openRunner } from '../src/engine/open-runner.ts';
import { type GenerationRequest, onePrompt, type Phase } from '../src/engine/request.ts';
import { DeviceDecoder } from '../src/engine/webgpu/decoder.ts';
import { initialWeights } from '../src/model/initial-weights.ts';
import type { Precision } from '../src/model/loaded-network.ts';
import { parameterShapes } from '../src/model/shape.ts';
import { defaultAdamW } from '../src/tensor/adamw.ts';
import { slowness } from '../src/tensor/provider-probe.ts';
import { chooseProvider } from '../src/tensor/providers.ts';
import type { Provider } from '../src/tensor/session.ts';
import { nextTokenObjective } from '../src/training/objective.ts';
import { TrainingState } from '../src/training/state.ts';
import { tinyShape } from '../tests/model/tiny-shape.ts';
import { wholeRows } from './training-batch.ts';

/** Query heads that share keys, and lanes of 64 slots that replies outgrow. */
const size = { vocabSize: 160, hiddenSize: 32, intermediateSize: 64, headDim: 8, contextLength: 256, tiedEmbeddings: false };
/** What families do otherwise than Llama, a window that prompts outgrow among it. */
const traits = {
  ...{ queryKeyNorm: true, outputNorms: true, activation: 'gelu' as const, residualMultiplier: 1.5, embeddingMultiplier: 2 },
  ...{ slidingWindow: 48, windowedLayers: [0], localRopeTheta: 1000, unrotatedLayers: [1] },
};
const shape = { ...tinyShape, ...size, ...traits };
/** Wide enough that what comes next hangs on what was said. */
const values = new Map([...initialWeights(shape, 7)].map(([name, data]) => [name, wider(name, data)]));

function wider(name: string, data: Float32Array): Float32Array {
  return name.includes('norm') ? data : data.map((value) => 6 * value);
}

const text = (length: number, from: number) => Array.from({ length }, (_, i) => (from + i * i * 7) % 150);
const persona = text(64, 9);

const vectorSum = (phase: number) =>
  Float32Array.from({ length: shape.layers * shape.hiddenSize }, (_, i) => 2 * Math.sin(i + 5 * phase));

/**
 * Prompts of all lengths, shared beginnings, replies side by side, prompts that are mixed, steering vectors for a reply and from its third token on,
 * and one that nobody waits for in the end.
 */
const requests: (Partial<GenerationRequest> & { phases: Phase[] })[] = [
  { phases: onePrompt(text(5, 1)), maxTokens: 8 },
  { phases: onePrompt([...persona, 3, 4]), n: 2, temperature: 1, topK: 20, maxTokens: 5 },
  {
    phases: [
      {
        branches: [
          { prompt: text(60, 2), weight: 1.5 },
          { prompt: text(66, 5), weight: -0.5 },
        ],
        vectorSum: vectorSum(0),
      },
    ],
    maxTokens: 6,
  },
  { phases: onePrompt([...persona, 5, 6, 7]), maxTokens: 4 },
  { phases: onePrompt(text(130, 4)), maxTokens: 3 },
  {
    phases: [
      { ...onePrompt(persona)[0]!, until: { tokens: 3 } },
      { ...onePrompt(persona)[0]!, vectorSum: vectorSum(1) },
    ],
  },
  { phases: [{ ...onePrompt(text(70, 6))[0]!, vectorSum: vectorSum(1) }], vectorTokens: 'all' },
];

function requestOf(fields: (typeof requests)[number]): GenerationRequest {
  const n = fields.n ?? 1;
  const ended = new Uint8Array(new SharedArrayBuffer(n));
  return { maxTokens: 8, seed: 3, priority: 'interactive', temperature: 0, topP: 1, topK: 0, ...fields, n, ended };
}

async function answer(engine: Engine, request: GenerationRequest, signal: AbortSignal): Promise<number[][]> {
  const tokens: number[][] = Array.from({ length: request.n }, () => []);
  await engine.generate(request, (event) => 'token' in event && tokens[event.index]!.push(event.token), signal);
  return tokens;
}

const source = { shape, values };

/** Tokens of all requests served at once, and of one of them alone; and what the engine still holds when all are over. */
async function decode(provider: Provider, asked: typeof requests) {
  const options = { ...engineDefaults, threads: 1, precision: 'fp32' as const, provider };
  const { runner, dispose } = await openRunner(source, options);
  const none = new Uint8Array(shape.vocabSize);
  const engine = new Engine(runner, { allowed: none.map(() => 1), stopTokens: [], endsSentence: none }, engineDefaults);
  const stays = new AbortController().signal;
  const leaves = new AbortController();
  const together = await Promise.all([
    ...asked.map(async (fields, i) => {
      for (let turn = 0; turn < 2 * i; turn++) await setImmediate();
      return await answer(engine, requestOf(fields), stays);
    }),
    leftEarly(engine, leaves),
  ]);
  const alone = await answer(engine, requestOf(asked.at(2) ?? asked[0]!), stays);
  const { cacheBytes, prefixBytes } = engine.load;
  await dispose();
  return { together: together.slice(0, -1), alone, cacheBytes, prefixes: prefixBytes > 0 };
}

async function leftEarly(engine: Engine, controller: AbortController): Promise<number[][]> {
  const request = requestOf({ phases: onePrompt(text(7, 8)), maxTokens: 100 });
  const leave = () => controller.abort();
  return await engine.generate(request, leave, controller.signal).then(
    () => [],
    () => [],
  );
}

const openDevice = (provider: Provider, precision: Precision) => DeviceDecoder.open(source, { provider, precision });
const openHost = (provider: Provider, precision: Precision) => openDecoder(source, { threads: 1, precision, provider });

/** Scores after a prompt, with weights in 4 bits, and 8 where that precision keeps 8. */
async function score(provider: Provider): Promise<number[]> {
  const input = { ids: text(9, 3), computed: [0] };
  if (provider === 'webgpu') {
    const device = await openDevice(provider, 'int4');
    const { scores, set } = await device.run({ ...input, set: device.empty(64) });
    set.release();
    await device.dispose();
    return [...scores];
  }
  const host = await openHost(provider, 'int4');
  const { scores } = await host.run({ ...input, lanes: new Lanes(shape, 64, 1), firstLane: 0 });
  await host.dispose();
  return [...scores];
}

/** Loss and norm of the gradient of six updates of two micro-batches, the loss after them, and some of what was learnt. */
async function learn(provider: Provider) {
  const [B, T] = [2, 8];
  const shapes = parameterShapes(shape);
  const state = await TrainingState.open(
    shape,
    new Set(shapes.keys()),
    { shapes, values: new Map(initialWeights(shape, 1)) },
    (network) => nextTokenObjective(shape, network, B, T),
    { adamw: defaultAdamW, accumulation: 2, lora: null, threads: 1, provider },
  );
  const batch = (from: number) => wholeRows(text(B * T, from), B, T);
  const steps: { loss: number; gradientNorm: number }[] = [];
  for (let step = 1; step <= 6; step++) steps.push(await state.update([batch(step), batch(step + 1)], 1e-2, step));
  await state.settle();
  const learnt = [...state.value('model.layers.1.mlp.up_proj.weight').subarray(0, 8)];
  const heldOut = (await state.evaluate(batch(0))).loss / (B * T);
  await state.dispose();
  return { steps, learnt, heldOut };
}

async function bothOf(provider: Provider) {
  const decoding = [requests.length, 1].map(async (count) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { provider, count } satisfies Share });
    return (await once(worker, 'message'))[0] as Awaited<ReturnType<typeof decode>>;
  });
  const training = await learn(provider);
  return { training, decoded: await Promise.all(decoding), scores: await score(provider) };
}

/** What a second thread decodes. */
interface Share {
  provider: Provider;
  /** Of the requests, from the first on. */
  count: number;
}

if (!isMainThread) {
  const { provider, count } = workerData as Share;
  parentPort!.postMessage(await decode(provider, requests.slice(0, count)));
} else {
  const provider = process.argv[2] as Provider;
  await chooseProvider(provider);
  const [cpu, device] = [await bothOf('cpu'), await bothOf(provider)];
  process.stdout.write(`${JSON.stringify({ cpu, device, slowness: await slowness(provider) })}\n`);
}
