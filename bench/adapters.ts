// What low-rank adapters cost that stay apart from their base: 16 streams of a pulled model, under no adapter, one, four in turns, or each under its own.
// `--model FOLDER` or REAL_MODEL, `--quick` for a short look that is not written down, `--rounds N`, `--threads N`.
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { blockTokens } from '../src/engine/kernel/cache-block.ts';
import { KernelDecoder, type KernelInput } from '../src/engine/kernel/decoder.ts';
import { chunkTokens } from '../src/engine/scheduler.ts';
import { adapterShapes } from '../src/model/lora.ts';
import { randomStream } from '../src/random.ts';
import { randomLowRanks } from '../tests/model/random-models.ts';
import { findModel, type RealModel } from './real-speed/model.ts';
import { median, recordSection, table } from './results.ts';

const options = {
  model: { type: 'string', default: process.env.REAL_MODEL ?? 'data/models/smollm2-135m' },
  quick: { type: 'boolean', default: false },
  rounds: { type: 'string' },
  threads: { type: 'string', default: '2' },
} as const;

const streams = 16;
const adapterCounts = [0, 1, 4, 16] as const;
/** Small beside the weights, so that no number grows beyond what a model has. */
const lora = { rank: 16, alpha: 0.1 };
/** Steps of a round and count, and tokens that each stream has read before. */
const [steps, before] = [4, 64];

/** Writes what was found. */
export async function run(args: string[]): Promise<void> {
  const { model: named, quick, rounds = quick ? '5' : '40', threads } = parseArgs({ args, options }).values;
  const model = await findModel(named);
  if (!model) return;
  const body = await measure(model, Number(rounds), Number(threads));
  if (quick) process.stdout.write(`${body}\n`);
  else await recordSection('adapters', body);
}

async function measure({ folder, precision }: RealModel, rounds: number, threads: number): Promise<string> {
  if (precision === 'fp32') throw new Error('Expected a model that is served in int8 or int4.');
  const decoder = await KernelDecoder.open(folder, { threads, rows: chunkTokens, precision });
  const { shape } = decoder;
  for (let i = 0; i < streams; i++) decoder.adapters.add(nameOf(i), randomLowRanks(shape, lora, nameOf(i)));
  const random = randomStream('adapters');
  const ids = (count: number) => Array.from({ length: count }, () => Math.floor(random() * shape.vocabSize));
  const blocks = (tokens: number) => Array.from({ length: Math.ceil(tokens / blockTokens) }, () => decoder.newBlock());
  const held = Array.from({ length: streams }, () => ({ ids: ids(1), computed: before, blocks: blocks(before + blockTokens) }));
  for (const input of held) decoder.read({ ...input, ids: ids(before), computed: 0 }, false);
  const chunk = { ids: ids(chunkTokens), computed: 0, blocks: blocks(chunkTokens) };
  const timed = (act: () => void) => {
    const begun = performance.now();
    act();
    return performance.now() - begun;
  };
  const writing = adapterCounts.map((): number[] => []);
  const reading: [number[], number[]] = [[], []];
  for (let round = -1; round < rounds; round++) {
    for (const [place] of adapterCounts.entries()) {
      // Another one first each time.
      const at = (place + round + 1) % adapterCounts.length;
      const inputs = held.map((input, stream): KernelInput => ({ ...input, adapter: adapterOf(stream, adapterCounts[at]!) }));
      const times = Array.from({ length: steps }, () => timed(() => decoder.step(inputs)));
      // The first round warms up.
      if (round >= 0) writing[at]!.push(...times);
    }
    for (const at of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const taken = timed(() => decoder.read({ ...chunk, adapter: at === 0 ? undefined : nameOf(0) }, true));
      if (round >= 0) reading[at].push(taken);
    }
  }
  await decoder.dispose();
  const numbers = [...adapterShapes(shape, lora).values()].reduce((sum, [rows, columns]) => sum + rows! * columns!, 0);
  const speed = (times: number[], tokens: number) => (1000 * tokens) / median(times);
  const row = (label: string, times: number[], plain: number[], tokens: number) => {
    return [label, median(times).toFixed(2), speed(times, tokens).toFixed(0), (median(plain) / median(times)).toFixed(3)];
  };
  const rows = [
    ...adapterCounts.map((count, at) => row(`${streams} streams, ${count} adapters`, writing[at]!, writing[0]!, streams)),
    ...[0, 1].map((at) => row(`reading ${chunkTokens} tokens, ${at} adapters`, reading[at]!, reading[0], chunkTokens)),
  ];
  const intro = `${basename(folder)} in ${precision}, ${threads} threads. Random adapters of rank ${lora.rank} on all projections, ${(numbers / 1e6).toFixed(1)} million numbers each, unmerged; streams of ${before} tokens; ${rounds} rounds in turns, medians.`;
  return `${intro}\n\n${table(['', 'ms', 'tokens/s', 'of the speed without'], rows)}`;
}

const nameOf = (index: number): string => `adapter ${index}`;

/** Streams of one adapter do not stand side by side, as they come. */
function adapterOf(stream: number, count: number): string | undefined {
  return count === 0 ? undefined : nameOf(stream % count);
}
