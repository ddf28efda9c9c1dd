// How do speed and latency grow with the number of replies written at once, and with how much each has to look back on? Our engine and two peers on
// random weights of the shipped shape with a longer context; writes scale.svg beside the table.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Tokenizer } from '../src/model/tokenizer/tokenizer.ts';
import { randomStream } from '../src/random.ts';
import { type Engine, ourEngines, peerEngines, threadCountsOf } from './decode-engines.ts';
import { type Cell, decodeSpeed, makeCell, textIds } from './decode-task.ts';
import { writeLongModel } from './long-model.ts';
import { recordSection, table } from './results.ts';
import { drawPanels, type Series } from './scale-plot.ts';

const contextLength = 2048;
const written = 64;
const streamCounts = [1, 2, 4, 8, 16, 32, 64];
const contexts = [64, 128, 256, 512, 1024];
/** Beside ours, where they are installed: the other way to run GGUF from Node, and the other engine on the same runtime. */
const peers = ['node-llama-cpp f32', 'onnxruntime-genai fp32'];

interface Point {
  speed: number;
  p50: number;
  p99: number;
}

/** One line of the plot's horizontal axis: what grows, and what is held. */
export interface Sweep {
  name: string;
  at: number[];
  cells: Cell[];
}

async function makeSweeps(folder: string, times: number): Promise<Sweep[]> {
  const ids = textIds(await Tokenizer.open(folder));
  const random = randomStream('scale');
  const make = (streams: number, prompt: number) => makeCell(ids, random, { streams, prompt, tokens: written, times });
  const byContext = (streams: number): Sweep => ({
    name: `context, ${streams} ${streams === 1 ? 'stream' : 'streams'}`,
    at: contexts,
    // The context is that of the token in the middle.
    cells: contexts.map((context) => make(streams, context - written / 2)),
  });
  return [
    { name: 'streams', at: streamCounts, cells: streamCounts.map((streams) => make(streams, written / 2)) },
    byContext(1),
    byContext(16),
  ];
}

/** Of each cell, at the thread setting that writes it faster. */
export async function measureSweep(
  engine: Engine,
  { cells, name }: Sweep,
  task: string,
  threadCounts: number[],
): Promise<(Point | undefined)[]> {
  const points: (Point | undefined)[] = cells.map(() => undefined);
  for (const threads of threadCounts) {
    try {
      const { answers } = await engine.write(task, threads);
      for (const [i, cell] of cells.entries()) {
        const answer = answers[i]!;
        const point = { speed: decodeSpeed(cell, answer), p50: answer.gaps?.p50 ?? 0, p99: answer.gaps?.p99 ?? 0 };
        if (point.speed > (points[i]?.speed ?? 0)) points[i] = point;
      }
    } catch (error) {
      process.stdout.write(`${engine.name}, ${name}, ${threads} threads: failed, ${(error as Error).message.split('\n')[0]}\n`);
    }
  }
  return points;
}

/** `--quick` for one time each, `--threads` for one setting. */
export async function run(args: string[]): Promise<void> {
  const threadCounts = threadCountsOf(args);
  const scratch = await mkdtemp(join(tmpdir(), 'steer-scale-'));
  try {
    const folder = join(scratch, 'model');
    await writeLongModel(folder, 'npc-long', contextLength);
    const others = (await peerEngines(folder, scratch)).filter(({ name, precision }) => peers.includes(`${name} ${precision}`));
    const engines = [...ourEngines(folder, ['int8']), ...others];
    const sweeps = await makeSweeps(folder, args.includes('--quick') ? 1 : 5);
    const rows: (string | number)[][] = [];
    const lines = new Map<string, Series[]>();
    for (const sweep of sweeps) {
      const task = join(scratch, `${sweep.name.replaceAll(/\W+/g, '-')}.json`);
      await writeFile(task, JSON.stringify(sweep.cells));
      for (const engine of engines) {
        const points = await measureSweep(engine, sweep, task, threadCounts);
        lines.set(sweep.name, [...(lines.get(sweep.name) ?? []), { name: engine.name, at: sweep.at, points }]);
        const cells = points.map((point) =>
          point ? `${point.speed.toFixed(0)} · ${point.p50.toFixed(2)} / ${point.p99.toFixed(2)}` : '–',
        );
        rows.push(...cells.map((cell, i) => [sweep.name, sweep.at[i]!, engine.name, cell]));
        process.stdout.write(`${sweep.name}, ${engine.name}: ${cells.join(' | ')}\n`);
      }
    }
    const svg = drawPanels([
      { title: `replies at once, ${written} tokens of context`, lines: lines.get('streams')! },
      { title: 'tokens of context, 16 replies at once', lines: lines.get('context, 16 streams')! },
    ]);
    await writeFile('bench/scale.svg', svg);
    const intro = `Random weights of the shipped shape, ours in int8 (the default), peers as named; ${written} tokens written under each prompt, medians; the better of ${threadCounts.join(' and ')} threads. tokens/s · ms between the tokens of a reply, p50 / p99; ours tells tokens that come within 16 ms together.`;
    await recordSection('scale', `${intro}\n\n![tokens per second and latency](../scale.svg)\n\n${pivot(rows)}`);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Engines side by side. */
function pivot(rows: (string | number)[][]): string {
  const engines = [...new Set(rows.map(([, , engine]) => `${engine}`))];
  const places = [...new Set(rows.map(([sweep, at]) => `${sweep}|${at}`))];
  const cellOf = (place: string, engine: string) =>
    rows.find(([sweep, at, name]) => `${sweep}|${at}` === place && name === engine)?.[3] ?? '–';
  return table(
    ['what grows', 'to', ...engines],
    places.map((place) => [...place.split('|'), ...engines.map((engine) => cellOf(place, engine))]),
  );
}
