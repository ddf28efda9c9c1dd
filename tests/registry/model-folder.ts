// A folder of tiny models for each test, a registry opened on it, and long replies of its models.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import type { CompletionEvent, LanguageModel } from '../../src/generation/language-model.ts';
import { ModelRegistry } from '../../src/registry/model-registry.ts';
import { layOutPrompt } from '../../src/steerlm/prompt-layout.ts';
import type { Store } from '../../src/store/connect.ts';
import { type TinyModel, writeTinyModel } from '../tiny-model.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steer-models-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Where something of the folder is. */
export const inFolder = (...parts: string[]) => join(folder, ...parts);

/** Writes a model into a folder below, which it is named after unless told. */
export async function write(at: string, kind: TinyModel['kind'], name = at, rest: Partial<TinyModel> = {}): Promise<void> {
  await writeTinyModel(inFolder(at), { kind, name, ...rest });
}

export async function open(store?: Pick<Store, 'db' | 'listen'>): Promise<{ registry: ModelRegistry; broken: string[] }> {
  const broken: string[] = [];
  const registry = await ModelRegistry.open(folder, {
    onBroken: (at, reason) => broken.push(`${at.slice(folder.length + 1)}: ${reason}`),
    ...(store ? { store } : {}),
  });
  return { registry, broken };
}

const { signal } = new AbortController();
export const statusOf = (registry: ModelRegistry, id: string) => registry.list().find((card) => card.id === id)?.status;
/** Room for a reply that takes a second: without randomness the model never comes to an end by itself. */
export const talkative = { contextLength: 4096 };
const longReply = 700;
/** Events of a long reply to one prompt. */
export const speak = (model: LanguageModel) => {
  const turns = [{ role: 'user' as const, content: 'gate' }];
  const prompt = model.encode(layOutPrompt(model.schema, { system: '', turns }, { humor: 1 }));
  const request = { prompt, maxTokens: longReply, temperature: 0, topP: 1, topK: 0, stop: [], seed: 3, n: 1 };
  return model.complete(request, signal)[Symbol.asyncIterator]();
};

/** How the rest of a reply ends. */
export const endOf = async (reply: AsyncIterator<CompletionEvent>) => {
  let last: CompletionEvent | undefined;
  for (let step = await reply.next(); !step.done; step = await reply.next()) last = step.value;
  return last;
};
export const wholeReply = { kind: 'end', finishReason: 'length', completionTokens: longReply };
