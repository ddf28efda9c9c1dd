// The load client counts what a streaming endpoint sends, however its bytes are cut, and sums up as vLLM's does.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { applyLoad, type Sample } from '../../bench/load.ts';
import { parseGoodput, summarise } from '../../bench/load-summary.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

const chunk = (delta: object, usage: object | null = null) =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta }], usage })}\n\n`;
const parts = [
  chunk({ role: 'assistant', content: '' }),
  chunk({ content: 'Hé' }),
  `data: {"choices": [{"index": 0, "delta": {"content": "llo"}}]}\n\n`,
  chunk({ content: '"usage":{' }),
  chunk({}),
  `data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 } })}\n\n`,
  'data: [DONE]\n\n',
];

/** Answers every request with the parts, `bytes` at a time, and with 429 where refused. */
async function startEndpoint(
  bytes: number,
  refuse: (count: number) => boolean = () => false,
): Promise<{ url: string; most(): number }> {
  let [count, open, most] = [0, 0, 0];
  server = createServer(async (asked, answer) => {
    open++;
    most = Math.max(most, open);
    asked.resume();
    answer.on('close', () => open--);
    if (refuse(count++)) return answer.writeHead(429).end('{"error":"busy"}');
    answer.writeHead(200, { 'content-type': 'text/event-stream' });
    const all = Buffer.from(parts.join(''));
    for (let at = 0; at < all.length; at += bytes) {
      answer.write(all.subarray(at, at + bytes));
      await sleep(1);
    }
    answer.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, most: () => most };
}

const load = (url: string) => ({
  endpoint: { url },
  path: '/v1/chat/completions',
  requests: 6,
  streams: 2,
  seed: 1,
  body: () => ({}),
});

test.each([11, 64, 10_000])('pieces of text and the usage are found in streams of %i bytes at a time', async (bytes) => {
  const { url, most } = await startEndpoint(bytes);
  const { samples } = await applyLoad(load(url));
  expect(samples).toHaveLength(6);
  expect(most()).toBe(2);
  for (const sample of samples) {
    expect(sample).toMatchObject({ inputTokens: 7, outputTokens: 5 });
    expect(sample.error).toBeUndefined();
    expect(sample.gapsMs).toHaveLength(2);
    expect(sample.ttftMs).toBeGreaterThan(0);
    expect(sample.ttftMs + sample.gapsMs.reduce((sum, gap) => sum + gap, 0)).toBeLessThanOrEqual(sample.e2elMs);
  }
});

test('a refused request counts as failed', async () => {
  const { url } = await startEndpoint(10_000, (count) => count % 3 === 0);
  const { samples, durationS } = await applyLoad(load(url));
  expect(summarise(samples, durationS)).toMatchObject({ completed: 4, failed: 2, total_output_tokens: 20 });
  expect(samples.find(({ error }) => error !== undefined)?.error).toContain('429');
});

test('requests that arrive at a rate take their time', async () => {
  const { url } = await startEndpoint(10_000);
  const { durationS } = await applyLoad({ ...load(url), rate: 20 });
  expect(durationS).toBeGreaterThan(0.1);
});

test('the summary has the definitions of vllm bench serve', () => {
  const sample = (ttftMs: number, gapsMs: number[]): Sample => {
    const e2elMs = ttftMs + gapsMs.reduce((sum, gap) => sum + gap, 0);
    return { startedMs: 0, ttftMs, gapsMs, e2elMs, inputTokens: 10, outputTokens: 11 };
  };
  const summary = summarise([sample(100, [50, 150]), sample(200, [100])], 2, parseGoodput('ttft:150 tpot:25'));
  expect(summary).toMatchObject({
    completed: 2,
    total_input_tokens: 20,
    total_output_tokens: 22,
    request_throughput: 1,
    request_goodput: 0.5,
    output_throughput: 11,
    total_token_throughput: 21,
    mean_ttft_ms: 150,
    median_ttft_ms: 150,
    std_ttft_ms: 50,
    p99_ttft_ms: 199,
    mean_tpot_ms: 15,
    median_itl_ms: 100,
    p50_e2el_ms: 300,
  });
  expect(() => parseGoodput('ttft')).toThrow('--goodput');
});
