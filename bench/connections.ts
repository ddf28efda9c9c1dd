// Does a server under load still open its door? Two hundred callers ask for replies, streamed and whole, while new connections ask /health/live one after
// the other, from the same machine: how long do these wait?
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { probeLive } from './live-probe.ts';
import { applyLoad } from './load.ts';
import { chatBody, chatPath, randomWords } from './load-prompts.ts';
import { percentile } from './results.ts';
import { startServing } from './serving.ts';

const model = 'npc';
const probeEveryMs = 50;
const promptWords = 60;

const options = {
  server: { type: 'string', default: '.' },
  callers: { type: 'string', default: '200' },
  tokens: { type: 'string', default: '128' },
  seconds: { type: 'string', default: '30' },
} as const;

export async function run(args: string[]): Promise<void> {
  const { server, callers, tokens: outputTokens, seconds } = parseArgs({ args, options }).values;
  const dataDir = await mkdtemp(join(tmpdir(), 'steer-connections-'));
  const serving = await startServing(dataDir, undefined, 'models', server);
  try {
    const probe = await probeLive(serving.url, probeEveryMs);
    const body = (i: number) =>
      chatBody(model, {
        messages: [{ role: 'user', content: randomWords(promptWords, 'caller', i) }],
        outputTokens: Number(outputTokens),
      });
    const { samples, durationS } = await applyLoad({
      ...{ endpoint: serving, path: chatPath, body, seed: 1 },
      requests: Number.POSITIVE_INFINITY,
      streams: Number(callers),
      signal: AbortSignal.timeout(Number(seconds) * 1_000),
    });
    const live = await probe.stop();
    const done = samples.filter(({ error }) => error === undefined);
    const tokens = done.reduce((sum, sample) => sum + sample.outputTokens, 0);
    const at = (percent: number) => Math.round(percentile(live, percent));
    const figures = {
      ...{ server, callers: Number(callers), outputTokens: Number(outputTokens), knocks: live.length },
      liveMs: { p50: at(50), p90: at(90), p99: at(99), most: Math.round(Math.max(...live)) },
      replies: done.length,
      repliesPerS: Math.round(done.length / durationS),
      repliesTokensPerS: Math.round(tokens / durationS),
      refusals: [...new Set(samples.flatMap(({ error }) => (error === undefined || /abort/i.test(error) ? [] : [error])))].slice(
        0,
        5,
      ),
    };
    process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  } finally {
    await serving.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}
