// What may be named, and whether the house is open.
import { expect, test } from 'vitest';
import { knock, openHouse, post } from './knock.ts';

test('models are listed in the form OpenAI clients read', async () => {
  const { body } = await knock(openHouse(), '/v1/models');
  const names = ['helpfulness', 'humor', 'creativity', 'verbosity', 'toxicity', 'formality'];
  const rest = {
    object: 'model',
    created: 1_700_000_000,
    owned_by: 'steer',
    status: 'loaded',
    parent: null,
    precision: 'fp32',
    description: null,
    aliases: ['default'],
    attributes: names,
  };
  expect(body).toEqual({
    object: 'list',
    data: [
      { id: 'parrot', kind: 'language', context_length: 512, chat: 'labels', attribute_method: 'label', ...rest },
      { id: 'counter', kind: 'predictor', context_length: 256, chat: null, attribute_method: null, ...rest },
    ],
  });
});

test('a model whose card describes it says so in the list and by itself', async () => {
  const house = openHouse();
  house.shelf.descriptions.parrot = 'Repeats what it hears.';
  const { body } = await knock(house, '/v1/models');
  expect(body.data.map(({ description }: { description: string | null }) => description)).toEqual([
    'Repeats what it hears.',
    null,
  ]);
  expect((await knock(house, '/v1/models/default')).body.description).toBe('Repeats what it hears.');
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

test('models are loaded and unloaded by id or alias', async () => {
  const house = openHouse();
  expect((await post(house, '/v1/models/default/unload', {})).body).toMatchObject({ id: 'parrot', status: 'unloaded' });
  expect((await knock(house, '/v1/models/parrot')).body.status).toBe('unloaded');
  expect((await post(house, '/v1/models/parrot/load', {})).body).toMatchObject({ id: 'parrot', status: 'loaded' });
  expect((await post(house, '/v1/models/nobody/load', {})).status).toBe(404);
});

test('aliases are set, listed and forgotten', async () => {
  const house = openHouse();
  const put = (alias: string, body: unknown) =>
    knock(house, `/v1/models/aliases/${alias}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const alias = { object: 'model.alias', alias: 'npc', model: 'parrot' };
  expect((await put('npc', { model: 'default' })).body).toEqual(alias);
  expect((await knock(house, '/v1/models/aliases')).body).toEqual({ object: 'list', data: [alias] });
  expect((await knock(house, '/v1/models/npc')).body).toMatchObject({ id: 'parrot', aliases: ['default', 'npc'] });
  expect((await put('npc', { model: 'nobody' })).body.error).toMatchObject({ code: 'model_not_found', param: 'model' });
  expect((await put('npc', {})).body.error).toMatchObject({ code: 'invalid_request', param: 'model' });
  const gone = { object: 'model.alias', alias: 'npc', deleted: true };
  expect((await knock(house, '/v1/models/aliases/npc', { method: 'DELETE' })).body).toEqual(gone);
  expect((await knock(house, '/v1/models/aliases/npc', { method: 'DELETE' })).status).toBe(404);
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

test('GET /v1/models/{id}/report tells what was measured, by the name or an alias', async () => {
  const { status, body } = await knock(openHouse(), '/v1/models/default/report');
  expect([status, body]).toEqual([200, { object: 'model.report', model: 'parrot', measured: {}, evaluations: {} }]);
  expect((await knock(openHouse(), '/v1/models/nobody/report')).status).toBe(404);
});
