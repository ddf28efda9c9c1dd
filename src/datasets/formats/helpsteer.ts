// Rows of HelpSteer and HelpSteer2: prompt, response and five ratings. A HelpSteer2 prompt may hold earlier turns, spelled with turn
// tokens; those are structure. Anywhere else such a token is text. On export each reply becomes a row.
import { z } from 'zod';
import type { Turn } from '../../steerlm/conversation.ts';
import { helpSteer } from '../../steerlm/schemas.ts';
import { conversationOf, conversationSample, type Format, shapeOf, turnOf, unfit } from './format.ts';

const rating = z.number().nullish();
const shape = z.object({
  prompt: z.string(),
  response: z.string(),
  helpfulness: rating,
  correctness: rating,
  coherence: rating,
  complexity: rating,
  verbosity: rating,
  system: z.string().nullish(),
});

const turnMark = /\n<extra_id_1>(User|Assistant)\n/;

export const helpsteer: Format = {
  description:
    'HelpSteer and HelpSteer2: {"prompt", "response", "helpfulness", "correctness", "coherence", "complexity", "verbosity"}',
  matches: ({ prompt, response }) => typeof prompt === 'string' && typeof response === 'string',
  parse(record) {
    const { prompt, response, system, ...ratings } = shapeOf(shape, record);
    return [conversationSample(system ?? '', [...parsePrompt(prompt), turnOf('assistant', response, ratings)])];
  },
  render({ content }) {
    const { system, turns } = conversationOf(content);
    return turns.flatMap((turn, index) => {
      if (turn.role !== 'assistant') return [];
      const ratings = helpSteer.attributes.map(({ name }) => [name, turn.label?.[name] ?? null]);
      const prompt = spellPrompt(turns.slice(0, index));
      return [{ ...(system === '' ? {} : { system }), prompt, response: turn.content, ...Object.fromEntries(ratings) }];
    });
  },
  schema: helpSteer,
  rules: {},
};

function parsePrompt(prompt: string): Turn[] {
  const [first = '', ...rest] = prompt.split(turnMark);
  const turns = [turnOf('user', first)];
  for (let i = 0; i < rest.length; i += 2) turns.push(turnOf(rest[i] === 'User' ? 'user' : 'assistant', rest[i + 1] ?? ''));
  return turns;
}

function spellPrompt(turns: Turn[]): string {
  const names = { user: 'User', assistant: 'Assistant' } as const;
  if (turns[0]?.role !== 'user') throw unfit('a HelpSteer prompt starts with the user; this conversation does not');
  if (turns.some(({ content }) => turnMark.test(content))) throw unfit('the text holds a turn token on a line of its own');
  return turns.map(({ role, content }, index) => (index === 0 ? content : `\n<extra_id_1>${names[role]}\n${content}`)).join('');
}
