// The prompts replies are asked for: conversations up to what the user said last, each once, drawn by a seed. With the labels beside them, which say
// how attributes go together in the data.

import { contentHash, type SampleContent } from '../../datasets/sample.ts';
import { type TrainingSource, withLabelsOf } from '../../datasets/training-data.ts';
import { SteerError } from '../../errors.ts';
import { ratedReplies } from '../../predictor/readings.ts';
import { randomStream } from '../../random.ts';
import type { AttributeSchema, Label } from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import type { Split } from '../../store/schema.ts';

export interface GatheredPrompts {
  prompts: Conversation[];
  /** Labels of replies, whole as they are given; at most `mostLabels`. */
  labels: Label[];
}

export interface PromptChoice {
  schema: AttributeSchema;
  split: Split | 'all';
  count: number;
  seed: number;
  /** Whether the models can read it and still answer. */
  fits(conversation: Conversation): Promise<boolean>;
  signal: AbortSignal;
}

const mostLabels = 20_000;

/** Every prompt that fits has the same chance. Throws invalid_dataset when there is none, `cancelled`, and what reading the source throws. */
export async function gatherPrompts(source: TrainingSource, choice: PromptChoice): Promise<GatheredPrompts> {
  const { schema, split, count, seed, fits, signal } = choice;
  const kept: { place: number; key: string; conversation: Conversation }[] = [];
  const labels: Label[] = [];
  let tooLong = 0;
  for await (const sample of source.samples()) {
    if (signal.aborted) throw new SteerError('cancelled', 'Stopped while reading the data; nothing was evaluated.');
    const content = withLabelsOf(schema, sample.content);
    if (labels.length < mostLabels) labels.push(...[...ratedReplies(content)].map(({ label }) => label));
    if (split !== 'all' && sample.split !== split) continue;
    const conversation = promptOf(content);
    if (!conversation) continue;
    const key = contentHash({ kind: 'conversation', conversation });
    const place = randomStream('prompt', seed, key)();
    const last = kept[count - 1];
    if ((last && place >= last.place) || kept.some((each) => each.key === key)) continue;
    if (!(await fits(conversation))) tooLong++;
    else insert(kept, { place, key, conversation }, count);
  }
  if (kept.length === 0) throw noPrompts(source.name, split, tooLong);
  return { prompts: kept.map(({ conversation }) => conversation), labels };
}

/** In order of place, the first `count` of them. */
function insert<T extends { place: number }>(kept: T[], found: T, count: number): void {
  const at = kept.findIndex(({ place }) => place > found.place);
  kept.splice(at === -1 ? kept.length : at, 0, found);
  kept.length = Math.min(kept.length, count);
}

/** Earlier replies keep their labels: they are part of what a model is told. */
function promptOf(content: SampleContent): Conversation | null {
  if (content.kind === 'text') return null;
  const { system, turns } = content.conversation;
  const end = turns.findLastIndex(({ role }) => role === 'user');
  return end < 0 ? null : { system, turns: turns.slice(0, end + 1) };
}

function noPrompts(data: string, split: string, tooLong: number): SteerError {
  const where = split === 'all' ? data : `the ${split} split of ${data}`;
  if (tooLong > 0) {
    const reason = `every conversation of ${where} is too long for the context with the reply asked for. Lower --max-tokens.`;
    return new SteerError('invalid_dataset', `Expected prompts, but ${reason}`);
  }
  const remedy = split === 'all' ? 'Name other data.' : 'Name other data, or another --split.';
  return new SteerError('invalid_dataset', `Expected conversations with a user turn in ${where}, found none. ${remedy}`);
}
