// The scales a model knows, and a predictor's ratings.
import { expect, test } from 'vitest';
import { helpSteer } from '../../src/steerlm/schemas.ts';
import { knock, openHouse, post } from './knock.ts';
import { WordCountPredictor } from './small-models.ts';

const score = '/v1/attributes/score';
const exchange = (...replies: string[]) =>
  replies.flatMap((content) => [
    { role: 'user', content: 'Well?' },
    { role: 'assistant', content },
  ]);

test('attributes are listed in order with their scale', async () => {
  const { body } = await knock(openHouse(), '/v1/attributes');
  expect(body).toMatchObject({ object: 'list', model: 'parrot' });
  expect(body.data.map(({ name }: { name: string }) => name)).toEqual([
    ...['helpfulness', 'humor', 'creativity', 'verbosity', 'toxicity', 'formality'],
  ]);
  expect(body.data[4]).toEqual({
    name: 'toxicity',
    aliases: ['rudeness'],
    description: 'How rude or hurtful the reply is',
    min: 0,
    max: 4,
    default: 0,
    cap: 3,
    levels: ['kind', 'curt', 'rude', 'insulting', 'hostile'],
    instructions: ['Be kind.', 'Be curt.', 'Be rude.', 'Be rude and insulting.', 'Be hostile.'],
    obtained: null,
  });
});

test('a predictor is asked for by name; an unknown name is a 404', async () => {
  const house = openHouse();
  house.shelf.predictors = [new WordCountPredictor(helpSteer)];
  const { body } = await knock(house, '/v1/attributes?model=counter');
  expect([body.model, body.data.length]).toEqual(['counter', 5]);
  const missing = await knock(house, '/v1/attributes?model=nobody');
  expect([missing.status, missing.body.error.code]).toEqual([404, 'model_not_found']);
  expect((await knock(house, '/v1/attributes?model=a&model=b')).status).toBe(400);
});

test('rates the last assistant turn of one conversation', async () => {
  const house = openHouse();
  const messages = [{ role: 'system', content: 'Be kind' }, ...exchange('one', 'two words'), { role: 'user', content: 'Bye' }];
  const { body } = await post(house, score, { messages });
  expect(body).toMatchObject({ object: 'list', model: 'counter', usage: { prompt_tokens: 2, total_tokens: 2 } });
  expect(body.data).toHaveLength(1);
  expect(body.data[0]).toMatchObject({ index: 0, truncated: false });
  expect(body.data[0]).not.toHaveProperty('turn');
  expect(body.data[0].attributes.humor).toEqual({ value: 2, level: 2, probabilities: [0, 0, 1, 0, 0], confidence: 1 });
  expect(house.predictor.seen).toHaveLength(1);
  expect(house.predictor.seen[0]?.system).toBe('Be kind');
  expect(house.predictor.seen[0]?.turns.at(-1)).toEqual({ role: 'assistant', content: 'two words' });
});

test('rates every assistant turn of many, each with what came before it', async () => {
  const house = openHouse();
  const inputs = [{ messages: exchange('a', 'b c') }, { messages: [{ role: 'system', content: 's' }, ...exchange('d e f')] }];
  const { body } = await post(house, score, { model: 'counter', inputs, turns: 'all' });
  const rated = body.data.map((row: { index: number; turn: number; attributes: { humor: { level: number } } }) => {
    return [row.index, row.turn, row.attributes.humor.level];
  });
  expect(rated).toEqual([
    [0, 1, 1],
    [0, 3, 2],
    [1, 2, 3],
  ]);
  expect(house.predictor.seen.map(({ turns }) => turns.length)).toEqual([2, 4, 2]);
  expect(body.usage.prompt_tokens).toBe(6);
});

test.each([
  [{}, null, /either messages or inputs/],
  [{ messages: exchange('a'), inputs: [{ messages: exchange('a') }] }, null, /either messages or inputs/],
  [{ messages: [{ role: 'user', content: 'a' }] }, 'messages', /at least one assistant/],
  [{ inputs: [{ messages: exchange('a') }, { messages: [{ role: 'user', content: 'a' }] }] }, 'inputs.1.messages', /assistant/],
  [{ inputs: [] }, 'inputs', /1/],
  [{ messages: exchange('a'), turns: 'some' }, 'turns', /last/],
  [{ messages: exchange('a', 'b', 'c', 'd'), turns: 'all' }, 'messages', /at most 3 .* found 4/],
])('refuses %j', async (body, param, message) => {
  const answer = await post(openHouse({ MAX_SCORED_TURNS: '3' }), score, body);
  expect(answer.status).toBe(400);
  expect(answer.body.error).toMatchObject({ code: 'invalid_request', param });
  expect(answer.body.error.message).toMatch(message);
});

test('a language model does not rate', async () => {
  const { status, body } = await post(openHouse(), score, { model: 'parrot', messages: exchange('a') });
  expect([status, body.error.code]).toEqual([404, 'model_not_found']);
  expect(body.error.message).toMatch(/counter/);
});
