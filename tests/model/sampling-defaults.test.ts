// generation_config.json: what is read of it, what is refused, and that it goes where the model goes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readModel, writeModel } from '../../src/model/model.ts';
import { readEndTokens } from '../../src/model/model-folder.ts';
import { readSampling } from '../../src/model/sampling-defaults.ts';
import { writeTinyModel } from '../tiny-model.ts';

let folder: string;
const file = () => join(folder, 'generation_config.json');
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'steer-sampling-'));
  await writeTinyModel(folder, { kind: 'steered', name: 'one' });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a folder without the file says nothing', async () => {
  expect(await readSampling(folder)).toEqual({});
});

test('reads what vLLM reads and a frequency penalty, and leaves the rest', async () => {
  const config = {
    temperature: 0.6,
    top_p: 0.9,
    top_k: 40,
    min_p: null,
    repetition_penalty: 1.1,
    frequency_penalty: 0.5,
    do_sample: true,
    pad_token_id: 3,
  };
  writeFileSync(file(), JSON.stringify(config));
  expect(await readSampling(folder)).toEqual({
    temperature: 0.6,
    topP: 0.9,
    topK: 40,
    repetitionPenalty: 1.1,
    frequencyPenalty: 0.5,
  });
});

test('a model that is written again keeps it, and what ends its replies', async () => {
  const ends = await readEndTokens(folder);
  const copy = join(folder, 'copy');
  await writeModel(copy, await readModel(folder), 'float32');
  expect(await readSampling(copy)).toEqual(await readSampling(folder));
  expect(JSON.parse(readFileSync(join(copy, 'generation_config.json'), 'utf8'))).toMatchObject({ do_sample: true });
  expect(await readEndTokens(copy)).toEqual(ends);
});

test.each([
  [{ temperature: 3 }, 'temperature'],
  [{ top_p: 'most' }, 'top_p'],
  [{ repetition_penalty: 0 }, 'repetition_penalty'],
  [{ frequency_penalty: 3 }, 'frequency_penalty'],
])('%j is refused by its field', async (config, field) => {
  writeFileSync(file(), JSON.stringify(config));
  await expect(readSampling(folder)).rejects.toMatchObject({ code: 'invalid_model', message: expect.stringContaining(field) });
});
