// Datasets that the store holds, through the application: looked at, out in another format, and gone.
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listLabelledSamples } from '../../src/datasets/labelled-samples.ts';
import { appendLabels } from '../../src/datasets/write.ts';
import { inMemory } from '../../src/in-memory.ts';
import { openStore, type Store } from '../../src/store/connect.ts';
import { migrateStore } from '../../src/store/migrate.ts';
import { lines, rows, send } from './dataset-rows.ts';
import { type House, knock, openHouse } from './knock.ts';

let store: Store;
let house: House;
beforeAll(async () => {
  store = await openStore({ dataDir: inMemory });
  await migrateStore(store.db);
  house = openHouse({ MAX_FILE_BYTES: String(2 ** 22) }, { db: store.db });
  await send(house, 'name=filed&validation_share=0.5&schema=helpsteer', lines(rows(40)));
  await send(house, 'name=filed', lines(rows(41)));
  await send(house, 'name=sent-text-2', 'Once.\n<|endoftext|>\nTwice.', 'text/plain');
});
afterAll(() => store.close());

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
    id = (await send(house, 'name=talk&schema=npc', lines([dialogue]))).body.id;
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
    await send(house, 'name=endless', lines([long]));
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

  test('refuses an export without a label where there are labels', async () => {
    const rated = { instruction: 'q', output: 'a', attributes: { warmth: 1 } };
    expect((await send(house, 'name=own', lines([rated]))).status).toBe(201);
    for (const [query, param, message] of [
      ['format=helpsteer', 'format', /has room for helpfulness, .*no label of own is of these.*Export as .*openai/],
      [
        'format=openai&labels=human,model',
        'labels',
        /expected makers whose labels own has \(import\), or latest; found human,model/,
      ],
    ] as const) {
      const { status, body } = await knock(house, `/v1/datasets/own/export?${query}`);
      expect([status, body.error.param, body.error.message]).toEqual([400, param, expect.stringMatching(message)]);
    }
    expect((await download('/v1/datasets/own/export?format=openai&labels=human,import')).reply.status).toBe(200);
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
    expect((await send(house, 'name=uneven', lines(many))).status).toBe(201);
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
