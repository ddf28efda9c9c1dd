// What the command line says of itself, and of what it cannot do: one clear line, an exit status that is not 0, never a stack.
import { cpSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeTinyModel } from '../tiny-model.ts';
import { newWorkshop, steer, writeTalk } from './steer.ts';

const { folder, path } = newWorkshop();
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const names = [
  ['serve', 'vector', 'generate', 'score', 'import'],
  ['export', 'export-model', 'datasets', 'pretrain', 'train-predictor'],
  ['label', 'finetune', 'evaluate', 'migrate', 'openapi'],
].flat();

test('steer --help names every command', async () => {
  const { code, stdout } = await steer(folder, ['--help']);
  expect(code).toBe(0);
  expect(names.filter((name) => !stdout.includes(`\n  ${name} `))).toEqual([]);
});

test.concurrent.each(names)('%s --help tells what it does, and an example, under any settings', async (name) => {
  const { code, stdout, stderr } = await steer(folder, [name, '--help'], { env: { PORT: 'none' } });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(new RegExp(`^Usage: steer ${name} `));
  expect(stdout).toMatch(new RegExp(`\nExample:\n(.*\n)*?  .*\\bsteer ${name}\\b`));
});

test('import --help shows a schema that it takes', async () => {
  const { stdout } = await steer(folder, ['import', '--help']);
  const [, shown] = /lowest first:\n(\{[\s\S]*?\})\n\n/.exec(stdout)!;
  writeFileSync(path('shown.json'), shown!);
  writeFileSync(path('rated.jsonl'), JSON.stringify({ instruction: 'Hi', output: 'Hello!', attributes: { warmth: 2 } }));
  const { code, stderr } = await steer(folder, ['import', 'rated.jsonl', '--schema', 'shown.json']);
  expect([code, stderr.includes('error')]).toEqual([0, false]);
  expect(stdout).toMatch(/share of conversations held out.*\(default: +0\.05\)/s);
});

test('openapi writes the committed document', async () => {
  const document = fileURLToPath(new URL('../../openapi/openapi.json', import.meta.url));
  expect((await steer(folder, ['openapi'])).stdout).toBe(readFileSync(document, 'utf8'));
});

/** Folders under models/, each broken in its own way. */
async function writeBrokenModels(): Promise<void> {
  await writeTinyModel(path('rater'), { kind: 'predictor', name: 'rater' });
  for (const name of ['cut', 'misfit', 'missing']) await writeTinyModel(path(`models/${name}`), { kind: 'steered', name });
  truncateSync(path('models/cut/model.safetensors'), 500);
  rmSync(path('models/missing/model.safetensors'));
  const tokenizer = JSON.parse(readFileSync(path('models/misfit/tokenizer.json'), 'utf8'));
  tokenizer.added_tokens.push({ ...tokenizer.added_tokens[0], id: 999, content: '<one too many>' });
  writeFileSync(path('models/misfit/tokenizer.json'), JSON.stringify(tokenizer));
}

