// Chat messages as OpenAI and TRL write them. Ours may add how a reply is rated; other readers pass over it.
import { z } from 'zod';
import { nameIn } from '../record-fields.ts';
import { conversationOf, conversationSample, type Format, ratingsOf, shapeOf, turnFields, weightOf } from './format.ts';
import { openaiMessage, readMessages } from './messages.ts';

const shape = z.object({ messages: z.array(openaiMessage).min(1), conversation_id: z.unknown().optional() });

export const openai: Format = {
  description: 'OpenAI chat: {"messages": [{"role", "content", "weight"?, "attributes"?}]}',
  matches: ({ messages }) => Array.isArray(messages),
  parse(record) {
    const { messages, conversation_id } = shapeOf(shape, record);
    const { system, turns, readings, fields } = readMessages(messages);
    const conversationId = nameIn(conversation_id);
    return [conversationSample(system, turns, { conversationId, readings, fields: fields && { turns: fields } })];
  },
  fields: ['messages', 'conversation_id'],
  render(sample) {
    const { system, turns } = conversationOf(sample.content);
    const messages = turns.map((turn, i) => ({
      ...turnFields(sample, i),
      role: turn.role,
      content: turn.content,
      ...weightOf(turn),
      ...ratingsOf(sample, i, turn.label),
    }));
    const opening = system === '' ? [] : [{ role: 'system', content: system }];
    return [{ messages: [...opening, ...messages], conversation_id: sample.conversationId }];
  },
  schema: null,
  rules: {},
};
