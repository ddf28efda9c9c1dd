// One process of bench/serve: the engine without HTTP, asked the same as the server is. node dist/bench/serve-alone.js <folder> <requests file>
// Prints tokens a second as JSON.
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { readConfig } from '../src/config.ts';
import { openLanguageModel } from '../src/generation/steered-model.ts';
import { applyAttributes } from '../src/steerlm/attributes.ts';
import { layOutPrompt } from '../src/steerlm/prompt-layout.ts';
import type { ChatRequest } from './load-prompts.ts';

const [folder, path] = process.argv.slice(2) as [string, string];
const { streams, requests } = JSON.parse(await readFile(path, 'utf8')) as { streams: number; requests: ChatRequest[] };
const { precision } = readConfig({}).engine;
const model = await openLanguageModel(folder, { threads: availableParallelism(), precision });
const label = applyAttributes(model.schema, {});

/** Tokens of the reply. */
async function write({ messages, outputTokens, temperature = 0 }: ChatRequest, seed: number): Promise<number> {
  const system = messages.find(({ role }) => role === 'system')?.content ?? '';
  const turns = messages.filter(({ role }) => role === 'user').map(({ content }) => ({ role: 'user' as const, content }));
  const prompt = model.encode(layOutPrompt(model.schema, { system, turns }, label));
  const request = { prompt, maxTokens: outputTokens, temperature, topP: 1, topK: 0, n: 1, seed, stop: [], ignoreEos: true };
  let tokens = 0;
  for await (const event of model.complete(request, new AbortController().signal)) {
    if (event.kind === 'end') tokens += event.completionTokens;
  }
  return tokens;
}

let next = 0;
let tokens = 0;
const work = async (): Promise<void> => {
  while (next < requests.length) {
    const i = next++;
    const written = await write(requests[i]!, i);
    tokens += written;
  }
};
await write(requests[0]!, 0);
const started = performance.now();
await Promise.all(Array.from({ length: streams }, work));
const seconds = (performance.now() - started) / 1000;
await model.dispose();
process.stdout.write(`${JSON.stringify({ tokensPerS: tokens / seconds })}\n`);
