// One process of bench/decode and bench/scale: our engine writes the cells of a task. node dist/bench/decode-ours.js <task> <folder> <precision> <threads>
import { readFile } from 'node:fs/promises';
import type { Precision } from '../src/model/loaded-network.ts';
import type { Cell, CellAnswer, EngineRun } from './decode-task.ts';
import { median, percentile } from './results.ts';
import { openTokenEngine } from './token-engine.ts';

const [path, folder, precision, threads] = process.argv.slice(2) as [string, string, Precision, string];
const cells = JSON.parse(await readFile(path, 'utf8')) as Cell[];
const started = performance.now();
const engine = await openTokenEngine(folder, Number(threads), precision);
const load = (performance.now() - started) / 1000;
const answers: CellAnswer[] = [];
for (const { warm, times, tokens, temperature } of cells) {
  const { replies } = await engine.write(warm, tokens, temperature);
  const first: number[] = [];
  const whole: number[] = [];
  const gaps: number[] = [];
  for (const prompts of times) {
    first.push((await engine.write(prompts.first, 1, temperature)).seconds);
    if (tokens === 1) continue;
    const written = await engine.write(prompts.whole, tokens, temperature);
    whole.push(written.seconds);
    for (const gap of written.gaps) gaps.push(gap);
  }
  const answer = { replies, first: median(first), whole: tokens === 1 ? 0 : median(whole) };
  answers.push(gaps.length === 0 ? answer : { ...answer, gaps: { p50: percentile(gaps, 50), p99: percentile(gaps, 99) } });
}
await engine.dispose();
const memory = process.resourceUsage().maxRSS / 1024;
const written: EngineRun = { load, memory, about: '', answers };
process.stdout.write(`${JSON.stringify(written)}\n`);
