// What bench/serve asks of our own server: how it answers one caller and sixteen, callers who share a persona, writers beside whom a long prompt is
// read, and thirty-two for minutes. Returns figures; writes no table.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomStream } from '../src/random.ts';
import { applyLoad, type Sample } from './load.ts';
import { type ChatRequest, chatBody, chatPath, promptTokens, randomWords, wordsFor } from './load-prompts.ts';
import { type LoadSummary, summarise } from './load-summary.ts';
import { writeLongModel } from './long-model.ts';
import { runOurs } from './peer.ts';
import { percentile } from './results.ts';
import { type Serving, startServing } from './serving.ts';

const model = 'npc';

/** Answers all the requests, each different, after one that warms up. */
async function answer({ url }: Serving, streams: number, asked: ChatRequest[], goodput = {}): Promise<LoadSummary> {
  const load = { endpoint: { url }, path: chatPath, streams, seed: 1 };
  await applyLoad({ ...load, requests: 1, body: () => chatBody(model, { ...asked[0]!, outputTokens: 8 }) });
  const { samples, durationS } = await applyLoad({ ...load, requests: asked.length, body: (i) => chatBody(model, asked[i]!) });
  for (const { error } of samples) if (error !== undefined) throw new Error(error);
  return summarise(samples, durationS, goodput);
}

const user = (content: string) => ({ role: 'user' as const, content });

/** Requests of so many prompt tokens, no two alike. */
async function plainRequests(
  serving: Serving,
  count: number,
  input: number,
  output: number,
  key: string,
): Promise<ChatRequest[]> {
  const words = await wordsFor(serving, model, input);
  return Array.from({ length: count }, (_, i) => ({ messages: [user(randomWords(words, key, i))], outputTokens: output }));
}

export async function throughput(serving: Serving, streams: number, requests: number): Promise<LoadSummary> {
  const asked = await plainRequests(serving, requests, 128, 128, `throughput ${streams}`);
  return answer(serving, streams, asked, { ttft: 150 });
}

/** Callers who share a persona of about 200 tokens, all at once; each says something else. */
export async function sharedPersona(serving: Serving, requests: number): Promise<LoadSummary & { personaTokens: number }> {
  const without = await promptTokens(serving, model, [user('Hello')]);
  const words = await wordsFor(serving, model, without + 200);
  const persona = { role: 'system' as const, content: randomWords(words, 'persona') };
  const random = randomStream('lengths');
  const asked = Array.from({ length: requests }, (_, i) => ({
    messages: [persona, user(randomWords(12, 'said', i))],
    // Replies of one length would end, and the next be asked for, all in the same step.
    outputTokens: 32 + Math.floor(random() * 65),
  }));
  const personaTokens = (await promptTokens(serving, model, [persona, user('Hello')])) - without;
  return { ...(await answer(serving, 16, asked)), personaTokens };
}

/** ms between pieces of text, of writers before anything is read beside them and while it is. */
export interface Beside {
  promptTokens: number;
  reads: number;
  /** Median ms to the first token of the long prompt. */
  readMs: number;
  alone: { p50: number; p99: number };
  beside: { p50: number; p99: number };
}

/** Four writers on a model of a longer context, while prompts of 2,000 tokens are read one after the other. */
export async function longPromptBeside(reads: number): Promise<Beside> {
  const scratch = await mkdtemp(join(tmpdir(), 'steer-serve-'));
  await writeLongModel(join(scratch, 'models', 'npc-long'), 'npc-long', 4096);
  const serving = await startServing(join(scratch, 'data'), undefined, join(scratch, 'models'));
  try {
    const load = { endpoint: serving, path: chatPath, seed: 1 };
    const words = await wordsFor(serving, 'npc-long', 2000);
    const until = new AbortController();
    const short = (i: number) => chatBody('npc-long', { messages: [user(randomWords(12, 'writer', i))], outputTokens: 384 });
    const begun = performance.now();
    const writing = applyLoad({ ...load, requests: Number.POSITIVE_INFINITY, streams: 4, body: short, signal: until.signal });
    await sleep(2000);
    const from = performance.now() - begun;
    const long = (i: number) => chatBody('npc-long', { messages: [user(randomWords(words, 'long', i))], outputTokens: 1 });
    const read = await applyLoad({ ...load, requests: reads, streams: 1, body: long });
    const to = performance.now() - begun;
    until.abort();
    const { samples } = await writing;
    const failed = read.samples.find(({ error }) => error !== undefined);
    if (failed) throw new Error(failed.error);
    const gaps = samples.flatMap(placedGaps);
    const within = (start: number, end: number) => {
      const some = gaps.filter(({ atMs }) => atMs >= start && atMs < end).map(({ gapMs }) => gapMs);
      return { p50: percentile(some, 50), p99: percentile(some, 99) };
    };
    const [first] = read.samples;
    const readMs = percentile(
      read.samples.map(({ ttftMs }) => ttftMs),
      50,
    );
    return { promptTokens: first!.inputTokens, reads, readMs, alone: within(500, from), beside: within(from, to) };
  } finally {
    await serving.stop();
    await rm(scratch, { recursive: true, force: true });
  }
}

function placedGaps({ startedMs, ttftMs, gapsMs }: Sample): { atMs: number; gapMs: number }[] {
  let atMs = startedMs + ttftMs;
  return gapsMs.map((gapMs) => {
    atMs += gapMs;
    return { atMs, gapMs };
  });
}

/** Tokens a second that arrive over SSE at 16 streams, and of the engine alone in a process of its own; alternating. */
export async function httpCost(serving: Serving, rounds: number, requests: number): Promise<{ http: number[]; alone: number[] }> {
  const scratch = await mkdtemp(join(tmpdir(), 'steer-serve-'));
  const [http, alone]: [number[], number[]] = [[], []];
  try {
    for (let round = 0; round < rounds; round++) {
      const asked = await plainRequests(serving, requests, 128, 128, `cost ${round}`);
      const path = join(scratch, 'requests.json');
      await writeFile(path, JSON.stringify({ streams: 16, requests: asked }));
      const turns = [
        async () => http.push((await answer(serving, 16, asked)).output_throughput),
        async () => alone.push((await runOurs<{ tokensPerS: number }>('serve-alone', ['models/npc', path])).tokensPerS),
      ];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return { http, alone };
}

export interface Memory {
  ready: number;
  /** Median of each fifth of the time, MiB. */
  fifths: number[];
  most: number;
  tokensPerS: number;
}

/** 32 streams without a pause. */
export async function memoryUnderLoad(serving: Serving, minutes: number): Promise<Memory> {
  const words = await wordsFor(serving, model, 64);
  const ready = serving.memoryMiB();
  const seen: number[] = [];
  const watch = setInterval(() => seen.push(serving.memoryMiB()), 250);
  const signal = AbortSignal.timeout(minutes * 60_000);
  const body = (i: number) =>
    chatBody(model, { messages: [user(randomWords(words, 'memory', i))], outputTokens: 128, temperature: 0.8 });
  const load = { endpoint: serving, path: chatPath, requests: Number.POSITIVE_INFINITY, streams: 32, seed: 1, body, signal };
  const { samples, durationS } = await applyLoad(load);
  clearInterval(watch);
  const fifths = Array.from({ length: 5 }, (_, i) =>
    percentile(seen.slice((i * seen.length) / 5, ((i + 1) * seen.length) / 5), 50),
  );
  return { ready, fifths, most: Math.max(...seen), tokensPerS: summarise(samples, durationS).output_throughput };
}
