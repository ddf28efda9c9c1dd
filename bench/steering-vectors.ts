// Steering vectors on a real model: what they cost replies that are written at once, and whether llama.cpp and transformers find the same tokens
// under the same vector. `--model FOLDER` of a GGUF file and `--vector FILE`, a control vector for it; `--only cost` or `--only peers`.
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { engineDefaults } from '../src/engine/engine.ts';
import { blockTokens } from '../src/engine/kernel/cache-block.ts';
import { KernelDecoder } from '../src/engine/kernel/decoder.ts';
import type { HeldSequence } from '../src/engine/onnx/bands.ts';
import { type OpenRunner, openRunner } from '../src/engine/open-runner.ts';
import type { Runner } from '../src/engine/runner.ts';
import { chunkTokens } from '../src/engine/scheduler.ts';
import type { VectorSum } from '../src/engine/vector-sums.ts';
import { readControlVector } from '../src/model/formats/control-vector.ts';
import { ggufOf } from '../src/model/formats/gguf-folder.ts';
import type { Precision } from '../src/model/loaded-network.ts';
import { readShape } from '../src/model/model-folder.ts';
import type { LlamaShape } from '../src/model/shape.ts';
import { Tokenizer } from '../src/model/tokenizer/tokenizer.ts';
import { quantile } from '../src/statistics.ts';
import { hasPythonPeer, peersInstalled, runPeer } from './peer.ts';
import { recordSection, table } from './results.ts';

const options = {
  model: { type: 'string', default: 'data/models/smollm2-135m' },
  vector: { type: 'string' },
  only: { type: 'string' },
} as const;

const [windows, windowTokens] = [4, 256];
/** null is no vector. */
const weights = [null, -1, 1] as const;
type Weight = (typeof weights)[number];
const [streams, steps] = [16, 100];
const read = ['docs/pulling-models.md', 'docs/characters.md'];

interface Bench {
  folder: string;
  shape: LlamaShape;
  /** By weight. */
  sumOf(weight: Weight): VectorSum | undefined;
  texts: number[][];
}

/** Writes what was found. */
export async function run(args: string[]): Promise<void> {
  const { model, vector, only } = parseArgs({ args, options }).values;
  if (vector === undefined || !existsSync(vector) || (await ggufOf(model)) === undefined) {
    process.stdout.write(
      'Name a pulled model with --model FOLDER and a control vector that was made for it with --vector FILE.\n',
    );
    return;
  }
  const bench = await prepare(resolve(model), vector);
  const parts = [
    ...(only === 'peers' ? [] : [await cost(bench)]),
    ...(only === 'cost' || !peersInstalled() ? [] : [await peers(bench, resolve(vector))]),
  ];
  await recordSection('steering-vectors', `${basename(model)}, ${basename(vector)}.\n\n${parts.join('\n\n')}`);
}

async function prepare(folder: string, vector: string): Promise<Bench> {
  const shape = await readShape(folder);
  const { directions } = await readControlVector(vector);
  const { layers, hiddenSize: D } = shape;
  const rows = new Float32Array(layers * D);
  for (const [layer, numbers] of directions) rows.set(numbers, layer * D);
  const tokenizer = await Tokenizer.open(folder, shape.vocabSize);
  const text = (await Promise.all(read.map((path) => readFile(path, 'utf8')))).join('\n');
  const ids = tokenizer.encodeText(text);
  const texts = Array.from({ length: windows }, (_, i) => ids.slice(i * windowTokens, (i + 1) * windowTokens));
  const sumOf = (weight: Weight) => (weight === null ? undefined : rows.map((value) => weight * value));
  return { folder, shape, sumOf, texts };
}

const open = (folder: string, precision: Precision): Promise<OpenRunner> =>
  openRunner(folder, { ...engineDefaults, threads: 2, precision, provider: 'cpu' });

/** A sequence after its first token, which is read under the sum too. */
async function begin(runner: Runner, first: readonly number[], vectorSum: VectorSum | undefined) {
  const reading = runner.read(first, [{ from: 0, sum: vectorSum }]);
  for (let done = 0; done < first.length; done += chunkTokens) {
    await runner.advance(reading, Math.min(chunkTokens, first.length - done));
  }
  const sequence: HeldSequence = { slot: undefined, computed: first.length, vectorSum };
  runner.hold(sequence, reading);
  const { scores } = reading;
  runner.drop(reading);
  return { sequence, scores: scores! };
}

