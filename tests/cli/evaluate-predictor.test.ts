// steer evaluate predictor as a person runs it, on a predictor that knows nothing: what matters is the report, and what is refused.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AttributeSchema } from '../../src/steerlm/attributes.ts';
import { writeTinyModel } from '../tiny-model.ts';
import { newWorkshop, steer, writeTalk } from './steer.ts';

const { folder, path } = newWorkshop();
const levels = ['none', 'little', 'some', 'much', 'most'];
const tone: AttributeSchema = {
  name: 'tone',
  version: 1,
  attributes: ['humor', 'verbosity', 'wit'].map((name) => {
    return { name, aliases: name === 'humor' ? ['humour'] : [], description: '', levels, default: null, cap: 4 };
  }),
};

/** Runs `steer evaluate predictor`. */
const evaluate = (...args: string[]) => steer(folder, ['evaluate', 'predictor', '--model', 'apm', ...args]);

beforeAll(async () => {
  writeTalk(folder);
  await writeTinyModel(path('models/apm'), { kind: 'predictor', name: 'apm', schema: tone });
  await writeTinyModel(path('models/steered'), { kind: 'steered', name: 'steered' });
  const card = JSON.parse(readFileSync(path('models/apm/steerlm.json'), 'utf8'));
  card.datasets = [{ name: 'talk', hash: 'f'.repeat(64) }];
  writeFileSync(path('models/apm/steerlm.json'), JSON.stringify(card));
  const imported = await steer(folder, ['import', 'talk.jsonl', '--name', 'talk', '--validation-share', '0.5']);
  expect(imported.stderr).toBe('');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a stored dataset', () => {
  test('is judged by its held-out side, and the report kept with the model', async () => {
    const { code, stdout, stderr } = await evaluate('--dataset', 'talk');
    expect([code, stderr]).toEqual([0, expect.stringMatching(/Wrote predictor\.json, .* to \S+models\/apm\/evaluation\.\n$/)]);
    expect(readdirSync(path('models/apm/evaluation')).toSorted()).toEqual(['predictor.json', 'predictor.md', 'predictor.svg']);
    expect(readFileSync(path('models/apm/evaluation/predictor.md'), 'utf8')).toBe(stdout);
    expect(stdout).toMatch(
      /^# apm as a predictor\n\nRevision [0-9a-f]{12} on \d+ rated replies .*, the validation split of talk /,
    );
    const report = JSON.parse(readFileSync(path('models/apm/evaluation/predictor.json'), 'utf8'));
    expect(report).toMatchObject({
      format_version: 1,
      model: { name: 'apm' },
      data: { name: 'talk', split: 'validation', labels: ['human', 'import', 'rule'] },
      seen_in_training: false,
      attributes: { wit: { n: 0, figures: null, rated: null } },
    });
    const { humor } = report.attributes;
    expect(humor.n).toBe(report.replies);
    expect(humor.figures.mse.low).toBeLessThan(humor.figures.mse.value);
    expect(Object.keys(humor.baselines)).toEqual(['mean', 'length', 'ngrams']);
    expect(typeof humor.beats_baselines).toBe('boolean');
  });

  test('is refused on the side it was trained on, or marked when forced', async () => {
    const refused = await evaluate('--dataset', 'talk', '--split', 'all', '--out', 'none');
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^error: apm was trained on the train split of talk \(its card lists data of this name\).*--force/,
      ),
    });
    const forced = await evaluate('--dataset', 'talk', '--split', 'all', '--force', '--out', 'forced', '--limit', '30');
    expect(forced.code).toBe(0);
    expect(forced.stdout).toContain('**Seen in training: ');
    expect(JSON.parse(readFileSync(path('forced/predictor.json'), 'utf8'))).toMatchObject({
      seen_in_training: true,
      replies: 30,
    });
  });

  test('labels of a predictor are no ratings', async () => {
    const { code, stderr } = await evaluate('--dataset', 'talk', '--labels', 'human');
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/^error: No reply of the validation split of talk is rated .*--labels/),
    ]);
  });
});

describe('refusals', () => {
  beforeAll(() => {
    const rated = (attributes: object) =>
      JSON.stringify({
        messages: [
          { role: 'user', content: 'Hi' },
          { role: 'assistant', content: 'Ho', attributes },
        ],
      });
    writeFileSync(path('warmth.jsonl'), `${rated({ warmth: 1 })}\n`);
    writeFileSync(path('nine.jsonl'), `${rated({ humor: 9 })}\n`);
    writeFileSync(path('a-file'), '');
  });

  test.concurrent.each<[string, string[], RegExp]>([
    ['no data', [], /Expected either --dataset NAME or --data FILE/],
    ['two kinds of data', ['--dataset', 'talk', '--data', 'talk.jsonl'], /Expected either --dataset NAME or --data FILE/],
    ['a missing file', ['--data', 'no.jsonl'], /There is no file no\.jsonl/],
    ['an unknown split', ['--data', 'talk.jsonl', '--split', 'test'], /Allowed choices are train, validation, all/],
    ['other attributes', ['--data', 'warmth.jsonl', '--split', 'all'], /humor, verbosity, wit\. Its labels name warmth\./],
    ['another scale', ['--data', 'nine.jsonl', '--split', 'all'], /Expected humor between 0 and 4.*rates a reply 9/],
    ['no predictor', ['--model', 'steered', '--data', 'talk.jsonl'], /Expected a predictor in \S+steered, found a steered model/],
    [
      'a folder that cannot be',
      ['--data', 'talk.jsonl', '--out', 'a-file/x'],
      /cannot be written to a-file\/x \(ENOTDIR\).*--out/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await evaluate(...args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^error: .*\n$/);
    expect([code, stdout]).toEqual([1, '']);
  });
});

test('evaluate alone says what there is to evaluate', async () => {
  const { stderr, stdout } = await steer(folder, ['evaluate']);
  expect(stdout + stderr).toMatch(/\n {2}predictor /);
});
