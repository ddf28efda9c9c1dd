// Lists of messages as chat formats write them, `role` and `content` or `from` and `value`, read into turns. Which replies are to be learnt is
// said in several ways: OpenAI's `weight`, Axolotl's `train` or `training` and its spans, the `loss` and `mask` of other trainers.
import { z } from 'zod';
import { type Turn, textOf } from '../../steerlm/conversation.ts';
import { type Fields, otherFields } from '../record-fields.ts';
import type { LabelReadings } from '../sample.ts';
import { leadingSystem, ratingFields, readingsOf, turnOf, unfit, untrained } from './format.ts';

const part = z.object({ type: z.literal('text'), text: z.string() });
const content = z.union([z.string(), z.array(part)], { error: 'expected text, or parts of type text' }).transform(textOf);

const learning = {
  weight: z.union([z.literal(0), z.literal(1)], { error: 'expected 0 or 1; a reply is learnt or it is context' }).nullish(),
  train: z.boolean().nullish(),
  training: z.boolean().nullish(),
  train_detail: z.array(z.object({ train: z.boolean() })).nullish(),
};
/** Of a message: whether it is learnt, by field and value. Any other value under such a name means something else and is kept as it is. */
const asides: Record<string, (said: boolean) => boolean> = {
  loss: (said) => said,
  loss_weight: (said) => said,
  trainable: (said) => said,
  mask: (said) => !said,
  masked: (said) => !said,
};
/** Calls of tools have no place in the prompt layout, and leaving them out would teach replies that come from nowhere. */
const calls = z
  .custom((value) => value === null || (Array.isArray(value) && value.length === 0), {
    error: 'calls of tools cannot be read; leave these conversations out, or spell the calls in content',
  })
  .optional();
const shared = { ...ratingFields, ...learning, tool_calls: calls, function_call: calls };

const roles = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
  gpt: 'assistant',
  chatgpt: 'assistant',
  model: 'assistant',
  bot: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
} as const;
type Speaker = keyof typeof roles;
const openaiRoles = ['system', 'developer', 'user', 'assistant'] as const;

// What is shared is looked at first: a message that calls tools has no content, and is refused for the calls.
export const openaiMessage = z.looseObject({ ...shared, role: z.enum(openaiRoles), content });
export const sharegptMessage = z.looseObject({
  ...shared,
  from: z
    .string()
    .toLowerCase()
    .pipe(z.enum(Object.keys(roles) as Speaker[])),
  value: content,
});

/** A message in either spelling. */
export type Message = z.infer<typeof openaiMessage> | z.infer<typeof sharegptMessage>;
const known = ['role', 'content', 'from', 'value', ...Object.keys(shared)];

/** Turns, with what is said of each by its index. */
export interface ReadTurns {
  system: string;
  turns: Turn[];
  readings?: (LabelReadings | undefined)[];
  fields?: Record<string, Fields>;
}

/** The messages as turns, texts of leading system messages put together. Throws `invalid_dataset`. */
export function readMessages(messages: readonly Message[], { opening = '', where = 'messages' } = {}): ReadTurns {
  const spoken = messages.map((message, at) => ({ message, at, speaker: speakerOf(message), text: saidIn(message) }));
  const { system, rest } = leadingSystem(spoken, ({ speaker }) => speaker === 'system');
  const turns: Turn[] = [];
  const readings: (LabelReadings | undefined)[] = [];
  const fields: Record<string, Fields> = {};
  rest.forEach(({ message, at, speaker, text }, turn) => {
    const said = turnOf(speaker === 'assistant' ? 'assistant' : 'user', text, message.attributes);
    const aside = readAsides(message);
    turns.push(isLearnt(message, `${where}.${at}`) && aside.learnt ? said : untrained(said));
    readings[turn] = readingsOf(message);
    const others = otherFields(message, [...known, ...aside.read]);
    if (others) fields[turn] = others;
  });
  return {
    system: [...(opening === '' ? [] : [opening]), ...system.map(({ text }) => text)].join('\n\n'),
    turns,
    readings,
    ...(Object.keys(fields).length > 0 ? { fields } : {}),
  };
}

/** What the less common fields come to, and which of them were read. */
function readAsides(message: Fields): { learnt: boolean; read: string[] } {
  const read = Object.keys(asides).filter((name) => flagIn(message[name]) !== undefined);
  return { learnt: read.every((name) => asides[name]!(flagIn(message[name])!)), read };
}

function flagIn(value: unknown): boolean | undefined {
  return [true, 1, false, 0].includes(value as boolean) ? Boolean(value) : undefined;
}

function speakerOf(message: Message): 'system' | 'user' | 'assistant' {
  return roles['role' in message ? (message.role as Speaker) : (message.from as Speaker)];
}

function saidIn(message: Message): string {
  return ('content' in message ? message.content : message.value) as string;
}

function isLearnt({ weight, train, training, train_detail: spans }: Message, where: string): boolean {
  const learnt = (spans ?? []).filter(({ train }) => train).length;
  if (spans && learnt > 0 && learnt < spans.length) {
    throw unfit(`${where}.train_detail: a reply is learnt as a whole or not at all; say the same of all its spans`);
  }
  return !(weight === 0 || train === false || training === false || (spans && spans.length > 0 && learnt === 0));
}
