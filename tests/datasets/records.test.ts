import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type InputRecord, readDocuments, readRecords } from '../../src/datasets/records.ts';
import { readText } from '../../src/datasets/text-stream.ts';
import { collect } from './collect.ts';

/** The bytes in pieces of the given size, so that records, characters and escapes are cut anywhere. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function read(content: string | Uint8Array, options: { size?: number; name?: string } = {}): Promise<InputRecord[]> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return await collect(readRecords(readText(pieces(bytes, options.size ?? 7)), options.name));
}

const tricky = [{ text: 'a "quoted" , ] } \\ 🎲\n' }, { nested: { list: [1, [2, { x: '}' }]], empty: {} } }, { '': null }];

describe('a file of several shapes gives the same records', () => {
  const lines = tricky.map((record) => JSON.stringify(record)).join('\n');
  const shapes: Record<string, string> = {
    'JSON lines': lines,
    'JSON lines with Windows ends, blank lines and a byte order mark': `\uFEFF${lines.replaceAll('\n', '\r\n\r\n')}\r\n`,
    'an array on one line': JSON.stringify(tricky),
    'an array spread over lines': JSON.stringify(tricky, null, 2),
  };
  for (const [shape, content] of Object.entries(shapes)) {
    test.each([1, 2, 3, 1000])(`${shape}, in pieces of %i bytes`, async (size) => {
      const values = (await read(content, { size })).map((record) => 'value' in record && record.value);
      expect(values).toEqual(tricky);
      const packed = (await read(gzipSync(content), { size })).map((record) => 'value' in record && record.value);
      expect(packed).toEqual(tricky);
    });
  }

  test('an array is read as one under any name', async () => {
    const records = await read(JSON.stringify(tricky), { name: 'rows.jsonl' });
    expect(records.map((record) => 'value' in record && record.value)).toEqual(tricky);
  });

  test('an object of records names each, spread over lines or not', async () => {
    const named = { first: { content: [1] }, second: { content: [2] }, third: { content: [3] } };
    for (const content of [JSON.stringify(named), JSON.stringify(named, null, 4)]) {
      expect(await read(content)).toMatchObject([
        { key: 'first', value: named.first },
        { key: 'second', value: named.second },
        { key: 'third', value: named.third },
      ]);
    }
    const one = { only: { content: [] } };
    expect(await read(JSON.stringify(one, null, 2))).toMatchObject([{ key: 'only', value: one.only }]);
  });

  test('a single object spread over lines is one record, also when its first field is an object', async () => {
    const record = { prompt: { text: 'hi' }, message_tree_id: 'x' };
    expect(await read(JSON.stringify(record, null, 2))).toEqual([{ line: 1, value: record, key: null }]);
  });

  test('random JSON cut at random places', async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = generator(seed);
    for (let round = 0; round < 40; round++) {
      const value = Array.from({ length: 1 + random(4) }, () => ({ a: randomJson(random, 3) }));
      const content = JSON.stringify(value, null, random(3));
      const records = await read(content, { size: 1 + random(9) });
      expect(
        records.map((record) => 'value' in record && record.value),
        `seed ${seed}`,
      ).toEqual(value);
    }
  });
});

describe('what cannot be read is told with its line', () => {
  test('in JSON lines, where reading goes on', async () => {
    expect(await read('{"a":1}\n\n{"a":\n{"a":3}\n')).toMatchObject([
      { line: 1, value: { a: 1 } },
      { line: 3, problem: expect.stringContaining('not JSON') },
      { line: 4, value: { a: 3 } },
    ]);
    expect(await read('{"a":\n{"a":2}', { name: 'x.jsonl.gz' })).toMatchObject([{ line: 1 }, { line: 2, value: { a: 2 } }]);
  });

  test('in an array, by the line where the element starts', async () => {
    expect(await read('[\n{"a":1},\n\n{"a":oops},\n{"a":3}]')).toMatchObject([
      { line: 2, value: { a: 1 } },
      { line: 4, problem: expect.stringContaining('not JSON') },
      { line: 5, value: { a: 3 } },
    ]);
  });

  test.each(['[{"a":1},{"a":', '[{"a":1}] and more', '{\n"a": {"b":1},'])(
    'when the text ends too early or too late: %s',
    async (content) => {
      const problems = (await read(content)).filter((record) => 'problem' in record);
      expect(problems.at(-1)).toMatchObject({ problem: expect.stringContaining('one complete JSON value') });
    },
  );

  test('when gzip data is cut short', async () => {
    const packed = gzipSync(JSON.stringify(tricky).repeat(50));
    await expect(read(packed.subarray(0, packed.length - 20))).rejects.toThrow('gzip data is damaged');
  });

  test.each([
    ['Parquet', Buffer.from('PAR1\x15\x04\x15'), /found a Parquet file\. .*read_parquet.*lines=True/],
    ['a workbook', Buffer.from('PK\x03\x04\x14\0'), /found a zip archive or an Excel workbook\. .*read_excel/],
    ['zstd', Buffer.from('28b52ffd0458', 'hex'), /packed with zstd\. Unpack it first \(zstd -d\)/],
    ['bzip2', Buffer.from('BZh91AY&SY'), /packed with bzip2/],
    ['gzip twice', gzipSync(gzipSync('{}')), /packed with gzip twice\. Unpack it once/],
    ['Parquet in gzip', gzipSync('PAR1....'), /found a Parquet file/],
    ['UTF-16', Buffer.from('\uFEFF{"a":1}', 'utf16le'), /text in UTF-16\. Save it as UTF-8/],
    [
      'a table',
      Buffer.from('prompt,response\na,b\nc,d\n'),
      /^line 1: .* found "prompt,response", as of a table \(CSV or TSV\).*read_csv/,
    ],
    ['a table in quotes', Buffer.from('"prompt";"response"\n"a";"b"\n'), /as of a table \(CSV or TSV\)/],
    ['a table of tabs', Buffer.from('text of many words\tlabel\n'), /read_csv\('rows\.tsv', sep='\\t'\)/],
    ['prose', Buffer.from('Once upon a time\n'), /^line 1: .* found "Once upon a time"\. Send .* name that ends in \.txt\.$/],
  ])('when it is %s, by name and with what to send instead', async (_what, bytes, message) => {
    for (const size of [1, 1000]) await expect(read(bytes, { size })).rejects.toThrow(message);
  });

  test('when the bytes are not UTF-8', async () => {
    await expect(read(Buffer.from('{"a":"caf\xe9"}', 'latin1'))).rejects.toThrow('expected UTF-8');
  });
});

test('plain text is cut at marks, and at a blank line once a document is long', async () => {
  const story = (word: string, times: number) => Array.from({ length: times }, () => `${word} `.repeat(20).trim()).join('\n');
  const content = `${story('one', 3)}\n\nstill one\n<|endoftext|>\n${story('two', 60)}\n\n${story('three', 2)}\n`;
  const documents = await collect(readDocuments(readText(pieces(Buffer.from(content), 50))));
  expect(documents.map((record) => 'value' in record && (record.value as { text: string }).text)).toEqual([
    `${story('one', 3)}\n\nstill one`,
    story('two', 60),
    story('three', 2),
  ]);
  expect(documents.map(({ line }) => line)).toEqual([1, 7, 68]);
});

/** A small generator, so that a failing round can be repeated from its seed. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

function randomJson(random: (below: number) => number, depth: number): unknown {
  const text = () => Array.from({ length: random(5) }, () => '"\\{}[],:é🎲 \n'.at(random(13))).join('');
  if (depth === 0 || random(3) === 0) return [text(), random(100), null, true][random(4)];
  if (random(2) === 0) return Array.from({ length: random(4) }, () => randomJson(random, depth - 1));
  return Object.fromEntries(Array.from({ length: random(4) }, () => [text(), randomJson(random, depth - 1)]));
}
