import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { initialWeights } from '../../src/model/initial-weights.ts';
import {
  type ModelCard,
  readEndTokens,
  readModelCard,
  readShape,
  revisionOf,
  writeModelCard,
  writeShape,
} from '../../src/model/model-folder.ts';
import { saveWeights } from '../../src/model/weights.ts';
import { helpSteer, openAssistant } from '../../src/steerlm/schemas.ts';
import { tinyShape } from './tiny-shape.ts';
import { smallTokenizer } from './tokenizer/small-tokenizer.ts';

const shape = {
  ...tinyShape,
  vocabSize: smallTokenizer.size,
  hiddenSize: 8,
  intermediateSize: 12,
  layers: 1,
  heads: 2,
  kvHeads: 1,
};

const card: ModelCard = {
  kind: 'steered',
  name: 'gatekeeper',
  description: 'Guards a gate in tests.',
  attributeSchema: helpSteer,
  promptLayoutVersion: 1,
  baseModel: { name: 'small', revision: 'abcdef012345' },
  datasets: [{ name: 'dialogues', hash: '0123' }],
  recipe: { learningRate: 1e-3, seed: 5, schedule: { warmup: 10 } },
  measured: {
    verbosity: { spearman: 0.9 },
    precision: { int8: { weight_bytes: 1_000, eval_loss: 0.85, steerability: { verbosity: 0.9 } } },
  },
  createdAt: '2024-06-01T12:00:00Z',
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'model-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function writeModel(): Promise<void> {
  await writeShape(folder, shape, 'float32', { eos: 1 });
  await smallTokenizer.save(folder);
  await saveWeights(folder, shape, initialWeights(shape, 3), 'float32');
}

test('a card reads back as written, in snake case on disk', async () => {
  await writeModelCard(folder, card);
  expect(await readModelCard(folder)).toEqual(card);
  const file = JSON.parse(await readFile(join(folder, 'steerlm.json'), 'utf8'));
  expect(file).toMatchObject({ format_version: 1, prompt_layout_version: 1, base_model: { name: 'small' } });
});

const badWords = { verbosity: { below: 0.5, words: ['moreover', 'that is to say'] } };

test('a card may keep words out below a level, which makes another model of it', async () => {
  await writeModel();
  await writeModelCard(folder, card);
  const before = await revisionOf(folder);
  expect((await readModelCard(folder)).badWords).toBeUndefined();
  await writeModelCard(folder, { ...card, badWords });
  expect(await readModelCard(folder)).toEqual({ ...card, badWords });
  expect(await revisionOf(folder)).not.toBe(before);
});

test('a card that describes nothing has no such field on disk', async () => {
  await writeModelCard(folder, { ...card, description: null });
  expect(await readModelCard(folder)).toMatchObject({ description: null });
  expect(await readFile(join(folder, 'steerlm.json'), 'utf8')).not.toContain('description": null');
});

test('a folder without a card is a base model named like it', async () => {
  const named = join(folder, 'Tiny-1M');
  await mkdir(named);
  await writeFile(join(named, 'config.json'), '{}');
  expect(await readModelCard(named)).toMatchObject({
    kind: 'base',
    name: 'Tiny-1M',
    attributeSchema: null,
    promptLayoutVersion: null,
  });
});

test('a schema that was chosen by name asks nothing by itself', async () => {
  await writeFile(
    join(folder, 'steerlm.json'),
    JSON.stringify({ format_version: 1, kind: 'base', name: 'bought', attribute_schema: 'npc' }),
  );
  const { attributeSchema, promptLayoutVersion } = await readModelCard(folder);
  expect(attributeSchema?.attributes.map(({ name, default: level }) => [name, level])).toContainEqual(['toxicity', null]);
  expect(promptLayoutVersion).toBeNull();
});

test('a folder that is no model says so', async () => {
  const refused = { code: 'invalid_model', message: expect.stringContaining('found neither config.json nor a .gguf file') };
  await expect(readModelCard(join(folder, 'nowhere'))).rejects.toMatchObject(refused);
  await expect(readShape(folder)).rejects.toMatchObject({
    code: 'invalid_model',
    message: expect.stringContaining('found nothing there'),
  });
});

