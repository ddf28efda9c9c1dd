// What 8 and 4 bits cost in quality on text that nothing was chosen on: divergence from full precision, agreement on the likeliest token, perplexity. Also
// of a copy of the model that lies on no file's lattice, as one does that an adapter was merged into.
import { readFile } from 'node:fs/promises';
import { KernelDecoder } from '../../src/engine/kernel/decoder.ts';
import { Lanes } from '../../src/engine/onnx/cache.ts';
import { openDecoder } from '../../src/engine/onnx/decoder.ts';
import { openSource, type WeightSource } from '../../src/model/loaded-network.ts';
import { readShape } from '../../src/model/model-folder.ts';
import { parameterShapes } from '../../src/model/shape.ts';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { randomStream } from '../../src/random.ts';
import { table } from '../results.ts';
import type { RealModel } from './model.ts';
import type { Extent } from './parts.ts';

const texts = [
  ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'bench/README.md'],
  ...['bring-your-own-model', 'characters', 'pulling-models', 'steering-vectors', 'upstreams'].map((name) => `docs/${name}.md`),
];
/** Share of a matrix's size that the copy is moved by, with rank 16: about what fine-tuning moves it. */
const [moved, rank] = [0.05, 16];

/** Reads a text token by token: scores (V) of each token's successor, which hold until the next. */
type Read = (ids: readonly number[], each: (index: number, scores: Float32Array) => void) => Promise<void>;

interface Figures {
  divergence: number;
  same: number;
  perplexity: number;
}

export async function qualityPart({ folder }: RealModel, { quick }: Extent): Promise<string> {
  const length = quick ? 40 : 384;
  const shape = await readShape(folder);
  const contextLength = length;
  const tokenizer = await Tokenizer.open(folder, shape.vocabSize);
  const read = await Promise.all(texts.map(async (path) => tokenizer.encodeText(await readFile(path, 'utf8')).slice(0, length)));
  const own: WeightSource = { folder, contextLength };
  const rows = [
    ...(await compare('as it is', own, read)),
    ...(await compare('moved', await movedCopy(folder, contextLength), read)),
  ];
  const intro = `${texts.length} texts of ${length} tokens each. Moved: each matrix of the layers plus a random one of rank ${rank} that is ${100 * moved} % of its size, so that no number lies where a file put it; each copy beside itself at full precision.`;
  const head = ['weights', 'precision', 'KL to fp32, nats', 'likeliest token the same', 'perplexity', 'of fp32', 'reach'];
  return `${intro}\n\n${table(head, rows)}`;
}

async function compare(name: string, source: WeightSource, read: readonly number[][]): Promise<string[][]> {
  const whole: Float32Array[][] = [];
  await runtime(source, async (each) => {
    for (const ids of read) {
      const scores: Float32Array[] = [];
      await each(ids, (_, found) => scores.push(found.slice()));
      whole.push(scores);
    }
  });
  const full = figuresOf(read, whole, whole);
  const rows: string[][] = [];
  for (const precision of ['int8', 'int4'] as const) {
    const found: Float32Array[][] = [];
    await kernels(source, precision, async (each) => {
      for (const ids of read) {
        const scores: Float32Array[] = [];
        await each(ids, (_, told) => scores.push(told.slice()));
        found.push(scores);
      }
    });
    const { divergence, same, perplexity } = figuresOf(read, whole, found);
    const reach = precision === 'int8' ? 'KL .0015 at most' : 'perplexity within 3 %';
    const told = [divergence.toFixed(5), `${(100 * same).toFixed(1)} %`, perplexity.toFixed(2)];
    rows.push([name, precision, ...told, `${(100 * (perplexity / full.perplexity - 1)).toFixed(2)} % more`, reach]);
  }
  return rows;
}

async function runtime(source: WeightSource, use: (read: Read) => Promise<void>): Promise<void> {
  const decoder = await openDecoder(source, { threads: 2, precision: 'fp32' });
  await use(async (ids, each) => {
    const lanes = new Lanes(decoder.shape, ids.length, 1);
    for (const [index, id] of ids.entries()) {
      const { scores, rows } = await decoder.run({ ids: [id], computed: [index], lanes, firstLane: 0 });
      lanes.write(0, index, rows, 0, 1);
      each(index, scores);
    }
  });
  await decoder.dispose();
}

async function kernels(source: WeightSource, precision: 'int8' | 'int4', use: (read: Read) => Promise<void>): Promise<void> {
  const decoder = await KernelDecoder.open(source, { threads: 2, rows: 16, precision });
  await use(async (ids, each) => {
    const blocks = Array.from({ length: Math.ceil(ids.length / 16) }, () => decoder.newBlock());
    for (const [index, id] of ids.entries()) each(index, decoder.read({ ids: [id], computed: index, blocks }, true)!);
  });
  await decoder.dispose();
}

function figuresOf(texts: readonly number[][], whole: readonly Float32Array[][], found: readonly Float32Array[][]): Figures {
  let [divergence, same, nats, count, predicted] = [0, 0, 0, 0, 0];
  for (const [text, ids] of texts.entries()) {
    for (const [index, scores] of found[text]!.entries()) {
      const [own, full] = [spread(scores), spread(whole[text]![index]!)];
      divergence += divergenceOf(whole[text]![index]!, full.logMass, scores, own.logMass);
      if (own.likeliest === full.likeliest) same++;
      count++;
      const next = ids[index + 1];
      if (next === undefined) continue;
      nats += own.logMass - scores[next]!;
      predicted++;
    }
  }
  return { divergence: divergence / count, same: same / count, perplexity: Math.exp(nats / predicted) };
}

/** The likeliest id, and ln Σ e^score. */
function spread(scores: Float32Array): { likeliest: number; logMass: number } {
  let likeliest = 0;
  for (let id = 1; id < scores.length; id++) if (scores[id]! > scores[likeliest]!) likeliest = id;
  const highest = scores[likeliest]!;
  let sum = 0;
  for (let id = 0; id < scores.length; id++) sum += Math.exp(scores[id]! - highest);
  return { likeliest, logMass: highest + Math.log(sum) };
}

/** Σ p (ln p − ln q), in nats. */
function divergenceOf(p: Float32Array, logMassP: number, q: Float32Array, logMassQ: number): number {
  let sum = 0;
  for (let id = 0; id < p.length; id++) {
    const logP = p[id]! - logMassP;
    sum += Math.exp(logP) * (logP - q[id]! + logMassQ);
  }
  return sum;
}

/** The model in memory with every matrix of its layers moved a little. */
async function movedCopy(folder: string, contextLength: number): Promise<WeightSource> {
  const { shape, weights } = await openSource({ folder, contextLength });
  const random = randomStream('quality');
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const values = new Map<string, Float32Array>();
  for (const [name, [rows, columns]] of parameterShapes(shape)) {
    const numbers = await weights.read(name);
    values.set(name, columns !== undefined && /layers/.test(name) ? move(numbers, rows!, columns, normal) : numbers);
  }
  await weights.close();
  return { shape, values };
}

function move(numbers: Float32Array, rows: number, columns: number, normal: () => number): Float32Array {
  const size = Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0) / numbers.length);
  const factor = (moved * size) / Math.sqrt(rank);
  const [up, down] = [rows, columns].map((length) => Float32Array.from({ length: length * rank }, normal)) as [
    Float32Array,
    Float32Array,
  ];
  return numbers.map((value, at) => {
    const [row, column] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let r = 0; r < rank; r++) sum += up[row * rank + r]! * down[column * rank + r]!;
    return value + factor * sum;
  });
}
