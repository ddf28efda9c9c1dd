// The shipped model on llama.cpp's own server, asked through its OpenAI routes: the chat template lays the conversation out, attributes come as
// chat_template_kwargs. Whether replies are those written here, and whether they follow.
import { join } from 'node:path';
import { type Asked, everyLevel, followed, heldOutPrompts } from '../../models/measure/steerability.ts';
import { openLanguageModel } from '../../src/generation/steered-model.ts';
import { exportGguf } from '../../src/model/formats/gguf.ts';
import { openPredictor } from '../../src/predictor/open.ts';
import { applyAttributes } from '../../src/steerlm/attributes.ts';
import { layOutPrompt, trimReply } from '../../src/steerlm/prompt-layout.ts';
import { table } from '../results.ts';
import { program, startLlama } from '../upstream.ts';
import { messagesOf } from './chat.ts';

const prompts = 12;
const maxTokens = 60;

async function writeThere(url: string, asked: readonly Asked[]): Promise<string[]> {
  const replies: string[] = [];
  for (const { conversation, attribute, value } of asked) {
    const body = {
      ...{ model: 'npc', messages: messagesOf(conversation), max_tokens: maxTokens, temperature: 0 },
      chat_template_kwargs: { attributes: { [attribute]: value } },
    };
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as { choices: { message: { content: string } }[]; error?: { message: string } };
    if (!response.ok) throw new Error(answer.error?.message ?? `${response.status}`);
    replies.push(trimReply(answer.choices[0]!.message.content));
  }
  return replies;
}

async function writeHere(folder: string, asked: readonly Asked[]): Promise<string[]> {
  const model = await openLanguageModel(folder, { threads: 1, precision: 'fp32' });
  const signal = new AbortController().signal;
  const rest = { maxTokens, temperature: 0, topP: 1, topK: 0, seed: 1, n: 1, stop: [] };
  const replies: string[] = [];
  for (const { conversation, attribute, value } of asked) {
    const pieces = layOutPrompt(model.schema, conversation, applyAttributes(model.schema, { [attribute]: value }));
    for await (const event of model.complete({ prompt: model.encode(pieces), ...rest }, signal)) {
      if (event.kind === 'end') replies.push(trimReply(event.text));
    }
  }
  await model.dispose();
  return replies;
}

/** A table; null where llama.cpp's server is not at hand. */
export async function servedElsewhere(folder: string, scratch: string): Promise<{ text: string; holds: boolean } | null> {
  if (!program) return null;
  const file = join(scratch, 'served.gguf');
  await exportGguf(folder, file, 'f32');
  const asked = everyLevel(heldOutPrompts(prompts), [
    { name: 'humor', cap: 4 },
    { name: 'verbosity', cap: 4 },
  ]);
  const { url, child } = await startLlama(file);
  const there = await writeThere(url, asked).finally(() => child.kill());
  const here = await writeHere(folder, asked);
  const same = there.filter((reply, i) => reply === here[i]).length;
  const predictor = await openPredictor('models/npc-predictor', { threads: 1 });
  const [ours, theirs] = [await followed(predictor, asked, here), await followed(predictor, asked, there)];
  await predictor.dispose();
  const rows = [...theirs].map(([name, found]) => [name, ours.get(name)!.spearman.toFixed(2), found.spearman.toFixed(2)]);
  const head = ['attribute', 'follows here, Spearman', 'follows on llama-server'];
  return {
    text: `${same} of ${asked.length} replies are word for word those written here.\n\n${table(head, rows)}`,
    holds: same === asked.length,
  };
}
