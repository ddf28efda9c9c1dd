// npm run bench -- fairness [--server DIR]: does one caller who asks for much hold up another who asks for little? A server of the checkout in DIR
// (this one when absent) is asked for 24 times eight long replies from 127.0.0.2; a moment later 127.0.0.3 asks for four tokens. Beside it, what the
// heavy caller gets alone, and the same for a predictor. Figures as JSON.
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startServing } from './serving.ts';

const heavyRequests = 24;
const replies = 8;
const lightAsks = 5;
/** Time for the heavy caller's requests to be in the engine. */
const settleMs = 1_500;

interface Answered {
  status: number;
  /** Until the first piece of text, or of anything where it is no stream. */
  firstMs: number;
  totalMs: number;
  text: string;
}

export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { server: { type: 'string', default: '.' }, tokens: { type: 'string', default: '256' } },
  });
  const dataDir = await mkdtemp(join(tmpdir(), 'steer-fairness-'));
  const server = await startServing(dataDir, undefined, 'models', resolve(values.server));
  try {
    const chat = await chatScene(server.url, Number(values.tokens));
    const score = await scoreScene(server.url);
    process.stdout.write(`${JSON.stringify({ server: resolve(values.server), chat, score }, null, 2)}\n`);
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** First-token times of the light caller, and the heavy one's tokens a second alone and beside it. */
async function chatScene(url: string, tokens: number) {
  const body = (i: number) => ({
    ...{ messages: [{ role: 'user', content: `Tell me all you know of the mill, part ${i}.` }], n: replies, seed: 100 * i },
    ...{ max_tokens: tokens, ignore_eos: true, store: false },
  });
  const heavy = async () => {
    const started = performance.now();
    const all = await Promise.all(
      Array.from({ length: heavyRequests }, (_, i) => ask(url, '/v1/chat/completions', body(i), '127.0.0.2')),
    );
    const written = all.reduce((sum, { text }) => sum + (JSON.parse(text).usage?.completion_tokens ?? 0), 0);
    return { refused: all.filter(({ status }) => status !== 200).length, seconds: (performance.now() - started) / 1000, written };
  };
  const light = { messages: [{ role: 'user', content: 'Is the gate open?' }], max_tokens: 4, stream: true, store: false };
  await ask(url, '/v1/chat/completions', light, '127.0.0.3');
  const alone = await heavy();
  const [beside, lights] = await Promise.all([heavy(), askLight(url, '/v1/chat/completions', light)]);
  return {
    heavyAlone: figures(alone),
    heavyBeside: figures(beside),
    lightFirstTokenMs: lights.map(({ firstMs }) => Math.round(firstMs)),
    lightTotalMs: lights.map(({ totalMs }) => Math.round(totalMs)),
  };
}

function figures({ refused, seconds, written }: { refused: number; seconds: number; written: number }) {
  return { refused, seconds: Number(seconds.toFixed(1)), tokensPerS: Math.round(written / seconds) };
}

/** How long one conversation's rating takes while another caller has thousands rated. */
async function scoreScene(url: string) {
  const conversation = (i: number, sentences: number) => ({
    messages: [
      { role: 'user', content: `What do you say of day ${i}?` },
      { role: 'assistant', content: 'The gate was shut and the guard asleep, so nobody came. '.repeat(sentences) },
    ],
  });
  const inputs = Array.from({ length: 128 }, (_, i) => conversation(i, 12));
  const light = { inputs: [conversation(0, 1)] };
  await ask(url, '/v1/attributes/score', light, '127.0.0.3');
  const started = performance.now();
  const heavy = Promise.all(Array.from({ length: 4 }, () => ask(url, '/v1/attributes/score', { inputs }, '127.0.0.2')));
  const [lights] = await Promise.all([askLight(url, '/v1/attributes/score', light), heavy]);
  return {
    heavySeconds: Number(((performance.now() - started) / 1000).toFixed(1)),
    lightMs: lights.map(({ totalMs }) => Math.round(totalMs)),
  };
}

async function askLight(url: string, path: string, body: object): Promise<Answered[]> {
  const answers: Answered[] = [];
  await sleep(settleMs);
  for (let i = 0; i < lightAsks; i++) answers.push(await ask(url, path, body, '127.0.0.3'));
  return answers;
}

function ask(url: string, path: string, body: object, localAddress: string): Promise<Answered> {
  const started = performance.now();
  const content = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) };
  return new Promise((resolve, reject) => {
    const asked = request(new URL(path, url), { method: 'POST', localAddress, headers, agent: false }, (answer) => {
      let text = '';
      let firstMs = 0;
      answer.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        // The chunk that only names the role comes before any token.
        if (firstMs === 0 && (!('stream' in body) || /"content": ?"[^"]/.test(piece))) firstMs = performance.now() - started;
      });
      answer.on('end', () => {
        const totalMs = performance.now() - started;
        resolve({ status: answer.statusCode ?? 0, firstMs: firstMs === 0 ? totalMs : firstMs, totalMs, text });
      });
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(content);
  });
}
