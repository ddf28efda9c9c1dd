// The replies an evaluation looks at: the last labelled reply of each sample of one side of the split, drawn by a seed where there are too many.
// Knows samples, no database and no model.

import type { Sample } from '../../datasets/sample.ts';
import { withLabelsOf } from '../../datasets/training-data.ts';
import { SteerError } from '../../errors.ts';
import { own } from '../../own.ts';
import { randomStream } from '../../random.ts';
import { type AttributeSchema, type Label, nearestLevel } from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import { isTarget } from '../../steerlm/prompt-layout.ts';
import type { Split } from '../../store/schema.ts';

export interface LabelledReply {
  /** Ends with the reply. */
  conversation: Conversation;
  /** Its label in the schema's own names, whole levels. */
  label: Label;
  /** Equal for replies of one conversation and, where conversations have no names, to one prompt. */
  group: string;
}

export interface ReplyChoice {
  schema: AttributeSchema;
  /** Both sides when absent. */
  split?: Split | undefined;
  /** Most replies; every one of the samples has the same chance. */
  limit: number;
  seed: number;
  signal?: AbortSignal | undefined;
}

/** The replies that have a label in the schema. Throws `cancelled`, and what reading the samples throws. */
export async function chooseReplies(samples: AsyncIterable<Sample>, choice: ReplyChoice): Promise<LabelledReply[]> {
  const { schema, split, limit, seed, signal } = choice;
  const random = randomStream('replies', seed);
  const kept: { reply: LabelledReply; place: number }[] = [];
  let seen = 0;
  for await (const sample of samples) {
    if (signal?.aborted) throw new SteerError('cancelled', 'Stopped while reading the data.');
    if (split !== undefined && sample.split !== split) continue;
    const reply = lastLabelled(sample, schema);
    if (!reply) continue;
    // Reservoir sampling (Vitter 1985, algorithm R).
    const place = seen < limit ? seen : Math.floor(random() * (seen + 1));
    if (place < limit) kept[place] = { reply, place: seen };
    seen++;
  }
  return kept.toSorted((a, b) => a.place - b.place).map(({ reply }) => reply);
}

function lastLabelled({ content, conversationId }: Sample, schema: AttributeSchema): LabelledReply | undefined {
  const named = withLabelsOf(schema, content);
  if (named.kind === 'text') return undefined;
  const { system, turns } = named.conversation;
  const end = turns.findLastIndex((turn) => isTarget(turn) && Object.keys(turn.label ?? {}).length > 0);
  if (end < 0 || turns[end]!.content.trim() === '') return undefined;
  const conversation = { system, turns: turns.slice(0, end + 1) };
  const rated = schema.attributes.filter(({ name }) => own(turns[end]!.label, name) !== undefined);
  const label = Object.fromEntries(
    rated.map((attribute) => [attribute.name, nearestLevel(attribute, turns[end]!.label![attribute.name]!)]),
  );
  return { conversation, label, group: conversationId };
}
