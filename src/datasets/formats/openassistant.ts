// OpenAssistant conversation trees. Each way from the first prompt to a last reply is a sample, as in NeMo-Aligner's preprocessing;
// all samples of a tree are one conversation. Labels are means in 0–1, here levels in 0–4, kept as floats. Only read.
import { z } from 'zod';
import { recordOf } from '../../record-of.ts';
import { openAssistant } from '../../steerlm/schemas.ts';
import { nameIn } from '../record-fields.ts';
import { conversationSample, type Format, shapeOf, turnOf, unfit } from './format.ts';

interface Message {
  text: string;
  role: 'prompter' | 'assistant';
  message_id?: unknown;
  deleted?: boolean | null | undefined;
  labels?: Record<string, { value: number } | null> | null | undefined;
  replies?: Message[] | null | undefined;
}

const message: z.ZodType<Message> = z.object({
  text: z.string(),
  role: z.enum(['prompter', 'assistant']),
  message_id: z.unknown().optional(),
  deleted: z.boolean().nullish(),
  labels: recordOf(z.string(), z.object({ value: z.number() }).nullable()).nullish(),
  get replies() {
    return z.array(message).nullish();
  },
});
const shape = z.object({ message_tree_id: z.unknown().optional(), prompt: message });

const levelsPerUnit = 4;
/** Turns of all samples of a tree: each way to a reply says again what was said before, so that a deep tree of many ends is the square of its length. */
const mostTurnsOfTree = 20_000;

export const openassistant: Format = {
  description: 'OpenAssistant trees: {"message_tree_id", "prompt": {"text", "role", "replies", "labels"}}',
  matches: ({ message_tree_id }) => nameIn(message_tree_id) !== null,
  parse(record) {
    checkTreeSize(record as { prompt?: unknown });
    const tree = shapeOf(shape, record);
    return repliedPaths(tree.prompt, []).map((path) =>
      conversationSample(
        '',
        path.map((message) => turnOf(message.role === 'prompter' ? 'user' : 'assistant', message.text, levelsOf(message))),
        { conversationId: nameIn(tree.message_tree_id), source: nameIn(path.at(-1)?.message_id) },
      ),
    );
  },
  fields: ['message_tree_id', 'prompt'],
  render: null,
  schema: openAssistant,
  rules: {},
};

/** Throws `invalid_dataset` where the ways through the tree are longer than a tree people grew. */
function checkTreeSize({ prompt }: { prompt?: unknown }): void {
  let turns = 0;
  const left: [message: unknown, depth: number][] = [[prompt, 1]];
  for (let next = left.pop(); next; next = left.pop()) {
    const [message, depth] = next;
    const replies = (message as { replies?: unknown } | null | undefined)?.replies;
    const isEnd = !Array.isArray(replies) || replies.length === 0;
    turns += isEnd ? depth : 1;
    if (turns > mostTurnsOfTree) {
      throw unfit(
        `prompt: expected at most ${mostTurnsOfTree} turns over all ways through the tree, found more. Cut it into several trees`,
      );
    }
    if (!isEnd) for (const reply of replies) left.push([reply, depth + 1]);
  }
}

/** Longest paths that end with a reply: a question nobody answered is dropped from its end. */
function repliedPaths(message: Message, before: Message[]): Message[][] {
  if (message.deleted) return [];
  const path = [...before, message];
  const longer = (message.replies ?? []).flatMap((reply) => repliedPaths(reply, path));
  if (longer.length > 0) return longer;
  return message.role === 'assistant' ? [path] : [];
}

/** Of the labels only those the schema knows: spam, language and the like say nothing about style. */
function levelsOf({ labels }: Message): Record<string, number> {
  const known = openAssistant.attributes.flatMap(({ name }) => {
    const value = labels?.[name]?.value;
    return value === undefined ? [] : [[name, value * levelsPerUnit] as const];
  });
  return Object.fromEntries(known);
}
