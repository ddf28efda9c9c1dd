// Chat messages as OpenAI and TRL write them. Ours may add `attributes` to a reply; other readers pass over it.
import { z } from 'zod';
import { attributesOf, conversationOf, conversationSample, type Format, leadingSystem, shapeOf, turnOf } from './format.ts';

const part = z.object({ type: z.literal('text'), text: z.string() });
const content = z
  .union([z.string(), z.array(part)], { error: 'expected text, or parts of type text' })
  .transform((value) => (typeof value === 'string' ? value : value.map(({ text }) => text).join('')));
const shape = z.object({
  messages: z
    .array(
      z.object({
        role: z.enum(['system', 'developer', 'user', 'assistant']),
        content,
        attributes: z.record(z.string(), z.number().nullable()).nullish(),
      }),
    )
    .min(1),
  conversation_id: z.string().nullish(),
});

export const openai: Format = {
  description: 'OpenAI chat: {"messages": [{"role", "content", "attributes"?}]}',
  matches: ({ messages }) => Array.isArray(messages),
  parse(record) {
    const { messages, conversation_id } = shapeOf(shape, record);
    const { system, rest } = leadingSystem(messages, ({ role }) => role === 'system' || role === 'developer');
    const turns = rest.map(({ role, content, attributes }) =>
      turnOf(role === 'assistant' ? 'assistant' : 'user', content, attributes),
    );
    return [conversationSample(system.map(({ content }) => content).join('\n\n'), turns, { conversationId: conversation_id })];
  },
  render({ content, conversationId }) {
    const { system, turns } = conversationOf(content);
    const messages = turns.map((turn) => ({ role: turn.role, content: turn.content, ...attributesOf(turn.label) }));
    const opening = system === '' ? [] : [{ role: 'system', content: system }];
    return [{ messages: [...opening, ...messages], conversation_id: conversationId }];
  },
  schema: null,
  rules: {},
};
