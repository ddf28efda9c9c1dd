// The models of a folder: which are listed and in what order, which are passed over, and that each is loaded once.
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { headShapes } from '../src/attributes/predictor-graph.ts';
import { writeModel } from '../src/llama/model.ts';
import { initialWeights } from '../src/llama/weights.ts';
import { ModelRegistry } from '../src/model-registry.ts';
import { gameCharacters, helpSteer } from '../src/schemas.ts';
import { smallTokenizer } from './llama/small-tokenizer.ts';

const shape = {
  modelType: 'llama' as const,
  vocabSize: smallTokenizer.size,
  hiddenSize: 16,
  intermediateSize: 24,
  layers: 1,
  heads: 2,
  kvHeads: 2,
  headDim: 8,
  contextLength: 64,
  ropeTheta: 10_000,
  ropeScaling: null,
  normEpsilon: 1e-5,
  tiedEmbeddings: true,
  attentionBias: false,
  queryKeyNorm: false,
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'steer-models-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function write(
  at: string,
  kind: 'base' | 'steered' | 'predictor',
  name = at,
  attributeSchema = gameCharacters,
): Promise<void> {
  const steering =
    kind === 'base' ? { attributeSchema: null, promptLayoutVersion: null } : { attributeSchema, promptLayoutVersion: 1 };
  const made = { baseModel: null, datasets: [], recipe: {}, measured: null, createdAt: '2024-06-01T12:00:00Z' };
  const values = new Map(initialWeights(shape, 1, kind === 'predictor' ? headShapes(attributeSchema, shape) : undefined));
  await writeModel(
    join(folder, at),
    { shape, tokenizer: smallTokenizer, values, card: { kind, name, ...steering, ...made } },
    'float32',
  );
}

async function open(): Promise<{ registry: ModelRegistry; broken: string[] }> {
  const broken: string[] = [];
  const registry = await ModelRegistry.open(folder, {
    onBroken: (at, reason) => broken.push(`${at.slice(folder.length + 1)}: ${reason}`),
  });
  return { registry, broken };
}

test('models are listed best first; the first steered one is the default', async () => {
  await write('a-base', 'base');
  await write('b-rater', 'predictor');
  await write('c-steered', 'steered');
  await write('d-folder', 'steered', 'd-name');
  mkdirSync(join(folder, 'corpus'));
  writeFileSync(join(folder, 'notes.txt'), 'no model');
  const { registry, broken } = await open();
  expect(registry.list().map(({ id, kind, aliases }) => [id, kind, aliases])).toEqual([
    ['c-steered', 'language', ['default']],
    ['d-name', 'language', ['d-folder']],
    ['a-base', 'language', []],
    ['b-rater', 'predictor', []],
  ]);
  expect(registry.list()[0]).toMatchObject({ created: 1_717_243_200, contextLength: 64, schema: { name: 'npc' } });
  expect(registry.folderOf('d-name')).toBe(join(folder, 'd-folder'));
  expect(broken).toEqual([]);
});

test('a file named default chooses another default', async () => {
  await write('one', 'steered');
  await write('two', 'steered');
  writeFileSync(join(folder, 'default'), 'two\n');
  const { registry } = await open();
  expect(registry.list().map(({ id, aliases }) => [id, aliases])).toEqual([
    ['two', ['default']],
    ['one', []],
  ]);
});

test('broken models and second ones of a name are told of and passed over', async () => {
  await write('good', 'steered');
  await write('copy', 'steered', 'good');
  await write('cut', 'steered');
  truncateSync(join(folder, 'cut', 'model.safetensors'), 400);
  await write('headless', 'base');
  writeFileSync(join(folder, 'headless', 'steerlm.json'), '{"format_version": 1, "kind": "predictor", "name": "headless"}');
  const { registry, broken } = await open();
  expect(registry.list().map(({ id }) => id)).toEqual(['good']);
  expect(registry.folderOf('good')).toBe(join(folder, 'good'));
  expect(broken).toEqual([
    expect.stringMatching(/^cut: .*not a whole safetensors file/),
    expect.stringMatching(/^headless: .*needs attribute_schema/),
    expect.stringMatching(/^copy: Its name good is that of .*good already/),
  ]);
  await expect(ModelRegistry.open(join(folder, 'none'), { onBroken: () => {} })).rejects.toMatchObject({ code: 'invalid_model' });
});

test('a model is loaded once however many ask, and ready follows the default and its predictor', async () => {
  await write('npc', 'steered');
  await write('helper', 'predictor', 'helper', helpSteer);
  await write('rater', 'predictor');
  const { registry } = await open();
  expect(registry.ready()).toBe(false);
  const [a, b] = await Promise.all([registry.language('npc'), registry.language('npc'), registry.warmUp()]);
  expect(a).toBe(b);
  expect(registry.ready()).toBe(true);
  const rater = await registry.predictor('rater');
  const score = await rater.score([{ system: '', turns: [{ role: 'assistant', content: 'Aye' }] }], new AbortController().signal);
  expect(Object.keys(score[0]!.attributes)).toEqual(gameCharacters.attributes.map(({ name }) => name));
  await expect(registry.predictor('npc')).rejects.toMatchObject({ code: 'model_not_found' });
  await registry.dispose();
  expect(registry.ready()).toBe(false);
  await expect(registry.language('npc')).rejects.toMatchObject({ code: 'not_ready' });
  await expect(rater.score([], new AbortController().signal)).rejects.toMatchObject({ code: 'not_ready' });
});

test('what did not load is tried again, and a folder without models cannot be served', async () => {
  await expect((await open()).registry.warmUp()).rejects.toMatchObject({ code: 'invalid_model' });
  await write('npc', 'steered');
  const { registry } = await open();
  rmSync(join(folder, 'npc', 'tokenizer.json'));
  await expect(registry.warmUp()).rejects.toThrow(/tokenizer\.json/);
  expect(registry.ready()).toBe(false);
  await write('npc', 'steered');
  await registry.warmUp();
  expect(registry.ready()).toBe(true);
  await registry.dispose();
});
