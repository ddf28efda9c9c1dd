import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asc, eq, sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeDerived } from '../../src/datasets/derived.ts';
import { type ImportOptions, importDataset } from '../../src/datasets/import.ts';
import { readSamples } from '../../src/datasets/read.ts';
import { findDataset, listDatasets, streamSamples } from '../../src/datasets/samples.ts';
import { removeLeftovers, writeVersion } from '../../src/datasets/unpublished.ts';
import { appendLabels } from '../../src/datasets/write.ts';
import type { Store } from '../../src/store/connect.ts';
import { datasets, labels, samples } from '../../src/store/schema.ts';
import { testDatabases } from '../store/databases.ts';
import { collect } from './collect.ts';
import { ratedRows } from './rated-rows.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'steer-datasets-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
    const report = await importLines('steady', ratedRows(1203));
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
    const report = await importLines('halved', ratedRows(300), { validationShare: 0.3 });
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
    await importLines('relabelled', ratedRows(2));
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
    const failed = await importLines('broken', [...ratedRows(1100), ...bad, ...ratedRows(3)]).catch((error) => error);
    expect(failed).toMatchObject({ code: 'invalid_dataset' });
    expect(failed.message).toMatch(
      /^12 bad records of 1115; nothing was imported\.\nline 1101: expected helpfulness between 0 and 4, got 9\n/,
    );
    expect(failed.message).toContain('line 1110:');
    expect(failed.message).not.toContain('line 1111:');
    expect(failed.message).toMatch(/… and 2 more$/);
    expect(await store.db.$count(samples)).toBe(before);
    expect(await store.db.$count(datasets, eq(datasets.name, 'broken'))).toBe(0);
    await importLines('broken', ratedRows(1));
  });

  test('an empty file, an unknown format, a missing file and a taken name are refused', async () => {
    await expect(importLines('empty', [])).rejects.toThrow('Expected at least one sample');
    await expect(importLines('odd', [{ question: 1 }])).rejects.toThrow(/^line 1: expected a record of a known format/);
    const missing = importDataset(store.db, { name: 'gone', input: { path: join(folder, 'gone.jsonl') } });
    await expect(missing).rejects.toMatchObject({
      code: 'not_found',
      message: `There is no file ${join(folder, 'gone.jsonl')}.`,
    });
    await importLines('taken', ratedRows(1));
    await expect(importLines('taken', ratedRows(2))).rejects.toMatchObject({ code: 'conflict' });
    await expect(importLines('slash', ratedRows(1), { name: 'no/slash' })).rejects.toMatchObject({ code: 'invalid_request' });
    const names = (await listDatasets(store.db)).map(({ name }) => name);
    expect(names).toContain('taken');
    expect(names).not.toContain('empty');
    await expect(findDataset(store.db, 'nope')).rejects.toThrow(/no dataset "nope"\. There are: .*taken/);
  });

  test('while an import runs others use the database and see nothing of it; given up halfway, it leaves nothing', async () => {
    const before = await store.db.$count(samples);
    const stop = new AbortController();
    async function* content() {
      const [begun, more] = [lines(ratedRows(1_000)), lines(ratedRows(1_000))].map((text) => Buffer.from(`${text}\n`));
      yield begun!;
      // Part of it is stored by now, and the import waits for these answers.
      await expect.poll(() => store.db.$count(samples)).toBeGreaterThan(before);
      expect((await listDatasets(store.db)).map(({ name }) => name)).not.toContain('meanwhile');
      await expect(findDataset(store.db, 'meanwhile')).rejects.toMatchObject({ code: 'not_found' });
      await importLines('meanwhile', ratedRows(2));
      stop.abort();
      yield more!;
    }
    const input = { stream: { bytes: content(), name: 'meanwhile.jsonl' } };
    const given = importDataset(store.db, { name: 'meanwhile', newVersion: true, input, signal: stop.signal });
    await expect(given).rejects.toMatchObject({ code: 'cancelled' });
    expect(await store.db.$count(samples)).toBe(before + 2);
    expect(await store.db.$count(datasets, sql`name like '%being %'`)).toBe(0);
    expect(await findDataset(store.db, 'meanwhile')).toMatchObject({ version: 1, sampleCount: 2 });
    expect(await importLines('meanwhile', ratedRows(3), { newVersion: true })).toMatchObject({ version: 2 });
  });

  test('of two imports of one new name at once, the one that is whole later is refused', async () => {
    async function* content() {
      await importLines('raced', ratedRows(2));
      yield Buffer.from(lines(ratedRows(3)));
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
    const path = file(`${database}-dead.jsonl`, lines(ratedRows(700)));
    const all = () => store.db.$count(samples);
    const first = await leave();
    expect(await all()).toBe(before + 700);
    await removeLeftovers(store.db);
    expect(await all()).toBe(before + 700);
    await store.db.update(datasets).set({ createdAt: sql`now() - interval '1 hour'` }).where(eq(datasets.id, first));
    await importLines('after-death', ratedRows(1));
    expect(await all()).toBe(before + 1);
    await leave();
    await removeLeftovers(store.db, true);
    expect(await all()).toBe(before + 1);
    expect(await store.db.$count(datasets, eq(datasets.format, ''))).toBe(0);
  });

  test('a cancelled import leaves nothing', async () => {
    const signal = AbortSignal.abort();
    await expect(importLines('cancelled', ratedRows(5), { signal })).rejects.toMatchObject({ code: 'cancelled' });
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
});

test('reading a file without a database stops at the first bad line', async () => {
  const path = file('plain.jsonl', `${lines(ratedRows(2))}\n{"prompt": 1, "response": "x"}`);
  const seen: string[] = [];
  const reading = (async () => {
    for await (const { source, split } of readSamples(path, { format: 'helpsteer' })) seen.push(`${source} ${split}`);
  })();
  await expect(reading).rejects.toThrow(/plain\.jsonl, line 3: prompt: .*expected a string/);
  expect(seen).toHaveLength(2);
});
