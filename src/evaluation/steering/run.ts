// Asks a language model for the replies an evaluation of steering measures: each attribute on its own through its levels, and targets drawn
// in all attributes at once. A way of asking is a condition: the dials, candidates, words in place of a label. Judges nothing.

import { setMaxListeners } from 'node:events';
import { distanceFrom } from '../../generation/best-of.ts';
import type { LanguageModel } from '../../generation/language-model.ts';
import { gatherReplies } from '../../generation/replies.ts';
import { labelPrompt } from '../../generation/steered-prompt.ts';
import { own } from '../../own.ts';
import type { Predictor } from '../../predictor/predictor.ts';
import { randomStream } from '../../random.ts';
import {
  type Attribute,
  type AttributeSchema,
  applyAttributes,
  type Label,
  maxLevel,
  nearestLevel,
} from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import type { Against } from '../../steerlm/guidance.ts';
import { trimReply } from '../../steerlm/prompt-layout.ts';
import { makeRoom } from './prompt-room.ts';

/** How a model is asked. */
export interface Condition {
  name: string;
  strength: number;
  against: Against;
  /** Candidates, of which `chooser` keeps the nearest to what is asked. */
  bestOf: number;
  chooser?: Predictor | undefined;
  /** Asks in words in the system text, and gives no label. */
  inWords: boolean;
}

export interface AskingOptions {
  /** Attributes asked for, by name. */
  attributes: readonly string[];
  /** Replies to each prompt at each level. */
  seeds: number;
  /** Random targets of each prompt. */
  targets: number;
  /** Whether replies without any label are asked for as well. */
  unlabelled: boolean;
  maxTokens: number;
  temperature: number;
  topP: number;
  frequencyPenalty: number;
  /** Of targets and replies. */
  seed: number;
}

/** What is asked of a prompt; no attribute is asked for at the `origin`, and not even defaults are said where `unlabelled`. */
export interface Ask {
  kind: 'origin' | 'unlabelled' | 'sweep' | 'target';
  prompt: number;
  /** Only what is asked for; other attributes take their defaults. */
  asked: Label;
  seed: number;
}

export interface Said extends Ask {
  /** The conversation with the reply. */
  conversation: Conversation;
  text: string;
  unfinished: boolean;
}

/** Requests in hand at once. */
const inHand = 16;

/** Everything that is asked, the same for every condition: seeds too, so that conditions differ in nothing else. */
export function planAsks(schema: AttributeSchema, prompts: number, options: AskingOptions): Ask[] {
  const attributes = options.attributes.map((name) => schema.attributes.find((attribute) => attribute.name === name)!);
  const seedOf = (...keys: (string | number)[]) => Math.floor(randomStream('asked', options.seed, ...keys)() * 2 ** 31);
  return Array.from({ length: prompts }, (_, prompt) => {
    const asks: Ask[] = [];
    for (let s = 0; s < options.seeds; s++) {
      asks.push({ kind: 'origin', prompt, asked: {}, seed: seedOf(prompt, s) });
      if (options.unlabelled) asks.push({ kind: 'unlabelled', prompt, asked: {}, seed: seedOf(prompt, s) });
      for (const { name, cap } of attributes) {
        for (let level = 0; level <= cap; level++)
          asks.push({ kind: 'sweep', prompt, asked: { [name]: level }, seed: seedOf(prompt, s, name, level) });
      }
    }
    const random = randomStream('targets', options.seed, prompt);
    for (let t = 0; t < options.targets; t++) {
      const asked = Object.fromEntries(attributes.map(({ name, cap }) => [name, Math.floor(random() * (cap + 1))]));
      asks.push({ kind: 'target', prompt, asked, seed: seedOf(prompt, 'target', t) });
    }
    return asks;
  }).flat();
}

