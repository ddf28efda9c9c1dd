// How does a server answer a load? `--url` and `--model` name any OpenAI endpoint and print what `vllm bench serve` would; without them our own server is
// started over the shipped models and its figures are recorded.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { coldStartS } from './cold-start.ts';
import { applyLoad } from './load.ts';
import { chatBody, chatPath, randomWords, wordsFor } from './load-prompts.ts';
import { type LoadSummary, parseGoodput, summarise } from './load-summary.ts';
import { median, recordSection, table } from './results.ts';
import { httpCost, longPromptBeside, memoryUnderLoad, sharedPersona, throughput } from './serve-scenes.ts';
import { type Serving, startServing } from './serving.ts';

const options = {
  url: { type: 'string' },
  model: { type: 'string', default: 'default' },
  key: { type: 'string' },
  streams: { type: 'string', default: '16' },
  rate: { type: 'string' },
  requests: { type: 'string', default: '200' },
  'input-tokens': { type: 'string', default: '128' },
  'output-tokens': { type: 'string', default: '128' },
  temperature: { type: 'string', default: '0' },
  goodput: { type: 'string', default: '' },
  seed: { type: 'string', default: '1' },
  save: { type: 'string' },
  minutes: { type: 'string', default: '1' },
  quick: { type: 'boolean', default: false },
} as const;

type Options = ReturnType<typeof read>;

const read = (args: string[]) => parseArgs({ args, options }).values;

export async function run(args: string[]): Promise<void> {
  const chosen = read(args);
  if (chosen.url !== undefined) await loadEndpoint(chosen.url, chosen);
  else await recordOurs(chosen);
}

async function loadEndpoint(url: string, chosen: Options): Promise<void> {
  const endpoint = { url, key: chosen.key };
  const goodput = parseGoodput(chosen.goodput);
  const words = await wordsFor(endpoint, chosen.model, Number(chosen['input-tokens']));
  const body = (i: number) => {
    const messages = [{ role: 'user' as const, content: randomWords(words, chosen.seed, i) }];
    return chatBody(chosen.model, {
      messages,
      outputTokens: Number(chosen['output-tokens']),
      temperature: Number(chosen.temperature),
    });
  };
  const rate = chosen.rate === undefined ? undefined : Number(chosen.rate);
  const { samples, durationS } = await applyLoad({
    ...{ endpoint, path: chatPath, rate, body },
    requests: Number(chosen.requests),
    streams: Number(chosen.streams),
    seed: Number(chosen.seed),
  });
  const asked = {
    model_id: chosen.model,
    num_prompts: samples.length,
    request_rate: rate ?? 'inf',
    max_concurrency: Number(chosen.streams),
  };
  const errors = [...new Set(samples.flatMap(({ error }) => (error === undefined ? [] : [error])))];
  const text = JSON.stringify({ ...asked, ...summarise(samples, durationS, goodput), errors }, null, 2);
  process.stdout.write(`${text}\n`);
  if (chosen.save !== undefined) await writeFile(chosen.save, `${text}\n`);
}

const ms = (value: number) => value.toFixed(1);

function loadRow(name: string, summary: LoadSummary): string[] {
  const { output_throughput, p50_ttft_ms, p99_ttft_ms, p50_tpot_ms, p50_itl_ms, p99_itl_ms, p50_e2el_ms } = summary;
  const times = [
    `${ms(p50_ttft_ms)} / ${ms(p99_ttft_ms)}`,
    ms(p50_tpot_ms),
    `${ms(p50_itl_ms)} / ${ms(p99_itl_ms)}`,
    ms(p50_e2el_ms),
  ];
  const { request_goodput: goodput, request_throughput } = summary;
  return [
    name,
    output_throughput.toFixed(0),
    ...times,
    goodput === null ? '–' : `${((100 * goodput) / request_throughput).toFixed(0)} %`,
  ];
}

