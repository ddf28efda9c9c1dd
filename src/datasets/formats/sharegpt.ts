// ShareGPT records: `conversations` of human and gpt. Ours may add `attributes` to a reply.
import { z } from 'zod';
import { attributesOf, conversationOf, conversationSample, type Format, leadingSystem, shapeOf, turnOf } from './format.ts';

const roles = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  assistant: 'assistant',
  model: 'assistant',
  bot: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
} as const;
type Speaker = keyof typeof roles | 'system';

const shape = z.object({
  conversations: z
    .array(
      z.object({
        from: z
          .string()
          .toLowerCase()
          .pipe(z.enum([...(Object.keys(roles) as Speaker[]), 'system'])),
        value: z.string(),
        attributes: z.record(z.string(), z.number().nullable()).nullish(),
      }),
    )
    .min(1),
  system: z.string().nullish(),
  id: z.union([z.string(), z.number()]).nullish(),
});

export const sharegpt: Format = {
  description: 'ShareGPT: {"conversations": [{"from": "human" | "gpt", "value"}]}',
  matches: ({ conversations }) => Array.isArray(conversations),
  parse(record) {
    const { conversations, system, id } = shapeOf(shape, record);
    const opening = leadingSystem(conversations, ({ from }) => from === 'system');
    const systems = [...(system ? [system] : []), ...opening.system.map(({ value }) => value)];
    const turns = opening.rest.map(({ from, value, attributes }) =>
      turnOf(from === 'system' ? 'user' : roles[from], value, attributes),
    );
    return [conversationSample(systems.join('\n\n'), turns, { conversationId: id?.toString() })];
  },
  render({ content, conversationId }) {
    const { system, turns } = conversationOf(content);
    const said = turns.map((turn) => ({
      from: turn.role === 'user' ? 'human' : 'gpt',
      value: turn.content,
      ...attributesOf(turn.label),
    }));
    const opening = system === '' ? [] : [{ from: 'system', value: system }];
    return [{ id: conversationId, conversations: [...opening, ...said] }];
  },
  schema: null,
  rules: {},
};
