import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { asc, eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDerived } from '../../src/datasets/derived.ts';
import { exportDataset } from '../../src/datasets/export.ts';
import { type ImportOptions, importDataset } from '../../src/datasets/import.ts';
import { readSamples } from '../../src/datasets/read.ts';
import { findDataset, listDatasets, streamSamples } from '../../src/datasets/samples.ts';
import { removeLeftovers, writeVersion } from '../../src/datasets/unpublished.ts';
import { appendLabels } from '../../src/datasets/write.ts';
import { steerLM } from '../../src/steerlm/schemas.ts';
import type { Store } from '../../src/store/connect.ts';
import { datasets, labels, samples } from '../../src/store/schema.ts';
import { testDatabases } from '../store/databases.ts';
import { collect } from './collect.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'steer-datasets-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const rows = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    prompt: `Question ${Math.floor(i / 2)} <extra_id_2>quality:4`,
    response: `Answer ${i}`,
    helpfulness: i % 5,
    verbosity: (i % 4) + 0.5,
    coherence: -100,
  }));
const lines = (records: unknown[]) => records.map((record) => JSON.stringify(record)).join('\n');
const file = (name: string, content: string | Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

describe.each(await testDatabases())('datasets on $name', ({ name: database, open }) => {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());
  const importLines = (name: string, records: unknown[], options: Partial<ImportOptions> = {}) =>
    importDataset(store.db, { name, input: { path: file(`${database}-${name}.jsonl`, lines(records)) }, ...options });
  const read = async (name: string, options = {}) => {
    const { id } = await findDataset(store.db, name);
    return await collect(streamSamples(store.db, id, options));
  };

  test('what is imported streams out in order, over many pages, with its labels and as the file itself reads', async () => {
    const report = await importLines('steady', rows(1203));
    expect(report).toMatchObject({
      format: 'helpsteer',
      rows: 1203,
      samples: 1203,
      conversations: 602,
      duplicates: 0,
      labels: 2406,
    });
    const stored = await read('steady');
    expect(stored.map(({ position }) => position)).toEqual(Array.from({ length: 1203 }, (_, i) => i));
    const direct = await collect(readSamples(join(folder, `${database}-steady.jsonl`)));
    expect(stored).toMatchObject(direct);
    expect(stored[7]?.content).toMatchObject({
      conversation: { turns: [{}, { content: 'Answer 7', label: { helpfulness: 2, verbosity: 3.5 } }] },
    });
  });

  test('the split is by conversation, and each side streams alone', async () => {
    const report = await importLines('halved', rows(300), { validationShare: 0.3 });
    const held = await read('halved', { split: 'validation' });
    const kept = await read('halved', { split: 'train' });
    expect([held.length, kept.length]).toEqual([report.validation, 300 - report.validation]);
    expect(held.length).toBeGreaterThan(40);
    const heldIds = new Set(held.map(({ conversationId }) => conversationId));
    expect(kept.filter(({ conversationId }) => heldIds.has(conversationId))).toEqual([]);
  });

  test('every label says who made it, with value and level', async () => {
    const turn = { message: 'Hi there', agent: 'agent_1', sentiment: 'Happy', turn_rating: 'Good' };
    const path = file(`${database}-topical.json`, JSON.stringify({ c1: { content: [turn] } }, null, 2));
    const report = await importDataset(store.db, { name: 'topical', input: { path } });
    expect(report).toMatchObject({ format: 'topical-chat', samples: 1, labels: 9, schema: { name: 'topical-chat' } });
    await importLines('fraction', [{ prompt: 'a', response: 'b', helpfulness: 2.6 }]);
    const made = await store.db.select().from(labels).innerJoin(samples, eq(samples.id, labels.sampleId)).orderBy(asc(labels.id));
    const of = (attribute: string, author: string) =>
      made.find(({ labels: l }) => l.attribute === attribute && l.author === author)?.labels;
    expect(of('happiness', 'topical-chat')).toMatchObject({ turn: 0, value: 1, level: 1, source: 'import', revision: null });
    expect(of('verbosity', 'words')).toMatchObject({ value: 0, level: 0, source: 'rule' });
    expect(made.at(-1)?.labels).toMatchObject({ attribute: 'helpfulness', value: 2.6, level: 3, author: 'helpsteer' });
  });

  test('new labels are added, never overwritten, and the choice of source decides which counts', async () => {
    await importLines('relabelled', rows(2));
    const [sample] = await read('relabelled');
    const label = { sampleId: sample!.id, turn: 1, attribute: 'helpfulness', value: 3.7, level: 4 };
    const model = {
      source: 'model' as const,
      author: 'apm',
      revision: 'r1',
      probabilities: [0, 0, 0, 0.3, 0.7],
      confidence: 0.6,
    };
    await appendLabels(store.db, [
      { ...label, source: 'human', author: 'rater-1', value: 1, level: 1 },
      { ...label, ...model },
      { ...label, ...model, attribute: 'humor', value: 0.2, level: 0 },
    ]);
    const said = async (choice?: unknown) => {
      const [first] = await read('relabelled', { labels: choice });
      return first!.content.kind === 'conversation' && first!.content.conversation.turns[1]!.label;
    };
    expect(await said()).toEqual({ helpfulness: 3.7, humor: 0.2, verbosity: 0.5 });
    expect(await said(['human', 'import'])).toEqual({ helpfulness: 1, verbosity: 0.5 });
    expect(await said(['import', 'human'])).toEqual({ helpfulness: 0, verbosity: 0.5 });
    expect(await said(['model'])).toEqual({ helpfulness: 3.7, humor: 0.2 });
    expect(await said([])).toBe(undefined);
    const kept = await store.db.select().from(labels).where(eq(labels.sampleId, sample!.id));
    expect(kept).toHaveLength(5);
    expect(kept.find(({ attribute }) => attribute === 'humor')).toMatchObject({ ...model, probabilities: expect.any(Array) });
  });

  test('bad lines are told with number and reason, ten of them with the count, and nothing stays', async () => {
    const before = await store.db.$count(samples);
    const bad = Array.from({ length: 12 }, (_, i) => ({ prompt: 'p', response: 'r', helpfulness: 9 + i }));
    const failed = await importLines('broken', [...rows(1100), ...bad, ...rows(3)]).catch((error) => error);
    expect(failed).toMatchObject({ code: 'invalid_dataset' });
    expect(failed.message).toMatch(
      /^12 bad records of 1115; nothing was imported\.\nline 1101: expected helpfulness between 0 and 4, got 9\n/,
    );
    expect(failed.message).toContain('line 1110:');
    expect(failed.message).not.toContain('line 1111:');
    expect(failed.message).toMatch(/… and 2 more$/);
    expect(await store.db.$count(samples)).toBe(before);
    expect(await store.db.$count(datasets, eq(datasets.name, 'broken'))).toBe(0);
    await importLines('broken', rows(1));
  });

  test('an empty file, an unknown format, a missing file and a taken name are refused', async () => {
    await expect(importLines('empty', [])).rejects.toThrow('Expected at least one sample');
    await expect(importLines('odd', [{ question: 1 }])).rejects.toThrow(/^line 1: expected a record of a known format/);
    const missing = importDataset(store.db, { name: 'gone', input: { path: join(folder, 'gone.jsonl') } });
    await expect(missing).rejects.toMatchObject({
      code: 'not_found',
      message: `There is no file ${join(folder, 'gone.jsonl')}.`,
    });
    await importLines('taken', rows(1));
    await expect(importLines('taken', rows(2))).rejects.toMatchObject({ code: 'conflict' });
    await expect(importLines('slash', rows(1), { name: 'no/slash' })).rejects.toMatchObject({ code: 'invalid_request' });
    const names = (await listDatasets(store.db)).map(({ name }) => name);
    expect(names).toContain('taken');
    expect(names).not.toContain('empty');
    await expect(findDataset(store.db, 'nope')).rejects.toThrow(/no dataset "nope"\. There are: .*taken/);
  });

  test('while an import runs others use the database and see nothing of it; given up halfway, it leaves nothing', async () => {
    const before = await store.db.$count(samples);
    const stop = new AbortController();
    async function* content() {
      const [begun, more] = [lines(rows(1_000)), lines(rows(1_000))].map((text) => Buffer.from(`${text}\n`));
      yield begun!;
      // Part of it is stored by now, and the import waits for these answers.
      await expect.poll(() => store.db.$count(samples)).toBeGreaterThan(before);
      expect((await listDatasets(store.db)).map(({ name }) => name)).not.toContain('meanwhile');
      await expect(findDataset(store.db, 'meanwhile')).rejects.toMatchObject({ code: 'not_found' });
      await importLines('meanwhile', rows(2));
      stop.abort();
      yield more!;
    }
    const input = { stream: { bytes: content(), name: 'meanwhile.jsonl' } };
    const given = importDataset(store.db, { name: 'meanwhile', newVersion: true, input, signal: stop.signal });
    await expect(given).rejects.toMatchObject({ code: 'cancelled' });
    expect(await store.db.$count(samples)).toBe(before + 2);
    expect(await store.db.$count(datasets, sql`name like '%being %'`)).toBe(0);
    expect(await findDataset(store.db, 'meanwhile')).toMatchObject({ version: 1, sampleCount: 2 });
    expect(await importLines('meanwhile', rows(3), { newVersion: true })).toMatchObject({ version: 2 });
  });

  test('of two imports of one new name at once, the one that is whole later is refused', async () => {
    async function* content() {
      await importLines('raced', rows(2));
      yield Buffer.from(lines(rows(3)));
    }
    const late = importDataset(store.db, { name: 'raced', input: { stream: { bytes: content(), name: 'raced.jsonl' } } });
    await expect(late).rejects.toMatchObject({ code: 'conflict' });
    expect(await findDataset(store.db, 'raced')).toMatchObject({ version: 1, sampleCount: 2 });
  });

  test('what a process that died was writing is removed at the start of the only one, else once it has been silent', async () => {
    const before = await store.db.$count(samples);
    const leave = () =>
      new Promise<string>((resolve) => {
        void writeVersion(store.db, async (id) => {
          await writeDerived(store.db, id, { name: 'dead', format: 'x', schema: null, samples: derived });
          resolve(id);
          return await new Promise<never>(() => {});
        });
      });
    async function* derived() {
      for await (const sample of readSamples(path)) yield { sample, labels: [] };
    }
    const path = file(`${database}-dead.jsonl`, lines(rows(700)));
    const all = () => store.db.$count(samples);
    const first = await leave();
    expect(await all()).toBe(before + 700);
    await removeLeftovers(store.db);
    expect(await all()).toBe(before + 700);
    await store.db.update(datasets).set({ createdAt: sql`now() - interval '1 hour'` }).where(eq(datasets.id, first));
    await importLines('after-death', rows(1));
    expect(await all()).toBe(before + 1);
    await leave();
    await removeLeftovers(store.db, true);
    expect(await all()).toBe(before + 1);
    expect(await store.db.$count(datasets, eq(datasets.format, ''))).toBe(0);
  });

  test('a cancelled import leaves nothing', async () => {
    const signal = AbortSignal.abort();
    await expect(importLines('cancelled', rows(5), { signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(await store.db.$count(datasets, eq(datasets.name, 'cancelled'))).toBe(0);
  });

  test('equal data has an equal hash, whatever its format, and duplicates are counted', async () => {
    const said = [
      {
        messages: [
          { role: 'user', content: 'a' },
          { role: 'assistant', content: 'b', attributes: { verbosity: 1, humor: 2 } },
        ],
      },
    ];
    const first = await importLines('hash-1', [...said, ...said]);
    expect(first).toMatchObject({ samples: 2, duplicates: 1, conversations: 1, schema: { name: 'steerlm' } });
    const shared = { instruction: 'a', output: 'b', attributes: { humor: 2, verbosity: 1 } };
    expect((await importLines('hash-2', [shared, shared])).hash).toBe(first.hash);
    expect((await importLines('hash-3', [shared, { ...shared, attributes: { humor: 3 } }])).hash).not.toBe(first.hash);
  });

  test('labels without a known schema get one of their own; a schema given is held to', async () => {
    const record = { instruction: 'a', output: 'b', attributes: { sparkle: 6, Humor: 1 } };
    const { schema, inferred } = await importLines('own-schema', [record]);
    expect(schema).toMatchObject({
      name: 'own-schema',
      attributes: [
        { name: 'humor', cap: 4 },
        { name: 'sparkle', cap: 6 },
      ],
    });
    expect(inferred).toBe(true);
    await expect(importLines('strict', [record], { schema: steerLM })).rejects.toThrow('Unknown attribute "sparkle"');
    const aliased = await importLines('aliased', [{ ...record, attributes: { humour: 2 } }], { schema: steerLM });
    expect(aliased.labels).toBe(1);
    const [sample] = await read('aliased');
    expect(JSON.stringify(sample!.content)).toContain('"label":{"humor":2}');
    expect(await importLines('unlabelled', [{ instruction: 'a', output: 'b' }])).toMatchObject({ labels: 0, schema: null });
  });

  test('the schema that nobody named has the attributes that occur and no others', async () => {
    const instructed = { instruction: 'a', output: 'b', attributes: { verbosity: 1, humor: 2 } };
    const { schema, found, inferred } = await importLines('occurring', [instructed, { ...instructed, attributes: { humor: 3 } }]);
    expect(schema?.attributes.map(({ name, levels }) => [name, levels.length])).toEqual([
      ['humor', 5],
      ['verbosity', 5],
    ]);
    expect([inferred, Object.fromEntries(found)]).toEqual([
      false,
      { verbosity: { labels: 1, highest: 1 }, humor: { labels: 2, highest: 3 } },
    ]);
    const rated = await importLines('rated', [{ prompt: 'a', response: 'b', helpfulness: 2 }]);
    expect(rated.schema?.attributes.map(({ name }) => name)).toEqual(['helpfulness']);
    const named = await importLines('named', [instructed], { schema: steerLM });
    expect([named.schema, named.found.size]).toEqual([steerLM, 2]);
  });

  test('a schema that is named has the ratings of its names read from rows of prompt and response', async () => {
    const warmth = { ...steerLM.attributes[0]!, name: 'warmth', aliases: ['heart'] };
    const own = { name: 'own', version: 1, attributes: [warmth] };
    const row = { prompt: 'a', response: 'b', heart: 1, depth: 2 };
    expect(await importLines('flat', [row])).toMatchObject({ labels: 0, unread: ['heart', 'depth'] });
    const report = await importLines('flat-named', [row], { schema: own });
    expect([Object.fromEntries(report.found), report.unread]).toEqual([{ warmth: { labels: 1, highest: 1 } }, ['depth']]);
  });

  test('numbers that might have been meant as ratings are told', async () => {
    const turn = { role: 'assistant', content: 'b', warmth: 3, cost: 12_000 };
    const record = { messages: [{ role: 'user', content: 'a' }, turn], scores: { detail: 1 }, made_by: 'me' };
    expect(await importLines('beside', [record])).toMatchObject({ labels: 0, schema: null, unread: ['scores', 'warmth'] });
  });

  test('exports read back the same, packed or not, as lines, array or text', async () => {
    const { hash } = await importLines('source', rows(40));
    for (const [format, ending] of [
      ['openai', 'jsonl.gz'],
      ['sharegpt', 'json'],
      ['helpsteer', 'json.gz'],
      ['alpaca', 'jsonl'],
    ] as const) {
      const path = join(folder, `${database}-out.${ending}`);
      expect(await exportDataset(store.db, { dataset: 'source', format, output: { path } })).toMatchObject({
        samples: 40,
        rows: 40,
      });
      const back = await importDataset(store.db, { name: `from-${format}`, input: { path } });
      expect(back, format).toMatchObject({ format, hash, samples: 40, labels: 80, conversations: 20 });
      expect(readFileSync(path).subarray(0, 2).equals(gzipSync('').subarray(0, 2))).toBe(ending.endsWith('gz'));
    }
    const text = file(`${database}-tale.txt.gz`, gzipSync('Once.\n<|endoftext|>\nTwice.\n'));
    const told = await importDataset(store.db, { name: 'tale', input: { path: text } });
    expect(told).toMatchObject({ format: 'text', samples: 2, labels: 0 });
    const path = join(folder, `${database}-tale-out.txt.gz`);
    await exportDataset(store.db, { dataset: 'tale', format: 'text', output: { path } });
    expect(gunzipSync(readFileSync(path)).toString()).toBe('Once.\n<|endoftext|>\nTwice.\n<|endoftext|>\n');
  });

  test('an export takes the labels and the side asked for, and goes to a stream too', async () => {
    await importLines('streamed', rows(6), { validationShare: 1 });
    let written = '';
    const stream = new Writable({
      write(chunk, _encoding, done) {
        written += chunk;
        done();
      },
    });
    const asked = { dataset: 'streamed', format: 'nemo', split: 'validation', labels: ['model'], output: { stream } } as const;
    expect(await exportDataset(store.db, asked)).toMatchObject({
      samples: 6,
      rows: 6,
      makers: { choice: ['model'], counted: [] },
    });
    expect(JSON.parse(written.split('\n')[0]!)).toMatchObject({
      type: null,
      conversations: [{}, { value: 'Answer 0', label: null }],
    });
  });

  test('an export that fails leaves no file', async () => {
    const path = join(folder, `${database}-none.jsonl`);
    const chat = { messages: ['user', 'assistant', 'user'].map((role) => ({ role, content: 'x' })) };
    await importLines('long', [chat]);
    const failing = exportDataset(store.db, { dataset: 'long', format: 'alpaca', output: { path } });
    await expect(failing).rejects.toThrow(/^Sample 0 does not fit the format: .* 3 turns\. Nothing was written\.$/);
    await expect(exportDataset(store.db, { dataset: 'long', format: 'openassistant', output: { path } })).rejects.toMatchObject({
      code: 'invalid_request',
      message:
        'The format openassistant is only read. Export as nemo-regression, preference, nemo, sharegpt, openai, helpsteer, alpaca, text.',
    });
    for (const left of [path, `${path}.part`]) expect(() => readFileSync(left)).toThrow('ENOENT');
  });
});

test('reading a file without a database stops at the first bad line', async () => {
  const path = file('plain.jsonl', `${lines(rows(2))}\n{"prompt": 1, "response": "x"}`);
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { source, split } of readSamples(path, { format: 'helpsteer' })) seen.push(`${source} ${split}`);
  })();
  await expect(reading).rejects.toThrow(/plain\.jsonl, line 3: prompt: .*expected a string/);
  expect(seen).toHaveLength(2);
});
