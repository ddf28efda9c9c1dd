// Samples the replies reweighting learns from: for each prompt a label drawn at random, some replies under it, and how likely a predictor finds the
// label, a base model and the writer itself the reply. What is unfinished or empty is left out. Opens no model and writes no file.
import { SteerError } from '../errors.ts';
import { randomStream } from '../random.ts';
import type { AttributeSchema, Label } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { layOutPrompt, trimReply } from '../steerlm/prompt-layout.ts';
import type { Obtained, Rater, Writer } from './models.ts';
import type { GroupRecord } from './reply-groups.ts';

/** A writer that says why a reply ended. */
type Sampler = Omit<Writer, 'complete'> & {
  complete(
    request: Parameters<Writer['complete']>[0],
    signal: AbortSignal,
  ): AsyncIterable<{ kind: 'delta' } | { kind: 'end'; index: number; text: string; finishReason: string }>;
};

export interface GroupSources {
  writer: Sampler;
  rater: Rater;
  /** log Q′(y | a, x) and log P(y | x) of whole replies to one prompt. */
  likelihoods(prompt: Conversation, label: Label, texts: readonly string[]): Promise<{ proposal: number[]; base: number[] }>;
}

export interface SamplingOptions {
  /** Replies to a prompt. */
  replies: number;
  temperature: number;
  topP: number;
  maxTokens: number;
  seed: number;
}

/** Least chance a predictor gives a level: it is never so sure. */
const leastChance = 1e-4;

/** The group of prompt number `index`, always the same; undefined where fewer than two replies are whole, or the prompt is too long. */
export async function sampleGroup(
  { writer, rater, likelihoods }: GroupSources,
  prompt: Conversation,
  index: number,
  options: SamplingOptions,
  signal: AbortSignal,
): Promise<GroupRecord | undefined> {
  const { schema } = writer;
  const label = drawLabel(schema, randomStream(options.seed, 'label', index));
  const texts = await repliesUnder(writer, prompt, label, index, options, signal);
  if (texts.length < 2) return undefined;
  const rated = texts.map((content): Conversation => ({ ...prompt, turns: [...prompt.turns, { role: 'assistant', content }] }));
  const scores = await rater.score(rated, signal);
  const { proposal, base } = await likelihoods(prompt, label, texts);
  return {
    prompt,
    label,
    replies: texts.map((text, i) => {
      const given = logChance(schema, label, scores[i]!.attributes);
      return { text, label: given, base: base[i]!, proposal: proposal[i]! };
    }),
  };
}

/** Every attribute at a level up to its cap. */
function drawLabel({ attributes }: AttributeSchema, random: () => number): Label {
  return Object.fromEntries(attributes.map(({ name, cap }) => [name, Math.floor(random() * (cap + 1))]));
}

async function repliesUnder(
  writer: Sampler,
  prompt: Conversation,
  label: Label,
  index: number,
  { replies, temperature, topP, maxTokens, seed }: SamplingOptions,
  signal: AbortSignal,
): Promise<string[]> {
  const texts: string[] = [];
  try {
    const request = {
      prompt: writer.encode(layOutPrompt(writer.schema, prompt, label)),
      ...{ maxTokens, temperature, topP, topK: 0, stop: [], n: replies },
      seed: Math.floor(randomStream(seed, 'replies', index)() * 2 ** 31),
    };
    for await (const event of writer.complete(request, signal)) {
      if (event.kind === 'end' && event.finishReason === 'stop') texts.push(trimReply(event.text));
    }
  } catch (error) {
    if (!(error instanceof SteerError && error.code === 'context_length_exceeded')) throw error;
  }
  return texts.filter((text) => text.trim() !== '');
}

/** log P(a | x, y): the chance the rater gives each level asked for, as if they were independent. Attributes it does not rate count for nothing. */
function logChance({ attributes }: AttributeSchema, label: Label, obtained: Obtained): number {
  return attributes.reduce((sum, { name }) => {
    const chance = obtained[name]?.probabilities[label[name]!];
    return chance === undefined ? sum : sum + Math.log(Math.max(chance, leastChance));
  }, 0);
}
