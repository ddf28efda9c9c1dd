import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readSnapshot, writeSnapshot } from '../../src/datasets/snapshot.ts';
import { fileSource, writeTrainingData } from '../../src/datasets/training-data.ts';
import { refuseSeen, seenInTraining } from '../../src/evaluation/seen-data.ts';
import type { AttributeSchema } from '../../src/steerlm/attributes.ts';

const folder = mkdtempSync(join(tmpdir(), 'steer-seen-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { signal } = new AbortController();
const levels = ['0', '1', '2', '3', '4'];
const attribute = (name: string, aliases: string[] = []) => ({ name, aliases, description: '', levels, default: null, cap: 4 });
const schema: AttributeSchema = { name: 'toy', version: 1, attributes: [attribute('mood', ['temper']), attribute('size')] };

function write(name: string, from: number): string {
  const lines = Array.from({ length: 60 }, (_, i) => {
    const reply = { role: 'assistant', content: `Reply ${from + i}`, attributes: { size: i % 5, temper: i % 3 } };
    return JSON.stringify({ messages: [{ role: 'user', content: `Line ${from + i}` }, reply] });
  });
  const path = join(folder, name);
  writeFileSync(path, lines.join('\n'));
  return path;
}

const talk = fileSource(write('talk.jsonl', 0));
/** The same lines under another name. */
const copy = { ...talk, name: 'copy.jsonl' };
const other = fileSource(write('other.jsonl', 1000));
const trained = async (source = talk, named: AttributeSchema | null = schema) =>
  (await writeTrainingData([source], { folder, schema: named, signal })).datasets;

test.each([
  ['in the names of the model', schema],
  ['in its own names', null],
])('data is known again by its hash, trained on %s', async (_, named) => {
  const datasets = await trained(talk, named);
  const seen = await seenInTraining(copy, { datasets }, schema);
  expect(seen).toMatchObject({ splits: ['train'], reason: 'its card lists this data by its hash' });
  if (named) expect(seen.hash).toBe(datasets[0]!.hash);
  expect(await seenInTraining(other, { datasets }, schema)).toMatchObject({ splits: [] });
});

test('data is known again by its name, and by the hash of the training file alone', async () => {
  const datasets = await trained(other);
  expect(await seenInTraining({ ...talk, name: 'other.jsonl' }, { datasets }, schema)).toMatchObject({
    splits: ['train'],
    reason: 'its card lists data of this name',
  });
  await trained(talk, null);
  const { hash } = await writeSnapshot(join(folder, 'again.jsonl'), readSnapshot(join(folder, 'train.jsonl')));
  expect((await seenInTraining(copy, { datasets: [{ name: 'corpus', hash }] }, schema)).splits).toEqual(['train']);
});

test('a file that was taken whole for training has no held-out part', async () => {
  const datasets = await trained({ ...talk, side: 'train' });
  const seen = await seenInTraining(copy, { datasets }, schema);
  expect(seen.splits).toEqual(['train', 'validation']);
  const asked = { model: 'apm', data: 'copy', split: 'validation' as const, force: false };
  expect(() => refuseSeen(seen, asked)).toThrow(
    /apm was trained on the train and validation split of copy \(.*\. Evaluate on other data, or add --force/,
  );
});

test('what was seen is refused, or marked when forced', async () => {
  const seen = await seenInTraining(talk, { datasets: await trained() }, schema);
  const asked = { model: 'apm', data: 'talk.jsonl', force: false };
  expect(refuseSeen(seen, { ...asked, split: 'validation' })).toBe(false);
  expect(() => refuseSeen(seen, { ...asked, split: 'train' })).toThrow(
    'apm was trained on the train split of talk.jsonl (its card lists this data by its hash), so figures on it would tell what it remembers. Evaluate on --split validation or other data, or add --force to have the report marked seen_in_training.',
  );
  expect(() => refuseSeen(seen, { ...asked, split: 'all' })).toThrow('--force');
  expect(refuseSeen(seen, { ...asked, split: 'all', force: true })).toBe(true);
});
