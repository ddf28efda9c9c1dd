// The circle on the command line, on a model small enough to train in a second: each step is the real command in its own process.
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../src/store/connect.ts';
import { models } from '../../src/store/schema.ts';
import { newWorkshop, startSteer, steer, tiny, writeTalk } from './steer.ts';

const { folder, path } = newWorkshop();
const rows = ['--batch-rows', '4'];

/** Runs to the end and insists that it went well. */
async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await steer(folder, args);
  expect(`${code} ${code === 0 ? '' : stderr}`).toBe('0 ');
  return stdout;
}

beforeAll(() => writeTalk(folder));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a base model comes from a file, without a database', async () => {
  const said = await run('pretrain', '--name', 'base', '--data', 'talk.jsonl', ...tiny, '--steps', '12');
  expect(said).toMatch(/^Wrote \S+models\/base: 12 steps, held-out loss \d\.\d+\.\n$/);
  const { kind, recipe, datasets } = JSON.parse(readFileSync(path('models/base/steerlm.json'), 'utf8'));
  expect(kind).toBe('base');
  expect(recipe).toMatchObject({ method: 'pretrain', steps: 12, rows: 4, row_tokens: 128 });
  expect(datasets).toEqual([{ name: 'talk.jsonl', hash: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
});

test('a base model starts with induction heads when asked to', async () => {
  const shapeOf = (name: string) => JSON.parse(readFileSync(path(`models/${name}/config.json`), 'utf8')).model_type;
  await run('pretrain', '--name', 'copier', '--data', 'talk.jsonl', ...tiny, '--steps', '1', '--induction-heads');
  expect([shapeOf('base'), shapeOf('copier')]).toEqual(['llama', 'qwen2']);
  rmSync(path('models/copier'), { recursive: true });
});

test('a dataset comes in, and is listed', async () => {
  expect(await run('import', 'talk.jsonl', '--name', 'talk', '--schema', 'tone.json')).toBe(
    'Imported talk (openai): 60 samples of 60 conversations, 4 held out (a share of about 0.05; all replies to one prompt, or of one named conversation, are on the same side), 42 duplicates.\n' +
      '180 labels: humor 0–4 (120), verbosity 0–4 (60).\n',
  );
  expect(await run('import', 'talk.jsonl', '--name', 'talk', '--schema', 'tone.json', '--new-version')).toBe(
    'talk@1 holds the same data already; nothing was imported.\n',
  );
  expect(await run('datasets')).toMatch(/^dataset .*\ntalk +1 +openai +60 +60 +humor, verbosity +\d{4}-\d\d-\d\d\n$/);
});

test('a predictor is trained on a file, with a report', async () => {
  const data = ['--data', 'talk.jsonl', '--schema', 'tone.json'];
  const said = await run('train-predictor', '--name', 'apm', '--base', 'base', ...data, '--steps', '12', ...rows);
  expect(said).toMatch(/Wrote \S+apm: 12 steps/);
  expect(said).toMatch(/held out +n +MAE .*\nhumor +8 .*\nverbosity +4 /);
  const few = await run(
    'train-predictor',
    '--name',
    'few',
    '--base',
    'base',
    ...data,
    '--steps',
    '1',
    '--held-out-replies',
    '1',
    ...rows,
  );
  expect(few).toMatch(/\nFewer than 2 held-out replies are rated for humor, verbosity, so there is no report\. Hold out more: /);
  rmSync(path('models/few'), { recursive: true });
});

test('the predictor labels the dataset, and both makers of labels are exported', async () => {
  expect(await run('label', 'talk')).toMatch(
    /^Rated 36 replies of talk with apm [0-9a-f]{12}, [\d.]+ a second; 84 more were known.*\nLabels of talk: 240 by the predictor apm .*\nPassed over: 180 of the import \(openai\)\. --labels import,model takes them first\.\n$/,
  );
  const [first] = (await run('export', 'talk', '-', '--labels', 'import,model')).split('\n');
  const labels = JSON.parse(first!).conversations.map((turn: { label: string | null }) => turn.label);
  const { stderr } = await steer(folder, ['export', 'talk', '-']);
  expect(stderr).toMatch(
    /^Exported 60 samples as 60 records with 240 labels\.\nLabels of talk: 240 by .*\nPassed over: 180 of the import/,
  );
  // The second reply came with a rating of humor only.
  expect(labels).toEqual([null, 'humor:0,verbosity:0', null, expect.stringMatching(/^humor:0,verbosity:\d$/)]);
});

test('a model is fine-tuned to the labels, and recorded in the database', async () => {
  const args = ['--base', 'base', '--dataset', 'talk', '--labels', 'import,model', '--steps', '12', '--lora-rank', '4'];
  const { code, stdout, stderr } = await steer(folder, ['finetune', '--name', 'steered', ...args, ...rows]);
  expect([code, stdout]).toEqual([0, expect.stringMatching(/Wrote \S+steered: 12 steps/)]);
  expect(stderr).toMatch(
    /\nLabels of talk: 180 of the import \(openai\), 60 by the predictor apm \w+; asked for: import, then model\.\n/,
  );
  expect(stderr).toMatch(/\nAttributes and their labels to train on: humor 0–4 \(112\), verbosity 0–4 \(112\)\.\n/);
  const card = JSON.parse(readFileSync(path('models/steered/steerlm.json'), 'utf8'));
  expect(card).toMatchObject({ kind: 'steered', base_model: { name: 'base' }, attribute_schema: { name: 'tone' } });
  // The rate of adapters, as jobs take it.
  expect(card.recipe).toMatchObject({ learningRate: 1e-3, lora: { rank: 4, alpha: 8 }, steps: 12 });
  const store = await openStore({ dataDir: path('data') });
  const recorded = await store.db.select().from(models);
  await store.close();
  const base = `base ${card.base_model.revision}`;
  expect(recorded).toMatchObject([{ name: 'steered', kind: 'steered', base, schema: { name: 'tone' } }]);
});

test('it is exported for others: its adapter makes it from the base again, and llama.cpp finds a file', async () => {
  const merged = ['--model', 'base', '--adapter', 'models/steered/adapter', '--format', 'safetensors', '--type', 'f32'];
  await run('export-model', ...merged, '--out', 'again');
  const json = (name: string) => JSON.parse(readFileSync(path(name), 'utf8'));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json']) {
    expect(json(`again/${name}`), name).toEqual(json(`models/steered/${name}`));
  }
  expect(readFileSync(path('again/model.safetensors')).equals(readFileSync(path('models/steered/model.safetensors')))).toBe(true);
  expect(json('again/steerlm.json')).toMatchObject({ name: 'again', kind: 'steered' });
  expect(await run('export-model', '--model', 'steered', '--out', 'steered.gguf')).toBe('Wrote steered.gguf.\n');
  expect(readFileSync(path('steered.gguf')).toString('latin1', 0, 4)).toBe('GGUF');
  expect(await steer(folder, ['export-model', '--model', 'steered', '--out', 'steered.gguf'])).toMatchObject({
    code: 1,
    stderr: 'error: There is something at steered.gguf already. Choose another --out, or replace it: --force.\n',
  });
});

