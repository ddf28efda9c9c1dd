// Batches over a real port, driven by the official OpenAI client, answered by the app itself.
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { batchJob } from '../../src/batches/batch-job.ts';
import { answerBy } from '../../src/http/answer.ts';
import { type Listening, listen } from '../../src/http/server.ts';
import type { Store } from '../../src/store/connect.ts';
import { openWorkshop, type Workshop } from '../jobs/workshop.ts';
import { openPglite } from '../store/databases.ts';
import { type House, knock, openHouse, post } from './knock.ts';

const key = 'sk-steer';
let store: Store;
let workshop: Workshop;
let house: House;
let server: Listening;
let client: OpenAI;

beforeAll(async () => {
  store = await openPglite();
  house = openHouse({ STEER_API_KEY: key }, { db: store.db });
  workshop = await openWorkshop(store, [batchJob(answerBy(house.app, key))]);
  server = await listen(house.app, { host: '127.0.0.1', port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: key, maxRetries: 0 });
});
afterAll(async () => {
  await server.close(0);
  await workshop.close();
  await store.close();
});

const headers = { authorization: `Bearer ${key}` };
const chat = (id: string, body: object) => ({
  custom_id: id,
  method: 'POST',
  url: '/v1/chat/completions',
  body: { model: 'default', messages: [{ role: 'user', content: 'Hello' }], ...body },
});

async function upload(lines: object[]): Promise<string> {
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  return (await client.files.create({ file: await toFile(Buffer.from(text), 'in.jsonl'), purpose: 'batch' })).id;
}

async function ended(id: string): Promise<OpenAI.Batch> {
  await workshop.ended(id);
  return await client.batches.retrieve(id);
}

async function download(id: string | null | undefined) {
  const text = await (await client.files.content(id!)).text();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('files in, replies and refusals out, exactly as the routes give them', async () => {
  const lines = [
    chat('a', { seed: 5, attributes: { humor: 4 } }),
    chat('b', { attributes: { humour: 9 } }),
    chat('c', { seed: 6 }),
    chat('d', { stream: true }),
  ];
  const made = await client.batches.create({
    input_file_id: await upload(lines),
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
    metadata: { run: 'one' },
  });
  expect(made).toMatchObject({
    object: 'batch',
    id: expect.stringMatching(/^batch_/),
    status: 'validating',
    metadata: { run: 'one' },
  });
  const batch = await ended(made.id);
  expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 4, completed: 2, failed: 2 }, errors: null });
  expect(batch.expires_at! - batch.created_at).toBe(86_400);
  expect(batch.completed_at).toBeGreaterThanOrEqual(batch.in_progress_at!);
  const [first, second] = await download(batch.output_file_id);
  expect([first.custom_id, second.custom_id]).toEqual(['a', 'c']);
  expect(first.response).toMatchObject({ status_code: 200, request_id: expect.stringMatching(/^req_/) });
  expect(first.response.body).toMatchObject({ object: 'chat.completion', choices: [{ steering: { applied: { humor: 4 } } }] });
  expect(first.response.body.choices[0].message.content).toBe('word5 word5 word5 word5');
  const refused = await download(batch.error_file_id);
  expect(refused.map(({ custom_id, error }) => [custom_id, error.code])).toEqual([
    ['b', 'attribute_out_of_range'],
    ['d', 'invalid_request'],
  ]);
  expect(refused[0].response.body.error.param).toBe('attributes.humour');
});

test('ratings in a batch', async () => {
  const messages = [
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'three words here' },
  ];
  const line = { custom_id: 'r', method: 'POST', url: '/v1/attributes/score', body: { messages } };
  const made = await client.batches.create({
    input_file_id: await upload([line]),
    endpoint: '/v1/attributes/score' as '/v1/completions',
    completion_window: '24h',
  });
  const [rated] = await download((await ended(made.id)).output_file_id);
  expect(rated.response.body.data[0].attributes.humor.value).toBe(3);
});

test('a file that is no batch fails with its lines', async () => {
  const made = await client.batches.create({
    input_file_id: await upload([chat('a', {}), chat('a', {}), { ...chat('b', {}), url: '/v1/completions' }]),
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  });
  const batch = await ended(made.id);
  expect(batch.status).toBe('failed');
  expect(batch.failed_at).toBeGreaterThanOrEqual(batch.created_at);
  expect(batch.errors?.data?.map(({ line, code }) => [line, code])).toEqual([
    [2, 'duplicate_custom_id'],
    [3, 'mismatched_url'],
  ]);
});

test('cancelling, and listing in pages', async () => {
  house.model.gate.shut(100);
  const lines = Array.from({ length: 300 }, (_, i) => chat(`row-${i}`, { seed: i }));
  const made = await client.batches.create({
    input_file_id: await upload(lines),
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  });
  await workshop.until(made.id, ({ progress }) => progress.completed > 0);
  expect((await client.batches.cancel(made.id)).status).toMatch(/cancelling|cancelled/);
  const batch = await ended(made.id);
  house.model.gate.open();
  expect(batch.status).toBe('cancelled');
  const done = await download(batch.output_file_id);
  const left = await download(batch.error_file_id);
  expect([...done, ...left].map(({ custom_id }) => custom_id)).toEqual(lines.map(({ custom_id }) => custom_id));
  const listed: string[] = [];
  for await (const { id } of client.batches.list({ limit: 2 })) listed.push(id);
  expect([listed[0], listed.length]).toEqual([made.id, 4]);
});

test('what cannot be a batch is refused at once', async () => {
  const input_file_id = await upload([chat('a', {})]);
  const good = { input_file_id, endpoint: '/v1/chat/completions', completion_window: '24h' };
  const refusals: [object, number, string][] = [
    [{ endpoint: '/v1/embeddings' }, 400, 'endpoint'],
    [{ completion_window: '7d' }, 400, 'completion_window'],
    [{ input_file_id: 'file-none' }, 404, 'input_file_id'],
    [{ metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])) }, 400, 'metadata'],
    [{ metadata: { k: 'v'.repeat(513) } }, 400, 'metadata.k'],
    [{ metadata: { k: 'half \ud800' } }, 400, 'metadata.k'],
  ];
  for (const [wrong, status, param] of refusals) {
    const { body, ...reply } = await post(house, '/v1/batches', { ...good, ...wrong }, headers);
    expect([reply.status, body.error.param], JSON.stringify(wrong).slice(0, 80)).toEqual([status, param]);
  }
});

test('one key makes one batch', async () => {
  const body = { input_file_id: await upload([chat('a', {})]), endpoint: '/v1/chat/completions', completion_window: '24h' };
  const keyed = { ...headers, 'idempotency-key': 'once' };
  const first = await post(house, '/v1/batches', body, keyed);
  const second = await post(house, '/v1/batches', body, keyed);
  expect([first.status, second.status, second.body.id]).toEqual([200, 200, first.body.id]);
  const other = await post(house, '/v1/batches', { ...body, metadata: { a: 'b' } }, keyed);
  expect([other.status, other.body.error.code]).toEqual([409, 'conflict']);
  await workshop.ended(first.body.id);
});

test('every reply keeps to the document', async () => {
  const [newest] = (await knock(house, '/v1/batches?limit=1', { headers })).body.data;
  expect((await knock(house, `/v1/batches/${newest.id}`, { headers })).body.id).toBe(newest.id);
  const late = await knock(house, `/v1/batches/${newest.id}/cancel`, { method: 'POST', headers });
  expect([late.status, late.body.error.code]).toEqual([409, 'conflict']);
  expect((await knock(house, '/v1/batches/batch_none', { headers })).status).toBe(404);
});