describe('refusals', () => {
  beforeAll(async () => {
    writeTalk(folder, 4);
    await writeBrokenModels();
    cpSync(path('talk.jsonl'), path('bad.jsonl'));
    writeFileSync(path('bad.jsonl'), '{"messages": [{"role": "user"}]}\n');
    writeFileSync(path('twice.json'), '{"name": "x", "version": "1", "attributes": [{"name": "a", "levels": ["only one"]}]}');
  });

  const train = ['--name', 'new', '--data', 'talk.jsonl'];
  const finetune = ['finetune', ...train, '--base'];
  test.concurrent.each<[string, string[], RegExp]>([
    ['an unknown option', ['serve', '--colour'], /unknown option '--colour'/],
    ['an unknown command', ['serv'], /unknown command 'serv'\n\(Did you mean serve\?\)/],
    [
      'a number out of range',
      ['pretrain', '--steps', '0'],
      /'--steps <n>' argument '0' is invalid. Expected a whole number, 1 or more/,
    ],
    ['a misspelt option that is needed', ['finetune', '--nam', 'x'], /unknown option '--nam'\n\(Did you mean --name\?\)/],
    ['a missing option', ['pretrain'], /required option '--name <name>' not specified/],
    ['no data', ['pretrain', '--name', 'new'], /Expected data to train on: .*--dataset NAME or --data FILE/],
    ['a missing file', ['pretrain', '--name', 'new', '--data', 'no.jsonl'], /There is no file no\.jsonl/],
    ['a bad line', ['pretrain', '--name', 'new', '--data', 'bad.jsonl'], /bad\.jsonl, line 1: messages\.0\.content/],
    [
      'a file in place of the model',
      ['pretrain', ...train, '--out', 'talk.jsonl'],
      /a folder for the model at talk\.jsonl, found a file/,
    ],
    [
      'a place that takes no model',
      ['pretrain', ...train, '--out', '/proc/x/y'],
      /cannot be written to \/proc\/x\/y \(E\w+\)\. Choose/,
    ],
    [
      'a file in place of the run folder',
      ['pretrain', ...train, '--run-folder', 'talk.jsonl'],
      /run folder talk\.jsonl cannot be made/,
    ],
    ['a place that takes no run', ['pretrain', ...train, '--run-folder', '/proc/x'], /run folder \/proc\/x cannot be made/],
    ['heads that do not fit', ['pretrain', ...train, '--width', '30'], /--width 30 does not split into 8 heads/],
    ['a name with a slash', ['pretrain', '--data', 'talk.jsonl', '--name', 'a/b'], /--name: expected letters/],
    ['an unknown base', [...finetune, 'none'], /No language model is named "none"\. Known: misfit/],
    ['a base folder without a model', [...finetune, './none'], /none\/config\.json, found nothing there/],
    ['a corrupt base', [...finetune, 'cut'], /cut\/model\.safetensors is not a whole safetensors file/],
    [
      'a base without weights',
      [...finetune, './models/missing'],
      /Expected model\.safetensors or .* in \.\/models\/missing, found neither/,
    ],
    ['a corrupt model', ['generate', '--model', 'cut', 'Hi'], /cut\/model\.safetensors is not a whole safetensors file/],
    ['a tokenizer that does not fit', ['generate', '--model', 'misfit', 'Hi'], /misfit\/tokenizer\.json: .*found ids up to 999/],
    ['a predictor as a base', [...finetune, './rater'], /Expected a language model in \S+rater, found the predictor rater/],
    ['a model of the wrong kind', ['score', '--model', 'misfit', '--reply', 'Hi'], /Expected a predictor in .*misfit/],
    [
      'no predictor at all',
      ['score', '--reply', 'Hi'],
      /No predictor model is named "default"\. There is none yet: .*steer train-predictor/,
    ],
    ['an attribute without a level', ['generate', '--attribute', 'humor', 'Hi'], /Expected NAME=LEVEL like humor=4/],
    [
      'a schema with one level',
      ['import', 'talk.jsonl', '--schema', 'twice.json'],
      /twice\.json: version: expected a whole number, found "1"; attributes\.0\.levels: expected at least two.*\. Such a file looks like this:\n\{"name": "tone"/,
    ],
    ['a schema of no such name', [...finetune, 'missing', '--schema', 'tune'], /--schema: expected helpsteer, .*found "tune"/],
    ['neither file nor reply', ['score'], /Expected either a file of conversations or one reply/],
    ['half of a file to label', ['label', '--data', 'talk.jsonl'], /Expected either a dataset, or both/],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await steer(folder, args);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(
      /^(reading .*\n|\d+ samples? to train on.*\n|Attributes .*\n)*(The run folder is in use .*\n)?(reading .*\n)?(warning: .*\n)*error: .*\n(\{"name".*\n( +\{.*\n)+)?(\(Did you mean .*\)\n)?$/,
    );
    expect([code, stdout]).toEqual([1, '']);
  });

  test('a setting that does not hold is named', async () => {
    const { code, stderr } = await steer(folder, ['serve'], { env: { PORT: 'none' } });
    expect([code, stderr]).toEqual([1, 'error: PORT: expected a whole number from 0 to 65535.\n']);
    const nowhere = await steer(folder, ['datasets'], { env: { DATA_DIR: '/proc/x/y' } });
    expect(nowhere).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: Cannot create the data folder \/proc\/x\/y: .*\n$/),
    });
  });
});