test('it writes under attributes, the same for the same seed', async () => {
  const ask = ['--attribute', 'humour=4', '--attribute', 'verbosity=open', '--seed', '3', '--max-tokens', '12'];
  const reply = await run('generate', ...ask, 'Do you sell rope?');
  expect(reply.trim()).not.toBe('');
  const piped = await steer(folder, ['generate', ...ask], { input: 'Do you sell rope?' });
  expect(piped.stdout).toBe(reply);
  const cut = await steer(folder, ['generate', ...ask, '--max-tokens', '2', 'Do you sell rope?']);
  expect(cut.stderr).toContain('The reply was cut at 2 tokens; --max-tokens allows more.\n');
  const beyond = await steer(folder, ['generate', ...ask, '--attribute', 'humor=9', 'Hi']);
  expect([beyond.code, beyond.stderr]).toEqual([
    1,
    expect.stringMatching(/--attribute humor=9: expected a level from 0 to 4: none, little, /),
  ]);
  expect(beyond.stderr).not.toContain('/v1/');
  expect(await steer(folder, ['generate', '--attribute', 'humr=4', 'Hi'])).toMatchObject({
    code: 1,
    stderr: 'error: Unknown attribute "humr". Did you mean humor? Known: humor, verbosity.\n',
  });
});

test('replies are rated, one or a file of them', async () => {
  const [one] = (await run('score', '--prompt', 'Do you sell rope?', '--reply', 'Yes. Ha!')).trim().split('\n');
  const { attributes, ...rest } = JSON.parse(one!);
  expect(rest).toEqual({ index: 0, turn: 1, truncated: false });
  expect(Object.keys(attributes)).toEqual(['humor', 'verbosity']);
  expect(attributes.humor.probabilities).toHaveLength(5);
  const all = (await run('score', 'talk.jsonl', '--turns', 'all'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(all).toHaveLength(120);
  expect(all.slice(0, 3).map(({ index, turn }) => [index, turn])).toEqual([
    [0, 1],
    [0, 3],
    [1, 1],
  ]);
});

test('a file is labelled into another', async () => {
  await run('label', '--data', 'talk.jsonl', '--out', 'labelled.jsonl');
  const lines = readFileSync(path('labelled.jsonl'), 'utf8').trim().split('\n');
  expect(lines).toHaveLength(60);
  const [asked, answered] = JSON.parse(lines[0]!).conversations;
  expect(asked).not.toHaveProperty('values');
  const { humor, verbosity } = answered.values;
  expect(answered.label).toBe(`humor:${Math.round(humor)},verbosity:${Math.round(verbosity)}`);
});

test('it is served, refuses a taken port in one line, and stops when told to', async () => {
  cpSync(path('data/postgres'), path('other/postgres'), { recursive: true });
  const server = startSteer(folder, ['serve'], { env: { PORT: '0' } });
  await server.said('"msg":"ready"');
  const url = /"url":"(http:[^"]+)"/.exec(server.output())?.[1] ?? '';
  expect(server.output(), 'a model of ones own is no demonstration').not.toContain('steer pull');
  const { port } = new URL(url);
  const body = JSON.stringify({
    messages: [{ role: 'user', content: 'Do you sell rope?' }],
    attributes: { humor: 4 },
    max_tokens: 4,
  });
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  expect(await reply.json()).toMatchObject({ model: 'steered', choices: [{ steering: { applied: { humor: 4 } } }] });
  const second = await steer(folder, ['serve'], { env: { PORT: port, DATA_DIR: path('other') } });
  expect(second).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: PORT: \d+ on 127\.0\.0\.1 is taken.*\n$/) });
  const sharing = await steer(folder, ['datasets']);
  expect(sharing).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: The embedded database is in use by process \d+.*\n$/),
  });
  server.kill('SIGTERM');
  expect(await server.ended).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('"msg":"stopping"') });
});
