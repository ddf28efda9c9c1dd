// Versions of a name, what is said of a dataset in figures, and its deletion.
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readExport } from '../../src/datasets/export.ts';
import type { ImportOptions } from '../../src/datasets/import.ts';
import { countLabelledBy, inspectDataset } from '../../src/datasets/inspect.ts';
import { listLabelledSamples } from '../../src/datasets/labelled-samples.ts';
import { findDataset, listDatasets, streamSamples } from '../../src/datasets/samples.ts';
import { countTokens } from '../../src/datasets/token-lengths.ts';
import { deleteDataset, pageDatasets } from '../../src/datasets/versions.ts';
import { appendLabels } from '../../src/datasets/write.ts';
import { helpSteer } from '../../src/steerlm/schemas.ts';
import type { Store } from '../../src/store/connect.ts';
import { datasets, labels, samples } from '../../src/store/schema.ts';
import { testDatabases } from '../store/databases.ts';
import { collect } from './collect.ts';
import { importText } from './import-text.ts';

const rows = (count: number, response = 'Answer') =>
  Array.from({ length: count }, (_, i) => ({
    prompt: `Question ${i}`,
    response: `${response} ${i}`,
    helpfulness: i % 5,
    verbosity: 1,
  }));
const never = new AbortController().signal;