async function startsS(rounds: number): Promise<{ first: number; later: number }> {
  const [first, later]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const dataDir = await mkdtemp(join(tmpdir(), 'steer-start-'));
    first.push(await coldStartS(dataDir));
    later.push(await coldStartS(dataDir));
    await rm(dataDir, { recursive: true, force: true });
  }
  return { first: median(first), later: median(later) };
}

async function recordOurs({ minutes, quick }: Options): Promise<void> {
  const say = (what: string, found: object) => process.stdout.write(`${what}: ${JSON.stringify(found)}\n`);
  const rounds = quick ? 1 : 3;
  const starts = await startsS(rounds);
  say('start', starts);
  const beside = await longPromptBeside(quick ? 4 : 20);
  say('a long prompt beside', beside);
  const { loads, cost, memory } = await withServing(async (serving) => {
    const one = await throughput(serving, 1, quick ? 4 : 30);
    const many = await throughput(serving, 16, quick ? 32 : 320);
    const persona = await sharedPersona(serving, quick ? 64 : 640);
    say('16 streams', many);
    say('persona', persona);
    const cost = await httpCost(serving, quick ? 3 : 15, quick ? 48 : 320);
    say('cost', cost);
    return { loads: { one, many, persona }, cost, memory: await memoryUnderLoad(serving, Number(minutes)) };
  });
  say('memory', memory);
  const head = ['load', 'tokens/s', 'ttft ms, p50 / p99', 'tpot ms', 'itl ms, p50 / p99', 'e2el ms', 'ttft ≤ 150 ms'];
  const { one, many, persona } = loads;
  const rows = [
    loadRow('1 stream, 128 tokens in, 128 out', one),
    loadRow('16 streams, 128 in, 128 out', many),
    loadRow(`16 streams that share a persona of ${persona.personaTokens} tokens, 32 to 96 out`, persona),
  ];
  const shares = cost.http.map((speed, i) => (100 * speed) / cost.alone[i]!);
  const third = shares.length / 3;
  const [early, late] = [median(shares.slice(0, third)), median(shares.slice(-third))];
  const facts = [
    `Over SSE ${median(cost.http.slice(-third)).toFixed(0)} tokens/s arrive at 16 streams, ${late.toFixed(0)} % of what the engine alone writes (${median(cost.alone.slice(-third)).toFixed(0)}), once the server has answered some 4,000 requests and its hot code is compiled; ${early.toFixed(0)} % in its first 2,000. The client runs on the same cores.`,
    `While prompts of ${beside.promptTokens} tokens are read one after the other, the gap between pieces of four replies is ${ms(beside.beside.p50)} / ${ms(beside.beside.p99)} ms (p50 / p99), alone ${ms(beside.alone.p50)} / ${ms(beside.alone.p99)}: p99 is ${(beside.beside.p99 / beside.beside.p50).toFixed(1)} × the p50 beside it, ${(beside.beside.p99 / beside.alone.p50).toFixed(1)} × the p50 alone. Reading one takes ${beside.readMs.toFixed(0)} ms. Random weights of the shipped shape, context 4096.`,
    `From \`npm start\` to the first token: ${starts.later.toFixed(1)} s, the first time ever (the database is made) ${starts.first.toFixed(1)} s.`,
    `Resident memory with 32 streams for ${minutes} minutes, MiB: ready ${memory.ready.toFixed(0)}, medians of five equal parts ${memory.fifths.map((mib) => mib.toFixed(0)).join(', ')}, most ${memory.most.toFixed(0)}.`,
  ];
  await recordSection(
    'serve',
    `Client and server on one machine.\n\n${table(head, rows)}\n\n${facts.map((fact) => `- ${fact}`).join('\n')}`,
  );
}

async function withServing<T>(use: (serving: Serving) => Promise<T>): Promise<T> {
  const dataDir = await mkdtemp(join(tmpdir(), 'steer-serve-'));
  const serving = await startServing(dataDir);
  try {
    return await use(serving);
  } finally {
    await serving.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
