// How speed changes with replies written at once and with the context each looks back on, beside peers; draws real-speed.svg.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { randomStream } from '../../src/random.ts';
import { ourEngines } from '../decode-engines.ts';
import { makeCell, textIds } from '../decode-task.ts';
import { exclusive } from '../exclusive.ts';
import { table } from '../results.ts';
import { measureSweep, type Sweep } from '../scale.ts';
import { drawPanels, type Panel } from '../scale-plot.ts';
import { type RealModel, realPeers } from './model.ts';
import type { Extent } from './parts.ts';

const written = 32;
const streamCounts = [1, 2, 4, 8, 16];
const contexts = [128, 256, 512, 1024, 2000];
const plot = 'real-speed.svg';

async function makeSweeps({ folder }: RealModel, times: number): Promise<Sweep[]> {
  const ids = textIds(await Tokenizer.open(folder));
  const random = randomStream('growth');
  const make = (streams: number, prompt: number) => makeCell(ids, random, { streams, prompt, tokens: written, times });
  return [
    { name: 'replies at once', at: streamCounts, cells: streamCounts.map((streams) => make(streams, written)) },
    { name: 'tokens of context, one reply', at: contexts, cells: contexts.map((context) => make(1, context - written / 2)) },
  ];
}

export async function growthPart(model: RealModel, { quick, threadCounts }: Extent): Promise<string> {
  const engines = [...ourEngines(model.folder, [model.precision]), ...(await realPeers(model))];
  const panels: Panel[] = [];
  const tables: string[] = [];
  for (const [i, sweep] of (await makeSweeps(model, quick ? 1 : 2)).entries()) {
    const task = join(model.made, `growth-${i}.json`);
    await writeFile(task, JSON.stringify(sweep.cells));
    const lines: Panel['lines'] = [];
    for (const engine of engines) {
      const points = await exclusive(() => measureSweep(engine, sweep, task, threadCounts));
      lines.push({ name: `${engine.name} ${engine.precision}`, at: sweep.at, points });
      process.stdout.write(`${sweep.name}, ${lines.at(-1)!.name}: ${points.map((point) => point?.speed.toFixed(0)).join(' ')}\n`);
    }
    panels.push({ title: sweep.name, lines });
    const rows = sweep.at.map((at, place) => [at, ...lines.map(({ points }) => points[place]?.speed.toFixed(0) ?? '–')]);
    tables.push(table([sweep.name, ...lines.map(({ name }) => name)], rows));
  }
  await writeFile(join('bench', plot), drawPanels(panels));
  const intro = `Tokens a second, ours in ${model.precision}; ${written} tokens written under each prompt, medians, ${threadCounts.length > 1 ? 'the better of ' : ''}${threadCounts.join(' and ')} threads.`;
  return [intro, `![tokens per second and latency](../${plot})`, ...tables].join('\n\n');
}
