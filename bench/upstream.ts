// Does a model that runs on llama.cpp's own server say what it says here, and what does our server cost in front of it? The steered model as GGUF
// behind llama-server, its folder an upstream of ours. LLAMA_SERVER names the program, which llama.cpp builds and no package brings.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { everyLevel, heldOutPrompts } from '../models/measure/steerability.ts';
import { applyLoad, type Endpoint } from './load.ts';
import { randomWords } from './load-prompts.ts';
import { type LoadSummary, summarise } from './load-summary.ts';
import { peersInstalled, python } from './peer.ts';
import { median, recordSection, table } from './results.ts';
import { startServing } from './serving.ts';

/** llama.cpp's server. */
export const program = process.env.LLAMA_SERVER;
const streams = 16;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** llama-server over the weights in full precision, up and answering. Throws when it does not come up in a minute. */
export async function startLlama(gguf: string): Promise<{ url: string; child: ChildProcess }> {
  const port = await freePort();
  const slots = ['--alias', 'npc', '--parallel', `${streams}`, '--ctx-size', `${512 * streams}`, '--threads', '2'];
  const child = spawn(program!, ['--model', gguf, '--host', '127.0.0.1', '--port', `${port}`, ...slots], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) throw new Error(`llama-server ended with ${child.exitCode}`);
    if ((await fetch(`${url}/health`).catch(() => null))?.ok) return { url, child };
    await sleep(100);
  }
  child.kill();
  throw new Error('llama-server did not come up within a minute');
}

/** The shipped models, and `npc` once more without weights: they run at `url`. */
async function writeModels(folder: string, url: string): Promise<void> {
  await cp('models/npc', join(folder, 'npc'), { recursive: true });
  await cp('models/npc-predictor', join(folder, 'npc-predictor'), { recursive: true });
  const remote = join(folder, 'npc-there');
  await cp('models/npc', remote, { recursive: true, filter: (path) => !path.endsWith('.safetensors') });
  const card = JSON.parse(await readFile(join(remote, 'steerlm.json'), 'utf8')) as object;
  await writeFile(join(remote, 'steerlm.json'), JSON.stringify({ ...card, name: 'npc-there' }));
  await writeFile(join(remote, 'upstream.json'), JSON.stringify({ url: `${url}/v1`, model: 'npc' }));
}

interface Reply {
  text: string;
  measured: Record<string, number> | undefined;
}

async function ask({ url }: Endpoint, model: string, body: object): Promise<Reply> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, max_tokens: 60, store: false, ...body }),
  });
  const answer = (await response.json()) as {
    choices: { message: { content: string }; steering: { measured?: Record<string, number> } }[];
    error?: { message: string };
  };
  if (!response.ok) throw new Error(answer.error?.message ?? `${response.status}`);
  const [{ message, steering }] = answer.choices as [(typeof answer.choices)[number]];
  return { text: message.content, measured: steering.measured };
}

/** Share of replies to held-out lines, at every level of every attribute, that are the same here and there, word for word. */
async function agreementOf(
  serving: Endpoint,
  levels: { attribute: string; value: number; messages: object[] }[],
): Promise<number> {
  let same = 0;
  for (const { attribute, value, messages } of levels) {
    const body = { messages, attributes: { [attribute]: value }, temperature: 0 };
    const [here, there] = [await ask(serving, 'npc', body), await ask(serving, 'npc-there', body)];
    if (here.text === there.text) same++;
  }
  return same / levels.length;
}

async function loaded(endpoint: Endpoint, model: string, key: string): Promise<LoadSummary> {
  const body = (i: number) => ({ model, prompt: randomWords(60, key, i), max_tokens: 64, temperature: 0, ignore_eos: true });
  // llama-server resets a connection now and then when several come at once; our server tries again in front of it, so this client does as well.
  const load = { endpoint, path: '/v1/completions', streams, seed: 1, body, again: true };
  await applyLoad({ ...load, requests: streams });
  const { samples, durationS } = await applyLoad({ ...load, requests: 10 * streams });
  for (const { error } of samples) if (error !== undefined) throw new Error(error);
  return summarise(samples, durationS, {});
}

/** Writes what was found; a machine without llama-server is told so and nothing is written. */
export async function run(): Promise<void> {
  if (!program || !peersInstalled()) {
    process.stdout.write('LLAMA_SERVER must name the llama-server program of llama.cpp, and the peers be installed.\n');
    return;
  }
  const scratch = await mkdtemp(join(tmpdir(), 'steer-upstream-'));
  const gguf = join(scratch, 'f32.gguf');
  const [made] = await once(spawn(python, ['bench/peers/make_gguf.py', 'models/npc', gguf, '--type', 'f32']), 'exit');
  if (made !== 0) throw new Error('make_gguf.py failed');
  const llama = await startLlama(gguf);
  try {
    await writeModels(join(scratch, 'models'), llama.url);
    process.env.MODEL_PRECISION = 'fp32';
    const serving = await startServing(join(scratch, 'data'), undefined, join(scratch, 'models'));
    try {
      const attributes = [
        { name: 'humor', cap: 4 },
        { name: 'verbosity', cap: 4 },
      ];
      const levels = everyLevel(heldOutPrompts(8), attributes).map(({ conversation, attribute, value }) => ({
        ...{ attribute, value },
        messages: [
          { role: 'system', content: conversation.system },
          ...conversation.turns.map(({ role, content }) => ({ role, content })),
        ],
      }));
      const agreement = await agreementOf(serving, levels);
      const chosen = { messages: levels[0]!.messages, attributes: { verbosity: 3 }, steering: { best_of: 4 }, temperature: 0.8 };
      const measured = (await ask(serving, 'npc-there', chosen)).measured;
      const rounds: { direct: LoadSummary; through: LoadSummary }[] = [];
      for (let round = 0; round < 3; round++) {
        const direct = await loaded({ url: llama.url }, 'npc', `direct ${round}`);
        rounds.push({ direct, through: await loaded(serving, 'npc-there', `through ${round}`) });
      }
      const row = (name: string, of: (round: (typeof rounds)[number]) => LoadSummary) => {
        const figure = (field: 'output_throughput' | 'p50_ttft_ms' | 'p99_ttft_ms') =>
          median(rounds.map((round) => of(round)[field] as number));
        return [
          name,
          figure('output_throughput').toFixed(0),
          `${figure('p50_ttft_ms').toFixed(0)} / ${figure('p99_ttft_ms').toFixed(0)}`,
        ];
      };
      const share = median(
        rounds.map(({ direct, through }) => (through.output_throughput as number) / (direct.output_throughput as number)),
      );
      const rows = [row('llama-server alone', ({ direct }) => direct), row('through our server', ({ through }) => through)];
      await recordSection(
        'upstream',
        `The steered model in full precision behind llama.cpp's llama-server, and behind it through our server as an upstream. ${levels.length} replies of held-out lines at every level of humor and verbosity, the likeliest token each time: ${(100 * agreement).toFixed(0)} % are word for word what the model says here. Best of 4 measured: ${measured ? 'yes' : 'no'}. ${streams} streams of 60 random words, 64 tokens each, three rounds, medians: through our server ${share.toFixed(2)} × the tokens/s.\n\n${table(['', 'tokens/s', 'ttft ms, p50 / p99'], rows)}`,
      );
    } finally {
      await serving.stop();
    }
  } finally {
    llama.child.kill();
    await rm(scratch, { recursive: true, force: true });
  }
}
