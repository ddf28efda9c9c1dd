// What messages say reaches the prompt alike by every way there is, or is refused by name; nothing of them is dropped.
import { Template } from '@huggingface/jinja';
import { describe, expect, test } from 'vitest';
import { formats } from '../../src/datasets/formats/table.ts';
import { chatTemplate } from '../../src/model/tokenizer/label-template.ts';
import { applyAttributes } from '../../src/steerlm/attributes.ts';
import { layOutPrompt, spellPieces } from '../../src/steerlm/prompt-layout.ts';
import { openHouse, post } from './knock.ts';

const render = '/v1/chat/completions/render';
const special = ['<extra_id_0>', '<extra_id_1>', '<extra_id_2>'];
const parts = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }));

describe('parts of a message', () => {
  const messages = [
    { role: 'system', content: parts('You sell ', 'bread.') },
    { role: 'user', content: parts('Where is ', 'the market', '?') },
    { role: 'assistant', content: parts('By the ', 'well.') },
    { role: 'user', content: parts(' Which', '\n', 'well? ') },
  ];
  const prompt =
    '<extra_id_0>System\nYou sell bread.\n<extra_id_1>User\nWhere is the market?\n<extra_id_1>Assistant\nBy the well.\n' +
    '<extra_id_1>User\nWhich\nwell?\n<extra_id_1>Assistant\n<extra_id_2>helpfulness:4,toxicity:0\n';

  test('stand side by side in a chat request, in a dataset and in the exported template', async () => {
    const house = openHouse();
    const { schema } = house.model;
    expect((await post(house, render, { messages })).body.prompt).toBe(prompt);
    const [sample] = formats.openai.parse({ messages }, null);
    if (sample?.content.kind !== 'conversation') throw new Error('Expected a conversation.');
    expect(spellPieces(layOutPrompt(schema, sample.content.conversation, applyAttributes(schema, {})))).toBe(prompt);
    const template = new Template(chatTemplate(schema, special));
    expect(template.render({ messages, add_generation_prompt: true })).toBe(prompt);
  });

  test('that are no text are refused by both', async () => {
    const shown = [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }];
    const { status, body } = await post(openHouse(), render, { messages: shown });
    expect([status, body.error.param]).toEqual([400, 'messages.0.content']);
    const template = new Template(chatTemplate(openHouse().model.schema, special));
    expect(() => template.render({ messages: shown, add_generation_prompt: true })).toThrow('Expected parts of text');
  });
});

describe('what no prompt has a place for', () => {
  const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } };
  const between = (message: object) => [{ role: 'user', content: 'Hi' }, message, { role: 'user', content: 'So?' }];

  test.each<[string, object]>([
    ['messages.1.tool_calls', { role: 'assistant', content: null, tool_calls: [call] }],
    ['messages.1.tool_calls', { role: 'assistant', content: 'Wait.', tool_calls: [call] }],
    ['messages.1.function_call', { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } }],
    ['messages.1.refusal', { role: 'assistant', content: null, refusal: 'No.' }],
    ['messages.1.audio', { role: 'assistant', content: 'a', audio: { id: 'x' } }],
    ['messages.1.tool_call_id', { role: 'tool', tool_call_id: 'c1', content: '1' }],
    ['messages.1.role', { role: 'tool', content: '1' }],
    ['messages.1.content', { role: 'assistant', content: null }],
  ])('is refused: %s of %j', async (param, message) => {
    for (const path of [render, '/v1/chat/completions']) {
      const { status, body } = await post(openHouse(), path, { messages: between(message) });
      expect([status, body.error.param]).toEqual([400, param]);
    }
  });

  test('may be there when it says nothing, as clients write it', async () => {
    const message = { role: 'assistant', content: 'Hello.', tool_calls: [], function_call: null, refusal: null, audio: null };
    const { status, body } = await post(openHouse(), render, { messages: between(message) });
    expect([status, body.prompt]).toEqual([200, expect.stringContaining('Assistant\nHello.\n')]);
  });

  test('is refused by the exported template too', () => {
    const template = new Template(chatTemplate(openHouse().model.schema, special));
    const messages = between({ role: 'assistant', content: null, tool_calls: [call] });
    expect(() => template.render({ messages, add_generation_prompt: true })).toThrow('Calls of tools are not supported');
  });
});
