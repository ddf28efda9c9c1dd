import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportDataset } from '../../src/datasets/export.ts';
import { type ImportOptions, importDataset } from '../../src/datasets/import.ts';
import { listLabelledSamples } from '../../src/datasets/labelled-samples.ts';
import { streamSamples } from '../../src/datasets/samples.ts';
import type { Store } from '../../src/store/connect.ts';
import { testDatabases } from '../store/databases.ts';
import { collect } from './collect.ts';
import { importText } from './import-text.ts';
import { ratedRows } from './rated-rows.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'steer-exports-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, content: Uint8Array) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

describe.each(await testDatabases())('exports on $name', ({ name: database, open }) => {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());
  const importLines = (name: string, records: unknown[], options: Partial<ImportOptions> = {}) =>
    importText(store.db, name, records, options);

  test('exports read back the same, packed or not, as lines, array or text', async () => {
    const { hash } = await importLines('source', ratedRows(40));
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

  test('a byte order mark is left out at the start of a file alone', async () => {
    const marked = ['\ufeff', '\ufeffabc', 'b\ufeff', '"\\u{1F3B2}'].map((text) => ({ text, document: `\ufeff${text.length}` }));
    const content = `\ufeff${marked.map((record) => JSON.stringify(record)).join('\n')}`;
    const input = { path: file(`${database}-marked.jsonl`, Buffer.from(content)) };
    const first = await importDataset(store.db, { name: 'marked', input });
    const stored = await collect(streamSamples(store.db, first.id));
    expect(stored.map(({ content, conversationId: document }) => ({ ...content, document }))).toMatchObject(marked);
    expect((await listLabelledSamples(store.db, first.id, { limit: 9 })).map(({ sample }) => sample.text)).toEqual(
      marked.map(({ text }) => text),
    );
    const path = join(folder, `${database}-marked-again.jsonl`);
    await exportDataset(store.db, { dataset: 'marked', format: 'text', output: { path } });
    expect(await importDataset(store.db, { name: 'marked', newVersion: true, input: { path } })).toMatchObject({
      created: false,
    });
  });

  test('an export takes the labels and the side asked for, and goes to a stream too', async () => {
    await importLines('streamed', ratedRows(6), { validationShare: 1 });
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
