// Bodies that unpack to far more than was sent: refused as soon as a limit is passed, with nothing left behind and the connection free.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Agent, type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Listening, listen } from '../../src/http/server.ts';
import { inMemory } from '../../src/in-memory.ts';
import { openStore, type Store } from '../../src/store/connect.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { datasets, samples } from '../../src/store/schema.ts';
import { fileChunks, files } from '../../src/store/work-schema.ts';
import { cpuMs } from '../cpu-time.ts';
import { type House, knock, openHouse, post } from './knock.ts';

const limit = 2 ** 18;
const scratch = mkdtempSync(join(tmpdir(), 'steer-http-packed-'));
const { TMPDIR } = process.env;
let store: Store;
let house: House;
/** With the limit as it is by default. */
let wide: House;
let server: Listening;
beforeAll(async () => {
  process.env.TMPDIR = scratch;
  store = await openStore({ dataDir: inMemory });
  await migrateStore(store.db);
  house = openHouse({ MAX_UNPACKED_BYTES: String(limit) }, { db: store.db });
  wide = openHouse({}, { db: store.db });
  server = await listen(house.app, { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close(0);
  await store.close();
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
  rmSync(scratch, { recursive: true, force: true });
});

const part = 2 ** 24;
/** 256 MiB of the text over and over, packed into a few hundred KB: gzip data may consist of several members. */
function bomb(text: string, start = ''): Buffer {
  const member = gzipSync(text.repeat(part / text.length));
  return Buffer.concat([gzipSync(start), ...Array<Buffer>(16).fill(member)]);
}
const row = (i: number) => `${JSON.stringify({ prompt: `Question ${i}`, response: 'Answer', helpfulness: 3 })}\n`;
const manyRows = bomb(`${row(1).trimEnd().padEnd(63)}\n`);

const sendTo = (to: House, name: string, body: Uint8Array, { headers = {}, ...rest }: RequestInit = {}) =>
  knock(to, `/v1/datasets?name=${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/gzip', ...headers },
    body: body as Uint8Array<ArrayBuffer>,
    ...rest,
  });
const send = (name: string, body: Uint8Array, init?: RequestInit) => sendTo(house, name, body, init);
const kept = async () => [await store.db.$count(datasets), await store.db.$count(samples), readdirSync(scratch).length];

test.each([
  ['rows', manyRows],
  ['blank lines', bomb('\n')],
  ['spaces', bomb(' ')],
  ['one line', bomb('a', '{"prompt": "')],
  ['one array without an end', bomb('[')],
])('%s beyond the limit are refused as soon as it is passed', async (what, packed) => {
  expect(packed.length).toBeLessThan(2 ** 20);
  const before = await kept();
  const started = cpuMs();
  const { status, body } = await send('bomb', packed);
  expect([status, body.error.code], what).toEqual([413, 'body_too_large']);
  expect(body.error.message).toBe(
    `Expected at most ${limit} bytes once unpacked, the gzip data holds more. Send it in parts, or raise MAX_UNPACKED_BYTES.`,
  );
  // A third of a second where all of it is unpacked, and many times that where it is read.
  expect(cpuMs(started)).toBeLessThan(5_000);
  expect(await kept()).toEqual(before);
});

test('data of just the limit is imported, and one byte more is not', async () => {
  const text = row(7).repeat(9);
  const tight = openHouse({ MAX_UNPACKED_BYTES: '1024' }, { db: store.db });
  expect((await sendTo(tight, 'tight', gzipSync(text.padEnd(1025)))).status).toBe(413);
  expect((await sendTo(tight, 'tight', gzipSync(text.padEnd(1024)))).body.samples).toBe(9);
  const plain = { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: text.padEnd(4_000) };
  expect((await knock(tight, '/v1/datasets?name=plain', plain)).body.samples).toBe(9);
});

test('an uploaded file is kept as it came, and what is made of it is bounded', async () => {
  const form = new FormData();
  form.set('purpose', 'fine-tune');
  form.set('file', new File([manyRows as Uint8Array<ArrayBuffer>], 'rows.jsonl.gz'));
  const { body: file } = await knock(house, '/v1/files', { method: 'POST', body: form });
  expect(file.bytes).toBe(manyRows.length);
  const before = await kept();
  const { status, body } = await post(house, '/v1/datasets', { name: 'bomb', file_id: file.id });
  expect([status, body.error.code]).toEqual([413, 'body_too_large']);
  expect(await kept()).toEqual(before);
  const content = await house.app.request(`/v1/files/${file.id}/content`);
  expect(Buffer.from(await content.arrayBuffer()).equals(manyRows)).toBe(true);
});

test('a line without an end is refused with its number, whatever the limit allows', async () => {
  const before = await kept();
  for (const [what, line, packed] of [
    ['a text in the third row', 'line 3 is', bomb('a', `${row(1)}${row(2)}{"prompt": "`)],
    ['a first row', 'line 1 is', bomb('a', '{"prompt": "')],
    ['an element', 'the element that starts on line 2 is', bomb('a', '[\n"')],
  ] as const) {
    const { status, body } = await sendTo(wide, 'endless', packed);
    expect([status, body.error.code], what).toEqual([422, 'invalid_dataset']);
    expect(body.error.message).toBe(`${line} longer than 64 Mi characters; write one record per line`);
  }
  // Blanks are no record, however many.
  const { status, body } = await sendTo(wide, 'blank', bomb(' '));
  expect([status, body.error.message]).toEqual([422, expect.stringMatching(/at least one sample/)]);
  expect(await kept()).toEqual(before);
}, 30_000);

