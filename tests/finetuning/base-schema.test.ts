// Which attributes a model learns: those its data is labelled for, and those a steered base knows.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { learntSchema } from '../../src/finetuning/base-schema.ts';
import { openAssistant } from '../../src/steerlm/schemas.ts';
import { writeTinyModel } from '../tiny-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'steer-base-schema-'));
afterAll(() => rmSync(folder, { recursive: true }));

const labelled = new Map([['humor', 4]]);
const names = ({ schema, unseen }: Awaited<ReturnType<typeof learntSchema>>) => [
  schema.attributes.map(({ name }) => name),
  unseen,
];

test('what nothing is labelled for is left out and told', async () => {
  expect(names(await learntSchema(openAssistant, labelled))).toEqual([['humor'], ['quality', 'toxicity', 'creativity']]);
  expect(await learntSchema(openAssistant, new Map())).toEqual({ schema: openAssistant, unseen: [] });
});

test('what a steered base knows on the same scale is kept', async () => {
  const [quality, toxicity] = openAssistant.attributes;
  const coarse = { ...toxicity!, levels: ['kind', 'rude'], instructions: undefined, cap: 1 };
  const base = join(folder, 'base');
  await writeTinyModel(base, { kind: 'steered', name: 'base', schema: { ...openAssistant, attributes: [quality!, coarse] } });
  expect(names(await learntSchema(openAssistant, labelled, base))).toEqual([
    ['quality', 'humor'],
    ['toxicity', 'creativity'],
  ]);
});
