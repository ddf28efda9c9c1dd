// Decoding and reading prompts at the size people use, beside other engines on the same weights; and that all of them write sense.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openLanguageModel } from '../../src/generation/steered-model.ts';
import { labelPrompt } from '../../src/generation/steered-prompt.ts';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { randomStream } from '../../src/random.ts';
import { engineOptions } from '../../src/registry/open.ts';
import { ourEngines } from '../decode-engines.ts';
import { best, type Measured, measure, ratio, shown } from '../decode-rounds.ts';
import { type Cell, makeCell, saidCell, textIds } from '../decode-task.ts';
import { median, table } from '../results.ts';
import { type RealModel, realPeers } from './model.ts';
import type { Extent } from './parts.ts';

/** The first cell is a question, which shows whether engines write sense. */
const figures = ['1 stream', '4 streams', '16 streams', 'prefill 512'] as const;
/** Its likeliest words lead clearly, so that engines which round otherwise say the same. */
const question = 'Name the days of the week.';
const saidTokens = 24;

/** Ids of a question as the model is asked it. */
export async function questionIds({ folder, precision }: RealModel): Promise<number[]> {
  const model = await openLanguageModel(folder, { ...engineOptions, precision });
  try {
    const conversation = { system: '', turns: [{ role: 'user' as const, content: question }] };
    return [...(await labelPrompt(model, conversation, [{}])).tokenIds];
  } finally {
    await model.dispose();
  }
}

async function makeCells(model: RealModel, quick: boolean): Promise<Cell[]> {
  const ids = textIds(await Tokenizer.open(model.folder));
  const random = randomStream('real-speed');
  const make = (streams: number, tokens: number, times: number) =>
    makeCell(ids, random, { streams, prompt: 32, tokens: quick ? 16 : tokens, times: quick ? 1 : times });
  const read = makeCell(ids, random, { streams: 1, prompt: 512, tokens: 1, times: quick ? 1 : 3 });
  return [saidCell(await questionIds(model), saidTokens), make(1, 64, 3), make(4, 48, 2), make(16, 32, 2), read];
}

export async function decodePart(model: RealModel, { quick, rounds, threadCounts }: Extent): Promise<string> {
  const cells = await makeCells(model, quick);
  const path = join(model.made, 'decode.json');
  await writeFile(path, JSON.stringify(cells));
  const engines = [...ourEngines(model.folder, [model.precision]), ...(await realPeers(model))];
  const measured = await measure(engines, { taskOf: () => ({ path, cells }), rounds, threadCounts });
  const tokenizer = await Tokenizer.open(model.folder);
  const said = measured.map(({ engine, replies }) => {
    const text = tokenizer.decode(replies[0]![0]!).replaceAll(/\s+/g, ' ');
    return `- ${engine.name} ${engine.precision}: ${text.trim()}`;
  });
  const built = new Set(measured.flatMap(({ engine, runs }) => (runs[0]!.about ? [`${engine.name}: ${runs[0]!.about}`] : [])));
  const intro = `Ours in ${model.precision}, what a pulled file is served in by default. ${rounds} rounds of fresh processes in turns, medians, the better of ${threadCounts.join(' and ')} threads. Prompts of 32 random tokens; the likeliest token each time; prefill: 512 tokens until the first is there.`;
  return [
    intro,
    enginesTable(measured),
    ratiosTable(measured),
    [...built].map((text) => `- ${text}`).join('\n'),
    `"${question}", ${saidTokens} tokens:`,
    said.join('\n'),
  ].join('\n\n');
}

function enginesTable(measured: Measured[]): string {
  const rows = measured.map((one) => [
    one.engine.name,
    one.engine.precision,
    ...figures.map((_, figure) => shown(best(one, figure + 1))),
    median(one.runs.map(({ load }) => load)).toFixed(2),
    median(one.runs.map(({ memory }) => memory)).toFixed(0),
  ]);
  return table(['tokens/s (threads)', 'weights', ...figures, 'load, s', 'memory, MiB'], rows);
}

/** What each figure is to reach, beside the fastest of these peers. */
const reaches: { figure: number; least: number; peers: RegExp }[] = [
  { figure: 0, least: 1.2, peers: /./ },
  { figure: 1, least: 1, peers: /./ },
  { figure: 2, least: 1, peers: /./ },
  { figure: 3, least: 1, peers: /onnxruntime-genai/ },
  { figure: 3, least: 0, peers: /ctranslate2/ },
];

function ratiosTable(measured: Measured[]): string {
  const mine = measured.find(({ engine }) => engine.ours);
  const rows = reaches.flatMap(({ figure, least, peers }) => {
    const others = measured.filter(({ engine }) => !engine.ours && peers.test(engine.name));
    if (!mine || others.length === 0) return [];
    const fastest = others.reduce((a, b) => (best(b, figure + 1).speed > best(a, figure + 1).speed ? b : a));
    const value = ratio(best(mine, figure + 1), best(fastest, figure + 1));
    const { name, precision } = fastest.engine;
    return [[figures[figure]!, `${name} ${precision}`, `ours is ${value} ×`, least === 0 ? 'told' : `${least} ×`]];
  });
  return rows.length === 0 ? '' : table(['figure', 'fastest peer', 'ratio', 'reach'], rows);
}
