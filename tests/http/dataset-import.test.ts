// Datasets come in through the application: from a file or the body, and what is wrong is told and leaves nothing behind.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '../../src/http/server.ts';
import { inMemory } from '../../src/in-memory.ts';
import { openStore, type Store } from '../../src/store/connect.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { datasets, samples } from '../../src/store/schema.ts';
import { lines, rows, send } from './dataset-rows.ts';
import { type House, knock, openHouse, post } from './knock.ts';

let store: Store;
let house: House;
/** Temporary files of this test alone. */
const scratch = mkdtempSync(join(tmpdir(), 'steer-dataset-import-'));
const { TMPDIR } = process.env;
beforeAll(async () => {
  process.env.TMPDIR = scratch;
  store = await openStore({ dataDir: inMemory });
  await migrateStore(store.db);
  house = openHouse({ MAX_FILE_BYTES: String(2 ** 22) }, { db: store.db });
});
afterAll(async () => {
  await store.close();
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
  rmSync(scratch, { recursive: true, force: true });
});

const upload = async (content: string, filename = 'talk.jsonl') => {
  const form = new FormData();
  form.set('purpose', 'fine-tune');
  form.set('file', new File([content], filename));
  return (await knock(house, '/v1/files', { method: 'POST', body: form })).body.id as string;
};
const spooled = () => readdirSync(scratch).length;