/** The replies, in the order of the asks; a model without attributes is asked without a label. Throws `cancelled`, and what the model throws. */
export async function answerAsks(
  model: LanguageModel,
  condition: Condition,
  prompts: readonly Conversation[],
  asks: readonly Ask[],
  options: AskingOptions & { signal: AbortSignal; onReply?: () => void },
): Promise<Said[]> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  // Every request in hand listens.
  setMaxListeners(0, signal);
  const said: Said[] = [];
  let next = 0;
  const work = async () => {
    while (next < asks.length) {
      const index = next++;
      said[index] = await answer(model, condition, prompts[asks[index]!.prompt]!, asks[index]!, { ...options, signal });
      options.onReply?.();
    }
  };
  const workers = Array.from({ length: inHand }, work);
  try {
    await Promise.all(workers);
  } catch (error) {
    // The others would go on into a model that is being closed.
    stop.abort();
    await Promise.allSettled(workers);
    throw error;
  }
  return said;
}

async function answer(
  model: LanguageModel,
  condition: Condition,
  conversation: Conversation,
  ask: Ask,
  { maxTokens, temperature, topP, frequencyPenalty, signal }: AskingOptions & { signal: AbortSignal },
): Promise<Said> {
  const { strength, against, bestOf, chooser, inWords } = condition;
  const put = inWords ? await inItsWords(model, conversation, ask.asked, maxTokens) : conversation;
  const silent = inWords || ask.kind === 'unlabelled' || model.schema.attributes.length === 0;
  const label = silent ? {} : applyAttributes(model.schema, ask.asked);
  const { tokenIds: prompt, phases } = await labelPrompt(model, put, [label], { strength, against });
  const n = chooser ? bestOf : 1;
  const request = { prompt, phases, maxTokens, temperature, topP, frequencyPenalty, topK: 0, stop: [], seed: ask.seed, n };
  const replies = await gatherReplies(model.complete(request, signal), n, trimReply);
  const candidates = replies.map(({ text, finishReason }) => {
    return { ...ask, text, unfinished: finishReason === 'length', conversation: withReply(conversation, text) };
  });
  return chooser ? await nearest(chooser, candidates, signal) : candidates[0]!;
}

/** The prompt with words in place of a label, which may leave room for less of what was said. */
function inItsWords(model: LanguageModel, conversation: Conversation, asked: Label, maxTokens: number): Promise<Conversation> {
  const { schema } = model;
  const system = inSystemText(schema, conversation.system, asked);
  return makeRoom(model, { ...conversation, system }, { label: {}, maxTokens });
}

/** What is asked for, one line for each attribute, after what the system text says already. */
export function inSystemText({ attributes }: AttributeSchema, system: string, asked: Label): string {
  const lines = attributes.flatMap((attribute) => {
    const value = own(asked, attribute.name);
    if (value === undefined) return [];
    const meaning = attribute.description === '' ? '' : ` (${lowerFirst(attribute.description)})`;
    return [`The ${attribute.name}${meaning} of your reply: ${levelText(attribute, value)}.`];
  });
  return [system.trim(), ...lines].filter((line) => line !== '').join('\n');
}

const lowerFirst = (text: string) => `${text.slice(0, 1).toLowerCase()}${text.slice(1)}`;

function levelText(attribute: Attribute, value: number): string {
  const level = nearestLevel(attribute, value);
  return attribute.levels[level] || `${level} of ${maxLevel(attribute)}`;
}

/** As steering.best_of chooses: least mean square over what is asked for, each scale of length 1. */
async function nearest(chooser: Predictor, candidates: Said[], signal: AbortSignal): Promise<Said> {
  const scores = await chooser.score(
    candidates.map(({ conversation }) => conversation),
    signal,
  );
  const distances = candidates.map(({ asked }, i) => distanceFrom(chooser.schema, asked)(scores[i]!.attributes));
  return candidates[distances.indexOf(Math.min(...distances))]!;
}

function withReply({ system, turns }: Conversation, content: string): Conversation {
  return { system, turns: [...turns, { role: 'assistant', content }] };
}
