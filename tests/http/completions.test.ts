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

test('takes token ids as they are, control tokens among them', async () => {
  const house = openHouse();
  for (const prompt of [[1, 80, 65_538], [[1, 80, 65_538]]]) {
    const { body } = await post(house, path, { prompt, max_tokens: 1 });
    expect(body.usage.prompt_tokens).toBe(3);
    expect(house.model.requests.at(-1)?.prompt).toEqual([1, 80, 65_538]);
  }
  const { body } = await post(house, path, { prompt: Array(512).fill(80) });
  expect(body.error).toMatchObject({ code: 'context_length_exceeded', param: 'prompt' });
});

test('tells token ids where asked, whole and in a stream', async () => {
  const house = openHouse();
  const asked = { prompt: 'Once', max_tokens: 2, return_token_ids: true };
  const { body } = await post(house, path, asked);
  expect(body.choices[0]).toMatchObject({ token_ids: [122, 35], logprobs: null });
  const { body: chunks } = await post(house, path, { ...asked, stream: true });
  expect(chunks.slice(0, -1).map(({ choices }: { choices: object[] }) => choices[0])).toMatchObject([
    { token_ids: [122], logprobs: null },
    { token_ids: [35] },
    { token_ids: [], finish_reason: 'length' },
  ]);
  const { body: named } = await post(house, path, { ...asked, logprobs: 1, return_tokens_as_token_ids: true });
  expect(named.choices[0].logprobs).toEqual({
    tokens: ['token_id:122', 'token_id:35'],
    token_logprobs: [-0.5, -0.5],
    top_logprobs: [{ 'token_id:122': -0.5 }, { 'token_id:35': -0.5 }],
    text_offset: [0, 1],
  });
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
  [{ prompt: [[1], [2]] }, 'prompt', /one text/],
  [{ prompt: [] }, 'prompt', /not empty/],
  [{ prompt: [1, -2] }, 'prompt.1', /0/],
  [{ prompt: [1, 1.5] }, 'prompt', /one text/],
  [{ prompt: [1, 'a'] }, 'prompt', /one text/],
  [{ prompt: [1, 65_539] }, 'prompt', /from 0 to 65538, found 65539/],
  [{ prompt: '' }, 'prompt', /1|empty/],
  [{ echo: true }, 'echo', /not support/],
  [{ max_completion_tokens: 'many' }, 'max_completion_tokens', /number/],
  [{ best_of: 3 }, 'best_of', /not support/],
  [{ logprobs: 21 }, 'logprobs', /20/],
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
