// The schema of a dataset: the one that was named, or what occurs in its labels.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ImportOptions } from '../../src/datasets/import.ts';
import { findDataset, streamSamples } from '../../src/datasets/samples.ts';
import { steerLM } from '../../src/steerlm/schemas.ts';
import type { Store } from '../../src/store/connect.ts';
import { testDatabases } from '../store/databases.ts';
import { collect } from './collect.ts';
import { importText } from './import-text.ts';

describe.each(await testDatabases())('schemas on $name', ({ open }) => {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());
  const importLines = (name: string, records: unknown[], options: Partial<ImportOptions> = {}) =>
    importText(store.db, name, records, options);
  const read = async (name: string) => await collect(streamSamples(store.db, (await findDataset(store.db, name)).id));

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
});
