// A server that answers chats as a test says, and a model that runs there with nothing but its address here.
import { afterAll, afterEach, beforeEach } from 'vitest';
import type { CompletionRequest, LanguageModel } from '../../src/generation/language-model.ts';
import { layOutAsked } from '../../src/generation/steered-prompt.ts';
import { openUpstreamModel, type UpstreamOptions } from '../../src/upstream/upstream-model.ts';
import { gather, never, openScript, removeAll, type Script, sending, writeChatFolder } from '../instances.ts';

/** A chunk with text. */
export const said = (content: string, rest: object = {}) => ({
  choices: [{ index: 0, delta: { content }, finish_reason: null, ...rest }],
});
export const over = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
export const usage = { choices: [], usage: { prompt_tokens: 21, completion_tokens: 9, total_tokens: 30 } };
const role = { choices: [{ index: 0, delta: { role: 'assistant', content: '' } }] };
export const well = sending([role, said('Yes'), said('.'), over, usage, '[DONE]']);

export const conversation = { system: 'The guard', turns: [{ role: 'user' as const, content: 'Is the gate shut?' }] };

/** What a test finds, made anew before each. */
interface Upstream {
  script: Script;
  model: LanguageModel;
  /** The faults that were told of. */
  reasons: string[];
}
export const upstream = {} as Upstream;
export const folders: string[] = [];

export async function open(settings: object = {}, options: UpstreamOptions = {}): Promise<LanguageModel> {
  // Patient, since a machine that stalls is no silent upstream.
  const folder = await writeChatFolder({ url: upstream.script.url, model: 'm', timeout_ms: 20_000, ...settings });
  folders.push(folder);
  return await openUpstreamModel(folder, { onFault: (reason) => upstream.reasons.push(reason), ...options });
}

export async function ask(fields: Partial<CompletionRequest> = {}, of = upstream.model, signal = never) {
  const prompt = of.encode(await layOutAsked(of, conversation, {}));
  const request = { prompt, maxTokens: 8, stop: [], seed: 3, n: 1, temperature: 1, topP: 1, topK: 0, ...fields };
  return await gather(of.complete(request, signal));
}

beforeEach(async () => {
  upstream.reasons = [];
  upstream.script = await openScript(well, 4_000);
  upstream.model = await open();
});
afterEach(async () => {
  await upstream.model.dispose();
  await upstream.script.close();
});
afterAll(() => removeAll(folders));
