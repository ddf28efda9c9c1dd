// POST /v1/models/pull: who may, what may be named, and a job that fetches the model and shows it to the running server.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pullJob } from '../../src/pulling/pull-job.ts';
import { ModelRegistry } from '../../src/registry/model-registry.ts';
import type { Store } from '../../src/store/connect.ts';
import { openWorkshop } from '../jobs/workshop.ts';
import { openPlace } from '../pulling/pulling.ts';
import { openPglite } from '../store/databases.ts';
import { knock, openHouse, post } from './knock.ts';

const place = openPlace();
let store: Store;

beforeAll(async () => {
  store = await openPglite();
});
afterAll(() => store.close());

const house = (settings: Record<string, string> = {}) => openHouse(settings, { db: store.db });
const path = '/v1/models/pull';
const key = { authorization: 'Bearer sk-1' };

test('a job fetches the model, tells bytes, and the registry has it', async () => {
  const pulledDir = place.at('data', 'models');
  const models = await ModelRegistry.open(place.at('models'), { pulledDir, onBroken: () => {} });
  const settings = { pulledDir, modelsDir: place.at('models'), hub: place.settings() };
  const workshop = await openWorkshop(store, [pullJob(settings, models)]);
  try {
    const { status, body } = await post(house(), path, { model: 'maker/tiny', name: 'mine' });
    expect([status, body.kind, body.input]).toEqual([202, 'pull', { model: 'maker/tiny', name: 'mine' }]);
    const { result, progress } = await workshop.ended(body.id);
    expect(result).toEqual({
      model: 'mine',
      bytes: expect.any(Number),
      licence: 'mit',
      fetched: true,
      chat: true,
      default: true,
    });
    expect(progress).toMatchObject({ phase: 'there', total: result!.bytes, completed: result!.bytes });
    expect(models.list().map(({ id, aliases }) => [id, aliases])).toEqual([['mine', ['default']]]);
    const events = await knock(house(), `/v1/jobs/${body.id}/events`);
    expect(events.body.data.map(({ message }: { message: string }) => message)).toContain(
      `Its licence is mit: ${place.hub.url}/maker/tiny`,
    );
    const again = await post(house(), path, { model: 'maker/none' });
    expect((await workshop.ended(again.body.id)).error).toMatchObject({ code: 'invalid_api_key' });
  } finally {
    await workshop.close();
    await models.dispose();
  }
});

test('a job that is stopped in the middle keeps what it has, and goes on from there', async () => {
  const pulledDir = place.at('data', 'models');
  const refresh = async () => {};
  const settings = { pulledDir, modelsDir: place.at('models'), hub: place.settings() };
  place.hub.cuts = [1000];
  const begun = new Promise<void>((resolve) => {
    place.hub.onContent = resolve;
  });
  const first = await openWorkshop(store, [pullJob(settings, { refresh })]);
  const { body } = await post(house(), path, { model: 'maker/tiny-GGUF' });
  await begun;
  await first.close();
  expect(place.there()).toEqual(['.tiny.partial']);
  const second = await openWorkshop(store, [pullJob(settings, { refresh })]);
  try {
    expect((await second.ended(body.id)).status).toBe('succeeded');
    expect(place.there()).toEqual(['default', 'tiny']);
  } finally {
    await second.close();
  }
});

describe('refused', () => {
  test('behind a key, unless ALLOW_PULL says so, and where ALLOW_PULL says no', async () => {
    const ask = async (settings: Record<string, string>) =>
      (await post(house(settings), path, { model: 'maker/tiny' }, key)).status;
    expect(await ask({ STEER_API_KEY: 'sk-1' })).toBe(403);
    expect(await ask({ STEER_API_KEY: 'sk-1', ALLOW_PULL: '1' })).toBe(202);
    expect(await ask({ ALLOW_PULL: '0' })).toBe(403);
    expect((await post(house({ STEER_API_KEY: 'sk-1', ALLOW_PULL: '1' }), path, { model: 'maker/tiny' })).status).toBe(401);
  });

  test.each([
    ['../../etc/passwd'],
    ['/etc/passwd'],
    ['./model.gguf'],
    ['https://example.com/model.gguf'],
    ['file:///etc/passwd'],
    ['maker/../tiny'],
    ['maker/tiny/more'],
    ['smollm2-135'],
    ['maker/tiny@'],
    [''],
  ])('%s, since only the catalogue and the hub are asked', async (model) => {
    const { status, body } = await post(house(), path, { model });
    expect([status, body.error.code, body.error.param]).toEqual([400, 'invalid_request', 'model']);
  });

  test('a name that no folder can have', async () => {
    for (const name of ['default', '../x', 'a b', 'x'.repeat(101)]) {
      const { status, body } = await post(house(), path, { model: 'maker/tiny', name });
      expect([status, body.error.param], name).toEqual([400, 'name']);
    }
  });
});
