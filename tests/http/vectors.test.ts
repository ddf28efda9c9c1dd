// Steering vectors asked for with a chat: the shipped model writes under made-up ones, and every reply tells which.
import { cp, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { batchJob } from '../../src/batches/batch-job.ts';
import type { LanguageModel } from '../../src/generation/language-model.ts';
import { openLanguageModel } from '../../src/generation/steered-model.ts';
import { answerBy } from '../../src/http/answer.ts';
import { vectorsName } from '../../src/model/vectors/kept-vectors.ts';
import type { Store } from '../../src/store/connect.ts';
import { openWorkshop } from '../jobs/workshop.ts';
import { giveVectors, numbersFor, openScratch } from '../model/vectors/vector-files.ts';
import { openPglite } from '../store/databases.ts';
import { type House, knock, openHouse, post } from './knock.ts';

const shipped = fileURLToPath(new URL('../../models/npc', import.meta.url));
const at = openScratch();
const folder = at('npc');
const path = '/v1/chat/completions';
let model: LanguageModel;
let store: Store;
let house: House;

beforeAll(async () => {
  await cp(shipped, folder, { recursive: true, filter: (each) => basename(each) !== 'evaluation' });
  const [happy, sad] = [await numbersFor(folder, 1, 0.6), await numbersFor(folder, 2, 0.6)];
  await giveVectors(folder, { happy, sad });
  // Half of each: powers of two, so that the same numbers are rounded alike.
  await giveVectors(folder, { both: happy.map((value, i) => 0.5 * value + 0.5 * sad[i]!) });
  model = await openLanguageModel(folder, { threads: 1, precision: 'int8' });
  store = await openPglite();
}, 60_000);
afterAll(async () => {
  await model.dispose();
  await store.close();
});
beforeEach(() => {
  house = openHouse({}, { db: store.db });
  house.shelf.languages = [model];
});

const question = { messages: [{ role: 'user', content: 'Can you tell me the way to the market?' }] };
const asking = { ...question, temperature: 0, max_tokens: 16 };
const ask = (steering: object, body: object = {}) => post(house, path, { ...asking, ...body, steering });
const said = async (steering: object, body: object = {}) => {
  const { status, body: answer } = await ask(steering, { logprobs: true, ...body });
  expect(status, JSON.stringify(answer)).toBe(200);
  const { choices, system_fingerprint: fingerprint } = answer;
  const tokens = choices[0].logprobs.content.map(({ token }: { token: string }) => token);
  return { text: choices[0].message.content as string, tokens, steering: choices[0].steering, fingerprint };
};

describe('a reply', () => {
  test('is written under the sum of its vectors, and tells them; its label is what it was', async () => {
    const [plain, happy, sad] = [await said({}), await said({ vectors: { happy: 1 } }), await said({ vectors: { sad: 1 } })];
    const both = await said({ vectors: { happy: 0.5, sad: 0.5 } });
    expect(new Set([plain, happy, sad, both].map(({ text }) => text)).size).toBe(4);
    expect(both.text).toBe((await said({ vectors: { both: 1 } })).text);
    expect(both.steering.vectors).toEqual({ happy: 0.5, sad: 0.5 });
    expect(plain.steering).not.toHaveProperty('vectors');
    expect(happy.steering).toEqual({ ...plain.steering, vectors: { happy: 1 } });
  });

  test('at weight 0 is the plain one', async () => {
    expect(await said({ vectors: { happy: 0 }, vector_tokens: 'all' })).toEqual(await said({}));
  });

  test('streams what it says whole, with what is told at its end', async () => {
    const steering = { vectors: { happy: 0.8 } };
    const { body } = await ask(steering, { stream: true });
    const choices = body.flatMap((chunk: { choices?: object[] }) => chunk.choices ?? []);
    const whole = await said(steering);
    expect(choices.map(({ delta }: { delta: { content?: string } }) => delta.content ?? '').join('')).toBe(whole.text);
    expect(choices.at(-1).steering).toEqual(whole.steering);
    expect(body[0].system_fingerprint).toBe(whole.fingerprint);
  });

  test('is another where the prompt is read under them too', async () => {
    const [all, reply] = [
      await said({ vectors: { happy: 1 }, vector_tokens: 'all' }),
      await said({ vectors: { happy: 1 }, vector_tokens: 'reply' }),
    ];
    expect(all.text).not.toBe(reply.text);
    expect([all.steering.vector_tokens, reply.steering.vector_tokens]).toEqual(['all', undefined]);
  });

  test('changes on the way: what a part does not name stays, and 0 switches one off', async () => {
    const [plain, happy] = [await said({}), await said({ vectors: { happy: 1 } })];
    const begun = await said({ schedule: [{ after: { tokens: 4 }, vectors: { happy: 1 } }] });
    expect(begun.tokens.slice(0, 4)).toEqual(plain.tokens.slice(0, 4));
    expect(begun.text).not.toBe(plain.text);
    expect(begun.steering.vectors).toEqual({ happy: 0 });
    const ended = await said({ vectors: { happy: 1 }, schedule: [{ after: { tokens: 4 }, vectors: { happy: 0 } }] });
    expect(ended.tokens.slice(0, 4)).toEqual(happy.tokens.slice(0, 4));
    expect(ended.text).not.toBe(happy.text);
    const kept = await said({ vectors: { happy: 1 }, schedule: [{ after: { tokens: 4 }, attributes: {} }] });
    expect(kept).toEqual(happy);
  });

  test.each([
    [{ strength: 2 }, {}],
    [{ strength: 2, against: 'opposite' }, {}],
    [{ best_of: 2 }, {}],
    [{ method: 'none' }, {}],
    [{}, { attributes: { humor: 2.5 } }],
  ])('is written under them with %j and %j as without', async (steering, body) => {
    const [plain, happy] = [await said(steering, body), await said({ ...steering, vectors: { happy: 1 } }, body)];
    expect(happy.text).not.toBe(plain.text);
    expect(happy.steering.vectors).toEqual({ happy: 1 });
    expect(happy.steering.applied).toEqual(plain.steering.applied);
  });
});

test('the fingerprint follows the numbers of the vectors in use, and of no others', async () => {
  const other = at('other');
  await cp(shipped, other, { recursive: true, filter: (each) => basename(each) !== 'evaluation' });
  await giveVectors(other, { happy: await numbersFor(other, 3, 0.6), sad: await numbersFor(other, 2, 0.6) });
  const twin = await openLanguageModel(other, { threads: 1, precision: 'int8' });
  const fingerprints = async (steering: object) => {
    const told: string[] = [];
    for (const each of [model, twin]) {
      house.shelf.languages = [each];
      told.push((await said(steering)).fingerprint);
    }
    return told;
  };
  const [plain, plainTwin] = await fingerprints({});
  const [happy, happyTwin] = await fingerprints({ vectors: { happy: 1 } });
  const [sad, sadTwin] = await fingerprints({ vectors: { sad: 1 } });
  await twin.dispose();
  expect([plainTwin, sadTwin]).toEqual([plain, sad]);
  expect(new Set([plain, happy, happyTwin, sad]).size).toBe(4);
});

test('render tells them and runs nothing', async () => {
  const { status, body } = await post(house, `${path}/render`, { ...asking, steering: { vectors: { happy: 0.8, sad: 0 } } });
  expect([status, body.steering.vectors]).toEqual([200, { happy: 0.8 }]);
});

test('what is remembered tells them, and no harvest takes it for plain unasked', async () => {
  const { body } = await ask({ vectors: { happy: 1 } }, { store: true });
  const kept = await knock(house, `${path}/${body.id}`);
  expect(kept.body).toMatchObject({
    system_fingerprint: body.system_fingerprint,
    choices: [{ steering: body.choices[0].steering }],
  });
  const feedback = { rater: 'ann', completion_id: body.id, ratings: { humor: 4 } };
  expect((await post(house, '/v1/feedback', feedback)).status).toBe(200);
  const harvest = (filters: object) => post(house, '/v1/feedback/harvest', { dataset: 'h', rules: { min_raters: 1 }, filters });
  const refused = await harvest({});
  expect([refused.status, refused.body.error]).toMatchObject([
    422,
    {
      code: 'invalid_dataset',
      param: 'filters.under_vectors',
      message: expect.stringMatching(/left out: 1 for under vectors\./),
    },
  ]);
  expect((await harvest({ under_vectors: true })).body).toMatchObject({ samples: 1, labels: 1, skipped: {} });
});

test('a batch writes under them', async () => {
  const workshop = await openWorkshop(store, [batchJob(answerBy(house.app, undefined))]);
  const line = (id: string, steering: object) => ({ custom_id: id, method: 'POST', url: path, body: { ...asking, steering } });
  const lines = [line('a', { vectors: { happy: 1 } }), line('b', { vectors: { happpy: 1 } })];
  const form = new FormData();
  form.set('purpose', 'batch');
  form.set('file', new Blob([lines.map((each) => JSON.stringify(each)).join('\n')]), 'in.jsonl');
  const file = await knock(house, '/v1/files', { method: 'POST', body: form });
  const batch = await post(house, '/v1/batches', { input_file_id: file.body.id, endpoint: path, completion_window: '24h' });
  await workshop.ended(batch.body.id);
  const { output_file_id: output, error_file_id: errors } = (await knock(house, `/v1/batches/${batch.body.id}`)).body;
  const read = async (id: string) => JSON.parse(await (await house.app.request(`/v1/files/${id}/content`)).text());
  const { choices } = (await read(output)).response.body;
  expect([choices[0].message.content, choices[0].steering.vectors]).toEqual([
    (await said({ vectors: { happy: 1 } })).text,
    { happy: 1 },
  ]);
  expect((await read(errors)).error).toMatchObject({ code: 'unknown_vector' });
  await workshop.close();
});

describe('refused by name', () => {
  test.each([
    [{ vectors: { happpy: 1 } }, 'unknown_vector', 'steering.vectors.happpy', /Did you mean happy\?/],
    [{ vectors: { constructor: 1 } }, 'unknown_vector', 'steering.vectors.constructor', /It has happy, sad, both\./],
    [{ vectors: { happy: 1.5 } }, 'vector_out_of_range', 'steering.vectors.happy', /between -1 and 1, got 1\.5/],
    [
      { schedule: [{ after: { tokens: 2 }, vectors: { happy: -2 } }] },
      'vector_out_of_range',
      'steering.schedule.0.vectors.happy',
      /got -2/,
    ],
    [{ schedule: [{ after: { tokens: 2 } }] }, 'invalid_request', 'steering.schedule.0', /attributes, vectors or both/],
    [{ vectors: { happy: 'much' } }, 'invalid_request', 'steering.vectors.happy', /number/],
    [{ vectors: { happy: 1 }, vector_tokens: 'some' }, 'invalid_request', 'steering.vector_tokens', /reply.*all/],
  ])('%j', async (steering, code, param, message) => {
    for (const route of [path, `${path}/render`]) {
      const { status, body } = await post(house, route, { ...asking, steering });
      expect([status, body.error]).toMatchObject([400, { code, param, message: expect.stringMatching(message) }]);
    }
  });

  test('with a raw text', async () => {
    const raw = { prompt: 'The gate', max_tokens: 2, steering: { vectors: { happy: 1 } } };
    const { status, body } = await post(house, '/v1/completions', raw);
    expect([status, body.error]).toMatchObject([
      400,
      { param: 'steering.vectors', message: expect.stringMatching(/without steering vectors/) },
    ]);
  });

  test('of a model that runs elsewhere', async () => {
    const { vectors: _, ...elsewhere } = model;
    house.shelf.languages = [elsewhere];
    const { status, body } = await ask({ vectors: { happy: 1 } });
    expect([status, body.error]).toMatchObject([
      400,
      { param: 'steering.vectors', message: expect.stringMatching(/runs on an upstream/) },
    ]);
    expect((await ask({ vectors: {} })).status).toBe(200);
  });

  test('where the file they are kept in is torn, and plain replies go on', async () => {
    const torn = at('torn');
    await cp(folder, torn, { recursive: true });
    await writeFile(join(torn, vectorsName), 'no tensors at all');
    const own = await openLanguageModel(torn, { threads: 1, precision: 'int8' });
    house.shelf.languages = [own];
    const { status, body } = await ask({ vectors: { happy: 1 } });
    const plain = await ask({});
    await own.dispose();
    await rm(torn, { recursive: true });
    expect([status, body.error]).toMatchObject([422, { code: 'invalid_vector', param: 'steering.vectors' }]);
    expect(plain.status).toBe(200);
  });
});