/** What a step of all streams takes, plain and steered in turn, so that whatever else the machine does falls on both. */
async function cost({ folder, shape, sumOf, texts }: Bench): Promise<string> {
  const decoder = await KernelDecoder.open(folder, { threads: 2, rows: chunkTokens });
  const slots = Array.from({ length: streams }, (_, stream) => {
    const sum = sumOf(stream % 2 === 0 ? -1 : 1)!;
    decoder.sums.retain(sum);
    const blocks = Array.from({ length: Math.ceil(steps / blockTokens) }, () => decoder.newBlock());
    return { blocks, text: texts[stream % windows]!, sums: [decoder.sums.addressOf(sum)] };
  });
  const times = { plain: [] as number[], steered: [] as number[] };
  for (let step = 0; step < steps; step++) {
    const order = step % 2 === 0 ? (['plain', 'steered'] as const) : (['steered', 'plain'] as const);
    for (const kind of order) {
      const inputs = slots.map(({ blocks, text, sums }) => {
        return { ids: [text[step]!], computed: step, blocks, ...(kind === 'steered' && { sums }) };
      });
      const begun = performance.now();
      decoder.step(inputs);
      times[kind].push(performance.now() - begun);
    }
  }
  await decoder.dispose();
  const rows = [0.1, 0.5].map((q) => {
    const [plain, steered] = [quantile(times.plain, q), quantile(times.steered, q)];
    return [
      q === 0.5 ? 'median' : 'fastest tenth',
      plain.toFixed(2),
      steered.toFixed(2),
      `${(100 * (steered / plain - 1)).toFixed(1)} %`,
    ];
  });
  const head = [`${steps} steps`, 'plain, ms', 'steered, ms', 'cost'];
  return `A step of ${streams} streams in int8, each under a sum of its own, ${shape.layers} layers.\n\n${table(head, rows)}`;
}

interface Found {
  /** The likeliest token after each, by window. */
  likeliest: number[][];
  /** Scores of the first window. */
  scores: Float32Array[];
}

/** Reads all windows side by side, token by token. */
async function ours({ texts }: Bench, runner: Runner, sum: VectorSum | undefined): Promise<Found> {
  const begun: Awaited<ReturnType<typeof begin>>[] = [];
  for (const text of texts) begun.push(await begin(runner, text.slice(0, 1), sum));
  const found: Found = { likeliest: begun.map(({ scores }) => [argmax(scores)]), scores: [begun[0]!.scores.slice()] };
  for (let at = 1; at < windowTokens; at++) {
    for (const batch of runner.batches()) {
      const members = batch.members.map((member) => begun.findIndex(({ sequence }) => sequence === member));
      const scores = await runner.run(
        batch,
        members.map((window) => texts[window]![at]!),
      );
      for (const [i, window] of members.entries()) {
        found.likeliest[window]!.push(argmax(scores[i]!));
        if (window === 0) found.scores.push(scores[i]!.slice());
      }
    }
  }
  for (const { sequence } of begun) runner.leave(sequence);
  return found;
}

async function peers(bench: Bench, vector: string): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'steer-vector-peers-'));
  try {
    const file = basename((await ggufOf(bench.folder))!);
    const logits = join(scratch, 'logits.f32');
    const ask = async (peer: string) => {
      const task = join(scratch, 'task.json');
      const asked = { peer, folder: bench.folder, file, vector, windows: bench.texts, weights, logits };
      await writeFile(task, JSON.stringify(asked));
      return (await hasPythonPeer(peer)) ? await runPeer<number[][][]>('../interop/vectors.py', [task]) : undefined;
    };
    const llama = await ask('llama_cpp');
    const exact = await ask('transformers');
    const rows: (string | number)[][] = [];
    for (const precision of ['fp32', 'int8'] as const) {
      const { runner, dispose } = await open(bench.folder, precision);
      for (const [i, weight] of weights.entries()) {
        const found = await ours(bench, runner, bench.sumOf(weight));
        const apart =
          exact && precision === 'fp32' ? largestDifference(found.scores, await readScores(logits, i, bench.shape)) : undefined;
        const shares = [llama?.[i], llama?.[0], exact?.[i]].map((theirs) => (theirs ? share(found.likeliest, theirs) : '–'));
        rows.push([precision, weight ?? 'none', ...shares, apart?.toExponential(1) ?? '–']);
      }
      await dispose();
    }
    const head = [
      'here',
      'weight',
      'llama.cpp, the same',
      'llama.cpp, without',
      'transformers, the same',
      'largest difference of its scores',
    ];
    return `Likeliest token after each of ${windows * windowTokens} of a text, added to all of them (\`vector_tokens: "all"\`).\n\n${table(head, rows)}`;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function readScores(path: string, index: number, { vocabSize: V }: LlamaShape): Promise<Float32Array[]> {
  const bytes = await readFile(path);
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return Array.from({ length: windowTokens }, (_, at) =>
    all.subarray((index * windowTokens + at) * V, (index * windowTokens + at + 1) * V),
  );
}

function share(ours: readonly number[][], theirs: readonly number[][]): string {
  const [a, b] = [ours.flat(), theirs.flat()];
  return `${((100 * a.filter((id, i) => id === b[i]).length) / a.length).toFixed(1)} %`;
}

function largestDifference(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let most = 0;
  for (const [at, scores] of a.entries()) {
    for (let id = 0; id < scores.length; id++) most = Math.max(most, Math.abs(scores[id]! - b[at]![id]!));
  }
  return most;
}

function argmax(scores: Float32Array): number {
  let best = 0;
  for (let id = 1; id < scores.length; id++) if (scores[id]! > scores[best]!) best = id;
  return best;
}
