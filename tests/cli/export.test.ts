// What import and export tell: how much was held out, which labels were written and which lost, and what a name may end in.
import { existsSync, lstatSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newWorkshop, steer } from './steer.ts';

const { folder, path } = newWorkshop();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** One question and one answer each, rated for attributes of no built-in schema, and one of them for verbosity. */
const records = Array.from({ length: 6 }, (_, i) => ({
  instruction: `Question ${i}`,
  output: `Answer ${i}`,
  attributes: { warmth: 1, ...(i === 0 ? { verbosity: 2 } : {}) },
}));
const lines = (all: object[]) => all.map((record) => `${JSON.stringify(record)}\n`).join('');
const exported = async (...args: string[]) => await steer(folder, ['export', ...args]);

beforeAll(async () => {
  writeFileSync(path('own.jsonl'), lines(records));
  writeFileSync(path('warm.jsonl'), lines(records.slice(1)));
  writeFileSync(path('tale.txt'), 'Once upon a time.\n');
  for (const file of ['warm.jsonl', 'tale.txt']) expect(await steer(folder, ['import', file])).toMatchObject({ code: 0 });
});

test('an import tells what share was held out, and warns where chance held out nothing', async () => {
  const { stdout, stderr } = await steer(folder, ['import', 'own.jsonl', '--validation-share', '0.00001']);
  expect(stdout).toMatch(/6 conversations, 0 held out \(a share of about 0\.00001; all replies/);
  expect(stderr).toMatch(/^warning: nothing was held out, .*--validation-share 0\.2, .*--name own --new-version\.\n$/);
  const asked = await steer(folder, ['import', 'own.jsonl', '--name', 'whole', '--validation-share', '0']);
  expect(asked.stderr).toBe('');
});

test('what is there already is replaced only when asked to', async () => {
  writeFileSync(path('kept.jsonl'), 'precious');
  expect(await exported('warm', 'kept.jsonl')).toMatchObject({
    code: 1,
    stderr: 'error: There is something at kept.jsonl already. Choose another file, or replace it: --force.\n',
  });
  expect(readFileSync(path('kept.jsonl'), 'utf8')).toBe('precious');
  expect(await exported('warm', 'kept.jsonl', '--force')).toMatchObject({ code: 0 });
  expect(readFileSync(path('kept.jsonl'), 'utf8')).toContain('Answer 1');
  // As a device or a pipe would be, a link would be replaced by the file.
  symlinkSync(path('warm.jsonl'), path('link.jsonl'));
  expect((await exported('warm', 'link.jsonl', '--force')).stderr).toMatch(/link\.jsonl is neither a file nor a folder/);
  expect(lstatSync(path('link.jsonl')).isSymbolicLink()).toBe(true);
  const label = ['label', '--data', 'warm.jsonl', '--out', 'kept.jsonl'];
  expect((await steer(folder, label)).stderr).toMatch(/something at kept\.jsonl already.*--out.*--force/);
});

describe('names of files', () => {
  test.each([
    ['warm', 'o.csv', /o\.csv ends in \.csv, which is not written\. End the name in \.jsonl .*Formats: .*openai/],
    ['warm', 'o.parquet.gz', /ends in \.parquet/],
    ['warm', 'o.txt', /the sample is a conversation; export it in a chat format/],
  ])('%s is not exported to %s', async (dataset, file, message) => {
    const { code, stderr } = await exported(dataset, file);
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)]);
    expect([file, `${file}.part`].filter((name) => existsSync(path(name)))).toEqual([]);
  });

  test('JSON goes into no .txt, and texts do without a format', async () => {
    expect((await exported('warm', 'o.txt', '--format', 'nemo')).stderr).toMatch(/o\.txt is the name of a plain text, and nemo/);
    expect(await exported('tale', 'told.txt')).toMatchObject({ code: 0 });
    expect(readFileSync(path('told.txt'), 'utf8')).toBe('Once upon a time.\n<|endoftext|>\n');
  });

  test('labelled files are lines', async () => {
    const { stderr } = await steer(folder, ['label', '--data', 'warm.jsonl', '--out', 'labelled.txt']);
    expect(stderr).toMatch(/--out: expected a name that ends in \.jsonl.*found labelled\.txt/);
  });

  test('records under the name of a text are refused on import, unless the format is named', async () => {
    writeFileSync(path('records.txt'), lines(records));
    expect(await steer(folder, ['import', 'records.txt'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/line 1: expected plain text, as the name records\.txt says, found a JSON record/),
    });
    expect((await steer(folder, ['import', 'records.txt', '--format', 'alpaca'])).stdout).toMatch(/\(alpaca\): 6 samples/);
    expect((await steer(folder, ['import', 'records.txt', '--name', 't', '--format', 'text'])).stdout).toMatch(
      /\(text\): 1 sample/,
    );
  });

  test('a missing file is named with its path', async () => {
    expect((await steer(folder, ['import', 'no/such.jsonl'])).stderr).toBe('error: There is no file no/such.jsonl.\n');
  });
});

describe('labels', () => {
  test('those written are counted, those without room are named', async () => {
    const { stderr } = await exported('own', 'own-helpsteer.jsonl', '--format', 'helpsteer');
    expect(stderr).toMatch(
      /^Exported 6 samples as 6 records with 1 label\.\nwarning: helpsteer has no room for warmth \(6 labels\)\. Formats for any attributes: preference, nemo, .*\n/,
    );
    expect((await exported('own', 'own-openai.jsonl', '--format', 'openai')).stderr).toMatch(/6 records with 7 labels\.\n/);
    expect((await exported('own', 'none.jsonl', '--labels', 'human')).stderr).toMatch(/6 records with no labels\.\n/);
  });

  test('a format that would lose all of them is refused', async () => {
    expect(await exported('warm', 'lost.jsonl', '--format', 'helpsteer')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /helpsteer has room for helpfulness, .* alone, and no label of warm is of these.*Export as .*nemo/,
      ),
    });
    expect(existsSync(path('lost.jsonl'))).toBe(false);
  });
});
