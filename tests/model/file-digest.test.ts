// The hash of a pulled file is the recorded one for as long as nothing befell the file, and its own from then on.
import { createHash } from 'node:crypto';
import { mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fileDigest, pulledName } from '../../src/model/file-digest.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'digest-'));
});
afterEach(() => rm(folder, { recursive: true }));

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const digest = async () => (await fileDigest(folder, 'weights')).toString('hex');
const hour = 3_600_000;

/** The record tells another hash than the file has, so that it is seen which of them is told. */
async function record(pulledMs: number, some: object = {}): Promise<void> {
  const file = { path: 'weights', bytes: 3, sha256: sha256('recorded'), ...some };
  await writeFile(join(folder, pulledName), JSON.stringify({ files: [file], pulled_at: new Date(pulledMs).toISOString() }));
}

beforeEach(() => writeFile(join(folder, 'weights'), 'abc'));

test("without a record it is the file's own", async () => {
  expect(await digest()).toBe(sha256('abc'));
  await expect(fileDigest(folder, 'missing')).rejects.toMatchObject({ code: 'invalid_model' });
});

test('one that lies as it was pulled has the recorded one', async () => {
  await record(Date.now() + hour);
  expect(await digest()).toBe(sha256('recorded'));
});

test.each([
  ['of another size', { bytes: 4 }],
  ['of another file', { path: 'others' }],
  ['that is no hash', { sha256: 'abc' }],
])('a record %s does not count', async (_, some) => {
  await record(Date.now() + hour, some);
  expect(await digest()).toBe(sha256('abc'));
});

test('another file of an older date, moved to where it lay, is not taken for it', async () => {
  await writeFile(join(folder, 'other'), 'xyz');
  await utimes(join(folder, 'other'), 0, 0);
  await rename(join(folder, 'other'), join(folder, 'weights'));
  await record(Date.now() - hour);
  expect(await digest()).toBe(sha256('xyz'));
});

test('a record that cannot be read does not count', async () => {
  await writeFile(join(folder, pulledName), '{');
  expect(await digest()).toBe(sha256('abc'));
});
