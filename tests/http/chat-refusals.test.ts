// Chat completions that are refused: each wrong field by its name, before the model is asked anything.
import { describe, expect, test } from 'vitest';
import { helpSteer } from '../../src/steerlm/schemas.ts';
import { openHouse, post } from './knock.ts';
import { WordCountPredictor } from './small-models.ts';

const path = '/v1/chat/completions';
const hello = [{ role: 'user', content: 'Hello' }];

describe('a request is refused', () => {
  const refused: [string, object, string, string, RegExp][] = [
    ['an unknown attribute', { attributes: { humr: 1 } }, 'unknown_attribute', 'attributes.humr', /Did you mean humor/],
    [
      'a level off the scale',
      { attributes: { humor: 7 } },
      'attribute_out_of_range',
      'attributes.humor',
      /between 0 and 4, got 7/,
    ],
    ['a level that is no number', { attributes: { humor: '4' } }, 'invalid_request', 'attributes.humor', /number/],
    ['no messages', { messages: [] }, 'invalid_request', 'messages', /1/],
    ['an unknown role', { messages: [{ role: 'tool', content: 'x' }] }, 'invalid_request', 'messages.0.role', /assistant/],
    ['a missing content', { messages: [{ role: 'user' }] }, 'invalid_request', 'messages.0.content', /string or a list/],
    [
      'an image',
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] },
      'invalid_request',
      'messages.0.content',
      /"type": "text"/,
    ],
    [
      'a system message after the first turn',
      { messages: [...hello, { role: 'system', content: 'Obey' }] },
      'invalid_request',
      'messages.1.role',
      /before the first turn/,
    ],
    [
      'attributes of a user message',
      { messages: [{ ...hello[0], attributes: { humor: 1 } }] },
      'invalid_request',
      'messages.0.attributes',
      /assistant/,
    ],
    [
      'an unknown attribute of a past reply',
      { messages: [{ role: 'assistant', content: 'x', attributes: { wit: 1 } }] },
      'unknown_attribute',
      'messages.0.attributes.wit',
      /wit/,
    ],
    ['temperature above 2', { temperature: 3 }, 'invalid_request', 'temperature', /2/],
    ['a penalty scores cannot be divided by', { repetition_penalty: 5e-324 }, 'invalid_request', 'repetition_penalty', /0\.01/],
    ['top_p above 1', { top_p: 1.5 }, 'invalid_request', 'top_p', /1/],
    ['nine replies', { n: 9 }, 'invalid_request', 'n', /8/],
    ['five stop strings', { stop: ['a', 'b', 'c', 'd', 'e'] }, 'invalid_request', 'stop', /4/],
    ['an empty stop string', { stop: '' }, 'invalid_request', 'stop', /at least 1 character/],
    ['no room for a reply', { max_tokens: 0 }, 'invalid_request', 'max_tokens', /1/],
    ['an unknown steering option', { steering: { measur: true } }, 'invalid_request', 'steering.measur', /measur/],
    ['tools', { tools: [{ type: 'function' }] }, 'invalid_request', 'tools', /not support/],
    [
      'a JSON schema that is none',
      { response_format: { type: 'json_schema' } },
      'invalid_request',
      'response_format.json_schema',
      /./,
    ],
    ['a bias off the scale', { logit_bias: { 5: 101 } }, 'invalid_request', 'logit_bias.5', /100/],
    ['a bad word of spaces', { bad_words: ['fool', ' '] }, 'invalid_request', 'bad_words.1', /found none/],
    ['a bad word too long', { bad_words: ['x'.repeat(65)] }, 'invalid_request', 'bad_words.0', /64/],
    ['a bad word that is no text', { bad_words: [7] }, 'invalid_request', 'bad_words.0', /string/],
    ['more bad words than one list has', { bad_words: Array(65).fill('fool') }, 'invalid_request', 'bad_words', /64/],
    ['bad words outside a list', { bad_words: 'fool' }, 'invalid_request', 'bad_words', /array|list/],
    ['a presence penalty off the scale', { presence_penalty: 2.5 }, 'invalid_request', 'presence_penalty', /2/],
    ['a repetition penalty of 0', { repetition_penalty: 0 }, 'invalid_request', 'repetition_penalty', /0/],
    ['a frequency penalty off the scale', { frequency_penalty: -3 }, 'invalid_request', 'frequency_penalty', /2/],
    [
      'a prompt beyond the context',
      { messages: [{ role: 'user', content: 'x'.repeat(600) }] },
      'context_length_exceeded',
      'messages',
      /512 tokens; the prompt has 6\d\d/,
    ],
    [
      'a prompt far beyond it',
      { messages: [{ role: 'user', content: 'x'.repeat(9000) }] },
      'context_length_exceeded',
      'messages',
      /512/,
    ],
    [
      'a reply beyond the context',
      { max_tokens: 500 },
      'context_length_exceeded',
      'max_tokens',
      /512 tokens.* may take 500\. Shorten the messages or lower max_tokens\./,
    ],
  ];

  test.each(refused)('%s', async (_, fields, code, param, message) => {
    const house = openHouse();
    const { status, body } = await post(house, path, { messages: hello, ...fields });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ type: 'invalid_request_error', code, param });
    expect(body.error.message).toMatch(message);
    expect(house.model.requests).toEqual([]);
  });

  test('but not for asking nothing of an unsupported field', async () => {
    const neutral = {
      tools: [],
      tool_choice: 'auto',
      response_format: { type: 'text' },
      logprobs: false,
      logit_bias: {},
      min_p: 0,
    };
    const { status } = await post(openHouse(), path, {
      messages: hello,
      ...neutral,
      presence_penalty: 0,
      frequency_penalty: 0,
      functions: null,
    });
    expect(status).toBe(200);
  });

  test('by 404 when no language model has that name', async () => {
    for (const model of ['gpt-99', 'counter']) {
      const { status, body } = await post(openHouse(), path, { messages: hello, model });
      expect(status).toBe(404);
      expect(body.error).toMatchObject({ code: 'model_not_found', param: 'model' });
      expect(body.error.message).toMatch(new RegExp(`"${model}".*parrot`));
    }
  });

  test('when replies are to be measured and no predictor knows their attributes', async () => {
    const house = openHouse();
    house.shelf.predictors = [new WordCountPredictor(helpSteer)];
    const { status, body } = await post(house, path, { messages: hello, steering: { measure: true } });
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: 'invalid_request', param: 'steering.measure' });
    expect(body.error.message).toMatch(/train-predictor/);
    expect(house.model.requests).toEqual([]);
  });
});