test.each([
  ['lines', bomb('{"messages": []}\n')],
  ['elements', bomb(',', '[')],
])('a file of nothing but bad %s is not read to its end', async (_, packed) => {
  const { status, body } = await sendTo(wide, 'bad', packed);
  expect(status).toBe(422);
  expect(body.error.message).toMatch(
    /^10000 bad records of the first 10000, and no more was read; nothing was imported\.\nline 1: /,
  );
});

test('a caller who goes away is not read for any longer', async () => {
  const before = await kept();
  const abort = new AbortController();
  // A MiB of blank lines in each of a thousand pieces; whoever reads them all finds no sample.
  const piece = gzipSync('\n'.repeat(2 ** 20));
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (++sent === 10) abort.abort();
      controller.enqueue(piece);
      if (sent === 1_000) controller.close();
    },
  });
  const headers = { 'content-type': 'application/gzip' };
  const started = cpuMs();
  const { status } = await knock(wide, '/v1/datasets?name=left', {
    ...{ method: 'POST', headers, body, signal: abort.signal },
    duplex: 'half',
  } as RequestInit);
  expect(status).toBe(499);
  expect(cpuMs(started)).toBeLessThan(2_000);
  expect(await kept()).toEqual(before);
});

test('JSON and forms that are packed are refused unread, whatever they unpack to', async () => {
  const before = [await store.db.$count(files), await store.db.$count(fileChunks)];
  const packed = bomb(' ', '{"messages": [], "x": "') as Uint8Array<ArrayBuffer>;
  for (const encoding of ['gzip', 'br', 'deflate', 'zstd', 'gzip, gzip']) {
    for (const [path, type] of [
      ['/v1/chat/completions', 'application/json'],
      ['/v1/batches', 'application/json'],
      ['/v1/datasets', 'application/json'],
      ['/v1/files', 'multipart/form-data; boundary=b'],
    ] as const) {
      const headers = { 'content-type': type, 'content-encoding': encoding };
      const answer = await knock(house, path, { method: 'POST', headers, body: packed });
      expect([answer.status, answer.body.error.code], path).toEqual([415, 'unsupported_media_type']);
      expect(answer.body.error.message).toContain(`found "${encoding}"`);
      expect(answer.headers.get('accept-encoding')).toBe('identity');
    }
  }
  expect([await store.db.$count(files), await store.db.$count(fileChunks)]).toEqual(before);
  expect((await send('zipped', gzipSync(row(1)), { headers: { 'content-encoding': 'gzip' } })).status).toBe(201);
  expect((await send('zipped', gzipSync(row(1)), { headers: { 'content-encoding': 'br' } })).status).toBe(415);
  const plain = { 'content-encoding': 'identity' };
  expect((await post(house, '/v1/chat/completions', { messages: [{ role: 'user', content: 'Hi' }] }, plain)).status).toBe(200);
});

test('over a real port the connection serves the next request', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = (path: string, headers: Record<string, string>, body?: Buffer) =>
    new Promise<[number | undefined, boolean]>((resolve, reject) => {
      const method = body ? 'POST' : 'GET';
      const call = request(`${server.url}${path}`, { agent, method, headers }, (reply: IncomingMessage) => {
        reply.resume().on('end', () => resolve([reply.statusCode, call.reusedSocket]));
      });
      call.on('error', reject).end(body);
    });
  const gzip = { 'content-type': 'application/gzip' };
  expect(await ask('/v1/datasets?name=bomb', gzip, manyRows)).toEqual([413, false]);
  expect(await ask('/v1/datasets?name=sent', gzip, gzipSync(row(1)))).toEqual([201, true]);
  agent.destroy();
});