describe.each(await testDatabases())('versions on $name', ({ open }) => {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());
  const put = (name: string, records: unknown[], options: Partial<ImportOptions> = {}) =>
    importText(store.db, name, records, { newVersion: true, ...options });

  test('a name in use gets the next version; the same content again is the version it was', async () => {
    const first = await put('talk', rows(3));
    const second = await put('talk', rows(4));
    const again = await put('talk', rows(3));
    expect([first, second].map(({ version, created }) => [version, created])).toEqual([
      [1, true],
      [2, true],
    ]);
    expect(again).toEqual({ ...first, created: false });
    expect(await store.db.$count(datasets, eq(datasets.name, 'talk'))).toBe(2);
    expect(await store.db.$count(samples, eq(samples.datasetId, first.id))).toBe(3);
    const relabelled = await put(
      'talk',
      rows(3).map((row) => ({ ...row, verbosity: 2 })),
    );
    expect([relabelled.version, relabelled.created]).toEqual([3, true]);
    const elsewhere = await put('talk-2', rows(3));
    expect([elsewhere.version, elsewhere.hash]).toEqual([1, first.hash]);
    await expect(put('talk', rows(5), { newVersion: false })).rejects.toMatchObject({ code: 'conflict' });
    await expect(put('talk', [{ prompt: 'p', response: 'r', helpfulness: 9 }])).rejects.toMatchObject({
      code: 'invalid_dataset',
    });
    expect(await store.db.$count(datasets, eq(datasets.name, 'talk'))).toBe(3);
  });

  test('the same records on other sides of the split, or under another schema, are another version', async () => {
    const versionOf = async (options: Partial<ImportOptions>) => (await put('asked', rows(40), options)).version;
    const wider = { ...helpSteer, attributes: helpSteer.attributes.map((each) => ({ ...each, default: 0 })) };
    expect(await versionOf({})).toBe(1);
    expect(await versionOf({ validationShare: 0.5 })).toBe(2);
    expect(await versionOf({ schema: wider })).toBe(3);
    const occurring = helpSteer.attributes.filter(({ name }) => name === 'helpfulness' || name === 'verbosity');
    const named = { ...helpSteer, attributes: occurring };
    const reordered = Object.fromEntries(Object.entries(named).toReversed()) as unknown as typeof helpSteer;
    for (const same of [{}, { schema: named }, { schema: reordered }]) expect(await versionOf(same)).toBe(1);
    expect(await versionOf({ validationShare: 0.5 })).toBe(2);
    expect((await findDataset(store.db, 'asked@3')).schema).toEqual(wider);
  });

  test('imports of one name at the same time get versions of their own', async () => {
    const reports = await Promise.all([3, 4, 5, 3].map((count) => put('crowd', rows(count))));
    const made = reports.filter(({ created }) => created).map(({ version }) => version);
    expect(made.sort()).toEqual([1, 2, 3]);
    expect(reports[0]!.id).toBe(reports[3]!.id);
  });

  test('a dataset is found by id, name, number of the version, or the start of its hash', async () => {
    const versions = [await put('find', rows(2)), await put('find', rows(3))];
    const [first, second] = versions.map(({ id }) => id);
    const found = async (given: string) => (await findDataset(store.db, given)).id;
    expect(await found('find')).toBe(second);
    expect([await found('find@1'), await found('find@2')]).toEqual([first, second]);
    expect(await found(`find@${versions[0]!.hash.slice(0, 8)}`)).toBe(first);
    expect(await found(`find@${versions[0]!.hash.toUpperCase()}`)).toBe(first);
    expect([await found(first!), await found(second!.toUpperCase())]).toEqual([first, second]);
    await expect(found('find@3')).rejects.toThrow(/no such version of find\. There are: find@2 \([0-9a-f]{8}\), find@1/);
    await expect(found(`find@${versions[0]!.hash.slice(0, 7)}`)).rejects.toMatchObject({ code: 'not_found' });
    for (const odd of [
      '',
      '@',
      'find@',
      '@1',
      'no\0pe',
      '00000000-0000-0000-0000-000000000000',
      `${first}x`,
      'x'.repeat(1000),
      '%',
      '🐐',
    ]) {
      await expect(found(odd), odd).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  test('pages go from new to old, over all names or one', async () => {
    const ids: string[] = [];
    for (let count = 1; count <= 5; count++) ids.unshift((await put('paged', rows(count))).id);
    const walk = async (name?: string) => {
      const seen: string[] = [];
      for (let page = await pageDatasets(store.db, { name, limit: 2 }); page.length > 0; ) {
        seen.push(...page.map(({ id }) => id));
        page = await pageDatasets(store.db, { name, after: seen.at(-1), limit: 2 });
      }
      return seen;
    };
    expect(await walk('paged')).toEqual(ids);
    const all = await walk();
    expect(all.slice(0, 5)).toEqual(ids);
    expect([all.length, new Set(all).size]).toEqual([await store.db.$count(datasets), await store.db.$count(datasets)]);
    expect(await walk('no\0pe')).toEqual([]);
  });

  test('the figures are those of the data, over several slices', async () => {
    const dialogue = {
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Hello', attributes: { helpfulness: 3, complexity: 0.4 } },
        { role: 'user', content: 'Bye' },
        { role: 'assistant', content: 'Farewell' },
      ],
    };
    const many = Array.from({ length: 6_000 }, (_, i) => ({
      messages: dialogue.messages.slice(1, 3).map((turn) => ({ ...turn, content: `${turn.content} ${i}` })),
    }));
    const { id } = await put('figures', [dialogue, dialogue, ...many], { schema: helpSteer, validationShare: 0.5 });
    const [sample] = await listLabelledSamples(store.db, id, { limit: 1 });
    const made = { sampleId: sample!.sample.id, attribute: 'helpfulness', turn: 3 };
    const model = { source: 'model' as const, author: 'apm', revision: 'r1' };
    await appendLabels(store.db, [
      { ...made, value: 4, level: 4, source: 'human', author: 'ann' },
      { ...made, value: 1, level: 1, source: 'human', author: 'bob' },
      { ...made, value: 2, level: 2, ...model },
      { ...made, turn: 1, value: 2, level: 2, ...model },
      { ...made, turn: 1, value: 2, level: 2, ...model, revision: 'r0' },
    ]);
    const dataset = await findDataset(store.db, id);
    const figures = await inspectDataset(store.db, dataset, never);
    expect(figures).toMatchObject({ samples: 6_002, texts: 0, turns: 12_008, replies: 6_004, duplicates: 1 });
    expect(figures.train + figures.validation).toBe(6_002);
    expect(Math.abs(figures.train - 3_001)).toBeLessThan(300);
    expect(figures.labels).toEqual([
      { attribute: 'helpfulness', source: 'human', turns: 1, labels: 2, mean: 2.5, levels: [0, 1, 0, 0, 1] },
      { attribute: 'helpfulness', source: 'model', turns: 2, labels: 3, mean: 2, levels: [0, 0, 3, 0, 0] },
      { attribute: 'helpfulness', source: 'import', turns: 6_002, labels: 6_002, mean: 3, levels: [0, 0, 0, 6_002, 0] },
      {
        attribute: 'complexity',
        source: 'import',
        turns: 6_002,
        labels: 6_002,
        mean: expect.closeTo(0.4),
        levels: [6_002, 0, 0, 0, 0],
      },
    ]);
    expect(await countLabelledBy(store.db, dataset, 'apm', 'r1')).toBe(2);
    expect(await countLabelledBy(store.db, dataset, 'apm', 'r9')).toBe(0);
    await expect(inspectDataset(store.db, dataset, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(await collect(streamSamples(store.db, id, { every: 1000 }))).toMatchObject(
      [0, 1, 2, 3, 4, 5, 6].map((i) => ({ position: i * 1000 })),
    );
  });

  test('samples come with the labels of everybody', async () => {
    const { id } = await put('seen', rows(5));
    const [, second] = await listLabelledSamples(store.db, id, { limit: 2 });
    await appendLabels(store.db, [
      {
        sampleId: second!.sample.id,
        turn: 1,
        attribute: 'humor',
        value: 2.2,
        level: 2,
        probabilities: [0, 0.5, 0.5],
        confidence: 0.5,
        source: 'model',
        author: 'apm',
        revision: 'r1',
      },
    ]);
    const page = await listLabelledSamples(store.db, id, { after: 0, limit: 2 });
    expect(page.map(({ sample }) => sample.position)).toEqual([1, 2]);
    expect(page[0]!.labels).toMatchObject([
      { attribute: 'helpfulness', source: 'import', author: 'helpsteer', value: 1, revision: null },
      { attribute: 'verbosity', source: 'import' },
      { attribute: 'humor', source: 'model', author: 'apm', revision: 'r1', probabilities: [0, 0.5, 0.5], confidence: 0.5 },
    ]);
    expect(await listLabelledSamples(store.db, id, { after: 4, limit: 2 })).toEqual([]);
  });

  test('tokens are counted as training lays a sample out, long texts in parts', async () => {
    const long = 'ab '.repeat(20_000);
    const { id } = await put('tokens', [{ text: long }, { text: 'ab' }], { format: 'text' });
    const { id: talk } = await put('token-talk', rows(1), { schema: helpSteer });
    const seen: string[] = [];
    const count = (dataset: string) =>
      findDataset(store.db, dataset).then((found) =>
        countTokens(store.db, found, {
          schema: helpSteer,
          count: (text) => {
            seen.push(text);
            return text.length;
          },
          signal: never,
        }),
      );
    expect(await count(id)).toEqual([2, 60_000]);
    expect(Math.max(...seen.map(({ length }) => length))).toBeLessThan(20_000);
    seen.length = 0;
    await count(talk);
    expect(seen.join('')).toContain('helpfulness:0,verbosity:1\nAnswer 0');
  });

  test('a deleted version takes its samples and labels along and leaves the others', async () => {
    const [kept, gone] = [await put('doomed', rows(2)), await put('doomed', rows(5_001))];
    const [allSamples, allLabels] = [await store.db.$count(samples), await store.db.$count(labels)];
    await deleteDataset(store.db, gone.id);
    expect(allSamples - (await store.db.$count(samples))).toBe(5_001);
    expect(allLabels - (await store.db.$count(labels))).toBe(10_002);
    expect((await findDataset(store.db, 'doomed')).id).toBe(kept.id);
    await expect(deleteDataset(store.db, gone.id)).rejects.toMatchObject({ code: 'not_found' });
  });

  test('the number of a deleted version is not given again, and its name is free', async () => {
    const versions = [await put('counted', rows(1)), await put('counted', rows(2)), await put('counted', rows(3))];
    await deleteDataset(store.db, versions[2]!.id);
    await deleteDataset(store.db, versions[0]!.id);
    expect((await findDataset(store.db, 'counted')).version).toBe(2);
    const next = await put('counted', rows(3));
    expect(next).toMatchObject({ version: 4, created: true });
    for (const { id } of [next, versions[1]!]) await deleteDataset(store.db, id);
    await expect(findDataset(store.db, 'counted')).rejects.toThrow(/no dataset "counted"\. There are: (?!.*counted)/);
    expect(await pageDatasets(store.db, { name: 'counted', limit: 9 })).toEqual([]);
    for (const listed of [await listDatasets(store.db), await pageDatasets(store.db, { limit: 100 })]) {
      expect(listed.map(({ name }) => name)).not.toContain('counted');
    }
    const [kept] = await store.db.select().from(datasets).where(eq(datasets.name, 'counted'));
    await expect(findDataset(store.db, kept!.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(deleteDataset(store.db, kept!.id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await put('counted', rows(1), { newVersion: false })).toMatchObject({ version: 5, created: true });
  });

  test('an export reads back as the same data, and a format that is only read is refused at once', async () => {
    const { id, hash } = await put('out', rows(700, 'A longer answer, so that the text is handed on in several pieces,'));
    const pieces = await collect(readExport(store.db, { dataset: id, format: 'openai' }));
    expect(pieces.length).toBeGreaterThan(1);
    const lines = pieces.join('').trim().split('\n');
    expect(
      (
        await put(
          'back',
          lines.map((line) => JSON.parse(line)),
        )
      ).hash,
    ).toBe(hash);
    await expect(readExport(store.db, { dataset: id, format: 'openassistant' }).next()).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });
});
