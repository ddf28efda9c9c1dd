// Files through the application: by the official client over a real port, and by hand where a client would not go.
import { createHash, randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { eq } from 'drizzle-orm';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Listening, listen } from '../../src/http/server.ts';
import { inMemory } from '../../src/in-memory.ts';
import { openStore, type Store } from '../../src/store/connect.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { fileChunks, files } from '../../src/store/work-schema.ts';
import { type House, knock, openHouse } from './knock.ts';

const limit = 3_000_000;
let store: Store;
let house: House;
let server: Listening;
let client: OpenAI;

beforeAll(async () => {
  store = await openStore({ dataDir: inMemory });
  await migrateStore(store.db);
  house = openHouse({ STEER_API_KEY: 'sk-steer', MAX_FILE_BYTES: String(limit) }, { db: store.db });
  server = await listen(house.app, { host: '127.0.0.1', port: 0 });
  client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'sk-steer', maxRetries: 0 });
});
afterAll(async () => {
  await server.close(0);
  await store.close();
});

const authorization = { authorization: 'Bearer sk-steer' };
const ask = (path: string, init: RequestInit = {}) =>
  knock(house, path, { ...init, headers: { ...authorization, ...(init.headers as object) } });
/** Parts of a form by hand, so that it may also be wrong. */
const form = (...parts: string[]) => ({
  method: 'POST',
  headers: { 'content-type': 'multipart/form-data; boundary=X' },
  body: `${parts.map((part) => `--X\r\n${part}\r\n`).join('')}--X--\r\n`,
});
const field = (name: string, value: string) => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`;
const part = (content: string, name = 'file', filename = 'a.jsonl') =>
  `Content-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: application/jsonl\r\n\r\n${content}`;
const stored = async () => [await store.db.$count(files), await store.db.$count(fileChunks)];

describe('the official client', () => {
  test('uploads, finds, downloads and deletes', async () => {
    const content = randomBytes(1_400_000);
    const file = await client.files.create({ file: await toFile(content, 'größe 1.jsonl'), purpose: 'batch' });
    expect(file).toMatchObject({
      object: 'file',
      bytes: content.length,
      filename: 'größe 1.jsonl',
      purpose: 'batch',
      status: 'processed',
      sha256: createHash('sha256').update(content).digest('hex'),
    });
    expect(await client.files.retrieve(file.id)).toEqual(file);
    const reply = await client.files.content(file.id);
    expect(Buffer.from(await reply.arrayBuffer()).equals(content)).toBe(true);
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(content.length),
      'content-disposition': `attachment; filename="gr__e 1.jsonl"; filename*=UTF-8''gr%C3%B6%C3%9Fe%201.jsonl`,
      'x-content-type-options': 'nosniff',
    });
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true });
    await expect(client.files.retrieve(file.id)).rejects.toMatchObject({ status: 404, code: 'not_found' });
    await expect(client.files.content(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(client.files.delete(file.id)).rejects.toMatchObject({ status: 404 });
  });

  test('tells the purpose before or after the file', async () => {
    const file = () => toFile(Buffer.from('{}\n'), 'x.jsonl');
    expect((await client.files.create({ purpose: 'evals', file: await file() })).purpose).toBe('evals');
    expect((await client.files.create({ file: await file(), purpose: 'fine-tune' })).purpose).toBe('fine-tune');
  });

  test('walks through pages, newest or oldest first, of one purpose', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.push((await client.files.create({ file: await toFile(Buffer.from('x'), `${i}`), purpose: 'user_data' })).id);
    }
    const walk = async (order: 'asc' | 'desc') => {
      const seen: string[] = [];
      for await (const file of client.files.list({ purpose: 'user_data', limit: 2, order })) seen.push(file.id);
      return seen;
    };
    expect(await walk('asc')).toEqual(ids);
    expect(await walk('desc')).toEqual(ids.toReversed());
    const page = await client.files.list({ purpose: 'user_data', limit: 2 });
    expect(page).toMatchObject({ has_more: true, data: [{ id: ids[4] }, { id: ids[3] }] });
  });

  test('hears of a file that is too large', async () => {
    const before = await stored();
    const file = await toFile(randomBytes(limit + 1), 'large');
    await expect(client.files.create({ file, purpose: 'batch' })).rejects.toMatchObject({ status: 413, code: 'body_too_large' });
    expect(await stored()).toEqual(before);
  });
});

describe('by hand', () => {
  test('replies fit the document', async () => {
    const { status, body } = await ask('/v1/files', form(field('purpose', 'batch'), part('{}')));
    expect(status).toBe(200);
    expect((await ask(`/v1/files/${body.id}`)).body).toEqual(body);
    expect((await ask('/v1/files?limit=1')).body).toMatchObject({ data: [body], first_id: body.id, last_id: body.id });
    expect((await ask(`/v1/files/${body.id}`, { method: 'DELETE' })).body).toEqual({
      id: body.id,
      object: 'file',
      deleted: true,
    });
  });

  test.each([
    ['no file', form(field('purpose', 'batch')), 400, 'file'],
    ['a file without a name', form(field('purpose', 'batch'), field('file', '{}')), 400, 'file'],
    ['a file in another field', form(field('purpose', 'batch'), part('{}', 'document')), 400, 'file'],
    ['two files', form(field('purpose', 'batch'), part('{}'), part('{}')), 400, 'file'],
    ['an empty file', form(field('purpose', 'batch'), part('')), 400, 'file'],
    ['no purpose', form(part('{}')), 400, 'purpose'],
    ['an unknown purpose', form(field('purpose', 'fun'), part('{}')), 400, 'purpose'],
    ['an unknown purpose after the file', form(part('{}'), field('purpose', 'fun')), 400, 'purpose'],
    ['a purpose without end', form(field('purpose', 'x'.repeat(2000)), part('{}')), 400, 'purpose'],
    ['an expiry', form(field('purpose', 'batch'), field('expires_after[seconds]', '9'), part('{}')), 400, 'expires_after'],
    ['too many fields', form(...Array.from({ length: 20 }, (_, i) => field(`f${i}`, '')), part('{}')), 400, null],
    ['a form cut short', { ...form(), body: `--X\r\n${part('{"a":')}` }, 400, null],
    ['no form inside', { ...form(), body: 'nothing of the kind' }, 400, null],
    ['an empty body', { ...form(), body: '' }, 400, null],
    ['no boundary', { ...form(), headers: { 'content-type': 'multipart/form-data' } }, 400, null],
    ['JSON', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }, 415, null],
    ['nothing at all', { method: 'POST' }, 415, null],
  ] as const)('%s is refused and nothing stays', async (_what, init, status, param) => {
    const before = await stored();
    const answer = await ask('/v1/files', init);
    expect(answer.status).toBe(status);
    if (param !== null) expect(answer.body.error.param).toBe(param);
    expect(await stored()).toEqual(before);
  });

  test('a file may be as large as the limit, told or not, and no larger', async () => {
    const whole = (size: number) => form(field('purpose', 'batch'), part('x'.repeat(size)));
    expect((await ask('/v1/files', whole(limit))).body.bytes).toBe(limit);
    const over = await ask('/v1/files', whole(limit + 1));
    expect([over.status, over.body.error.param]).toEqual([413, 'file']);
    const told = { ...whole(10), headers: { ...whole(10).headers, 'content-length': String(limit + 2 ** 21) } };
    expect((await ask('/v1/files', told)).status).toBe(413);
  });

  test('other routes keep the smaller limit, and the key is asked for', async () => {
    const large = { method: 'POST', headers: { 'content-type': 'application/json' }, body: `"${'x'.repeat(2 ** 20)}"` };
    expect((await ask('/v1/completions', large)).status).toBe(413);
    expect((await knock(house, '/v1/files')).status).toBe(401);
  });

  test.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=two', 'limit'],
    ['order=up', 'order'],
    ['purpose=fun', 'purpose'],
  ])('?%s is refused', async (query, param) => {
    const { status, body } = await ask(`/v1/files?${query}`);
    expect([status, body.error.param]).toEqual([400, param]);
  });

  test('an unknown id is not found, however it looks', async () => {
    for (const id of ['file-none', 'x', '%00', '..%2f', 'file-%F0%9F%90%90']) {
      expect((await ask(`/v1/files/${id}`)).status, id).toBe(404);
    }
    expect((await ask('/v1/files?after=file-none')).status).toBe(404);
  });

  test('names keep their sense and lose what could act', async () => {
    const odd = await ask(
      '/v1/files',
      form(field('purpose', 'batch'), part('{}', 'file', '../../etc/pass\u0001wd "x"\u0000.txt')),
    );
    expect(odd.status).toBe(200);
    expect(odd.body.filename).not.toMatch(/[\p{Cc}/]/u);
    const reply = await house.app.request(`/v1/files/${odd.body.id}/content`, { headers: authorization });
    expect(reply.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.() -]+"; filename\*=UTF-8''[\w.%-]+$/);
    const unnamed = await ask('/v1/files', form(field('purpose', 'batch'), part('{}', 'file', '')));
    expect(unnamed.body.filename).toBe('file');
  });

  test('without a database there are no files', async () => {
    const { status, body } = await knock(openHouse(), '/v1/files');
    expect([status, body.error.code]).toEqual([503, 'database_unavailable']);
  });
});

test('a caller who goes away halfway leaves nothing behind', async () => {
  const before = await stored();
  const headers = { ...authorization, 'content-type': 'multipart/form-data; boundary=X', 'content-length': 2_000_000 };
  const call = request(`${server.url}/v1/files`, { method: 'POST', headers });
  call.on('error', () => {});
  call.write(`--X\r\n${field('purpose', 'batch')}\r\n--X\r\n${part('x'.repeat(1_000_000), 'file', 'halfway')}`);
  const halfway = () => store.db.$count(files, eq(files.filename, 'halfway'));
  await expect.poll(halfway).toBe(1);
  call.destroy();
  await expect.poll(halfway).toBe(0);
  expect(await stored()).toEqual(before);
  expect(house.lines.some((line) => line.includes('"code":"cancelled"'))).toBe(true);
});

test('a database that is slow holds the sender back', async () => {
  const prelude = Buffer.from(`--X\r\n${field('purpose', 'batch')}\r\n--X\r\n${part('', 'file', 'slow')}`);
  const parts = [prelude, ...Array.from({ length: 40 }, () => Buffer.alloc(65_536, 'x')), Buffer.from('\r\n--X--\r\n')];
  let taken = 0;
  const body = new ReadableStream({
    pull(controller) {
      const next = parts[taken++];
      if (next) controller.enqueue(next);
      else controller.close();
    },
  });
  let release: () => void = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let holding: Promise<void> | undefined;
  await new Promise<void>((held) => {
    holding = store.db.transaction(async () => {
      held();
      await released;
    });
  });
  const headers = { 'content-type': 'multipart/form-data; boundary=X' };
  const answer = ask('/v1/files', { method: 'POST', headers, body, duplex: 'half' } as RequestInit);
  await sleep(100);
  expect(taken).toBeLessThan(10);
  release();
  await holding;
  expect((await answer).body.bytes).toBe(40 * 65_536);
  expect(taken).toBe(parts.length + 1);
});

test('a caller who leaves a download frees it, and the next one gets all', async () => {
  const content = randomBytes(2_500_000);
  const file = await client.files.create({ file: await toFile(content, 'big'), purpose: 'user_data' });
  const reply = await client.files.content(file.id);
  const reader = reply.body!.getReader();
  await reader.read();
  await reader.cancel();
  const again = await client.files.content(file.id);
  expect(Buffer.from(await again.arrayBuffer()).equals(content)).toBe(true);
});
