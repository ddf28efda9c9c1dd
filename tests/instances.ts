// The small model served by a real second instance of this server, its folder as an upstream of the first, and a server that says what it is told.
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readConfig } from '../src/config.ts';
import type { CompletionEvent, LanguageModel } from '../src/generation/language-model.ts';
import { createApp } from '../src/http/app.ts';
import { createLog } from '../src/http/log.ts';
import { type Listening, listen } from '../src/http/server.ts';
import { Shelf } from './http/small-models.ts';

export const key = 'sk-upstream';

/** Serves the model on a free port, behind `key`. */
export function serveModel(model: LanguageModel): Promise<Listening> {
  const config = readConfig({ STEER_API_KEY: key });
  const log = createLog('silent', { write: () => {} });
  const app = createApp({ models: new Shelf([model], []), config, log });
  return listen(app, { host: '127.0.0.1', port: 0 });
}

/** A folder that holds all of `folder` but its weights, and where the model runs instead. */
export async function writeUpstreamFolder(folder: string, settings: object): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'steer-upstream-'));
  await cp(folder, copy, { recursive: true, filter: (path) => !path.endsWith('.safetensors') });
  await writeFile(join(copy, 'upstream.json'), JSON.stringify(settings));
  return copy;
}

/** A folder with nothing but where a model runs that is asked by messages. */
export async function writeChatFolder(settings: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'steer-chat-'));
  await writeFile(join(folder, 'upstream.json'), JSON.stringify({ protocol: 'chat', ...settings }));
  return folder;
}

type End = CompletionEvent & { kind: 'end' };

/** Ends in order of index, with the deltas' likelihoods; the deltas of each must make its text. */
export async function gather(events: AsyncIterable<CompletionEvent>): Promise<(End & { tokens: unknown[] })[]> {
  const deltas = new Map<number, { text: string; tokens: unknown[] }>();
  const ends: End[] = [];
  for await (const event of events) {
    expect(ends[event.index], 'an event after the end').toBeUndefined();
    if (event.kind === 'end') {
      ends[event.index] = event;
      continue;
    }
    const known = deltas.get(event.index) ?? { text: '', tokens: [] };
    deltas.set(event.index, { text: known.text + event.text, tokens: [...known.tokens, ...(event.tokens ?? [])] });
  }
  return ends.map((end) => {
    expect(deltas.get(end.index)?.text ?? '').toBe(end.text);
    return { ...end, tokens: deltas.get(end.index)?.tokens ?? [] };
  });
}

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

export interface Script {
  url: string;
  /** What it does with each completion from now on. */
  answer: Answer;
  /** Completions asked for so far, as they were asked. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read whatever was sent
  asked: any[];
  /** Says nothing at all. */
  mute: boolean;
  close(): Promise<void>;
}

/** A server that lists the model `m` of that context and answers completions as told. */
export async function openScript(answer: Answer, contextLength = 48): Promise<Script> {
  const script = { answer, asked: [] as unknown[], url: '', mute: false, close };
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (request.url === '/v1/models' && !script.mute)
      return void response.end(JSON.stringify({ data: [{ id: 'm', max_model_len: contextLength }] }));
    if (script.mute) return;
    if (body === '') return void response.writeHead(404).end();
    script.asked.push(JSON.parse(body));
    script.answer(request, response, body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  script.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  async function close(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
  return script as Script;
}

/** Writes the head of a stream and one event for each chunk. */
export function sendChunks(response: ServerResponse, chunks: (object | string)[]): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const chunk of chunks) response.write(`data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`);
}

/** A stream of these chunks, whole. */
export const sending =
  (chunks: (object | string)[]): Script['answer'] =>
  (_, response) => {
    sendChunks(response, chunks);
    response.end();
  };

/** What a test has time for to see that an upstream says nothing. */
export const shortMs = 150;

export const never = new AbortController().signal;

/** A chunk with one choice. */
export const chunk = (text: string, rest: object = {}) => ({ choices: [{ index: 0, text, finish_reason: null, ...rest }] });

export const removeAll = (folders: string[]) => Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
