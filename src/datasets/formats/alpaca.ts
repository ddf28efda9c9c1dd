// Instruction records: instruction, optional input, and output or response. Holds one exchange, so longer conversations cannot be written.

import { z } from 'zod';
import { counted } from '../../number-text.ts';
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
  weightOf,
} from './format.ts';

const shape = z
  .object({
    instruction: z.string(),
    input: z.string().nullish(),
    output: z.string().nullish(),
    response: z.string().nullish(),
    system: z.string().nullish(),
    ...ratingFields,
  })
  .refine(({ output, response }) => typeof (output ?? response) === 'string', { error: 'expected output or response' });

export const alpaca: Format = {
  description: 'Instructions: {"instruction", "input"?, "output" | "response"}',
  matches: ({ instruction }) => typeof instruction === 'string',
  parse(record) {
    const { instruction, input, output, response, system, attributes, ...readings } = shapeOf(shape, record);
    const question = input ? `${instruction}\n\n${input}` : instruction;
    const turns = [turnOf('user', question), turnOf('assistant', output ?? response ?? '', attributes)];
    return [conversationSample(system ?? '', turns, { readings: [undefined, readingsOf(readings)] })];
  },
  fields: ['instruction', 'input', 'output', 'response', 'system', ...Object.keys(ratingFields)],
  render(sample) {
    const { system, turns } = conversationOf(sample.content);
    const [question, answer] = turns;
    if (turns.length !== 2 || question?.role !== 'user' || answer?.role !== 'assistant') {
      throw unfit(
        `an instruction record holds one question and one answer, this conversation has ${counted(turns.length, 'turn')}`,
      );
    }
    const opening = system === '' ? {} : { system };
    return [
      {
        ...opening,
        instruction: question.content,
        input: '',
        output: answer.content,
        ...weightOf(answer),
        ...ratingsOf(sample, 1, answer.label),
      },
    ];
  },
  schema: null,
  rules: {},
};
