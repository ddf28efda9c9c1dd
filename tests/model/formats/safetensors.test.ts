import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { SteerError } from '../../../src/errors.ts';
import { openTensorFile, writeTensorFile } from '../../../src/model/formats/safetensors.ts';

const folder = await mkdtemp(join(tmpdir(), 'safetensors-'));
afterAll(() => rm(folder, { recursive: true }));

const shapes = new Map([
  ['a', [2, 3]],
  ['scalar', []],
  ['empty', [0, 4]],
  ['b', [5]],
]);
const tensors = new Map([
  ['b', Float32Array.of(1e-3, -1e-3, 65_504, 0, 1 / 3)],
  ['a', Float32Array.of(1, 2, 3, -4, 5.5, 6.25)],
  ['empty', new Float32Array()],
  ['scalar', Float32Array.of(Math.PI)],
]);

/** A file with this header and this many bytes of data. */
async function forge(name: string, header: unknown, dataBytes: number, claimedBytes?: bigint): Promise<string> {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimedBytes ?? BigInt(text.length));
  const path = join(folder, `${name}.safetensors`);
  await writeFile(path, Buffer.concat([length, text, Buffer.alloc(dataBytes)]));
  return path;
}

async function failure(act: Promise<unknown>): Promise<string> {
  const error = await act.then(
    () => expect.unreachable('expected a failure'),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(SteerError);
  expect((error as SteerError).code).toBe('invalid_model');
  expect((error as SteerError).message).not.toContain('\n');
  return (error as SteerError).message;
}

test.each([
  { type: 'F32', bytes: 4, error: 0 },
  { type: 'F16', bytes: 2, error: 2 ** -11 },
  { type: 'BF16', bytes: 2, error: 2 ** -8 },
] as const)('writes and reads $type, in any order of arrival', async ({ type, bytes, error }) => {
  const path = join(folder, `${type}.safetensors`);
  await writeTensorFile(path, shapes, tensors, type);
  const file = await openTensorFile(path);
  expect([...file.shapes]).toEqual([...shapes]);
  for (const [name, values] of tensors) {
    const read = await file.read(name);
    expect(read).toHaveLength(values.length);
    for (const [i, value] of values.entries()) expect(Math.abs(read[i]! - value)).toBeLessThanOrEqual(error * Math.abs(value));
    expect(await file.read(name, { start: Math.min(1, values.length), end: values.length })).toEqual(read.subarray(1));
  }
  await file.close();
  const written = await readFile(path);
  const headerBytes = Number(written.readBigUInt64LE());
  expect((8 + headerBytes) % 8).toBe(0);
  expect(JSON.parse(written.toString('utf8', 8, 8 + headerBytes)).__metadata__).toEqual({ format: 'pt' });
  expect(written.length).toBe(8 + headerBytes + 12 * bytes);
});

test('a view into a larger array is written as the view', async () => {
  const path = join(folder, 'view.safetensors');
  await writeTensorFile(path, new Map([['v', [2]]]), [['v', Float32Array.of(1, 2, 3, 4).subarray(1, 3)]], 'F16');
  const file = await openTensorFile(path);
  expect([...(await file.read('v'))]).toEqual([2, 3]);
  await file.close();
});

test.each([
  ['never came', [['a', new Float32Array(6)]]],
  ['expected 6 numbers in a, found 5', [['a', new Float32Array(5)]]],
  ['came twice', [...tensors, ['a', new Float32Array(6)]]],
  ['is not a tensor of this model', [['c', new Float32Array(6)]]],
] as [string, [string, Float32Array][]][])('a failed write says "%s" and leaves the old file', async (problem, given) => {
  const path = join(folder, 'kept.safetensors');
  await writeFile(path, 'old');
  expect(await failure(writeTensorFile(path, shapes, given, 'F32'))).toContain(problem);
  expect(await readFile(path, 'utf8')).toBe('old');
  expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([]);
});

const f32 = (start: number, end: number, shape: number[] = [(end - start) / 4]) => ({
  dtype: 'F32',
  shape,
  data_offsets: [start, end],
});

test.each([
  ['its header claims', '{}', 0, 1n << 60n],
  ['its header claims', '{}', 0, 3n],
  ['its header is not JSON', '{"a":', 0, undefined],
  ['its header is not a JSON object', '[]', 0, undefined],
  ['the entry of a is malformed', { a: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 4, undefined],
  ['the entry of a is malformed', { a: null }, 4, undefined],
  ['unknown type "F12"', { a: { ...f32(0, 4), dtype: 'F12' } }, 4, undefined],
  ['unknown type "toString"', { a: { ...f32(0, 4), dtype: 'toString' } }, 4, undefined],
  ['12 bytes, but spans 8', { a: f32(0, 8, [3]) }, 8, undefined],
  ['8 bytes, but spans -8', { a: f32(8, 0, [2]) }, 8, undefined],
  ['the file at', { a: f32(0, 16) }, 12, undefined],
  ['b overlaps', { a: f32(0, 8), b: f32(4, 12) }, 12, undefined],
  ['b leaves a gap', { a: f32(0, 4), b: f32(8, 12) }, 12, undefined],
  ['4 bytes follow', { a: f32(0, 8) }, 12, undefined],
])('refuses a file where %s', async (problem, header, dataBytes, claimed) => {
  const message = await failure(openTensorFile(await forge('forged', header, dataBytes, claimed)));
  expect(message).toContain(problem);
  expect(message).toContain('forged.safetensors');
});

test('refuses missing, empty and cut files, and a folder', async () => {
  expect(await failure(openTensorFile(join(folder, 'none.safetensors')))).toContain('found nothing there');
  const path = join(folder, 'short.safetensors');
  await writeFile(path, 'abc');
  expect(await failure(openTensorFile(path))).toContain('expected at least 8 bytes, found 3');
  await writeTensorFile(path, shapes, tensors, 'F32');
  const whole = await readFile(path);
  for (const length of [9, 40, whole.length - 1]) {
    await writeFile(path, whole.subarray(0, length));
    await failure(openTensorFile(path));
  }
  await failure(openTensorFile(folder));
});

test('refuses to read what is not a float tensor, or not there', async () => {
  const file = await openTensorFile(await forge('ints', { ids: { dtype: 'I64', shape: [2], data_offsets: [0, 16] } }, 16));
  expect(await failure(file.read('ids'))).toContain('found I64');
  expect(await failure(file.read('other'))).toContain('no tensor other');
  await file.close();
});
