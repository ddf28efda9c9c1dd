// What do the commands of docs/bring-your-own-model.md take in time and memory? Each is run on random weights in the shape of a model people bring,
// over a few dozen rows in the shape of HelpSteer2, and what a whole pass over HelpSteer2 would take follows from the tokens a second.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { generateCorpus } from '../models/corpus/grammar.ts';
import { writeShape } from '../src/model/model-folder.ts';
import { type LlamaShape, parameterCount } from '../src/model/shape.ts';
import { Tokenizer } from '../src/model/tokenizer/tokenizer.ts';
import { saveWeights } from '../src/model/weights.ts';
import type { Turn } from '../src/steerlm/conversation.ts';
import { readCurve } from '../src/training/curve.ts';
import { llama1b } from './bench-shape.ts';
import { randomWeights } from './random-weights.ts';
import { median, recordSection, table } from './results.ts';
import { startServing } from './serving.ts';

interface Brought {
  name: string;
  shape: LlamaShape;
  /** Of the tokenizers under tests/golden, for the way it cuts words. */
  tokenizer: string;
  rows: number;
  rowTokens: number;
  steps: number;
}

const brought: Brought[] = [
  {
    name: 'SmolLM2 135M',
    shape: {
      ...llama1b,
      vocabSize: 49_152,
      hiddenSize: 576,
      intermediateSize: 1536,
      layers: 30,
      heads: 9,
      kvHeads: 3,
      ropeTheta: 100_000,
    },
    tokenizer: 'smollm',
    rows: 2,
    rowTokens: 512,
    steps: 4,
  },
  {
    name: 'Llama 3.2 1B',
    shape: llama1b,
    tokenizer: 'llama3',
    rows: 1,
    rowTokens: 256,
    steps: 3,
  },
];

/** Rows of HelpSteer2's training file, and tokens a row by the length of its texts: what a pass is taken to be. */
const helpSteerRows = 20_324;
const helpSteerTokens = 500 * helpSteerRows;
const judgedRows = 48;

interface Step {
  what: string;
  seconds: number;
  mostMiB: number;
  /** Tokens a second of a training run. */
  pace?: number;
}

/** Rows as HelpSteer2 has them: two replies to each prompt, five ratings. The words are the shipped corpus's, joined to the length of real ones. */
function helpSteerLike(count: number, seed: number): string {
  const lines: string[] = [];
  const turns: Turn[] = [];
  for (const { conversation } of generateCorpus({ seed, conversations: Number.POSITIVE_INFINITY })) {
    turns.push(...conversation.turns);
    const replies = turns.filter(({ role }) => role === 'assistant');
    if (replies.length < 12) continue;
    const prompt = `${lines.length}: ${turns[0]!.content}`;
    for (const half of [replies.slice(0, 6), replies.slice(6, 12)]) {
      const { helpfulness, verbosity, creativity } = half[0]!.label!;
      const ratings = { helpfulness, correctness: helpfulness, coherence: 4, complexity: creativity, verbosity };
      lines.push(JSON.stringify({ prompt, response: half.map(({ content }) => content).join(' '), ...ratings }));
    }
    turns.length = 0;
    if (lines.length >= count) break;
  }
  return `${lines.join('\n')}\n`;
}

async function writeBrought({ shape, tokenizer }: Brought, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { tokenizer: json } = JSON.parse(await readFile(`tests/golden/tokenizers-${tokenizer}.json`, 'utf8'));
  await Tokenizer.fromJson(json, tokenizer).save(folder);
  await writeShape(folder, shape, 'bfloat16', {});
  await saveWeights(folder, shape, randomWeights(shape), 'bfloat16');
}

/** Resident memory of a process and all it started, MiB. */
function memoryOf(pid: number): number {
  try {
    const own = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
    return own + children.reduce((sum, child) => sum + memoryOf(child), 0);
  } catch {
    return 0; // It has just ended.
  }
}

