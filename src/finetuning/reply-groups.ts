// Files of reply groups, one a line, as NeMo-Aligner's SteerLM 2.0 keeps them: a prompt, a label, and replies with three logarithms each. From
// there to what reweighting trains on. Writes what it reads; knows no model.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { z } from 'zod';
import { SteerError } from '../errors.ts';
import { encodePieces } from '../model/tokenizer/encode-prompt.ts';
import type { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { type AttributeSchema, formatLabel, type Label } from '../steerlm/attributes.ts';
import type { Conversation } from '../steerlm/conversation.ts';
import { layOutPrompt, type Piece } from '../steerlm/prompt-layout.ts';
import type { Sequence } from '../training/packing.ts';
import type { ReplyGroup } from './reweighting.ts';

const fields = { label: 'log(P(a|x,y))', base: 'log(P(y|x))', proposal: 'log(Q(y|a,x))' } as const;
const logarithm = z.number().max(1e-3);
const turn = z.object({
  from: z.enum(['User', 'Assistant']),
  value: z.string(),
  label: z.record(z.string(), z.number()).optional(),
});
const line = z.object({
  system: z.string(),
  prompt_turns: z.array(turn).min(1),
  label: z.string(),
  attributes: z.record(z.string(), z.number()),
  responses: z
    .array(
      z.object({
        from: z.literal('Assistant'),
        value: z.string(),
        [fields.label]: logarithm,
        [fields.base]: logarithm,
        [fields.proposal]: logarithm,
      }),
    )
    .min(2),
});

/** Replies to one prompt under one label, with natural logarithms of whole replies (reweighting.ts says of what). */
export interface GroupRecord {
  prompt: Conversation;
  label: Label;
  replies: { text: string; label: number; base: number; proposal: number }[];
}

/** One line. The label stands there twice: as a prompt spells it, for NeMo, and by name. */
export function writeGroup(schema: AttributeSchema, { prompt, label, replies }: GroupRecord): string {
  const written: z.input<typeof line> = {
    system: prompt.system,
    prompt_turns: prompt.turns.map(({ role, content, label: earlier }) => {
      return { from: role === 'user' ? 'User' : 'Assistant', value: content, ...(earlier ? { label: earlier } : {}) };
    }),
    label: formatLabel(schema, label),
    attributes: label,
    responses: replies.map(({ text, ...logs }) => {
      return {
        from: 'Assistant',
        value: text,
        [fields.label]: logs.label,
        [fields.base]: logs.base,
        [fields.proposal]: logs.proposal,
      };
    }),
  };
  return JSON.stringify(written);
}

/** The groups of a file in order. Throws invalid_dataset naming line and field. */
export async function* readGroups(path: string): AsyncGenerator<GroupRecord> {
  let number = 0;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (text.trim() !== '') yield toRecord(text, `${path}, line ${number}`);
  }
}

function toRecord(text: string, where: string): GroupRecord {
  const parsed = line.safeParse(jsonOf(text, where));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SteerError('invalid_dataset', `${where}: ${issue?.path.join('.') || 'record'}: ${issue?.message}.`);
  }
  const { system, prompt_turns: turns, attributes, responses } = parsed.data;
  return {
    prompt: {
      system,
      turns: turns.map(({ from, value, label }) => {
        return {
          role: from === 'User' ? ('user' as const) : ('assistant' as const),
          content: value,
          ...(label ? { label } : {}),
        };
      }),
    },
    label: attributes,
    replies: responses.map((response) => ({
      text: response.value,
      label: response[fields.label],
      base: response[fields.base],
      proposal: response[fields.proposal],
    })),
  };
}

function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SteerError('invalid_dataset', `${where}: expected a JSON object, found something else.`, { cause });
  }
}

/** The group as tokens: each reply after the prompt under the label. */
export function encodeGroup(tokenizer: Tokenizer, schema: AttributeSchema, { prompt, label, replies }: GroupRecord): ReplyGroup {
  return replies.map(({ text, ...logs }) => ({ ...encodeReply(tokenizer, schema, prompt, label, text), ...logs }));
}

/** Prompt and reply with what closes its turn; only the reply and its end count. A schema without attributes leaves all labels out. */
export function encodeReply(
  tokenizer: Tokenizer,
  schema: AttributeSchema,
  prompt: Conversation,
  label: Label,
  text: string,
): Sequence & { weights: Float32Array } {
  const ending: Piece[] = [
    { text: '\n', trained: true },
    { control: 'turn', trained: true },
  ];
  const pieces = [...layOutPrompt(schema, prompt, label), { text: text.trim(), trained: true }, ...ending];
  const { ids, trained } = encodePieces(tokenizer, pieces);
  return { ids, weights: Float32Array.from(trained, Number) };
}
