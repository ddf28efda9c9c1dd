// A dataset labelled over HTTP: one job per Idempotency-Key, progress while it runs, its rows in the order of the input, its failures by row.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pauseJob } from '../../src/jobs/jobs.ts';
import { labellingJob } from '../../src/predictor/labelling-job.ts';
import type { Store } from '../../src/store/connect.ts';
import { importText } from '../datasets/import-text.ts';
import { openWorkshop, type Workshop } from '../jobs/workshop.ts';
import { openPglite } from '../store/databases.ts';
import { type House, openHouse, post } from './knock.ts';

let store: Store;
let workshop: Workshop;
let house: House;
let dataset: string;

beforeAll(async () => {
  store = await openPglite();
  house = openHouse({}, { db: store.db });
  workshop = await openWorkshop(store, [labellingJob(house.shelf)]);
  const records = Array.from({ length: 30 }, (_, i) => ({
    messages: [
      { role: 'user', content: `${i}?` },
      { role: 'assistant', content: Array.from({ length: (i % 4) + 1 }, () => `w${i}`).join(' ') },
    ],
  }));
  records[9] = { messages: [{ role: 'user', content: 'Nobody answers' }] };
  dataset = (await importText(store.db, 'talk', records)).id;
});
afterAll(async () => {
  await workshop.close();
  await store.close();
});

const linesOf = async (path: string) => {
  const reply = await house.app.request(path);
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/jsonl; charset=utf-8']);
  const text = await reply.text();
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
};

test('starts a job and tells its rows and failures', async () => {
  const { status, body } = await post(house, `/v1/datasets/${dataset}/label`, {});
  expect([status, body.object, body.kind, body.status]).toEqual([202, 'job', 'label', 'queued']);
  expect(body.input).toEqual({ dataset_id: dataset, predictor: 'counter', revision: 'rev-1' });
  expect(body.progress).toEqual({ phase: null, total: 30, completed: 0, failed: 0, cached: 0 });
  await workshop.ended(body.id);
  const job = (await post(house, `/v1/datasets/talk/label`, {}, { 'idempotency-key': 'again' })).body;
  await workshop.ended(job.id);
  const rows = await linesOf(`/v1/jobs/${body.id}/output`);
  expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 30 }, (_, i) => i).filter((row) => row !== 9));
  expect(rows[6]).toEqual({
    row: 6,
    sample_id: expect.any(Number),
    source: null,
    turn: 1,
    attributes: expect.objectContaining({ humor: { value: 3, level: 3, confidence: 1 } }),
    predictor: 'counter',
    revision: 'rev-1',
  });
  expect(await linesOf(`/v1/jobs/${body.id}/errors`)).toEqual([
    { row: 9, code: 'invalid_dataset', message: 'Expected at least one assistant turn to rate, found none.' },
  ]);
});

test('one key makes one job; another request under it is a conflict', async () => {
  const key = { 'idempotency-key': 'same' };
  const first = await post(house, `/v1/datasets/${dataset}/label`, { model: 'counter' }, key);
  // By name it is the same dataset still.
  const second = await post(house, '/v1/datasets/talk/label', { model: 'counter' }, key);
  expect([first.status, second.status, second.body.id]).toEqual([202, 200, first.body.id]);
  const other = await post(house, `/v1/datasets/${dataset}/label`, { model: 'default' }, key);
  expect([other.status, other.body.error]).toMatchObject([409, { code: 'conflict', param: 'Idempotency-Key' }]);
  await workshop.ended(first.body.id);
  const unkeyed = await post(house, `/v1/datasets/${dataset}/label`, {});
  expect(unkeyed.status).toBe(202);
  expect(unkeyed.body.id).not.toBe(first.body.id);
  expect((await workshop.ended(unkeyed.body.id)).progress).toMatchObject({ completed: 29, cached: 29, failed: 1 });
});

test('refusals', async () => {
  const label = async (path: string, body: object) => {
    const reply = await post(house, path, body);
    return [reply.status, reply.body.error.code];
  };
  expect(await label('/v1/datasets/nowhere/label', {})).toEqual([404, 'not_found']);
  expect(await label(`/v1/datasets/${dataset}/label`, { model: 'parrot' })).toEqual([404, 'model_not_found']);
  expect(await label(`/v1/datasets/${dataset}/label`, { modle: 'counter' })).toEqual([400, 'invalid_request']);
  expect(await post(openHouse(), `/v1/datasets/${dataset}/label`, {})).toMatchObject({ status: 503 });
  const { body } = await post(house, `/v1/datasets/${dataset}/label`, {});
  await workshop.ended(body.id);
  await expect(pauseJob(store.db, body.id)).rejects.toMatchObject({ code: 'conflict' });
});
