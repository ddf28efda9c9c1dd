// The real model beside transformers reading the same file: the ids of conversations in its template, and greedy tokens at float32.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LanguageModel } from '../../src/generation/language-model.ts';
import type { Conversation } from '../../src/steerlm/conversation.ts';
import { messagesOf } from '../interop/chat.ts';
import { runPeer } from '../peer.ts';
import { choosing } from './questions.ts';

const newTokens = 40;

const conversations: Conversation[] = [
  ...choosing.map((content) => ({ system: '', turns: [{ role: 'user' as const, content }] })),
  { system: 'You are Marta, who keeps the inn.', turns: [{ role: 'user', content: 'Is there a bed left?' }] },
  {
    system: 'Count to 1,234,567.',
    turns: [
      { role: 'user', content: "  Żółć, naïve façade — 客栈 😀\r\n\r\n\tit's 1984  " },
      { role: 'assistant', content: '\nOne, 2, three.\n' },
      { role: 'user', content: 'And?' },
    ],
  },
];

export interface PeerFigures {
  conversations: number;
  sameIds: number;
  tokens: number;
  sameTokens: number;
}

/** Of a model loaded at float32 from that folder. */
export async function compareWithTransformers(model: LanguageModel, folder: string): Promise<PeerFigures> {
  const prompts = await Promise.all(conversations.map(async (each) => model.encode(await model.layOut(each, {}))));
  const ours = await Promise.all(prompts.map((prompt) => greedy(model, prompt)));
  const scratch = await mkdtemp(join(tmpdir(), 'steer-real-'));
  try {
    const task = join(scratch, 'task.json');
    await writeFile(task, JSON.stringify({ folder, newTokens, prompts, conversations: conversations.map(messagesOf) }));
    const theirs = await runPeer<{ ids: number[][]; greedy: number[][] }>('../interop/real.py', [task]);
    const same = (a: readonly number[], b: readonly number[] = []) => a.length === b.length && a.every((id, i) => id === b[i]);
    const agreeing = ours.map((ids, i) => ids.filter((id, at) => id === theirs.greedy[i]![at]).length);
    return {
      conversations: conversations.length,
      sameIds: prompts.filter((ids, i) => same(ids, theirs.ids[i])).length,
      tokens: theirs.greedy.reduce((sum, { length }) => sum + length, 0),
      sameTokens: agreeing.reduce((sum, count) => sum + count, 0),
    };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Ids of the likeliest reply, without what ends it. */
async function greedy(model: LanguageModel, prompt: number[]): Promise<number[]> {
  const drawing = { temperature: 0, topP: 1, topK: 0, minP: 0, repetitionPenalty: 1, frequencyPenalty: 0 };
  const request = { prompt, maxTokens: newTokens, ...drawing, seed: 0, n: 1, stop: [], topLogprobs: 0, raw: true };
  const ids: number[] = [];
  for await (const event of model.complete(request, new AbortController().signal)) {
    if (event.kind === 'delta') ids.push(...(event.tokens ?? []).map(({ token }) => token));
  }
  return ids;
}
