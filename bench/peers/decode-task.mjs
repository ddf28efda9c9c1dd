// What the npm peers of bench/decode and bench/scale share: reads a task (bench/decode-task.ts), has an engine write its cells, prints one JSON line.
// node decode_….mjs <folder with node_modules> <task> <model> <threads> [precision]
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The module of a package under another folder's node_modules, by the path of its file. */
export const load = (folder, path) => import(pathToFileURL(join(folder, 'node_modules', path)).href);

/** open(folder, {model, threads, precision, streams, slots}) gives write(prompts, tokens), which gives {replies, gaps}. */
export async function run(open) {
  const [folder, task, model, threads, precision = 'fp32'] = process.argv.slice(2);
  const cells = JSON.parse(readFileSync(task, 'utf8'));
  const streams = Math.max(...cells.map(({ warm }) => warm.length));
  const slots = Math.max(...cells.map(({ warm, tokens }) => warm[0].length + tokens));
  const started = performance.now();
  const write = await open(folder, { model, threads: Number(threads), precision, streams, slots });
  const loadS = (performance.now() - started) / 1000;
  const answers = [];
  for (const cell of cells) answers.push(await answer(write, cell));
  const memory = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(`${JSON.stringify({ load: loadS, memory, about: '', answers })}\n`);
  process.exit(0);
}

async function answer(write, { warm, times, tokens }) {
  const { replies } = await write(warm, tokens);
  const [first, whole, gaps] = [[], [], []];
  const timed = async (prompts, count) => {
    const started = performance.now();
    const written = await write(prompts, count);
    return { seconds: (performance.now() - started) / 1000, ...written };
  };
  for (const prompts of times) {
    first.push((await timed(prompts.first, 1)).seconds);
    if (tokens === 1) continue;
    const written = await timed(prompts.whole, tokens);
    whole.push(written.seconds);
    gaps.push(...written.gaps);
  }
  const found = { replies, first: at(first, 50), whole: at(whole, 50) };
  return gaps.length === 0 ? found : { ...found, gaps: { p50: at(gaps, 50), p99: at(gaps, 99) } };
}

function at(values, percent) {
  const sorted = Float64Array.from(values).sort();
  const rank = (Math.max(0, sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(rank)] ?? 0;
  return below + (rank % 1) * ((sorted[Math.ceil(rank)] ?? 0) - below);
}
