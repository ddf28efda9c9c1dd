// A client that loads an OpenAI endpoint with streamed requests and notes when their pieces come. Light enough to run beside the server on the same
// two cores: connections are kept, events are found by scanning bytes, and only the one that counts tokens is parsed.
import { setMaxListeners } from 'node:events';
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomStream } from '../src/random.ts';

/** One streamed request as its caller saw it, ms. */
export interface Sample {
  error?: string;
  /** Since the load began. */
  startedMs: number;
  ttftMs: number;
  /** Between pieces of text; several tokens that come together are one piece. */
  gapsMs: number[];
  e2elMs: number;
  inputTokens: number;
  outputTokens: number;
}

export interface Endpoint {
  /** Of the server, without a path. */
  url: string;
  key?: string | undefined;
}

export interface Load {
  endpoint: Endpoint;
  /** Path of the route, such as /v1/completions. */
  path: string;
  /** Infinity with a signal that ends it. */
  requests: number;
  /** Most in flight. */
  streams: number;
  /** Requests a second that arrive, at random times; as soon as a stream is free when absent. */
  rate?: number | undefined;
  seed: number;
  /** Sends a request again whose connection was reset before an answer; its time counts from then. */
  again?: boolean;
  /** Body of request i; streaming is switched on here. */
  body(i: number): object;
  signal?: AbortSignal;
}

/** Sends them all. A request that fails is a sample with an error. */
export async function applyLoad(load: Load): Promise<{ samples: Sample[]; durationS: number }> {
  const { requests, streams, rate, seed } = load;
  const agent = new Agent({ keepAlive: true, maxSockets: streams });
  const random = randomStream('load', seed);
  if (load.signal) setMaxListeners(0, load.signal);
  const begun = performance.now();
  let dueMs = 0;
  const samples: Sample[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < requests && !load.signal?.aborted) {
      const i = next++;
      // Poisson arrivals: the times between them are exponential.
      if (rate !== undefined) dueMs += (-Math.log(1 - random()) / rate) * 1000;
      const wait = begun + dueMs - performance.now();
      if (wait > 0) await sleep(wait);
      samples.push(await sendOne(load, i, agent, begun));
    }
  };
  await Promise.all(Array.from({ length: Math.min(streams, requests) }, work));
  agent.destroy();
  return { samples, durationS: (performance.now() - begun) / 1000 };
}

function sendOne(load: Load, i: number, agent: Agent, begun: number): Promise<Sample> {
  const { endpoint, path, body, signal } = load;
  const content = JSON.stringify({ ...body(i), stream: true, stream_options: { include_usage: true } });
  const started = performance.now();
  const sample: Sample = { startedMs: started - begun, ttftMs: 0, gapsMs: [], e2elMs: 0, inputTokens: 0, outputTokens: 0 };
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(content),
    ...(endpoint.key === undefined ? {} : { authorization: `Bearer ${endpoint.key}` }),
  };
  return new Promise((resolve) => {
    const end = (error?: string) => {
      const missing = error ?? (sample.outputTokens === 0 ? 'The stream ended without a count of tokens.' : undefined);
      sample.e2elMs = performance.now() - started;
      // A reply may have no text at all.
      if (sample.ttftMs === 0) sample.ttftMs = sample.e2elMs;
      resolve(missing === undefined ? sample : { ...sample, error: missing });
    };
    const options = { method: 'POST', agent, headers, ...(signal ? { signal } : {}) };
    let answered = false;
    const asked: ClientRequest = request(new URL(path, endpoint.url), options, (answer) => {
      answered = true;
      if (answer.statusCode === 200) read(answer, sample, started, end);
      else void refusal(answer).then(end, (error: Error) => end(error.message));
    });
    asked.on('error', (error: NodeJS.ErrnoException) => {
      const again = load.again && error.code === 'ECONNRESET' && !answered;
      if (again) resolve(sendOne(load, i, agent, begun));
      else end(error.message);
    });
    asked.end(content);
  });
}

async function refusal(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer) text += chunk;
  return `${answer.statusCode}: ${text.slice(0, 300)}`;
}

function read(answer: IncomingMessage, sample: Sample, started: number, end: (error?: string) => void): void {
  let rest: Buffer | undefined;
  let last = 0;
  answer.on('data', (chunk: Buffer) => {
    const now = performance.now();
    const bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
    let from = 0;
    for (;;) {
      const to = bytes.indexOf('\n\n', from);
      if (to < 0) break;
      const event = bytes.subarray(from, to);
      from = to + 2;
      if (hasText(event)) {
        if (last === 0) sample.ttftMs = now - started;
        else sample.gapsMs.push(now - last);
        last = now;
      } else if (event.includes('"usage":{') || event.includes('"usage": {')) {
        const { usage } = JSON.parse(event.toString('utf8').replace(/^data: ?/, '')) as { usage: Usage };
        sample.inputTokens = usage.prompt_tokens;
        sample.outputTokens = usage.completion_tokens;
      }
    }
    rest = from < bytes.length ? bytes.subarray(from) : undefined;
  });
  answer.on('end', () => end());
  answer.on('error', (error) => end(error.message));
}

interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
}

const quote = 0x22;
const space = 0x20;

/** Whether a chunk brings text: `content` of a chat, `text` of a completion, neither empty nor null. */
function hasText(event: Buffer): boolean {
  for (const field of ['"content":', '"text":']) {
    let at = event.indexOf(field);
    if (at < 0) continue;
    at += field.length;
    if (event[at] === space) at++;
    if (event[at] === quote && event[at + 1] !== quote) return true;
  }
  return false;
}
