// GGUF files that lie: each gives one clear line that names the file and what in it is amiss, before memory is taken for what it claims.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SteerError } from '../../../src/errors.ts';
import { readGgufHeader, readList } from '../../../src/model/formats/gguf-header.ts';
import { ggufFile, list, type Tensor, text, uint32, uint64 } from './gguf-file.ts';

const folder = await mkdtemp(join(tmpdir(), 'gguf-header-'));
afterAll(() => rm(folder, { recursive: true }));
const path = join(folder, 'model.gguf');

async function read(bytes: Uint8Array) {
  await writeFile(path, bytes);
  return await readGgufHeader(path);
}

async function refusal(bytes: Uint8Array): Promise<string> {
  const error: unknown = await read(bytes).then(
    () => expect.unreachable('expected a refusal'),
    (cause) => cause,
  );
  expect(error).toBeInstanceOf(SteerError);
  const { code, message } = error as SteerError;
  expect([code, message.startsWith(path), message.includes('\n')]).toEqual(['invalid_model', true, false]);
  return message;
}

const tensor = (given: Partial<Tensor>): Tensor => ({ name: 'a.weight', shape: [2, 32], ...given });
const huge = 2n ** 60n;

test.each([2, 3])('version %i: values, short and long lists, tensors', async (version) => {
  const words = Array.from({ length: 3000 }, (_, i) => text(`word ${i}`));
  const values = [
    ['name', text('x')] as const,
    ['sizes', list([uint32(1), uint32(2)])] as const,
    ['words', list(words)] as const,
  ];
  const header = await read(ggufFile(values as never, [tensor({}), tensor({ name: 'b.weight', shape: [3] })], { version }));
  expect(header.values.get('name')).toBe('x');
  expect(header.values.get('sizes')).toEqual([1, 2]);
  expect((await readList(header, 'words'))?.slice(-1)).toEqual(['word 2999']);
  expect(await readList(header, 'none')).toBeUndefined();
  await expect(readList(header, 'name')).rejects.toThrow('expected name to be a list');
  const [a, b] = [header.tensors.get('a.weight')!, header.tensors.get('b.weight')!];
  expect([a.shape, a.type.name, a.end - a.start, b.start - a.start, b.end - b.start]).toEqual([[2, 32], 'F32', 256, 256, 12]);
});

test('a header longer than the first look into the file', async () => {
  const words = Array.from({ length: 70_000 }, (_, i) => text(`a rather long word, number ${i}`));
  const header = await read(
    ggufFile(
      [
        ['words', list(words)],
        ['last', uint32(7)],
      ],
      [tensor({})],
    ),
  );
  expect(header.values.get('last')).toBe(7);
  expect(await readList(header, 'words')).toHaveLength(70_000);
});

const manyTexts = 2 ** 20 + 1;

describe('values', () => {
  test.each([
    ['another file', Buffer.from('{"model_type": "llama"}  '), 'does not begin with GGUF'],
    ['nothing', Buffer.alloc(0), 'claims 4 bytes at byte 0, the file has 0'],
    ['version 1', ggufFile([], [], { version: 1 }), 'expected GGUF version 2 or 3, found 1'],
    ['big-endian', ggufFile([], [], { version: 3 * 2 ** 24 }), 'big-endian'],
    ['more values than there are', ggufFile([], [], { values: 9n }), 'claims 4 bytes at byte 32, the file has 32'],
    ['2^60 values', ggufFile([], [], { values: huge }), 'values, more than 65536'],
    ['2^60 tensors', ggufFile([], [], { tensors: huge }), 'tensors, more than 65536'],
    ['a text of 2^60 bytes', ggufFile([['key', { type: 8, bytes: uint64(huge).bytes }]]), '"key" claims'],
    ['a list of 2^60 texts', ggufFile([['key', list([], 8, 2 ** 60)]]), '"key" claims'],
    [
      'two lists of a million empty texts each',
      ggufFile(['a', 'b'].map((key) => [key, list([{ type: 8, bytes: Buffer.alloc(8 * manyTexts) }], 8, manyTexts)])),
      'its lists hold more than 2097152 texts',
    ],
    ['a list of 2^60 numbers', ggufFile([['key', list([], 4, 2 ** 60)]]), '"key" claims'],
    ['a list of lists', ggufFile([['key', list([list([uint32(1)])])]]), '"key" is a list of lists'],
    ['a value of no type', ggufFile([['key', { type: 99, bytes: Buffer.alloc(4) }]]), '"key" has the unknown type 99'],
    ['a list of no type', ggufFile([['key', list([], 77, 1)]]), '"key" has the unknown type 77'],
    [
      'a name twice',
      ggufFile([
        ['key', uint32(1)],
        ['key', uint32(2)],
      ]),
      'two values "key"',
    ],
    ['an alignment of 24', ggufFile([['general.alignment', uint32(24)]]), 'general.alignment to be a power of two'],
    ['an alignment of 0', ggufFile([['general.alignment', uint32(0)]]), 'general.alignment to be a power of two'],
    ['an alignment in words', ggufFile([['general.alignment', text('x')]]), 'general.alignment to be a power of two'],
  ])('%s', async (_, bytes, said) => {
    expect(await refusal(bytes)).toContain(said);
  });
});

describe('tensors', () => {
  test.each([
    ['a type that is not read', [tensor({ type: 10 })], 'a.weight is stored as Q2_K; read are F32, F16, BF16, Q4_0'],
    ['a type nobody knows', [tensor({ type: 222 })], 'a.weight is stored as number 222'],
    ['no dimension', [tensor({ shape: [] })], '"a.weight" claims 0 dimensions'],
    ['five dimensions', [tensor({ shape: [1, 1, 1, 1, 1] })], '"a.weight" claims 5 dimensions'],
    ['a dimension of 0', [tensor({ shape: [2, 0] })], '"a.weight" claims the shape [0, 2]'],
    ['2^60 numbers', [tensor({ shape: [2, huge], data: Buffer.alloc(8) })], '"a.weight" claims the shape'],
    ['rows that are no whole blocks', [tensor({ shape: [2, 33], type: 8 })], '"a.weight" claims the shape [33, 2] of Q8_0'],
    ['less in the file than claimed', [tensor({ data: Buffer.alloc(200) })], '"a.weight" ends at byte'],
    ['a place outside', [tensor({ offset: 32 * 1024 })], '"a.weight" ends at byte'],
    ['a place between', [tensor({ offset: 8 })], '"a.weight" lies at 8, no multiple of 32'],
    ['a shared place', [tensor({}), tensor({ name: 'b.weight', offset: 32 })], '"b.weight" overlaps the tensor before it'],
    ['a name twice', [tensor({}), tensor({})], 'two tensors "a.weight"'],
    ['a name without end', [tensor({ name: 'a'.repeat(300) })], 'the name of tensor 0 is longer than 256 bytes'],
  ])('%s', async (_, tensors, said) => {
    expect(await refusal(ggufFile([], tensors))).toContain(said);
  });

  test('a file that ends anywhere in its header or its numbers', async () => {
    const whole = ggufFile(
      [
        ['key', text('value')],
        ['list', list([text('a'), text('b')])],
      ],
      [tensor({})],
    );
    for (let length = 0; length < whole.length; length++) await refusal(whole.subarray(0, length));
    await read(whole);
  });
});

test('what is no file', async () => {
  await expect(readGgufHeader(folder)).rejects.toThrow('found something else of that name');
  await expect(readGgufHeader(join(folder, 'none.gguf'))).rejects.toThrow('found nothing there');
});