/** Runs `steer` as a person would, with its folders in `home`; throws with what it said when it fails. */
async function steer(home: string, what: string, args: string[]): Promise<Step> {
  const settings = { MODELS_DIR: join(home, 'models'), DATA_DIR: join(home, 'data') };
  const started = performance.now();
  const child = spawn(process.execPath, [resolve('bin/steer.js'), ...args], {
    cwd: home,
    env: { ...process.env, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [said, mostMiB] = ['', 0];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (said += piece));
  const watch = setInterval(() => {
    mostMiB = Math.max(mostMiB, memoryOf(child.pid!));
  }, 100);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(watch);
  if (code !== 0) throw new Error(`steer ${args.join(' ')} ended with ${code}:\n${said}`);
  const step: Step = { what, seconds: (performance.now() - started) / 1000, mostMiB };
  process.stdout.write(`${JSON.stringify(step)}\n`);
  return step;
}

/** Tokens a second of a run, as its own curve has them. */
async function paceOf(home: string, run: string): Promise<number> {
  const curve = await readCurve(join(home, 'data/runs', run));
  return median(curve.map(({ tokens_per_second }) => tokens_per_second));
}

async function answerOnce(home: string): Promise<Step> {
  const started = performance.now();
  const serving = await startServing(join(home, 'data'), undefined, join(home, 'models'));
  try {
    const request = {
      model: 'steered',
      messages: [{ role: 'user', content: 'Hi' }],
      attributes: { verbosity: 1 },
      max_tokens: 16,
    };
    const response = await fetch(`${serving.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    if (!response.ok) throw new Error(`The server answered ${response.status}: ${await response.text()}`);
    return {
      what: 'serve, to the end of the first reply of 16 tokens',
      seconds: (performance.now() - started) / 1000,
      mostMiB: serving.memoryMiB(),
    };
  } finally {
    await serving.stop();
  }
}

/** The steps of the guide, in its order. */
async function follow(each: Brought): Promise<Step[]> {
  const home = await mkdtemp(join(tmpdir(), 'steer-brought-'));
  try {
    await writeBrought(each, join(home, 'models/brought'));
    await writeFile(join(home, 'a.jsonl'), helpSteerLike(judgedRows, 1));
    await writeFile(join(home, 'b.jsonl'), helpSteerLike(judgedRows, 2));
    const { rows, rowTokens, steps } = each;
    const size = ['--lora-rank', '16', '--batch-rows', String(rows), '--row-tokens', String(rowTokens)];
    const short = ['--steps', String(steps), '--evaluate-every', '1000', '--dtype', 'bfloat16'];
    const training = async (what: string, name: string, args: string[]): Promise<Step> => {
      const step = await steer(home, what, [...args, '--name', name, '--base', 'brought', ...size, ...short]);
      return { ...step, pace: await paceOf(home, name) };
    };
    const from = ['--dataset', 'helpsteer-a'];
    const found = [await steer(home, `import ${judgedRows} rows`, ['import', 'a.jsonl', '--name', 'helpsteer-a'])];
    await steer(home, 'import', ['import', 'b.jsonl', '--name', 'helpsteer-b']);
    found.push(await training(`train-predictor, ${steps} steps`, 'rater', ['train-predictor', ...from]));
    found.push(await steer(home, `label ${judgedRows} replies`, ['label', 'helpsteer-a', '--model', 'rater']));
    found.push(
      await training(`finetune, ${steps} steps`, 'steered', [
        'finetune',
        ...from,
        '--labels',
        'model,import',
        '--schema',
        'helpsteer',
      ]),
    );
    found.push(await training('train-predictor on the other half', 'judge', ['train-predictor', '--dataset', 'helpsteer-b']));
    const few = ['--prompts-count', '2', '--seeds', '1', '--grid', '0', '--max-tokens', '16', '--split', 'all'];
    const judged = ['evaluate', 'steering', '--model', 'steered', '--judge', 'judge', '--dataset', 'helpsteer-b', ...few];
    found.push(await steer(home, 'evaluate steering, 2 prompts, replies of 16 tokens', judged));
    const asked = ['Explain rain to a child.', '--attribute', 'verbosity=1', '--max-tokens', '16', '--model', 'steered'];
    found.push(await steer(home, 'generate 16 tokens', ['generate', ...asked]));
    found.push(await steer(home, 'export-model to GGUF', ['export-model', '--model', 'steered', '--out', 'steered.gguf']));
    found.push(await answerOnce(home));
    return found;
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

function rowOf({ what, seconds, mostMiB, pace }: Step): (string | number)[] {
  const whole = pace === undefined ? '' : `${(helpSteerTokens / pace / 3600).toFixed(1)} h`;
  return [what, seconds.toFixed(1), mostMiB.toFixed(0), pace === undefined ? '' : pace.toFixed(0), whole];
}

/** `--only 135` for the shapes whose name holds that. */
export async function run(args: string[]): Promise<void> {
  const only = args.includes('--only') ? args[args.indexOf('--only') + 1]! : '';
  const parts: string[] = [];
  for (const each of brought.filter(({ name }) => name.includes(only))) {
    const head = ['step', 'seconds', 'most memory, MiB', 'tokens/s', 'a pass over HelpSteer2'];
    const size = `${(parameterCount(each.shape) / 1e6).toFixed(0)} million parameters, rows of ${each.rowTokens} tokens, ${each.rows} a batch, LoRA of rank 16`;
    parts.push(`### ${each.name}\n\n${size}.\n\n${table(head, (await follow(each)).map(rowOf))}`);
  }
  const told = `The commands of docs/bring-your-own-model.md on random weights of the shape, 2 threads; memory is that of the command and all it starts. A pass over HelpSteer2 is what ${helpSteerTokens / 1e6} million tokens (${helpSteerRows} rows of about 500) take at the pace of the step.`;
  await recordSection('bring-your-own', `${told}\n\n${parts.join('\n\n')}`);
}
