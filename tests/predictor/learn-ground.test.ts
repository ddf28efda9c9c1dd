// What a training keeps of its replies to tell text unlike them: bounds, a folder without it, a damaged one, and what it says.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSnapshot } from '../../src/datasets/snapshot.ts';
import {
  countUnseen,
  groundFile,
  groundReader,
  mostCharacters,
  mostFilterBytes,
  readGround,
  runsOf,
} from '../../src/model/ground.ts';
import { learnGround } from '../../src/predictor/learn-ground.ts';
import { openPredictor } from '../../src/predictor/open.ts';
import { trainPredictor } from '../../src/predictor/train.ts';
import { randomStream } from '../../src/random.ts';
import { ratedLines, tone } from '../finetuning/workshop.ts';
import { quickSettings, quiet } from '../quick-training.ts';
import { writeTinyModel } from '../tiny-model.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-ground-'));
});
afterAll(() => rm(folder, { recursive: true }));

const signal = new AbortController().signal;
const strange = 'Parliament will vote on the fishing quota tomorrow.';
const contents = ratedLines(600)
  .split('\n')
  .map((line) => {
    const [asked, { attributes, ...reply }] = JSON.parse(line).messages;
    return { kind: 'conversation' as const, conversation: { system: '', turns: [asked, { ...reply, label: attributes }] } };
  });
const replies = contents.map(({ conversation }) => conversation.turns[1].content as string);

/** Trains on the first 400, with so many held out. */
async function train(out: string, heldOut: number): Promise<void> {
  const base = join(folder, 'base');
  await writeTinyModel(base, { kind: 'base', name: 'base', schema: tone, contextLength: 128 });
  const files = { train: join(folder, 'train.jsonl'), validation: join(folder, 'validation.jsonl') };
  await writeSnapshot(files.train, contents.slice(0, 400));
  await writeSnapshot(files.validation, contents.slice(400, 400 + heldOut));
  const shared = { ...files, name: 'apm', datasets: [], dtype: 'float32' as const, B: 16, T: 64, settings: quickSettings(1) };
  await rm(`${out}-run`, { recursive: true, force: true });
  await trainPredictor({ ...shared, out, runFolder: `${out}-run`, base, schema: tone, readingTokens: 64 }, quiet, signal);
}

const asked = (content: string) => ({ system: '', turns: [{ role: 'assistant' as const, content }] });

test('a training writes it, its predictor tells it, and one with too few held-out replies leaves none behind', async () => {
  const out = join(folder, 'apm');
  await train(out, 200);
  const predictor = await openPredictor(out);
  const [like, unlike, short] = await predictor.score([asked(replies[450]!), asked(strange), asked('Quota, then.')], signal);
  await predictor.dispose();
  expect(like!.ground!.unlike).toBe(false);
  expect(unlike!.ground).toEqual({ unseen: 1, unlike: true });
  expect(short!.ground).toBeUndefined();

  await train(out, 60);
  expect(await readGround(out)).toBeNull();
  const silent = await openPredictor(out);
  expect((await silent.score([asked(strange)], signal))[0]!.ground).toBeUndefined();
  expect(silent.groundOf).toBeUndefined();
  await silent.dispose();
});

test('a damaged file is one clear error', async () => {
  const out = join(folder, 'damaged');
  await writeTinyModel(out, { kind: 'predictor', name: 'damaged' });
  const path = join(out, groundFile);
  const opened = () => openPredictor(out).then((predictor) => predictor.dispose());
  await opened();
  for (const content of ['{"format_version": 1', '{}', '{"format_version": 2}', '[]', '"filter"']) {
    await writeFile(path, content);
    await expect(opened(), content).rejects.toMatchObject({ code: 'invalid_model', message: expect.stringContaining(path) });
  }
  const record = learnGround(replies.slice(0, 400), replies.slice(400))!;
  for (const fault of [{ filter: '' }, { filter: '???' }, { hashes: 0 }, { hashes: 99 }, { limit: null }, { expected: 2 }]) {
    await writeFile(path, JSON.stringify({ ...record, ...fault }));
    await expect(opened(), JSON.stringify(fault)).rejects.toMatchObject({ code: 'invalid_model' });
  }
  await writeFile(path, JSON.stringify(record));
  await opened();
});

test('the filter is bounded: what is commonest stays, and held-out replies stay within the limit', () => {
  const random = randomStream('ground');
  const say = (words: number) => Array.from({ length: 8 }, () => `w${Math.floor(random() ** 3 * words)}`).join(' ');
  const many = Array.from({ length: 30_000 }, () => say(3000));
  const record = learnGround(
    [...many, ...Array(20).fill('the commonest of them all')],
    Array.from({ length: 500 }, () => say(3000)),
  )!;
  const filter = Buffer.from(record.filter, 'base64');
  expect(filter.length).toBeLessThanOrEqual(mostFilterBytes);
  expect(JSON.stringify(record).length).toBeLessThan(64 * 1024);
  expect(countUnseen('The commonest of them all!', { filter, hashes: record.hashes })).toEqual({ unseen: 0, runs: 11 });
  const groundOf = groundReader(record);
  const told = Array.from({ length: 1000 }, () => groundOf(say(3000))!.unlike).filter(Boolean).length;
  expect(told).toBeLessThan(40);
});

test('too few held-out replies, or only short ones, set no limit', () => {
  expect(learnGround(replies.slice(0, 400), replies.slice(400, 499))).toBeNull();
  expect(learnGround(replies.slice(0, 400), Array(500).fill('Yes.'))).toBeNull();
  expect(learnGround([], replies)).toMatchObject({ expected: 1, limit: 0 });
});

test('runs know neither case nor commas, keep apart what sentences part, and read scripts without spaces', () => {
  expect(runsOf('Well, then. Go!')).toEqual(runsOf('well then; GO'));
  expect(runsOf('Well then go')).not.toEqual(runsOf('Well then. Go'));
  expect(runsOf('你好世界')).toMatchObject({ words: 4 });
  expect(runsOf(' …—')).toMatchObject({ words: 0, keys: [] });
});

test.each([
  ['characters that become eighteen each', '\ufdfa'],
  ['words of one letter', 'a b '],
  ['script without spaces', '你好世界'],
  ['sentences of one letter', 'a.'],
])('of a reply without end only the start is read: %s', (_, piece) => {
  const { words, keys } = runsOf(piece.repeat(300_000));
  expect(words).toBeGreaterThan(1000);
  expect(words).toBeLessThanOrEqual(mostCharacters);
  expect(keys.length).toBeLessThanOrEqual(2 * (mostCharacters + 2));
  const long = 'Parliament will vote. '.repeat(mostCharacters / 22 + 1);
  expect(runsOf(`${long}${piece.repeat(9)}`)).toEqual(runsOf(long.slice(0, mostCharacters)));
});

test('that of the shipped predictor is small', async () => {
  expect((await stat(join('models/npc-predictor', groundFile))).size).toBeLessThanOrEqual(64 * 1024);
  expect(JSON.parse(await readFile(join('models/npc-predictor', groundFile), 'utf8')).held_out).toBeGreaterThan(700);
});
