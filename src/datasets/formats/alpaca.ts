// Instruction records: instruction, optional input, and output or response. Holds one exchange, so longer conversations cannot be written.
import { z } from 'zod';
import { attributesOf, conversationOf, conversationSample, type Format, shapeOf, turnOf, unfit } from './format.ts';

const shape = z
  .object({
    instruction: z.string(),
    input: z.string().nullish(),
    output: z.string().nullish(),
    response: z.string().nullish(),
    system: z.string().nullish(),
    attributes: z.record(z.string(), z.number().nullable()).nullish(),
  })
  .refine(({ output, response }) => typeof (output ?? response) === 'string', { error: 'expected output or response' });

export const alpaca: Format = {
  description: 'Instructions: {"instruction", "input"?, "output" | "response"}',
  matches: ({ instruction }) => typeof instruction === 'string',
  parse(record) {
    const { instruction, input, output, response, system, attributes } = shapeOf(shape, record);
    const question = input ? `${instruction}\n\n${input}` : instruction;
    return [
      conversationSample(system ?? '', [turnOf('user', question), turnOf('assistant', output ?? response ?? '', attributes)]),
    ];
  },
  render({ content }) {
    const { system, turns } = conversationOf(content);
    const [question, answer] = turns;
    if (turns.length !== 2 || question?.role !== 'user' || answer?.role !== 'assistant') {
      throw unfit(`an instruction record holds one question and one answer, this conversation has ${turns.length} turns`);
    }
    const opening = system === '' ? {} : { system };
    return [{ ...opening, instruction: question.content, input: '', output: answer.content, ...attributesOf(answer.label) }];
  },
  schema: null,
  rules: {},
};
