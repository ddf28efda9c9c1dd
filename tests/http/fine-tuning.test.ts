// Fine-tuning over HTTP: the official OpenAI client makes a job, follows it and asks the model that comes out; what cannot be done is refused.
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createApp } from '../../src/http/app.ts';
import { createLog } from '../../src/http/log.ts';
import { type Listening, listen } from '../../src/http/server.ts';
import type { Store } from '../../src/store/connect.ts';
import { openSite, quick, ratedLines, type Site } from '../finetuning/workshop.ts';
import { openWorkshop, type Workshop } from '../jobs/workshop.ts';
import { openPglite } from '../store/databases.ts';
import { type House, knock, post } from './knock.ts';

let store: Store;
let site: Site;
let workshop: Workshop | undefined;
let house: House;
let server: Listening;
let client: OpenAI;

beforeAll(async () => {
  store = await openPglite();
  site = await openSite(store);
  const app = createApp({ models: site.models, config: readConfig({}), log: createLog('silent'), db: store.db });
  house = { app } as House;
  server = await listen(app, { host: '127.0.0.1', port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
});
afterAll(async () => {
  await workshop?.close();
  await server.close(0);
  await site.close();
  await store.close();
});

const jobs = '/v1/fine_tuning/jobs';
const steered = (more: object = {}) => ({ type: 'steerlm', steerlm: { schema: 'steered', hyperparameters: quick, ...more } });
const upload = async (text: string) => {
  const file = await client.files.create({ file: await toFile(Buffer.from(text), 'rated.jsonl'), purpose: 'fine-tune' });
  return file.id;
};

describe('before anybody works', () => {
  test('what cannot be done is refused, naming the field', async () => {
    const training_file = await upload(ratedLines(3));
    const refused = async (body: object) => {
      const { status, body: reply } = await post(house, jobs, { model: 'base', training_file, ...body });
      return [status, reply.error.code, reply.error.param];
    };
    expect(await refused({ model: 'nobody' })).toEqual([404, 'model_not_found', 'model']);
    expect(await refused({ training_file: 'file-none' })).toEqual([404, 'not_found', 'training_file']);
    expect(await refused({ training_file: null })).toEqual([400, 'invalid_request', 'training_file']);
    expect(await refused({ training_dataset: 'both' })).toEqual([400, 'invalid_request', 'training_dataset']);
    expect(await refused({ suffix: '../x' })).toEqual([400, 'invalid_request', 'suffix']);
    expect(await refused({ suffix: 'x'.repeat(65) })).toEqual([400, 'invalid_request', 'suffix']);
    expect(await refused({ method: { type: 'dpo' } })).toEqual([400, 'invalid_request', 'method.type']);
    expect(await refused({ hyperparameters: { n_epochs: -1 } })).toEqual([400, 'invalid_request', 'hyperparameters.n_epochs']);
    expect(await refused({ method: steered({ schema: 'nothing' }) })).toEqual([400, 'invalid_request', 'method.steerlm.schema']);
    expect(await refused({ method: steered({ attributes: ['wit'] }) })).toEqual([400, 'unknown_attribute', 'attributes.wit']);
    const bootstrap = (more: object) => ({ method: { type: 'bootstrap', bootstrap: { predictor: 'rater', ...more } } });
    expect(await refused({ model: 'steered', ...bootstrap({}) })).toEqual([400, 'invalid_request', 'training_dataset']);
    const twice = { hyperparameters: { n_steps: 3, minutes: 1 } };
    expect(await refused(twice)).toEqual([400, 'invalid_request', 'hyperparameters.minutes']);
    expect(await refused({ continue_from: 'ftjob-none' })).toEqual([404, 'not_found', 'continue_from']);
    const { dataset } = await site.bringIn('prompts', ratedLines(3));
    const from = { training_file: null, training_dataset: dataset };
    expect(await refused({ ...from, ...bootstrap({}) })).toEqual([400, 'invalid_request', 'model']);
    const outside = { model: 'steered', ...from, ...bootstrap({ attributes: { humor: 3 } }) };
    expect(await refused(outside)).toEqual([400, 'invalid_request', 'method.bootstrap.attributes.humor']);
    expect((await knock(house, jobs)).body.data).toEqual([]);
    expect((await knock(house, `${jobs}/ftjob-none`)).status).toBe(404);
  });

  test('a job is made once per key, paused, resumed and cancelled', async () => {
    const body = { model: 'steered', training_file: await upload(ratedLines(3)), method: steered(), metadata: { who: 'me' } };
    const first = await post(house, jobs, body, { 'idempotency-key': 'once' });
    expect(first.body).toMatchObject({ status: 'queued', model: 'steered', metadata: { who: 'me' }, hyperparameters: quick });
    const again = await post(house, jobs, body, { 'idempotency-key': 'once' });
    expect(again.body.id).toBe(first.body.id);
    expect((await post(house, jobs, { ...body, suffix: 'x' }, { 'idempotency-key': 'once' })).status).toBe(409);
    const { id } = first.body;
    expect((await client.fineTuning.jobs.pause(id)).status).toBe('paused');
    expect((await client.fineTuning.jobs.resume(id)).status).toBe('queued');
    expect((await client.fineTuning.jobs.cancel(id)).status).toBe('cancelled');
    expect((await post(house, `${jobs}/${id}/pause`, {})).body.error.code).toBe('conflict');
  });
});

test('the client makes a job, follows it, and asks its model and its checkpoints', { timeout: 120_000 }, async () => {
  workshop = await openWorkshop(store, [site.definition]);
  const created = await client.fineTuning.jobs.create({
    model: 'base',
    training_file: await upload(ratedLines(60)),
    suffix: 'npc',
    seed: 5,
    // The method is unknown to the client's types, not to its wire.
    method: steered() as never,
  });
  expect(created.id).toMatch(/^ftjob-/);
  expect(created).toMatchObject({
    object: 'fine_tuning.job',
    seed: 5,
    fine_tuned_model: null,
    trained_tokens: null,
    error: null,
  });

  // The stream tells everything, and ends when the job does.
  const follow = async (headers: Record<string, string> = {}) => {
    const accept = 'text/event-stream';
    const stream = await fetch(`${server.url}${jobs}/${created.id}/events`, { headers: { accept, ...headers } });
    const events = (await stream.text()).trimEnd().split('\n\n');
    return events.map((event) => /^data: (.*)$/m.exec(event)![1]!);
  };
  const streamed = await follow();
  expect(streamed.pop()).toBe('[DONE]');
  // Who knows an event by the id its data tells goes on after it.
  const { id: last } = JSON.parse(streamed.at(-2)!);
  expect(await follow({ 'last-event-id': last })).toEqual([streamed.at(-1), '[DONE]']);

  const job = await client.fineTuning.jobs.retrieve(created.id);
  expect((await knock(house, `${jobs}/${created.id}`)).body).toMatchObject({
    status: 'succeeded',
    suffix: 'npc',
    method: {
      type: 'steerlm',
      steerlm: { hyperparameters: { learning_rate: 0.01, learning_rate_multiplier: 1, batch_size: 4 } },
    },
    validation_report: { bad_lines: { count: 0 } },
    progress: { phase: 'done' },
  });
  expect(job.trained_tokens).toBeGreaterThan(100);
  expect(job.fine_tuned_model).toBe(`ft:base:npc:${created.id.slice(6, 14)}`);
  expect((await client.fineTuning.jobs.list()).data.map(({ id }) => id)).toContain(created.id);
  const csv = await (await client.files.content(job.result_files[0]!)).text();
  expect(csv).toMatch(/^step,train_loss,valid_loss/);

  const listed = [];
  for await (const event of client.fineTuning.jobs.listEvents(created.id, { limit: 4 })) listed.push(event);
  expect(listed.toReversed()).toEqual(streamed.map((event) => JSON.parse(event)));
  expect(listed.find(({ type }) => type === 'metrics')!.data).toHaveProperty('loss');
  await knock(house, `${jobs}/${created.id}/events`);

  // Its run can be made longer, and nothing else can be made of it.
  const longer = { model: 'base', continue_from: created.id, hyperparameters: { n_epochs: 4 } };
  const continued = await post(house, jobs, longer);
  expect(continued.body).toMatchObject({
    continue_from: created.id,
    seed: 5,
    suffix: 'npc',
    hyperparameters: { ...quick, n_epochs: 4 },
  });
  for (const [field, other] of Object.entries({ model: 'steered', seed: 6, method: { type: 'predictor' }, hyperparameters: {} }))
    expect((await post(house, jobs, { ...longer, [field]: other })).body.error.param, field).toBe(field);
  const rate = { n_epochs: 4, learning_rate: 0.5 };
  expect((await post(house, jobs, { ...longer, hyperparameters: rate })).body.error.param).toBe('hyperparameters.learning_rate');
  expect((await workshop.ended(continued.body.id)).status).toBe('succeeded');
  expect((await post(house, jobs, { ...longer, continue_from: 'ftjob-none' })).status).toBe(404);

  const { data: checkpoints } = await client.fineTuning.jobs.checkpoints.list(created.id);
  expect(checkpoints.length).toBeGreaterThan(0);
  expect(checkpoints[0]).toMatchObject({ object: 'fine_tuning.job.checkpoint', fine_tuning_job_id: created.id });
  await knock(house, `${jobs}/${created.id}/checkpoints`);

  const model = await client.models.retrieve(job.fine_tuned_model!);
  expect(model).toMatchObject({ kind: 'language', parent: 'base', attributes: ['humor', 'verbosity'] });
  for (const name of [job.fine_tuned_model!, checkpoints[0]!.fine_tuned_model_checkpoint]) {
    const messages = [{ role: 'user' as const, content: 'gate' }];
    const reply = await client.chat.completions.create({
      model: name,
      messages,
      max_tokens: 4,
      ...({ attributes: { humor: 2 } } as object),
    });
    expect(reply.model).toBe(name);
  }
  const put = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ model: model.id }) };
  expect((await knock(house, '/v1/models/aliases/default', put)).body.model).toBe(model.id);
  const messages = [{ role: 'user' as const, content: 'gate' }];
  expect((await client.chat.completions.create({ model: 'default', messages, max_tokens: 2 })).model).toBe(model.id);
});
