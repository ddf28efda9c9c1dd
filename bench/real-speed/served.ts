// The pulled model behind `steer serve`: what the server holds in memory, and callers with long prompts beside one with a short one.
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPostgres } from '../../tests/store/postgres-server.ts';
import { exclusive } from '../exclusive.ts';
import { applyLoad, type Sample } from '../load.ts';
import { chatBody, chatPath, randomWords, wordsFor } from '../load-prompts.ts';
import { median, table } from '../results.ts';
import { type Serving, startServing } from '../serving.ts';
import type { RealModel } from './model.ts';
import type { Extent } from './parts.ts';

/** A server that has this model alone, with a data folder of its own. */
export async function withServing<T>(
  model: RealModel,
  databaseUrl: string | undefined,
  use: (serving: Serving, name: string) => Promise<T>,
  checkout?: string,
): Promise<T> {
  const scratch = await mkdtemp(join(tmpdir(), 'steer-real-speed-'));
  const name = basename(model.folder);
  try {
    await mkdir(join(scratch, 'models'));
    await symlink(model.folder, join(scratch, 'models', name));
    const serving = await startServing(join(scratch, 'data'), databaseUrl, join(scratch, 'models'), checkout);
    try {
      return await use(serving, name);
    } finally {
      await serving.stop();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function withPostgres<T>(use: (url: string) => Promise<T>): Promise<T> {
  const postgres = await startPostgres();
  try {
    return await use(postgres.url);
  } finally {
    await postgres.stop();
  }
}

const user = (content: string) => ({ role: 'user' as const, content });

/** Those that failed end the bench. */
function answered(samples: readonly Sample[]): readonly Sample[] {
  for (const { error } of samples) if (error !== undefined) throw new Error(error);
  return samples;
}

interface Held {
  ready: number;
  most: number;
  after: number;
  tokensPerS: number;
}

/** MiB of a server that has answered nothing, while it writes sixteen replies of `tokens`, and a moment later. */
async function holds(serving: Serving, name: string, tokens: number): Promise<Held> {
  const ready = serving.memoryMiB();
  const words = await wordsFor(serving, name, 64);
  let most = 0;
  const watch = setInterval(() => {
    most = Math.max(most, serving.memoryMiB());
  }, 100);
  const body = (i: number) =>
    chatBody(name, { messages: [user(randomWords(words, 'memory', i))], outputTokens: tokens, temperature: 0.8 });
  const load = { endpoint: serving, path: chatPath, requests: 16, streams: 16, seed: 1, body };
  const { samples, durationS } = await applyLoad(load).finally(() => clearInterval(watch));
  const written = answered(samples).reduce((sum, { outputTokens }) => sum + outputTokens, 0);
  await sleep(2000);
  return { ready, most, after: serving.memoryMiB(), tokensPerS: written / durationS };
}

export async function memoryPart(model: RealModel, { quick }: Extent): Promise<string> {
  const tokens = quick ? 32 : 512;
  const measured = (url?: string) => exclusive(() => withServing(model, url, (serving, name) => holds(serving, name, tokens)));
  const postgres = await withPostgres(measured);
  const embedded = await measured();
  const mib = (value: number) => value.toFixed(0);
  const row = (name: string, { ready, most, after, tokensPerS }: Held, reach: string) => [
    ...[name, mib(ready), mib(most), mib(after), reach],
    tokensPerS.toFixed(0),
  ];
  const rows = [row('Postgres', postgres, '450 at most'), row('embedded', embedded, 'told')];
  const head = ['database', 'ready', `16 streams of ${tokens}, most`, 'two seconds later', 'reach', 'tokens/s meanwhile'];
  return `Resident memory of \`serve\` alone, MiB, in ${model.precision}; a Postgres server is a process of its own.\n\n${table(head, rows)}`;
}

interface Scene {
  wholeS: number;
  /** ms until the short request's first token. */
  shortMs: number;
  promptTokens: number;
}

const callers = 8;

export async function longCallers(serving: Serving, name: string, round: number): Promise<Scene> {
  const words = await wordsFor(serving, name, 2000);
  const load = { endpoint: serving, path: chatPath, seed: 1 };
  const long = (i: number) => chatBody(name, { messages: [user(randomWords(words, 'long', round, i))], outputTokens: 32 });
  const all = applyLoad({ ...load, requests: callers, streams: callers, body: long });
  // All long prompts are there when the short one comes.
  await sleep(1000);
  const short = () => chatBody(name, { messages: [user(randomWords(12, 'short', round))], outputTokens: 8 });
  const beside = await applyLoad({ ...load, requests: 1, streams: 1, body: short });
  const { samples, durationS } = await all;
  const [first] = answered(samples);
  return { wholeS: durationS, shortMs: answered(beside.samples)[0]!.ttftMs, promptTokens: first!.inputTokens };
}

export async function callersPart(model: RealModel, { rounds }: Extent): Promise<string> {
  const scenes = await withServing(model, undefined, async (serving, name) => {
    const found: Scene[] = [];
    // Each takes most of a minute, and its parts are many.
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      found.push(await exclusive(() => longCallers(serving, name, round)));
      process.stdout.write(`${JSON.stringify(found.at(-1))}\n`);
    }
    return found;
  });
  const whole = median(scenes.map(({ wholeS }) => wholeS));
  const short = median(scenes.map(({ shortMs }) => shortMs));
  const intro = `${callers} callers at once, each with ${scenes[0]!.promptTokens} prompt tokens and a reply of 32, and one with a short prompt a second later; in ${model.precision}, the embedded database, medians of ${scenes.length}.`;
  const rows = [
    ['whole scene', `${whole.toFixed(1)} s`, 'told; beside an older checkout: before'],
    ['first token of the short request', `${(short / 1000).toFixed(2)} s`, '1 s at most'],
  ];
  return `${intro}\n\n${table(['figure', 'ours', 'reach'], rows)}`;
}
