// steer evaluate likelihood as a user runs it, on models with random weights: what the report holds, and what is refused.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readModelCard, writeModelCard } from '../../../src/model/model-folder.ts';
import { newWorkshop, steer, writeTalk } from '../../cli/steer.ts';
import { writeTinyModel } from '../../tiny-model.ts';

const { folder, path } = newWorkshop();
const run = (...args: string[]) => steer(folder, ['evaluate', 'likelihood', ...args]);

beforeAll(async () => {
  writeTalk(folder, 160);
  const contextLength = 256;
  await writeTinyModel(path('models/plain'), { kind: 'base', name: 'plain', contextLength });
  await writeTinyModel(path('models/follows'), { kind: 'steered', name: 'follows', contextLength, seed: 2 });
});
afterAll(() => rmSync(folder, { recursive: true }));

test('writes a report of labels, distance, memory, fluency and novelty', async () => {
  const lines = readFileSync(path('talk.jsonl'), 'utf8').split('\n').slice(0, 6);
  writeFileSync(
    path('written.jsonl'),
    lines.join('\n').replaceAll('Good enough.', 'Never heard of *that* one before, <b>friend</b>.'),
  );
  const ended = await run(
    ...['--model', 'follows', '--base', 'plain', '--data', 'talk.jsonl', '--split', 'all', '--limit', '20'],
    ...['--training-data', 'talk.jsonl', '--replies', 'written.jsonl'],
  );
  expect(ended.code, ended.stderr).toBe(0);
  const out = path('models/follows/evaluation');
  const report = JSON.parse(readFileSync(join(out, 'likelihood.json'), 'utf8'));
  expect(report).toMatchObject({
    format_version: 1,
    model: { name: 'follows' },
    base: { name: 'plain' },
    data: { name: 'talk.jsonl', split: 'all' },
    seen_in_training: false,
    settings: { seed: 0, limit: 20 },
    left_out: 0,
    label_information: { replies: 20 },
    fluency: { held_out: { replies: 20 }, written: { replies: 6 } },
    novelty: { replies: 6, verbatim: 0 },
  });
  expect(Object.keys(report.label_information.attributes)).toEqual(['humor']);
  expect(report.kl_to_base.value).toBeGreaterThan(0);
  const { before, after, change, tokens } = report.calibration;
  expect(tokens).toBeGreaterThan(20);
  expect(change.value).toBeCloseTo(after.error.value - before.error.value, 5);
  expect(report.over_training.gap.value).toBeCloseTo(report.over_training.held_out.value - report.over_training.trained.value, 5);
  // Random weights find every token about as unlikely, whatever the label.
  expect(report.label_information.nll.value).toBeCloseTo(Math.log(320), 0);
  expect(Math.abs(report.label_information.gain.value)).toBeLessThan(0.1);
  const markdown = readFileSync(join(out, 'likelihood.md'), 'utf8');
  expect(ended.stdout).toBe(markdown);
  expect(markdown).toContain('| humor 0–4');
  expect(markdown).not.toMatch(/NaN|undefined|Infinity/);
});

test('a seed gives the same figures, and another place is written to', async () => {
  const args = ['--model', 'follows', '--base', 'plain', '--data', 'talk.jsonl', '--split', 'all', '--limit', '8', '--seed', '3'];
  const figures = async (name: string) => {
    expect((await run(...args, '--out', path(name))).code).toBe(0);
    const { created_at: _, ...rest } = JSON.parse(readFileSync(join(path(name), 'likelihood.json'), 'utf8'));
    return rest;
  };
  expect(await figures('one')).toEqual(await figures('two'));
});

test('refuses what cannot be evaluated, and says what to do', async () => {
  const card = await readModelCard(path('models/follows'));
  mkdirSync(path('empty'));
  writeFileSync(
    path('few.jsonl'),
    `${JSON.stringify({
      messages: [
        { role: 'user', content: 'Hi' },
        { role: 'assistant', content: 'Ho' },
      ],
    })}\n`,
  );
  const cases: [string[], string][] = [
    [['--model', 'follows', '--base', 'plain'], 'Expected either --dataset NAME or --data FILE'],
    [['--model', 'plain', '--base', 'plain', '--data', 'talk.jsonl'], 'Expected a steered model, plain is a base model'],
    [['--model', 'follows', '--data', 'talk.jsonl'], 'names no base'],
    [['--model', 'follows', '--base', 'follows', '--data', 'talk.jsonl'], 'Expected a base model that never saw a label'],
    [
      ['--model', 'follows', '--base', 'plain', '--data', 'few.jsonl', '--split', 'all'],
      '0 replies labelled with any of helpfulness',
    ],
    [['--model', 'follows', '--base', 'plain', '--data', 'nowhere.jsonl'], 'There is no file nowhere.jsonl'],
  ];
  for (const [args, message] of cases) {
    const ended = await run(...args, '--out', path('refused'));
    expect([ended.code, ended.stderr], args.join(' ')).toEqual([1, expect.stringContaining(message)]);
  }
  await writeModelCard(path('models/follows'), { ...card, datasets: [{ name: 'talk.jsonl', hash: 'x' }] });
  const args = ['--model', 'follows', '--base', 'plain', '--data', 'talk.jsonl', '--limit', '4', '--out', path('seen')];
  const ended = await run(...args, '--split', 'train');
  expect([ended.code, ended.stderr]).toEqual([
    1,
    expect.stringContaining('follows was trained on the train split of talk.jsonl'),
  ]);
  expect((await run(...args)).code).toBe(0);
  const beside = JSON.parse(readFileSync(path('seen/likelihood.json'), 'utf8'));
  expect(beside).toMatchObject({ seen_in_training: false, over_training: { trained_replies: 4 } });
  expect((await run(...args, '--split', 'train', '--force')).code).toBe(0);
  expect(JSON.parse(readFileSync(path('seen/likelihood.json'), 'utf8'))).toMatchObject({
    seen_in_training: true,
    over_training: null,
  });
});
