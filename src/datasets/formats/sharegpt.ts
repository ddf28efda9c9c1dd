// ShareGPT records: `conversations` of human and gpt. Ours may add how a reply is rated.
import { z } from 'zod';
import { nameIn } from '../record-fields.ts';
import { conversationOf, conversationSample, type Format, ratingsOf, shapeOf, turnFields, weightOf } from './format.ts';
import { readMessages, sharegptMessage } from './messages.ts';

const shape = z.object({
  conversations: z.array(sharegptMessage).min(1),
  system: z.string().nullish(),
  id: z.unknown().optional(),
  conversation_id: z.unknown().optional(),
});

export const sharegpt: Format = {
  description: 'ShareGPT: {"conversations": [{"from": "human" | "gpt", "value"}]}',
  matches: ({ conversations }) => Array.isArray(conversations),
  parse(record) {
    const { conversations, system, id, conversation_id } = shapeOf(shape, record);
    const read = readMessages(conversations, { opening: system ?? '', where: 'conversations' });
    return [
      conversationSample(read.system, read.turns, {
        conversationId: nameIn(conversation_id) ?? nameIn(id),
        readings: read.readings,
        fields: read.fields && { turns: read.fields },
      }),
    ];
  },
  /** `id` is the record's own as well as its conversation's, so that it is kept as it was written. */
  fields: ['conversations', 'system', 'conversation_id'],
  namesRecords: true,
  render(sample) {
    const { system, turns } = conversationOf(sample.content);
    const said = turns.map((turn, i) => ({
      ...turnFields(sample, i),
      from: turn.role === 'user' ? 'human' : 'gpt',
      value: turn.content,
      ...weightOf(turn),
      ...ratingsOf(sample, i, turn.label),
    }));
    const opening = system === '' ? [] : [{ from: 'system', value: system }];
    const { conversationId } = sample;
    const own = sample.fields?.record?.id;
    // Where a record has no id of its own that of its conversation stands in, and reading tells by the two being the same.
    const named = nameIn(own) === conversationId ? {} : { conversation_id: conversationId };
    return [{ id: own ?? conversationId, ...named, conversations: [...opening, ...said] }];
  },
  schema: null,
  rules: {},
};
