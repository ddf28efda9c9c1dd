// A server that does what a test says, and a model that runs there.
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import type { CompletionRequest, LanguageModel } from '../../src/generation/language-model.ts';
import { openUpstreamModel, type UpstreamOptions } from '../../src/upstream/upstream-model.ts';
import { writeSmallModel } from '../engine/models.ts';
import { chunk, gather, never, openScript, removeAll, type Script, sending, writeUpstreamFolder } from '../instances.ts';

const folders: string[] = [];
export const done = [chunk('Yes'), chunk('.', { finish_reason: 'stop' }), '[DONE]'];

export const well = sending(done);

/** What a test finds, made anew before each. */
interface Upstream {
  script: Script;
  model: LanguageModel;
  /** The faults that were told of. */
  reasons: string[];
}
export const upstream = {} as Upstream;
let weights: string;

/** Patient, since a machine that stalls is no silent upstream. */
export async function open(settings: object = {}, options: UpstreamOptions = {}): Promise<LanguageModel> {
  const folder = await writeUpstreamFolder(weights, { url: upstream.script.url, model: 'm', timeout_ms: 20_000, ...settings });
  folders.push(folder);
  return openUpstreamModel(folder, { onFault: (reason) => upstream.reasons.push(reason), ...options });
}

beforeAll(async () => {
  weights = await writeSmallModel(64);
  folders.push(weights);
});
afterAll(() => removeAll(folders));
beforeEach(async () => {
  upstream.reasons = [];
  upstream.script = await openScript(well);
  upstream.model = await open();
});
afterEach(async () => {
  vi.useRealTimers();
  await upstream.model.dispose();
  await upstream.script.close();
});

export function ask(fields: Partial<CompletionRequest> = {}, signal = never, of = upstream.model) {
  const request = { prompt: [70, 71], maxTokens: 8, stop: [], seed: 3, n: 1, temperature: 1, topP: 1, topK: 0, ...fields };
  return gather(of.complete(request, signal));
}
