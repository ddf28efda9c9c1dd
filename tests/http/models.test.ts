// What may be named, and whether the house is open.
import { expect, test } from 'vitest';
import { knock, openHouse } from './knock.ts';

test('models are listed in the form OpenAI clients read', async () => {
  const { body } = await knock(openHouse(), '/v1/models');
  const names = ['helpfulness', 'humor', 'creativity', 'verbosity', 'toxicity', 'formality'];
  const rest = { object: 'model', created: 1_700_000_000, owned_by: 'steer', aliases: ['default'], attributes: names };
  expect(body).toEqual({
    object: 'list',
    data: [
      { id: 'parrot', kind: 'language', context_length: 512, ...rest },
      { id: 'counter', kind: 'predictor', context_length: 256, ...rest },
    ],
  });
});

test('one model by id, alias or percent-encoded id; else a 404', async () => {
  const house = openHouse();
  expect((await knock(house, '/v1/models/counter')).body.id).toBe('counter');
  expect((await knock(house, '/v1/models/default')).body.id).toBe('parrot');
  Object.assign(house.model, { id: 'org/parrot:2' });
  expect((await knock(house, '/v1/models/org%2Fparrot%3A2')).body.id).toBe('org/parrot:2');
  const { status, body } = await knock(house, '/v1/models/nobody');
  expect([status, body.error.code]).toEqual([404, 'model_not_found']);
});

test('the process is live at once and ready when its models are', async () => {
  const house = openHouse();
  house.shelf.loaded = false;
  expect((await knock(house, '/health/live')).body).toEqual({ status: 'live' });
  const { status, headers, body } = await knock(house, '/health/ready');
  expect([status, headers.get('retry-after'), body.error.code]).toEqual([503, '1', 'not_ready']);
  expect(JSON.parse(house.lines.at(-1) as string).level, 'loading is told as no fault').toBe(20);
  house.shelf.loaded = true;
  expect((await knock(house, '/health/ready')).body).toEqual({ status: 'ready' });
});
