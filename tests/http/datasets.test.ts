// Datasets through the application: in from a file or the body, looked at, out in another format, and gone.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listLabelledSamples } from '../../src/datasets/labelled-samples.ts';
import { appendLabels } from '../../src/datasets/write.ts';
import { listen } from '../../src/http/server.ts';
import { inMemory, openStore, type Store } from '../../src/store/connect.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { datasets, samples } from '../../src/store/schema.ts';
import { type House, knock, openHouse, post } from './knock.ts';

let store: Store;
let house: House;
/** Temporary files of this test alone. */
const scratch = mkdtempSync(join(tmpdir(), 'steer-http-datasets-'));
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

const rows = (count: number, response = 'Answer') =>
  Array.from({ length: count }, (_, i) => ({ prompt: `Question ${i}`, response: `${response} ${i}`, helpfulness: i % 5 }));
const lines = (records: unknown[]) => records.map((record) => JSON.stringify(record)).join('\n');
const send = (query: string, body: string | Uint8Array, type = 'application/x-ndjson') =>
  knock(house, `/v1/datasets?${query}`, { method: 'POST', headers: { 'content-type': type }, body });
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
    const asked = { name: 'filed', file_id, validation_share: 0.5 };
    const made = await post(house, '/v1/datasets', { ...asked, schema: 'helpsteer' });
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
    const { status, body: made } = await send(`name=sent-${format}-${count}${query}`, body, type);
    expect([status, made.format, made.samples]).toEqual([201, format, count]);
    expect(spooled()).toBe(0);
  });

  test('of a label whose attribute has the name of something every object has', async () => {
    const line = '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","attributes":{"constructor":2}}]}';
    const { status, body } = await send('name=named-like-objects', line);
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
    const { status, body } = await send('name=bad', lines(bad));
    expect([status, body.error.code]).toEqual([422, 'invalid_dataset']);
    expect(body.error.message).toMatch(
      /^2 bad records of 5; nothing was imported\.\nline 4: expected helpfulness between 0 and 4, got 9\nline 5: /,
    );
    expect((await send('name=bad', '')).status).toBe(422);
    expect((await send('name=bad', new Uint8Array([0xff, 0xfe, 0xfd]), 'application/octet-stream')).status).toBe(422);
    expect((await send('name=bad', gzipSync(lines(rows(99))).subarray(0, 60), 'application/gzip')).status).toBe(422);
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
    expect((await send('name=big', 'x'.repeat(2 ** 22 + 1))).status).toBe(413);
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

describe('a stored dataset', () => {
  let id: string;
  beforeAll(async () => {
    const dialogue = {
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello', attributes: { humor: 3 } },
        { role: 'user', content: 'x'.repeat(700) },
        { role: 'assistant', content: 'Well' },
      ],
    };
    id = (await send('name=talk&schema=npc', lines([dialogue]))).body.id;
    const [first] = await listLabelledSamples(store.db, id, { limit: 1 });
    const made = { sampleId: first!.sample.id, turn: 3, attribute: 'humor' };
    await appendLabels(store.db, [
      {
        ...made,
        value: 1.4,
        level: 1,
        probabilities: [0, 1, 0, 0, 0],
        confidence: 1,
        source: 'model',
        author: 'counter',
        revision: 'rev-1',
      },
      { ...made, value: 4, level: 4, source: 'human', author: 'ann' },
    ]);
  });

  test('shows its samples with every label and who made it', async () => {
    const { body } = await knock(house, `/v1/datasets/talk/samples?limit=1`);
    expect(body).toMatchObject({ object: 'list', first_id: '0', last_id: '0', has_more: false });
    expect(body.data[0]).toMatchObject({
      object: 'dataset.sample',
      position: 0,
      text: null,
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user' },
        { role: 'assistant', content: 'Hello' },
        {},
        { content: 'Well' },
      ],
      labels: [
        { message: 2, attribute: 'humor', value: 3, level: 3, source: 'import', author: 'openai', revision: null },
        { message: 4, value: 1.4, source: 'model', author: 'counter', revision: 'rev-1', probabilities: [0, 1, 0, 0, 0] },
        { message: 4, value: 4, source: 'human', author: 'ann', confidence: null },
      ],
    });
    const first = (await knock(house, '/v1/datasets/filed/samples?limit=30')).body;
    expect([first.data.length, first.has_more, first.last_id]).toEqual([30, true, '29']);
    const rest = (await knock(house, `/v1/datasets/filed/samples?limit=30&after=${first.last_id}`)).body;
    expect([rest.data[0].position, rest.data.length, rest.has_more]).toEqual([30, 11, false]);
    for (const query of ['after=-1', 'after=x', 'after=99999999999', 'limit=0']) {
      expect((await knock(house, `/v1/datasets/filed/samples?${query}`)).status, query).toBe(400);
    }
  });

  test('tells of itself in figures', async () => {
    const { body } = await knock(house, '/v1/datasets/talk/inspect?predictor=counter');
    expect(body).toMatchObject({
      object: 'dataset.inspection',
      dataset: id,
      samples: 1,
      texts: 0,
      conversations: 1,
      duplicates: 0,
      turns: 4,
      replies: 2,
      labels: [
        { attribute: 'humor', source: 'human', turns: 1, coverage: 0.5, labels: 1, mean: 4, levels: [0, 0, 0, 0, 1] },
        { attribute: 'humor', source: 'model', coverage: 0.5, mean: 1.4 },
        { attribute: 'humor', source: 'import', coverage: 0.5, levels: [0, 0, 0, 1, 0] },
      ],
      tokens: {
        model: 'parrot',
        samples: 1,
        context_length: 512,
        truncated: 1,
        truncated_share: 1,
        histogram: [{ up_to: 1024, samples: 1 }],
      },
      predictor: { id: 'counter', revision: 'rev-1', labelled_turns: 1, coverage: 0.5, context_length: 256, truncated_share: 1 },
    });
    expect(body.tokens.total).toBe(body.tokens.longest);
    const plain = (await knock(house, '/v1/datasets/filed/inspect?model=parrot')).body;
    expect(plain).toMatchObject({ samples: 41, predictor: null, tokens: { samples: 41, truncated: 0 } });
    expect(plain.splits.train + plain.splits.validation).toBe(41);
    expect((await knock(house, '/v1/datasets/talk/inspect?model=counter')).body.error.code).toBe('model_not_found');
    const bare = openHouse({}, { db: store.db });
    bare.shelf.languages = [];
    expect((await knock(bare, '/v1/datasets/talk/inspect')).body.tokens).toBeNull();
  });

  test('tells the length of a row longer than the context of any model', async () => {
    const long = {
      messages: [
        { role: 'user', content: 'Tell me all.' },
        { role: 'assistant', content: 'word '.repeat(20_000) },
      ],
    };
    await send('name=endless', lines([long]));
    const { status, body } = await knock(house, '/v1/datasets/endless/inspect');
    expect(status).toBe(200);
    expect(body.tokens).toMatchObject({ samples: 1, truncated: 1, truncated_share: 1 });
    expect(body.tokens.longest).toBeGreaterThan(99_000);
  });

  const download = async (path: string) => {
    const reply = await house.app.request(path);
    return { reply, bytes: Buffer.from(await reply.arrayBuffer()) };
  };

  test('goes out in every format that holds it, packed or not, with the labels asked for', async () => {
    const { reply, bytes } = await download(`/v1/datasets/talk/export?format=openai&labels=human,import`);
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/jsonl; charset=utf-8']);
    expect(reply.headers.get('content-disposition')).toContain('filename="talk-v1.openai.jsonl"');
    const { messages } = JSON.parse(bytes.toString());
    expect([messages[2].attributes, messages[4].attributes]).toEqual([{ humor: 3 }, { humor: 4 }]);
    const packed = await download('/v1/datasets/filed/export?format=helpsteer&gzip=true');
    expect(packed.reply.headers.get('content-type')).toBe('application/gzip');
    expect(gunzipSync(packed.bytes).toString().trim().split('\n')).toHaveLength(41);
    for (const format of ['nemo', 'sharegpt', 'openai', 'alpaca']) {
      expect((await download(`/v1/datasets/filed/export?format=${format}`)).bytes.toString().split('\n'), format).toHaveLength(
        42,
      );
    }
    const told = (await download('/v1/datasets/sent-text-2/export?format=text')).bytes.toString().trim().split('\n');
    expect(told.map((line) => JSON.parse(line).text)).toEqual(['Once.', 'Twice.']);
    const sides = await Promise.all(['train', 'validation'].map((side) => download(`/v1/datasets/filed@1/export?split=${side}`)));
    expect(sides.flatMap((side) => side.bytes.toString().trim().split('\n'))).toHaveLength(40);
  });

  test('refuses an export it cannot give', async () => {
    for (const [query, status] of [
      ['format=alpaca', 422],
      ['format=alpaca&gzip=1', 422],
      ['format=openassistant', 400],
      ['labels=gods', 400],
      ['split=test', 400],
      ['gzip=maybe', 400],
    ] as const) {
      expect((await knock(house, `/v1/datasets/talk/export?${query}`)).status, query).toBe(status);
    }
  });

  test('an export that fails halfway breaks off, and the log tells why', async () => {
    const many = [...rows(3_000, 'A rather long answer to fill the first piece of the reply with'), {}].map((row, i) =>
      i < 3_000
        ? {
            messages: [
              { role: 'user', content: 'q' },
              { role: 'assistant', content: (row as { response: string }).response },
            ],
          }
        : { messages: ['user', 'assistant', 'user'].map((role) => ({ role, content: 'x' })) },
    );
    expect((await send('name=uneven', lines(many))).status).toBe(201);
    const reply = await house.app.request('/v1/datasets/uneven/export?format=alpaca');
    expect(reply.status).toBe(200);
    await expect(reply.arrayBuffer()).rejects.toThrow('Sample 3000 does not fit the format');
    expect(house.lines.some((line) => line.includes('/uneven/export') && line.includes('"code":"invalid_dataset"'))).toBe(true);
  });

  test('is listed from new to old, all or by name', async () => {
    const { body } = await knock(house, '/v1/datasets?name=filed');
    expect(body.data.map(({ version }: { version: number }) => version)).toEqual([2, 1]);
    const first = (await knock(house, '/v1/datasets?limit=1')).body;
    expect(first.has_more).toBe(true);
    const second = (await knock(house, `/v1/datasets?limit=1&after=${first.last_id}`)).body;
    expect(second.data[0].id).not.toBe(first.data[0].id);
    expect((await knock(house, '/v1/datasets?after=nothing')).status).toBe(404);
    expect((await knock(house, '/v1/datasets?name=%00')).body.data).toEqual([]);
  });

  test('an unknown one is not found, however it looks', async () => {
    for (const name of [
      'none',
      'talk@7',
      'talk@deadbeef',
      '%00',
      'not-a-uuid',
      '00000000-0000-0000-0000-000000000000',
      '%F0%9F%90%90',
      '@',
    ]) {
      for (const path of ['', '/inspect', '/samples', '/export']) {
        expect((await knock(house, `/v1/datasets/${name}${path}`)).status, name + path).toBe(404);
      }
      expect((await knock(house, `/v1/datasets/${name}`, { method: 'DELETE' })).status, name).toBe(404);
    }
  });

  test('is deleted one version at a time', async () => {
    const { id: newest } = (await knock(house, '/v1/datasets/filed')).body;
    const gone = await knock(house, '/v1/datasets/filed', { method: 'DELETE' });
    expect(gone.body).toEqual({ id: newest, object: 'dataset', deleted: true });
    expect((await knock(house, '/v1/datasets/filed')).body.version).toBe(1);
    expect((await knock(house, `/v1/datasets/${newest}`)).status).toBe(404);
  });
});
