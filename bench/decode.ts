// How fast is the shipped model written with, beside other engines on the same weights? Tokens a second of one stream and of sixteen, and of reading a
// prompt; rounds of fresh processes, each engine with one thread and with two, its better one counts. An engine that does not write what ours
// writes is left out at full precision, and at a lower one its agreement stands beside its figures.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { precisions } from '../src/model/loaded-network.ts';
import { Tokenizer } from '../src/model/tokenizer/tokenizer.ts';
import { randomStream } from '../src/random.ts';
import { ourEngines, peerEngines, threadCountsOf } from './decode-engines.ts';
import { best, type Measured, measure, ratio, shown } from './decode-rounds.ts';
import { agreement, type Cell, makeCell, textIds } from './decode-task.ts';
import { recordSection, table } from './results.ts';

const folder = 'models/npc';
const figures = ['1 stream', '16 streams', 'prefill'] as const;
const drawn = ['1 stream, drawn', '16 streams, drawn'] as const;

/** The cells of `figures`; ours gets those at temperature 0.8 after them. */
async function makeCells(quick: boolean): Promise<{ common: Cell[]; own: Cell[] }> {
  const ids = textIds(await Tokenizer.open(folder));
  const random = randomStream('decode');
  const [tokens, few] = quick ? [64, 1] : [200, 3];
  const one = { streams: 1, prompt: 32, tokens, times: quick ? 2 : 10 };
  const many = { streams: 16, prompt: 32, tokens, times: few };
  const read = { streams: 1, prompt: 480, tokens: 1, times: quick ? 3 : 10 };
  const common = [one, many, read].map((size) => makeCell(ids, random, size));
  const own = [one, many].map((size) => makeCell(ids, random, { ...size, temperature: 0.8 }));
  return { common, own: [...common, ...own] };
}

const fullPrecision = new Set(['fp32', 'f32']);

function enginesTable(measured: Measured[], reference: Measured): string {
  const rows = measured.map((one) => {
    const { name, precision, ours } = one.engine;
    const same = agreement(reference.replies.slice(0, 2).flat(), one.replies.slice(0, 2).flat());
    const sampled = drawn.map((_, i) => (ours ? shown(best(one, figures.length + i)) : ''));
    const cells = figures.map((_, figure) => shown(best(one, figure)));
    return [name, precision, ...cells, ...sampled, `${(100 * same).toFixed(0)} %`];
  });
  return table(['tokens/s (threads)', 'weights', ...figures, ...drawn, 'same tokens as ours'], rows);
}

/** Ours as it is served beside what peers do with as few bits and with whatever they do best in; and at full precision on both sides. */
const comparisons: { said: string; ours: string; peers: (precision: string) => boolean }[] = [
  { said: 'int8 (default), peers at 8 bits or fewer', ours: 'int8', peers: (precision) => !fullPrecision.has(precision) },
  { said: 'int8 (default), peers at any', ours: 'int8', peers: () => true },
  { said: 'fp32, peers too', ours: 'fp32', peers: (precision) => fullPrecision.has(precision) },
];

/** Ours against the fastest peer of each figure. */
function ratiosTable(measured: Measured[]): string {
  const rows = figures.flatMap((name, figure) =>
    comparisons.flatMap(({ said, ours, peers }) => {
      const mine = measured.find(({ engine }) => engine.ours && engine.precision === ours);
      const others = measured.filter(({ engine }) => !engine.ours && peers(engine.precision));
      if (!mine || others.length === 0) return [];
      const fastest = others.reduce((a, b) => (best(b, figure).speed > best(a, figure).speed ? b : a));
      const value = ratio(best(mine, figure), best(fastest, figure));
      return [[name, said, `${fastest.engine.name} ${fastest.engine.precision}`, `ours is ${value} ×`]];
    }),
  );
  return rows.length === 0 ? '' : table(['figure', 'weights', 'fastest peer', 'ratio'], rows);
}

/** `--quick` for one short round, `--rounds` for so many, `--threads` for one setting. */
export async function run(args: string[]): Promise<void> {
  const threadCounts = threadCountsOf(args);
  const quick = args.includes('--quick');
  const rounds = args.includes('--rounds') ? Number(args[args.indexOf('--rounds') + 1]) : quick ? 1 : 5;
  const scratch = await mkdtemp(join(tmpdir(), 'steer-decode-'));
  try {
    const cells = await makeCells(quick);
    const tasks = { common: join(scratch, 'common.json'), own: join(scratch, 'own.json') };
    for (const kind of ['common', 'own'] as const) await writeFile(tasks[kind], JSON.stringify(cells[kind]));
    const engines = [...ourEngines(folder, precisions), ...(await peerEngines(folder, scratch))];
    const taskOf = ({ ours }: { ours: boolean }) => {
      const kind = ours ? 'own' : 'common';
      return { path: tasks[kind], cells: cells[kind] };
    };
    const all = await measure(engines, { taskOf, rounds, threadCounts });
    const reference = all.find(({ engine }) => engine.ours && engine.precision === 'fp32')!;
    const wrong = all.filter(({ engine, replies }) => {
      return (
        fullPrecision.has(engine.precision) && agreement(reference.replies.slice(0, 2).flat(), replies.slice(0, 2).flat()) < 1
      );
    });
    const measured = all.filter((one) => !wrong.includes(one));
    const left = wrong.map(({ engine }) => `${engine.name} ${engine.precision} wrote other tokens and is left out.`).join(' ');
    const intro = `The shipped model; ${rounds} rounds, medians, the better of ${threadCounts.join(' and ')} threads. Prompts of 32 random tokens, ${cells.common[0]!.tokens} written, the likeliest each time; drawn: at temperature 0.8. Prefill: 480 tokens until the first is there. ${left}`;
    await recordSection('decode', [intro.trim(), enginesTable(measured, reference), ratiosTable(measured)].join('\n\n'));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