test.each([
  ['format_version', { format_version: 2 }],
  ['kind', { kind: 'oracle' }],
  ['needs attribute_schema', { attribute_schema: null }],
  ['needs attribute_schema', { prompt_layout_version: null }],
  ['cap', { attribute_schema: { ...helpSteer, attributes: [{ ...helpSteer.attributes[0], cap: 5 }] } }],
  ['default', { attribute_schema: { ...helpSteer, attributes: [{ ...helpSteer.attributes[0], default: 9 }] } }],
  ['instructions', { attribute_schema: { ...helpSteer, attributes: [{ ...helpSteer.attributes[0], instructions: ['one'] }] } }],
  ['helpsteer, oasst, steerlm, npc, everyday', { attribute_schema: 'npcs' }],
  ['created_at', { created_at: 'yesterday' }],
  ['description', { description: 'two\nlines' }],
  ['bad_words.malice: expected an attribute of attribute_schema', { bad_words: { malice: { below: 1, words: ['fool'] } } }],
  ['bad_words.verbosity', { attribute_schema: openAssistant, bad_words: { verbosity: { below: 1, words: ['fool'] } } }],
  ['bad_words.__proto__', { bad_words: JSON.parse('{"__proto__": {"below": 1, "words": ["fool"]}}') }],
  ['bad_words.verbosity.below', { bad_words: { verbosity: { words: ['fool'] } } }],
  ['bad_words.verbosity.below', { bad_words: { verbosity: { below: 0, words: ['fool'] } } }],
  ['bad_words.verbosity.words', { bad_words: { verbosity: { below: 1, words: [] } } }],
  ['bad_words.verbosity.words.1', { bad_words: { verbosity: { below: 1, words: ['fool', ' '] } } }],
  ['bad_words.verbosity.words.0', { bad_words: { verbosity: { below: 1, words: ['x'.repeat(65)] } } }],
  ['upto', { bad_words: { verbosity: { below: 1, upto: 2, words: ['fool'] } } }],
  ['measured.precision.int4.eval_loss', { measured: { precision: { int4: { weight_bytes: 1, steerability: {} } } } }],
])('a card with a wrong %s is refused by that name', async (problem, change) => {
  await writeModelCard(folder, card);
  const path = join(folder, 'steerlm.json');
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change }));
  await expect(readModelCard(folder)).rejects.toMatchObject({ code: 'invalid_model', message: expect.stringContaining(problem) });
});

test('the shape reads back as written', async () => {
  await writeShape(folder, shape, 'bfloat16', { eos: 1 });
  expect(await readShape(folder)).toEqual(shape);
});

test('the revision stays while nothing changes, and changes with weights, tokenizer, config and attributes', async () => {
  await writeModel();
  await writeModelCard(folder, card);
  const first = await revisionOf(folder);
  expect(first).toMatch(/^[0-9a-f]{12}$/);
  await writeModelCard(folder, { ...card, name: 'renamed', measured: null });
  expect(await revisionOf(folder)).toBe(first);

  const revisions = new Set([first]);
  await writeModelCard(folder, { ...card, attributeSchema: openAssistant });
  revisions.add(await revisionOf(folder));
  await saveWeights(folder, shape, initialWeights(shape, 4), 'float32');
  revisions.add(await revisionOf(folder));
  await smallTokenizer.withAddedTokens(['<new>']).save(folder);
  revisions.add(await revisionOf(folder));
  await writeShape(folder, { ...shape, ropeTheta: 20_000 }, 'float32', { eos: 1 });
  revisions.add(await revisionOf(folder));
  expect(revisions.size).toBe(5);
});

test('no revision without weights or tokenizer', async () => {
  await writeModel();
  await rm(join(folder, 'tokenizer.json'));
  await expect(revisionOf(folder)).rejects.toMatchObject({
    code: 'invalid_model',
    message: expect.stringContaining('tokenizer.json'),
  });
});

test('the tokens that end a text come from generation_config.json, else config.json, else nowhere', async () => {
  expect(await readEndTokens(folder)).toEqual([]);
  await writeFile(join(folder, 'config.json'), '{"eos_token_id": 7}');
  expect(await readEndTokens(folder)).toEqual([7]);
  await writeFile(join(folder, 'generation_config.json'), '{"eos_token_id": [3, 5]}');
  expect(await readEndTokens(folder)).toEqual([3, 5]);
});
