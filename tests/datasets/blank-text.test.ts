// Text that says nothing: skipped as it streams by, held by nobody, and others have their turn meanwhile. A few packed bytes may stand for any amount.
import { describe, expect, test } from 'vitest';
import { readRows } from '../../src/datasets/read.ts';
import { type InputRecord, readDocuments, readRecords } from '../../src/datasets/records.ts';
import { maxRecordLength, readLines } from '../../src/files/lines.ts';
import { turnsDuring } from '../turns-during.ts';
import { collect } from './collect.ts';
import { bytesOf } from './import-text.ts';

const mebi = 2 ** 20;
/** Characters after which others have their turn at the latest. */
const stint = 256 * 1024;
/** Lines with something in them after which they have it. */
const stintLines = 128;

/** Nothing between the chunks is a turn by itself. */
async function* chunks(...parts: (string | { blank: string; length: number })[]): AsyncGenerator<string> {
  for (const part of parts) {
    if (typeof part === 'string') yield part;
    else for (let left = part.length; left > 0; left -= mebi) yield part.blank.repeat(mebi / part.blank.length);
  }
}

const blanks = {
  'line ends': '\n',
  'Windows line ends': '\r\n',
  spaces: ' ',
  'lines of a space': ' \n',
  'byte order marks': '\uFEFF\n',
  'separators of Unicode': '\u2028\u2029',
};
const lineOf = (blank: string, length: number) => 1 + (blank.includes('\n') ? length / blank.length : 0);

describe.each(Object.entries(blanks))('%s', (_name, blank) => {
  /** Of the plain ones more than a record may have, so that whoever gathered it would refuse it. */
  const wide = { blank, length: blank.length === 1 ? maxRecordLength + 4 * mebi : 4 * mebi };
  const start = lineOf(blank, wide.length);
  const readers: Record<string, [(text: AsyncIterable<string>) => AsyncIterable<InputRecord>, string, unknown[]]> = {
    'JSON lines': [(text) => readRecords(text, 'x.jsonl'), '{"a":1}', [{ line: start, value: { a: 1 }, key: null }]],
    'a list of unknown name': [readRecords, '{"a":1}\n{"a":2}', [{ line: start }, { line: start + 1, value: { a: 2 } }]],
    'an array': [readRecords, '[{"a":1}]', [{ line: start, value: { a: 1 } }]],
    'an object over lines': [readRecords, '{\n"a":1}', [{ line: start, value: { a: 1 } }]],
    'plain text': [readDocuments, ' once\n  upon', [{ line: start, value: { text: 'once\n  upon' } }]],
    'nothing else': [readRecords, '', []],
  };
  test.each(Object.entries(readers))('before %s', async (_what, [read, text, expected]) => {
    const { result, turns } = await turnsDuring(() => collect(read(chunks(wide, text))));
    expect(result).toMatchObject(expected);
    expect(turns).toBeGreaterThanOrEqual(wide.length / stint);
  });
});

describe('in the middle', () => {
  const wide = { blank: '\n', length: maxRecordLength + 4 * mebi };
  const turnsOfIt = wide.length / stint;

  test('of lines, and at their end', async () => {
    const { result, turns } = await turnsDuring(() => collect(readRecords(chunks('{"a":1}', wide, '{"a":2}', wide), 'x.jsonl')));
    expect(result).toMatchObject([{ line: 1 }, { line: wide.length + 1, value: { a: 2 } }]);
    expect(turns).toBeGreaterThanOrEqual(2 * turnsOfIt);
  });

  test('of an array, and after it', async () => {
    const { result, turns } = await turnsDuring(() => collect(readRecords(chunks('[1,', wide, '2', ',', wide, '3]', wide))));
    expect(result).toMatchObject([{ value: 1 }, { line: wide.length + 1, value: 2 }, { line: 2 * wide.length + 1, value: 3 }]);
    expect(turns).toBeGreaterThanOrEqual(3 * turnsOfIt);
  });

  test('of a document, which keeps its indentation', async () => {
    const { result, turns } = await turnsDuring(() => collect(readDocuments(chunks(' a\n\n  b\n', wide, ' c'))));
    expect(result).toMatchObject([{ line: 1, value: { text: 'a\n\n  b' } }, { value: { text: 'c' } }]);
    expect(turns).toBeGreaterThanOrEqual(turnsOfIt);
  });

  test('of a document on one line', async () => {
    const spaces = { blank: ' ', length: maxRecordLength + 4 * mebi };
    const result = await collect(readDocuments(chunks('a\n', spaces, 'b')));
    expect(result).toMatchObject([{ value: { text: expect.stringMatching(/^a\n +b$/) } }]);
  });

  test('of lines as they are, where each of them counts', async () => {
    let lines = 0;
    const { turns } = await turnsDuring(async () => {
      for await (const line of readLines(chunks({ blank: '\n', length: mebi }))) lines += line === '' ? 1 : 0;
    });
    expect(lines).toBe(mebi);
    expect(turns).toBeGreaterThanOrEqual(mebi / stintLines);
  });
});

describe('records that are none', () => {
  test.each([
    ['lines of a number', '{"text":"a"}\n', '1\n', 'x.jsonl'],
    ['lines of an empty object', '{"text":"a"}\n', '{}\n', 'x.jsonl'],
    ['elements', '[{"text":"a"}', ',{}', 'x.json'],
    ['commas', '[{"text":"a"}', ',', 'x.json'],
  ])('%s let others have their turn', async (_what, start, bad, name) => {
    const count = 20_000;
    let problems = 0;
    const { turns } = await turnsDuring(async () => {
      for await (const row of readRows({ bytes: bytesOf(start + bad.repeat(count)), name })) problems += 'problem' in row ? 1 : 0;
    });
    expect(problems).toBeGreaterThanOrEqual(count);
    expect(turns).toBeGreaterThanOrEqual(Math.floor(count / stintLines));
  });
});

test('a table behind blank lines is refused with its line', async () => {
  await expect(collect(readRecords(chunks('\n\na,b\n1,2\n')))).rejects.toThrow(/^line 3: expected a JSON object, found "a,b/);
});
