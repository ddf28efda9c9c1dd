// What a run under attributes learns from: data that says nothing of them is refused, and a base keeps the dials it has.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSnapshot } from '../../src/datasets/snapshot.ts';
import { schemaOver } from '../../src/finetuning/base-schema.ts';
import { readSampleData } from '../../src/finetuning/recipe-data.ts';
import type { TrainingSpec } from '../../src/finetuning/training-spec.ts';
import { readModel } from '../../src/model/model.ts';
import type { Label } from '../../src/steerlm/attributes.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import { quickSettings } from '../quick-training.ts';
import { writeTinyModel } from '../tiny-model.ts';
import { tone } from './workshop.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'steer-recipe-'));
  await writeTinyModel(join(folder, 'steered'), { kind: 'steered', name: 'steered' });
  await writeTinyModel(join(folder, 'base'), { kind: 'base', name: 'base' });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(label: Label | undefined) {
  const reply = { role: 'assistant' as const, content: 'Past the gate.', ...(label ? { label } : {}) };
  const turns = [{ role: 'user' as const, content: 'Where is the well?' }, reply];
  const train = join(folder, 'train.jsonl');
  for (const path of [train, join(folder, 'validation.jsonl')]) {
    await writeSnapshot(path, [{ kind: 'conversation' as const, conversation: { system: '', turns } }]);
  }
  const spec = {
    ...{ method: 'steered', base: join(folder, 'base'), schema: tone, dropout: { label: 0, attribute: 0, partial: 0 } },
    ...{ name: 'x', out: folder, runFolder: folder, train, validation: join(folder, 'validation.jsonl'), datasets: [] },
    ...{ dtype: 'float32', B: 1, T: 32, settings: quickSettings(1) },
  } as const;
  return await readSampleData(spec as unknown as TrainingSpec, await readModel(join(folder, 'base')));
}

test('replies without a label of the schema teach nothing under attributes, and are refused', async () => {
  expect((await read({ humor: 1 })).told).toMatch(/^1 training/);
  for (const label of [undefined, {}, { formality: 2 }]) {
    await expect(read(label)).rejects.toThrow(/No reply of the training data is labelled for any of humor, verbosity/);
  }
});

test('a model made from a steered one keeps its dials, unless the data speaks of others', async () => {
  const only = (name: string, levels = 5) => ({
    ...gameCharacters,
    name: 'taste',
    attributes: [{ ...gameCharacters.attributes[1]!, name, levels: Array.from({ length: levels }, () => '') }],
  });
  const steered = join(folder, 'steered');
  expect(await schemaOver(steered, only('humor'))).toEqual(gameCharacters);
  expect((await schemaOver(steered, only('humor', 3))).name).toBe('taste');
  expect((await schemaOver(steered, only('sparkle'))).name).toBe('taste');
  expect((await schemaOver(join(folder, 'base'), only('humor'))).name).toBe('taste');
});
