// Rows of HelpSteer and HelpSteer2: prompt, response and five ratings, or those that a schema names. A HelpSteer2 prompt may hold earlier turns, spelled with turn
// tokens; those are structure. Anywhere else such a token is text. On export each reply becomes a row.

import { z } from 'zod';
import { own } from '../../own.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import type { Turn } from '../../steerlm/conversation.ts';
import { helpSteer } from '../../steerlm/schemas.ts';
import {
  conversationOf,
  conversationSample,
  type Format,
  ratingFields,
  ratingsOf,
  readingsOf,
  shapeOf,
  turnOf,
  unfit,
  untrained,
  weightOf,
} from './format.ts';

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
  attribute_levels: ratingFields.attribute_levels,
  attribute_confidence: ratingFields.attribute_confidence,
  /** Turns of the prompt that are context alone. Ours: HelpSteer has no such field. */
  context_turns: z.array(z.int()).nullish(),
});

const turnMark = /\n<extra_id_1>(User|Assistant)\n/;

export const helpsteer: Format = {
  description:
    'HelpSteer and HelpSteer2: {"prompt", "response", "helpfulness", "correctness", "coherence", "complexity", "verbosity"}',
  matches: ({ prompt, response }) => typeof prompt === 'string' && typeof response === 'string',
  parse(record, _key, schema) {
    const { prompt, response, system, context_turns, attribute_levels, attribute_confidence, ...ratings } = shapeOf(
      shape,
      record,
    );
    const before = parsePrompt(prompt).map((turn, i) => (context_turns?.includes(i) ? untrained(turn) : turn));
    const turns = [...before, turnOf('assistant', response, { ...ratings, ...namedRatings(record, schema) })];
    const readings = readingsOf({ attribute_levels, attribute_confidence });
    return [conversationSample(system ?? '', turns, readings ? { readings: [...before.map(() => undefined), readings] } : {})];
  },
  fields: Object.keys(shape.shape),
  render(sample) {
    const { system, turns } = conversationOf(sample.content);
    return turns.flatMap((turn, index) => {
      if (turn.role !== 'assistant') return [];
      const ratings = helpSteer.attributes.map(({ name }) => [name, own(turn.label, name) ?? null] as const);
      const said = Object.fromEntries(ratings.filter((rating): rating is [string, number] => rating[1] !== null));
      const { attributes: _, ...sure } = ratingsOf(sample, index, said);
      const context = turns.slice(0, index).flatMap(({ trained }, i) => (trained === false ? [i] : []));
      const prompt = spellPrompt(turns.slice(0, index));
      const row = { ...(system === '' ? {} : { system }), prompt, response: turn.content, ...Object.fromEntries(ratings) };
      return [{ ...row, ...(context.length > 0 && { context_turns: context }), ...weightOf(turn), ...sure }];
    });
  },
  holds: helpSteer,
  schema: helpSteer,
  rules: {},
};

/** Numbers of the row under the names of a schema that somebody chose. */
function namedRatings(record: unknown, schema: AttributeSchema | null | undefined): Record<string, number> {
  const names = schema?.attributes.flatMap(({ name, aliases }) => [name, ...aliases]) ?? [];
  const entries = Object.entries(record as object).filter(([name, value]) => names.includes(name) && typeof value === 'number');
  return Object.fromEntries(entries);
}

/** The turns a HelpSteer2 prompt holds. */
export function parsePrompt(prompt: string): Turn[] {
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
