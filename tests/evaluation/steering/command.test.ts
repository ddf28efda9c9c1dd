// steer evaluate steering as a user runs it, on models small enough to train in a second: what it writes, and what it refuses to measure.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newWorkshop, steer, tiny, writeTalk } from '../../cli/steer.ts';
import { openScript, sending } from '../../instances.ts';

const { folder, path } = newWorkshop();
const rows = ['--steps', '8', '--batch-rows', '4', '--schema', 'tone.json'];
const quick = ['--prompts-count', '3', '--seeds', '1', '--grid', '2', '--max-tokens', '8', '--draws', '20'];

async function run(...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await steer(folder, args);
  expect(`${code} ${code === 0 ? '' : stderr}`).toBe('0 ');
  return { stdout, stderr };
}

async function refused(...args: string[]): Promise<string> {
  const { code, stderr } = await steer(folder, ['evaluate', 'steering', ...args]);
  expect(code).toBe(1);
  return stderr;
}

const read = (name: string) => readFileSync(path(name), 'utf8');

beforeAll(async () => {
  writeTalk(folder);
  writeFileSync(path('ratings.jsonl'), read('talk.jsonl').replaceAll('Do you sell', 'Have you any'));
  writeFileSync(path('asked.jsonl'), read('talk.jsonl').replaceAll('Do you sell', 'Is there still'));
  await run('pretrain', '--name', 'base', '--data', 'talk.jsonl', ...tiny, '--steps', '8');
  await Promise.all([
    run('finetune', '--name', 'npc', '--base', 'base', '--data', 'talk.jsonl', ...rows),
    run('finetune', '--name', 'unlabelled', '--base', 'base', '--data', 'talk.jsonl', '--label-dropout', '1', ...rows),
    run('train-predictor', '--name', 'judge', '--base', 'base', '--data', 'ratings.jsonl', ...rows),
    run('train-predictor', '--name', 'partial', '--base', 'base', '--data', 'talk.jsonl', ...rows),
    run('train-predictor', '--name', 'chooser', '--base', 'base', '--data', 'asked.jsonl', '--seed', '3', ...rows),
  ]);
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a report of the model, its dials and its controls', async () => {
  const { stdout, stderr } = await run(
    ...['evaluate', 'steering', '--model', 'npc', '--judge', 'judge', '--prompts', 'asked.jsonl', ...quick],
    ...['--strength', '2', '--against', 'opposite', '--best-of', '2', '--chooser', 'chooser', '--text-instruction'],
    ...['--control', 'no labels=unlabelled', '--control', 'no attributes=base', '--base', 'base', '--frequency-penalty', '0.5'],
  );
  expect(stderr).toContain('Wrote steering.json, steering.md, steering-curves.svg, steering-leakage.svg');
  expect(readdirSync(path('models/npc/evaluation')).toSorted()).toEqual([
    'steering-curves.svg',
    'steering-leakage.svg',
    'steering.json',
    'steering.md',
  ]);
  const report = JSON.parse(read('models/npc/evaluation/steering.json'));
  expect(report).toMatchObject({
    format_version: 1,
    kind: 'steering',
    model: { name: 'npc', revision: expect.stringMatching(/^[0-9a-f]{12}-int8$/), precision: 'int8' },
    judge: { name: 'judge', revision: expect.stringMatching(/^[0-9a-f]{12}$/) },
    judge_shares_training: false,
    prompts: { source: 'asked.jsonl', split: 'all', count: 3, seen_in_training: false },
    base: 'base',
    settings: { seeds: 1, targets: 2, max_tokens: 8, temperature: 0.7, frequency_penalty: 0.5, draws: 20 },
    attributes: ['humor', 'verbosity'],
    not_measured: [],
  });
  const names = ['plain prompt', 'strength 2, against the opposite', 'best of 2', 'asked in words', 'no labels', 'no attributes'];
  expect(report.conditions.map(({ name }: { name: string }) => name)).toEqual(names);
  expect(report.conditions.map((each: { control: boolean }) => each.control)).toEqual([false, false, false, false, true, true]);
  expect(report.conditions.map((each: { without_label: boolean }) => each.without_label).lastIndexOf(false)).toBe(4);
  expect(report.conditions[5]).toMatchObject({ model: { name: 'base' }, without_label: true });
  expect(stdout).toContain('> no attributes knows no attributes: it is asked without a label, the same for every level.');
  expect(report.conditions[2]).toMatchObject({ best_of: 2, chooser: { name: 'chooser' }, chooser_is_judge: false });
  expect(report.conditions[4].model.name).toBe('unlabelled');
  const [plain] = report.conditions;
  expect(plain.attributes.humor.figures.within_spearman).toMatchObject({ value: expect.any(Number), low: expect.any(Number) });
  expect(plain.attributes.humor.curve.map(({ requested }: { requested: number }) => requested)).toEqual([0, 1, 2, 3, 4]);
  expect(stderr).toMatch(/The card of npc stays as it is: there are 3 replies at a level, .* at least 16/);
  expect(JSON.parse(read('models/npc/steerlm.json')).measured).not.toHaveProperty('steering');
  expect(plain.leakage.data).toHaveLength(2);
  expect(plain.fluency.perplexity.value).toBeGreaterThan(1);
  expect(Object.keys(plain.fluency.levels)).toEqual(['humor', 'verbosity']);
  expect(stdout).toContain('| more than unlabelled | more than at defaults |');
  expect(stdout.trimEnd()).toBe(read('models/npc/evaluation/steering.md').trimEnd());
  for (const name of names) expect(stdout).toContain(`| ${name} `);
  expect(read('models/npc/evaluation/steering-curves.svg')).toContain('as asked for');
}, 120_000);

