// steer reweight as a person runs it: what it samples, that it goes on where it stopped, and what comes out.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newWorkshop, steer, tiny, writeTalk } from './steer.ts';

const { folder, path } = newWorkshop();
const rows = ['--steps', '60', '--batch-rows', '4', '--schema', 'tone.json', '--learning-rate', '3e-3'];

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await steer(folder, args);
  expect(`${code} ${code === 0 ? '' : stderr}`).toBe('0 ');
  return stdout + stderr;
}

beforeAll(async () => {
  writeTalk(folder);
  writeFileSync(path('ratings.jsonl'), readFileSync(path('talk.jsonl'), 'utf8').replaceAll('Do you sell', 'Have you any'));
  await run('pretrain', '--name', 'base', '--data', 'talk.jsonl', ...tiny, '--steps', '60', '--learning-rate', '3e-3');
  await run('finetune', '--name', 'npc', '--base', 'base', '--data', 'talk.jsonl', ...rows);
  await run('train-predictor', '--name', 'apm', '--base', 'base', '--data', 'ratings.jsonl', ...rows);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const asked = ['reweight', '--model', 'npc', '--base', 'base', '--predictor', 'apm', '--data', 'talk.jsonl', '--replies', '4'];
const small = ['--prompts-count', '8', '--max-tokens', '40', '--temperature', '1', '--steps', '3', '--accumulation', '2'];

test('replies are weighed and a model comes out that is what it was, and where it came from', async () => {
  const said = await run(...asked, ...small, '--name', 'closer');
  expect(said).toMatch(/\d+ training and \d held-out groups of up to 4 replies/);
  expect(said).toContain('Wrote');
  const lines = readFileSync(path('data/runs/closer/groups.jsonl'), 'utf8').trimEnd().split('\n');
  const groups = lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  expect(lines.length).toBe(8);
  expect(groups.length).toBeGreaterThan(2);
  for (const { label, attributes, responses } of groups) {
    expect(label).toBe(`humor:${attributes.humor},verbosity:${attributes.verbosity}`);
    for (const response of responses) {
      expect(response['log(P(a|x,y))']).toBeLessThanOrEqual(0);
      // Whole replies: several nats, and each model its own.
      expect(response['log(P(y|x))']).toBeLessThan(-0.1);
      expect(response['log(Q(y|a,x))']).not.toBe(response['log(P(y|x))']);
    }
  }
  const card = JSON.parse(readFileSync(path('models/closer/steerlm.json'), 'utf8'));
  const before = JSON.parse(readFileSync(path('models/npc/steerlm.json'), 'utf8'));
  expect(card).toMatchObject({ kind: 'steered', name: 'closer', base_model: { name: 'npc' }, recipe: { method: 'reweighted' } });
  expect(card.attribute_schema).toEqual(before.attribute_schema);
  const names = card.datasets.map(({ name }: { name: string }) => name);
  expect(names).toEqual(['talk.jsonl', '4 replies to prompts of talk.jsonl']);
}, 120_000);

test('what was sampled is kept for the same question, and only for that', async () => {
  const file = path('data/runs/closer/groups.jsonl');
  const first = readFileSync(file, 'utf8');
  writeFileSync(file, `${first.split('\n').slice(0, 5).join('\n')}\n`);
  await run(...asked, ...small, '--name', 'closer', '--fresh');
  expect(readFileSync(file, 'utf8')).toBe(first);
  await run(...asked, ...small, '--name', 'closer', '--fresh', '--seed', '5');
  expect(readFileSync(file, 'utf8')).not.toBe(first);
}, 120_000);

test('a model without attributes is refused', async () => {
  const { code, stderr } = await steer(folder, [...asked, ...small, '--name', 'no', '--model', 'base']);
  expect([code, stderr]).toEqual([1, expect.stringContaining('base has no attributes')]);
});
