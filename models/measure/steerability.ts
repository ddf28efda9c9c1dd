// Replies of the shipped model to lines it never saw, asked for at every level of every attribute, and what the predictor reads in them.

import type { LanguageModel } from '../../src/generation/language-model.ts';
import type { Predictor } from '../../src/predictor/predictor.ts';
import { spearman } from '../../src/statistics.ts';
import { applyAttributes, type Label } from '../../src/steerlm/attributes.ts';
import type { Conversation } from '../../src/steerlm/conversation.ts';
import { layOutPrompt, trimReply } from '../../src/steerlm/prompt-layout.ts';
import { generateCorpus } from '../corpus/grammar.ts';
import { drawn } from '../recipes.ts';

/** How the shipped model's replies are drawn where a caller does not say. */
export const asServed = { maxTokens: 160, ...drawn, topK: 0, stop: [] as string[] };

/** First player lines of conversations held out for their wording. */
export function heldOutPrompts(count: number): Conversation[] {
  const found: Conversation[] = [];
  for (const { conversation, heldOut } of generateCorpus({ seed: 77, conversations: 5000 })) {
    if (heldOut === 'paraphrase') found.push({ ...conversation, turns: conversation.turns.slice(0, 1) });
    if (found.length === count) break;
  }
  return found;
}

export interface Asked {
  conversation: Conversation;
  attribute: string;
  value: number;
}

/** What `everyLevel` asks, as `repliesTo` takes it. */
export const asRequests = (asked: readonly Asked[]) =>
  asked.map(({ conversation, attribute, value }) => [conversation, { [attribute]: value }] as const);

/** Each attribute on its own at each value up to its cap, on each prompt. */
export function everyLevel(
  prompts: readonly Conversation[],
  attributes: readonly { name: string; cap: number }[],
  step = 1,
): Asked[] {
  return attributes.flatMap(({ name, cap }) =>
    prompts.flatMap((conversation) =>
      Array.from({ length: cap / step + 1 }, (_, i) => ({ conversation, attribute: name, value: i * step })),
    ),
  );
}

/** As many at once as lanes are good for: one after the other takes minutes. */
const together = 32;

/** A reply to each conversation, drawn as served and always the same; attributes that are not named take their defaults. */
export async function repliesTo(model: LanguageModel, asked: readonly (readonly [Conversation, Label])[]): Promise<string[]> {
  const replies: string[] = [];
  for (let from = 0; from < asked.length; from += together) {
    const some = asked.slice(from, from + together).map(([conversation, attributes]) => replyTo(model, conversation, attributes));
    replies.push(...(await Promise.all(some)));
  }
  return replies;
}

async function replyTo(model: LanguageModel, conversation: Conversation, attributes: Label): Promise<string> {
  const prompt = model.encode(layOutPrompt(model.schema, conversation, applyAttributes(model.schema, attributes)));
  const request = { ...asServed, prompt, seed: 3, n: 1 };
  for await (const event of model.complete(request, new AbortController().signal)) {
    if (event.kind === 'end') return trimReply(event.text);
  }
  throw new Error('no reply');
}

export interface Followed {
  /** Spearman of what was asked and what the predictor sees. */
  spearman: number;
  /** Mean distance of the two, in levels. */
  distance: number;
}

/** How closely the replies follow, by attribute. replies[i] answers asked[i]. */
export async function followed(
  predictor: Predictor,
  asked: readonly Asked[],
  replies: readonly string[],
): Promise<Map<string, Followed>> {
  const rated = asked.map(({ conversation }, i) => withReply(conversation, replies[i]!));
  const measured = await measure(predictor, rated);
  const names = [...new Set(asked.map(({ attribute }) => attribute))];
  return new Map(
    names.map((name) => {
      const own = asked.flatMap((each, i) => (each.attribute === name ? [[each.value, measured[i]![name]!] as const] : []));
      const [values, seen] = [own.map(([value]) => value), own.map(([, value]) => value)];
      const distance = own.reduce((sum, [value, found]) => sum + Math.abs(value - found), 0) / own.length;
      return [name, { spearman: spearman(values, seen), distance }];
    }),
  );
}

export function withReply({ system, turns }: Conversation, content: string): Conversation {
  return { system, turns: [...turns, { role: 'assistant', content }] };
}

/** Expected levels of the last turn of each, by attribute. */
export async function measure(predictor: Predictor, conversations: readonly Conversation[]): Promise<Label[]> {
  const found: Label[] = [];
  for (let from = 0; from < conversations.length; from += 256) {
    const scores = await predictor.score(conversations.slice(from, from + 256), new AbortController().signal);
    for (const { attributes } of scores) {
      found.push(Object.fromEntries(Object.entries(attributes).map(([name, { value }]) => [name, value])));
    }
  }
  return found;
}
