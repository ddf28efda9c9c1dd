// Attributes of several sources as one schema.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mergeSchemas } from '../../src/datasets/merge-schemas.ts';
import { type TrainingSource, writeTrainingData } from '../../src/datasets/training-data.ts';
import { SteerError } from '../../src/errors.ts';
import type { AttributeSchema } from '../../src/steerlm/attributes.ts';
import { gameCharacters, helpSteer, openAssistant } from '../../src/steerlm/schemas.ts';

const refuse = (attribute: string, levels: [number, number]) => new SteerError('conflict', `${attribute} ${levels}`);
const [humor] = openAssistant.attributes.filter(({ name }) => name === 'humor');
const short = { name: 'short', version: 1, attributes: [{ ...humor!, levels: ['no', 'yes'], cap: 1 }] };

test('one schema stays itself, several are joined by name', () => {
  expect(mergeSchemas([], refuse)).toBeNull();
  expect(mergeSchemas([helpSteer, helpSteer], refuse)).toBe(helpSteer);
  const joined = mergeSchemas([openAssistant, gameCharacters, openAssistant], refuse);
  expect(joined?.name).toBe('oasst+npc');
  expect(joined?.attributes.map(({ name }) => name)).toEqual([
    'quality',
    'toxicity',
    'humor',
    'creativity',
    'helpfulness',
    'verbosity',
    'formality',
  ]);
});

test('two scales of one attribute are refused in the words of whoever merges', async () => {
  expect(() => mergeSchemas([openAssistant, short], refuse)).toThrow('humor 5,2');
  const folder = mkdtempSync(join(tmpdir(), 'steer-merge-'));
  const source = (schema: AttributeSchema): TrainingSource => ({ name: schema.name, schema, samples: async function* () {} });
  const { signal } = new AbortController();
  const writing = writeTrainingData([source(openAssistant), source(short)], { folder, schema: null, signal });
  await expect(writing).rejects.toMatchObject({
    code: 'invalid_config',
    message: 'The data rates humor on two scales, of 5 and 2 levels. Name one schema with --schema.',
  });
  rmSync(folder, { recursive: true });
});