test('the curves stand on the card where a level has replies enough', async () => {
  const enough = [...quick, '--seeds', '6', '--grid', '0', '--max-tokens', '2'];
  const { stderr } = await run(
    'evaluate',
    'steering',
    '--model',
    'npc',
    '--judge',
    'judge',
    '--prompts',
    'asked.jsonl',
    ...enough,
  );
  expect(stderr).toContain('stands on the card of npc: steering.calibrated uses it');
  const [plain] = JSON.parse(read('models/npc/evaluation/steering.json')).conditions;
  const { steering } = JSON.parse(read('models/npc/steerlm.json')).measured;
  expect(steering).toMatchObject({ judge: expect.stringMatching(/^judge [0-9a-f]{12}$/), precision: 'int8', prompts: 3 });
  expect(steering.curves.humor[4]).toEqual({
    requested: 4,
    obtained: expect.closeTo(plain.attributes.humor.curve[4].obtained.value, 3),
    replies: 18,
  });
}, 120_000);

test('a model that is asked by messages, by what its replies to words are', async () => {
  const script = await openScript((request, response, body) => {
    const { messages } = JSON.parse(body);
    const text = messages.at(-1).content.includes('one short sentence') ? 'Aye.' : 'Aye, two of them, and a third for you.';
    sending([{ choices: [{ delta: { content: text }, finish_reason: 'stop' }] }])(request, response, body);
  }, 4_000);
  try {
    mkdirSync(path('models/hosted'));
    writeFileSync(path('models/hosted/upstream.json'), JSON.stringify({ url: script.url, model: 'm', protocol: 'chat' }));
    await run('evaluate', 'steering', '--model', 'hosted', '--judge', 'judge', '--prompts', 'asked.jsonl', ...quick);
    const report = JSON.parse(read('models/hosted/evaluation/steering.json'));
    expect(report).toMatchObject({
      model: { name: 'hosted', revision: expect.stringMatching(/^[0-9a-f]{12}$/) },
      conditions: [{ name: 'plain prompt', without_label: false }],
    });
    expect(report.attributes.toSorted()).toEqual(['humor', 'verbosity']);
    expect(script.asked.some(({ messages }) => messages.at(-1).content.includes('one short sentence'))).toBe(true);
  } finally {
    await script.close();
  }
});

describe('refused with the reason', () => {
  const asked = ['--model', 'npc', '--prompts', 'asked.jsonl', ...quick];

  test('a judge trained on the data of the model, unless forced, which is marked', async () => {
    const shared = ['--judge', 'partial', ...asked];
    expect(await refused(...shared)).toContain('but partial and npc were both trained on talk.jsonl');
    const { stdout } = await run('evaluate', 'steering', ...shared, '--force', '--out', 'forced');
    expect(stdout).toContain('> The judge is not independent: partial and npc were both trained on talk.jsonl.');
    expect(JSON.parse(read('forced/steering.json'))).toMatchObject({ judge_shares_training: true });
  }, 60_000);

  test('prompts seen in training, unless forced, which is marked', async () => {
    const seen = ['--model', 'npc', '--judge', 'judge', '--prompts', 'talk.jsonl', ...quick];
    expect(await refused(...seen)).toContain('npc was trained on the train split of talk.jsonl');
    const { stdout } = await run('evaluate', 'steering', ...seen, '--force', '--out', 'seen');
    expect(stdout).toContain('> The prompts were seen in training.');
    expect(JSON.parse(read('seen/steering.json')).prompts.seen_in_training).toBe(true);
  }, 60_000);

  test('a judge that labelled the data of the model', async () => {
    await run('import', 'talk.jsonl', '--name', 'talk', '--schema', 'tone.json', '--validation-share', '0.2');
    await run('label', 'talk', '--model', 'judge');
    await run('finetune', '--name', 'relabelled', '--base', 'base', '--dataset', 'talk', '--steps', '4', '--batch-rows', '4');
    const args = ['--model', 'relabelled', '--judge', 'judge', '--dataset', 'talk', ...quick];
    expect(await refused(...args)).toContain('judge labelled the data relabelled was trained on');
    const { stdout } = await run('evaluate', 'steering', ...args, '--force', '--out', 'relabelled');
    expect(stdout).toContain('prompts of talk, validation split');
  }, 120_000);

  test('a chooser that is the judge, or none', async () => {
    expect(await refused('--judge', 'judge', ...asked, '--best-of', '2', '--chooser', 'judge')).toContain(
      'Expected another predictor',
    );
    expect(await refused('--judge', 'judge', ...asked, '--best-of', '2')).toContain('--best-of N and --chooser MODEL together');
  });

  test('a model without attributes, no prompts, prompts that do not fit', async () => {
    expect(await refused('--judge', 'judge', '--model', 'base', '--prompts', 'asked.jsonl')).toContain('base has none to steer');
    expect(await refused('--judge', 'judge', '--model', 'npc')).toContain('Expected either --dataset NAME or --prompts FILE');
    expect(await refused('--judge', 'judge', ...asked, '--max-tokens', '126')).toContain('too long for the context');
    expect(await refused('--judge', 'npc', ...asked)).toMatch(/predictor/);
    const nowhere = ['--judge', 'judge', '--model', 'unlabelled', '--prompts', 'nowhere.jsonl'];
    expect(await refused(...nowhere)).toContain('There is no file nowhere.jsonl');
    expect(readdirSync(path('models/unlabelled'))).not.toContain('evaluation');
    expect(await refused('--judge', 'judge', ...asked, '--control', 'npc')).toContain('Expected NAME=MODEL');
  });
});