describe('importing', () => {
  test('from an uploaded file, as JSON tells, and the same again is the same version', async () => {
    const file_id = await upload(lines(rows(40)));
    const asked = { name: 'filed', file_id, validation_share: 0.5, schema: 'helpsteer' };
    const made = await post(house, '/v1/datasets', asked);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      object: 'dataset',
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'filed',
      version: 1,
      format: 'helpsteer',
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      samples: 40,
      conversations: 40,
      schema: { name: 'helpsteer' },
    });
    const unknown = await post(house, '/v1/datasets', { ...asked, schema: 'tone' });
    expect([unknown.status, unknown.body.error.message]).toEqual([
      400,
      expect.stringMatching(
        /^schema: expected helpsteer, .*found "tone"\. One of your own goes into the body .*"schema": \{"name"/,
      ),
    ]);
    const again = await post(house, '/v1/datasets', asked);
    expect([again.status, again.body]).toEqual([200, made.body]);
    const other = await post(house, '/v1/datasets', { name: 'filed', file_id: await upload(lines(rows(41))) });
    expect([other.status, other.body.version]).toEqual([201, 2]);
    for (const id of ['filed', 'filed@2', other.body.id]) {
      expect((await knock(house, `/v1/datasets/${id}`)).body, id).toEqual(other.body);
    }
    expect((await knock(house, `/v1/datasets/filed@${made.body.hash.slice(0, 10)}`)).body).toEqual(made.body);
  });

  test('with attributes of its own', async () => {
    const record = { instruction: 'a', output: 'b', attributes: { sparkle: 2 } };
    const file_id = await upload(lines([record]));
    const schema = { name: 'own', attributes: [{ name: 'sparkle', levels: ['dull', 'fair', 'bright'] }] };
    const { body } = await post(house, '/v1/datasets', { name: 'own', file_id, schema });
    expect(body.schema).toMatchObject({ name: 'own', version: 1, attributes: [{ name: 'sparkle', cap: 2, default: null }] });
    const narrow = { ...schema, attributes: [{ name: 'sparkle', levels: ['dull', 'fair'] }] };
    const refused = await post(house, '/v1/datasets', { name: 'own', file_id, schema: narrow });
    expect([refused.status, refused.body.error.code]).toEqual([422, 'invalid_dataset']);
    expect(refused.body.error.message).toContain('line 1: expected sparkle between 0 and 1, got 2');
  });

  test.each([
    ['JSON lines', 'application/x-ndjson', '', lines(rows(3)), 'helpsteer', 3],
    ['JSON lines by another name', 'application/jsonl; charset=utf-8', '', lines(rows(4)), 'helpsteer', 4],
    ['packed lines', 'application/gzip', '', gzipSync(lines(rows(5))), 'helpsteer', 5],
    ['an array', 'application/octet-stream', '', JSON.stringify(rows(6)), 'helpsteer', 6],
    ['plain text', 'text/plain', '', 'Once.\n<|endoftext|>\nTwice.', 'text', 2],
    ['lines of a format that is told', 'text/plain', '&format=text', 'Thrice.', 'text', 1],
  ])('%s from the body', async (_what, type, query, body, format, count) => {
    const { status, body: made } = await send(house, `name=sent-${format}-${count}${query}`, body, type);
    expect([status, made.format, made.samples]).toEqual([201, format, count]);
    expect(spooled()).toBe(0);
  });

  test('of a label whose attribute has the name of something every object has', async () => {
    const line = '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","attributes":{"constructor":2}}]}';
    const { status, body } = await send(house, 'name=named-like-objects', line);
    expect([status, body.schema.attributes[0].name]).toEqual([201, 'constructor']);
    const [first] = (await knock(house, '/v1/datasets/named-like-objects/samples')).body.data;
    expect(first.labels).toMatchObject([{ attribute: 'constructor', value: 2, level: 2, source: 'import', author: 'openai' }]);
    expect((await knock(house, '/v1/datasets/named-like-objects/inspect')).body.labels).toMatchObject([
      { attribute: 'constructor' },
    ]);
  });

  test('bad lines are told by number, and nothing stays', async () => {
    const before = [await store.db.$count(datasets), await store.db.$count(samples)];
    const bad = [...rows(3), { prompt: 'p', response: 'r', helpfulness: 9 }, 7];
    const { status, body } = await send(house, 'name=bad', lines(bad));
    expect([status, body.error.code]).toEqual([422, 'invalid_dataset']);
    expect(body.error.message).toMatch(
      /^2 bad records of 5; nothing was imported\.\nline 4: expected helpfulness between 0 and 4, got 9\nline 5: /,
    );
    expect((await send(house, 'name=bad', '')).status).toBe(422);
    expect((await send(house, 'name=bad', new Uint8Array([0xff, 0xfe, 0xfd]), 'application/octet-stream')).status).toBe(422);
    expect((await send(house, 'name=bad', gzipSync(lines(rows(99))).subarray(0, 60), 'application/gzip')).status).toBe(422);
    expect([await store.db.$count(datasets), await store.db.$count(samples)]).toEqual(before);
    expect(spooled()).toBe(0);
  });

  test.each([
    ['no name', '', 'application/jsonl', 400, 'name'],
    ['a name with a slash', 'name=a/b', 'application/jsonl', 400, 'name'],
    ['an unknown format', 'name=a&format=csv', 'application/jsonl', 400, 'format'],
    ['an unknown schema', 'name=a&schema=mine', 'application/jsonl', 400, 'schema'],
    ['a share above one', 'name=a&validation_share=2', 'application/jsonl', 400, 'validation_share'],
    ['a type nobody reads', 'name=a', 'text/csv', 415, null],
    ['no type', 'name=a', '', 415, null],
  ])('%s is refused', async (_what, query, type, status, param) => {
    const body = Buffer.from(lines(rows(1)));
    const answer = await knock(house, `/v1/datasets?${query}`, {
      method: 'POST',
      headers: type ? { 'content-type': type } : {},
      body,
    });
    expect([answer.status, answer.body.error.param]).toEqual([status, param]);
  });

  test.each([
    ['a file that is not there', { name: 'a', file_id: 'file-none' }, 404, null],
    ['no file', { name: 'a' }, 400, 'file_id'],
    ['a field nobody knows', { name: 'a', file_id: 'file-none', fromat: 'text' }, 400, 'fromat'],
    ['a schema without attributes', { name: 'a', file_id: 'file-none', schema: { name: 'x', attributes: [] } }, 400, null],
  ])('%s is refused', async (_what, body, status, param) => {
    const answer = await post(house, '/v1/datasets', body);
    expect(answer.status).toBe(status);
    if (param !== null) expect(answer.body.error.param).toBe(param);
  });

  test('broken JSON, and more than the limits allow, are refused', async () => {
    const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
    expect((await knock(house, '/v1/datasets', { ...json, body: '{' })).body.error.code).toBe('invalid_json');
    expect((await knock(house, '/v1/datasets', { ...json, body: `"${'x'.repeat(2 ** 20)}"` })).status).toBe(413);
    expect((await send(house, 'name=big', 'x'.repeat(2 ** 22 + 1))).status).toBe(413);
  });

  test('a caller who goes away halfway leaves neither data nor a file behind', async () => {
    const server = await listen(house.app, { host: '127.0.0.1', port: 0 });
    const headers = { 'content-type': 'application/x-ndjson', 'content-length': 3_000_000 };
    const call = request(`${server.url}/v1/datasets?name=halfway`, { method: 'POST', headers });
    call.on('error', () => {});
    call.write(lines(rows(10_000)));
    await expect.poll(spooled).toBe(1);
    call.destroy();
    await expect.poll(spooled).toBe(0);
    expect((await knock(house, '/v1/datasets/halfway')).status).toBe(404);
    await server.close(0);
  });
});
