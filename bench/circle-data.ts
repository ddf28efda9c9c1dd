// Real dialogues for the circle, read from the shared data folder beside the checkout; nothing of it is copied into the project.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { topicalChat } from '../src/datasets/formats/topical-chat.ts';
import { readSamples } from '../src/datasets/read.ts';
import type { SampleContent } from '../src/datasets/sample.ts';
import type { AttributeSchema, Label } from '../src/steerlm/attributes.ts';
import type { Conversation } from '../src/steerlm/conversation.ts';

const folder = '../shared/data';
const kept = ['quality', 'verbosity', 'curiosity', 'happiness', 'surprise'];

/** Quality from the partner's rating, one attribute per common mood, verbosity counted from the text. */
export const circleSchema: AttributeSchema = {
  name: 'topical-chat',
  version: 1,
  attributes: topicalChat.schema!.attributes.filter(({ name }) => kept.includes(name)),
};

export interface Split {
  train: SampleContent[];
  validation: SampleContent[];
}

export interface CircleData {
  /** Each conversation once for each of its speakers. */
  dialogues: Split;
  /** Each conversation once, and the stories. */
  pretraining: Split;
  rolePlay: Conversation[];
  /** Untouched by training. */
  test: Conversation[];
}

/** What the data folder holds, or null with a line that says what is missing. `share` of the conversations is kept. */
export async function loadCircleData(share: number): Promise<CircleData | null> {
  const files = ['valid_freq', 'valid_rare', 'test_freq', 'test_rare'].map((name) =>
    join(folder, 'topical-chat', `${name}.json`),
  );
  const [stories, rolePlay] = [join(folder, 'fairytaleqa/stories.jsonl'), join(folder, 'gpteacher/roleplay.json')];
  const missing = [...files, stories, rolePlay].filter((file) => !existsSync(file));
  if (missing.length > 0) {
    process.stdout.write(`The circle needs real dialogues and found no ${missing[0]}. See bench/README.md.\n`);
    return null;
  }
  const dialogues: Split = { train: [], validation: [] };
  const pretraining: Split = { train: [], validation: [] };
  for (const file of files.slice(0, 2)) {
    for await (const { content, split, source } of sampled(readSamples(file), share)) {
      dialogues[split].push(content);
      if (source === 'agent_1') pretraining[split].push(content);
    }
  }
  for await (const { content, split } of sampled(readSamples(stories), share)) pretraining[split].push(content);
  return {
    dialogues,
    pretraining,
    rolePlay: await conversations([rolePlay], share),
    test: await conversations(files.slice(2), share),
  };
}

async function* sampled<T extends { conversationId: string }>(samples: AsyncIterable<T>, share: number): AsyncGenerator<T> {
  const chosen = new Map<string, boolean>();
  for await (const sample of samples) {
    const known = chosen.get(sample.conversationId) ?? Math.floor((chosen.size + 1) * share) > Math.floor(chosen.size * share);
    chosen.set(sample.conversationId, known);
    if (known) yield sample;
  }
}

async function conversations(files: string[], share: number): Promise<Conversation[]> {
  const all: Conversation[] = [];
  for (const file of files) {
    for await (const { content } of sampled(readSamples(file), share))
      if (content.kind === 'conversation') all.push(content.conversation);
  }
  return all;
}

/** A rated reply of the test files. */
export interface TestReply {
  conversation: Conversation;
  label: Label;
  text: string;
}
