// One process of bench/device: tokens per second of one provider, decoding many streams or training, as one line of JSON.
// Arguments: provider, model (npc or large), figure (decode or train), streams, seconds.
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { Engine, engineDefaults } from '../src/engine/engine.ts';
import { openRunner } from '../src/engine/open-runner.ts';
import { onePrompt } from '../src/engine/request.ts';
import { initialWeights } from '../src/model/initial-weights.ts';
import { readModel } from '../src/model/model.ts';
import { type LlamaShape, parameterCount, parameterShapes, plainLlama } from '../src/model/shape.ts';
import { defaultAdamW } from '../src/tensor/adamw.ts';
import { chooseProvider } from '../src/tensor/providers.ts';
import type { Provider } from '../src/tensor/session.ts';
import { nextTokenObjective } from '../src/training/objective.ts';
import { TrainingState } from '../src/training/state.ts';
import { median } from './results.ts';
import { randomBatch } from './training-batch.ts';

type Weighted = { shape: LlamaShape; values: Map<string, Float32Array> };

/** 134 M parameters with random weights: enough work a step for a graphics device to show what it is there for. */
const large: LlamaShape = {
  ...plainLlama,
  ...{ vocabSize: 32_000, hiddenSize: 768, intermediateSize: 2048, layers: 12, heads: 12, kvHeads: 12 },
  ...{ headDim: 64, contextLength: 512, ropeTheta: 10_000, ropeScaling: null, normEpsilon: 1e-5, tiedEmbeddings: false },
};

async function weightsOf(model: string): Promise<Weighted> {
  if (model === 'large') return { shape: large, values: new Map(initialWeights(large, 1)) };
  // From bench as from dist/bench.
  const up = import.meta.url.includes('/dist/') ? '../../' : '../';
  return await readModel(fileURLToPath(new URL(`${up}models/npc`, import.meta.url)));
}

const promptTokens = 64;

/** Tokens per second of so many streams, each writing one reply of 128 tokens after the other, from when all have begun. */
async function decode(provider: Provider, weighted: Weighted, streams: number, seconds: number): Promise<number> {
  const options = { ...engineDefaults, sequences: 64, cacheBytes: 2 ** 33 };
  const { runner, dispose } = await openRunner(weighted, { ...options, provider, precision: 'fp32', threads: 0 });
  const none = new Uint8Array(weighted.shape.vocabSize);
  const words = { allowed: none.map(() => 1), stopTokens: [], endsSentence: none };
  const engine = new Engine(runner, words, options);
  const begun = new Set<number>();
  const over = new AbortController();
  let from = Number.POSITIVE_INFINITY;
  let counted = 0;
  const count = (stream: number): void => {
    const now = performance.now();
    // Not the first tokens: what is compiled on first use is compiled now.
    if (begun.size < streams && begun.add(stream).size === streams) from = now;
    else if (now < from + 1000 * seconds) counted++;
    else over.abort();
  };
  const write = async (stream: number): Promise<void> => {
    const prompt = Array.from({ length: promptTokens }, (_, i) => (stream * 31 + i * 7) % weighted.shape.vocabSize);
    while (!over.signal.aborted) {
      const ended = new Uint8Array(new SharedArrayBuffer(1));
      const request = { phases: onePrompt(prompt), maxTokens: 128, n: 1, seed: stream, priority: 'batch' as const, ended };
      const sampling = { temperature: 1, topP: 1, topK: 40 };
      await engine
        .generate({ ...request, ...sampling }, (event) => 'token' in event && count(stream), over.signal)
        .catch((error) => {
          if (!over.signal.aborted) throw error;
        });
    }
  };
  await Promise.all(Array.from({ length: streams }, (_, stream) => write(stream)));
  await dispose();
  return counted / seconds;
}

/** Tokens per second of the median update, the first three left out. */
async function train(provider: Provider, { shape, values }: Weighted, B: number, seconds: number): Promise<number> {
  const T = 128;
  const shapes = parameterShapes(shape);
  const state = await TrainingState.open(
    shape,
    new Set(shapes.keys()),
    { shapes, values },
    (network) => nextTokenObjective(shape, network, B, T),
    { adamw: defaultAdamW, accumulation: 1, lora: null, provider },
  );
  const batch = randomBatch(shape.vocabSize, B, T);
  const times: number[] = [];
  const end = performance.now() + 1000 * seconds;
  for (let step = 1; times.length < 4 || performance.now() < end; step++) {
    const started = performance.now();
    await state.update([batch], 1e-4, step);
    times.push(performance.now() - started);
  }
  await state.dispose();
  return (1000 * B * T) / median(times.slice(3));
}

const [asked, model, figure, width, seconds] = process.argv.slice(2) as [Provider, string, string, string, string];
const { provider } = await chooseProvider(asked);
const weighted = await weightsOf(model);
const measure = figure === 'train' ? train : decode;
const tokensPerS = await measure(provider, weighted, Number(width), Number(seconds));
process.stdout.write(`${JSON.stringify({ tokens_per_s: tokensPerS, parameters: parameterCount(weighted.shape) })}\n`);
