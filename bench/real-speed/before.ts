// The same scenes on an older checkout and on this one, in turns, each in fresh processes: what long prompts of many callers have gained on the pulled
// model, and that the shipped one of 2.2 million parameters has lost nothing.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { randomStream } from '../../src/random.ts';
import { type CellAnswer, decodeSpeed, type EngineRun, makeCell, prefillSpeed, textIds } from '../decode-task.ts';
import { exclusive } from '../exclusive.ts';
import { openSessions, play } from '../npc-load.ts';
import { median, percentile, table } from '../results.ts';
import { throughput } from '../serve-scenes.ts';
import { startServing } from '../serving.ts';
import type { RealModel } from './model.ts';
import type { Extent } from './parts.ts';
import { longCallers, withServing } from './served.ts';

const shipped = 'models/npc';
const tavern = 'examples/tavern/characters.json';

/** Figures of one checkout in one round, in the order of `rows`. */
type Figures = number[];

const rows: { what: string; better: 'more' | 'less'; reach: string }[] = [
  { what: 'pulled model: 8 callers of 2,000 prompt tokens, replies of 32, s', better: 'less', reach: '1.5 ×' },
  { what: '· first token of a short request beside them, ms', better: 'less', reach: 'told' },
  { what: 'shipped model: decode, 1 stream, tokens/s', better: 'more', reach: '.95 ×' },
  { what: '· 16 streams, tokens/s', better: 'more', reach: '.95 ×' },
  { what: '· reading 480 tokens, tokens/s', better: 'more', reach: '.95 ×' },
  { what: '· serve, 16 callers, tokens/s', better: 'more', reach: '.95 ×' },
  { what: '· serve, 40 characters: first sentence p50, ms', better: 'less', reach: '.95 ×' },
  { what: '· p95, ms', better: 'less', reach: '.95 ×' },
];

export async function beforePart(model: RealModel, { quick, rounds, before }: Extent): Promise<string> {
  if (before === undefined)
    throw new Error('Expected --before DIR: a checkout of the commit to compare with, compiled, its packages installed.');
  const found = new Map<string, Figures[]>([before, '.'].map((checkout) => [checkout, []]));
  const count = Math.min(rounds, 3);
  for (let round = 0; round < count; round++) {
    for (const checkout of round % 2 === 0 ? [before, '.'] : ['.', before]) {
      const figures = await exclusive(() => measure(model, resolve(checkout), round, quick));
      process.stdout.write(`${round + 1}/${count} ${checkout}: ${figures.map((figure) => figure.toFixed(1)).join(' ')}\n`);
      found.get(checkout)!.push(figures);
    }
  }
  const commit = execFileSync('git', ['-C', resolve(before), 'rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const cells = rows.map(({ what, better, reach }, figure) => {
    const [old, now] = [before, '.'].map((checkout) => found.get(checkout)!.map((figures) => figures[figure]!)) as [
      Figures,
      Figures,
    ];
    // Of one round, so that an hour in which all is slow tells nothing.
    const gain = median(old.map((value, round) => (better === 'more' ? now[round]! / value : value / now[round]!)));
    return [what, ...[old, now].map((values) => median(values).toFixed(1)), `${gain.toFixed(2)} ×`, reach];
  });
  const intro = `Both checkouts in turns, fresh processes, medians of ${count} and of their ratios; the pulled model as each serves it by default (here ${model.precision}), the shipped one in int8, the embedded database.`;
  return `${intro}\n\n${table(['scene', `before (${commit})`, 'now', 'faster', 'reach'], cells)}`;
}

async function measure(model: RealModel, checkout: string, round: number, quick: boolean): Promise<Figures> {
  const scene = await withServing(model, undefined, (serving, name) => longCallers(serving, name, round), checkout);
  return [scene.wholeS, scene.shortMs, ...(await written(checkout, quick)), ...(await served(checkout, quick))];
}

/** Tokens a second of 1 and 16 streams, and of reading a prompt. */
async function written(checkout: string, quick: boolean): Promise<Figures> {
  const ids = textIds(await Tokenizer.open(shipped));
  const random = randomStream('before');
  const tokens = quick ? 64 : 200;
  const sizes = [
    { streams: 1, prompt: 32, tokens, times: 5 },
    { streams: 16, prompt: 32, tokens, times: 3 },
    { streams: 1, prompt: 480, tokens: 1, times: 10 },
  ];
  const cells = sizes.map((size) => makeCell(ids, random, size));
  const scratch = await mkdtemp(join(tmpdir(), 'steer-before-'));
  try {
    const task = join(scratch, 'task.json');
    await writeFile(task, JSON.stringify(cells));
    const script = join(checkout, 'dist/bench/decode-ours.js');
    const { stdout } = await promisify(execFile)(process.execPath, [script, task, join(checkout, shipped), 'int8', '2'], {
      maxBuffer: 2 ** 28,
    });
    // Older ones tell the answers alone.
    const told = JSON.parse(stdout.trim().split('\n').at(-1)!) as EngineRun | CellAnswer[];
    const answers = Array.isArray(told) ? told : told.answers;
    return cells.map((cell, i) => (cell.tokens === 1 ? prefillSpeed : decodeSpeed)(cell, answers[i]!));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Tokens a second that 16 callers get, and ms until first sentences of 40 characters, p50 and p95. */
async function served(checkout: string, quick: boolean): Promise<Figures> {
  const dataDir = await mkdtemp(join(tmpdir(), 'steer-before-'));
  const serving = await startServing(dataDir, undefined, join(checkout, 'models'), checkout);
  try {
    const { output_throughput: tokensPerS } = await throughput(serving, 16, quick ? 32 : 160);
    const characters = JSON.parse(await readFile(tavern, 'utf8')) as { id: string }[];
    const fresh = characters.map(({ id: _, ...character }) => character);
    const { told, failures } = await play(serving, await openSessions(serving, fresh, 40), quick ? 10 : 30, 0.3);
    if (failures.length > 0) throw new Error(failures[0]);
    const first = told.map(({ firstMs }) => firstMs);
    return [tokensPerS, percentile(first, 50), percentile(first, 95)];
  } finally {
    await serving.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
