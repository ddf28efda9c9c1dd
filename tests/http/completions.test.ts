// Raw completions: one text in, its continuation out, no layout and no steering.
import { expect, test } from 'vitest';
import { openHouse, post } from './knock.ts';

const path = '/v1/completions';

test('continues the prompt as plain text, 16 tokens unless told otherwise', async () => {
  const house = openHouse();
  house.model.replyWords = 30;
  const prompt = '<extra_id_1>Once';
  const { body } = await post(house, path, { prompt, seed: 1 });
  expect(house.model.requests[0]?.prompt).toEqual([...prompt].map((char) => char.charCodeAt(0) + 3));
  expect(body).toMatchObject({ object: 'text_completion', model: 'parrot', usage: { prompt_tokens: 16, completion_tokens: 16 } });
  expect(body.id).toMatch(/^cmpl-/);
  expect(body.choices).toEqual([{ index: 0, text: Array(16).fill('word1').join(' '), logprobs: null, finish_reason: 'length' }]);
});

test('takes n replies and a list of one prompt', async () => {
  const { body } = await post(openHouse(), path, { prompt: ['Once'], n: 2, seed: 1, max_tokens: 1 });
  expect(body.choices.map(({ text }: { text: string }) => text)).toEqual(['word1', 'word2']);
});

test('leaves 16 tokens of wish aside where the context has less', async () => {
  const house = openHouse();
  await post(house, path, { prompt: 'x'.repeat(505) });
  expect(house.model.requests[0]?.maxTokens).toBe(7);
});

test.each([
  [{ attributes: { humor: 1 } }, 'attributes', /\/v1\/chat\/completions/],
  [{ steering: { measure: true } }, 'steering', /\/v1\/chat\/completions/],
  [{ prompt: ['a', 'b'] }, 'prompt', /1|one/],
  [{ prompt: [1, 2] }, 'prompt', /one text|string/],
  [{ prompt: '' }, 'prompt', /1|empty/],
  [{ echo: true }, 'echo', /not support/],
  [{ max_completion_tokens: 'many' }, 'max_completion_tokens', /number/],
  [{ best_of: 3 }, 'best_of', /not support/],
  [{ logprobs: 3 }, 'logprobs', /not support/],
])('refuses %j', async (fields, param, message) => {
  const { status, body } = await post(openHouse(), path, { prompt: 'Once', ...fields });
  expect(status).toBe(400);
  expect(body.error).toMatchObject({ code: 'invalid_request', param });
  expect(body.error.message).toMatch(message);
});

test('refuses a prompt that fills the context, with both numbers', async () => {
  const { status, body } = await post(openHouse(), path, { prompt: 'x'.repeat(512) });
  expect([status, body.error.code, body.error.param]).toEqual([400, 'context_length_exceeded', 'prompt']);
  expect(body.error.message).toMatch(/512 tokens; the prompt has 512/);
});
