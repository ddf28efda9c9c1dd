// The models of a folder: which are listed and in what order, which are passed over, and that each is loaded once.

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { addVectors, vectorsName } from '../../src/model/vectors/kept-vectors.ts';
import { ModelRegistry } from '../../src/registry/model-registry.ts';
import { gameCharacters, helpSteer } from '../../src/steerlm/schemas.ts';
import { width, writeControlFile } from '../model/vectors/vector-files.ts';
import { endOf, inFolder, open, speak, statusOf, talkative, wholeReply, write } from './model-folder.ts';

test('models are listed best first; the first steered one is the default', async () => {
  await write('a-base', 'base');
  await write('b-rater', 'predictor');
  await write('c-steered', 'steered');
  await write('d-folder', 'steered', 'd-name');
  mkdirSync(inFolder('corpus'));
  writeFileSync(inFolder('notes.txt'), 'no model');
  const { registry, broken } = await open();
  expect(registry.list().map(({ id, kind, aliases }) => [id, kind, aliases])).toEqual([
    ['c-steered', 'language', ['default']],
    ['d-name', 'language', ['d-folder']],
    ['a-base', 'language', []],
    ['b-rater', 'predictor', []],
  ]);
  expect(registry.list()[0]).toMatchObject({ created: 1_717_243_200, contextLength: 64, schema: { name: 'npc' } });
  expect(registry.folderOf('d-name')).toBe(inFolder('d-folder'));
  expect(broken).toEqual([]);
});

test('a file named default chooses another default', async () => {
  await write('one', 'steered');
  await write('two', 'steered');
  writeFileSync(inFolder('default'), 'two\n');
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
  truncateSync(inFolder('cut', 'model.safetensors'), 400);
  await write('headless', 'base');
  writeFileSync(inFolder('headless', 'steerlm.json'), '{"format_version": 1, "kind": "predictor", "name": "headless"}');
  const { registry, broken } = await open();
  expect(registry.list().map(({ id }) => id)).toEqual(['good']);
  expect(registry.folderOf('good')).toBe(inFolder('good'));
  expect(broken).toEqual([
    expect.stringMatching(/^cut: .*not a whole safetensors file/),
    expect.stringMatching(/^headless: .*needs attribute_schema/),
    expect.stringMatching(/^copy: Its name good is that of .*good already/),
  ]);
  await expect(ModelRegistry.open(inFolder('none'), { onBroken: () => {} })).rejects.toMatchObject({ code: 'invalid_model' });
});

/** Sets fields of a JSON file. */
const edit = (file: string, fields: object) => {
  const path = inFolder('odd', file);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...fields }));
};
const deep = `${'['.repeat(1e5)}${']'.repeat(1e5)}`;

test.each<[string, () => unknown]>([
  ['num_hidden_layers', () => edit('config.json', { num_hidden_layers: 3_000_000 })],
  ['lack model.layers.1', () => edit('config.json', { num_hidden_layers: 1000 })],
  ['max_position_embeddings', () => edit('config.json', { max_position_embeddings: 0x7fffffff })],
  ['temperature', () => writeFileSync(inFolder('odd', 'generation_config.json'), '{"temperature": 1e300}')],
  ['name', () => edit('steerlm.json', { name: 'x'.repeat(1000) })],
  ['name', () => edit('steerlm.json', { name: 'a\0b' })],
  ['steerlm.json', () => writeFileSync(inFolder('odd', 'steerlm.json'), deep)],
  ['url', () => writeFileSync(inFolder('odd', 'upstream.json'), '{"url": "file:///etc/passwd", "model": "x"}')],
  ['at most', () => truncateSync(inFolder('odd', 'steerlm.json'), 2 ** 30)],
  ['header claims', () => writeFileSync(inFolder('odd', 'model.safetensors'), Buffer.alloc(2 ** 8, 0xff))],
  ['something else', () => pipeAt('steerlm.json')],
  ['something else', () => pipeAt('model.safetensors')],
  ['something else', () => pipeAt('config.json')],
])('a folder that is odd in %s is broken, and the others are served', async (told, spoil) => {
  await write('good', 'steered');
  await write('odd', 'steered');
  spoil();
  const { registry, broken } = await open();
  expect(registry.list().map(({ id }) => id)).toEqual(['good']);
  expect(broken).toEqual([expect.stringContaining(told)]);
  expect(broken[0]).toContain('odd');
});

/** Whoever opens it waits for a writer. */
function pipeAt(name: string): void {
  rmSync(inFolder('odd', name));
  execFileSync('sh', ['-c', 'mkfifo "$0"', inFolder('odd', name)]);
}

test('a model is loaded once however many ask, and ready follows the default and its predictor', async () => {
  await write('npc', 'steered');
  await write('helper', 'predictor', 'helper', { schema: helpSteer });
  await write('rater', 'predictor');
  const { registry } = await open();
  expect(registry.ready()).toBe(false);
  const [a, b] = await Promise.all([registry.language('npc'), registry.language('npc'), registry.warmUp()]);
  expect(a).toBe(b);
  expect(registry.ready()).toBe(true);
  const rater = await registry.predictor('rater');
  let begun = false;
  const asked = [{ system: '', turns: [{ role: 'assistant' as const, content: 'Aye' }] }];
  const score = await rater.score(asked, new AbortController().signal, undefined, () => (begun = true));
  expect(begun).toBe(true);
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
  rmSync(inFolder('npc', 'tokenizer.json'));
  await expect(registry.warmUp()).rejects.toThrow(/tokenizer\.json/);
  expect(registry.ready()).toBe(false);
  await write('npc', 'steered');
  await registry.warmUp();
  expect(registry.ready()).toBe(true);
  await registry.dispose();
});

describe('while it is open', () => {
  test('models are loaded and unloaded, and say how they stand', async () => {
    await write('npc', 'steered');
    await write('cut', 'steered');
    const { registry } = await open();
    expect(statusOf(registry, 'npc')).toBe('unloaded');
    const loading = registry.load('npc');
    expect(statusOf(registry, 'npc')).toBe('loading');
    await loading;
    expect(statusOf(registry, 'npc')).toBe('loaded');
    const held = await registry.language('npc');
    registry.unload('npc');
    expect(statusOf(registry, 'npc')).toBe('unloaded');
    expect((await speak(held).next()).value, 'whoever holds it has it loaded again').toMatchObject({ kind: 'delta' });
    expect(statusOf(registry, 'npc')).toBe('loaded');
    rmSync(inFolder('cut', 'tokenizer.json'));
    await registry.refresh();
    await expect(registry.load('cut')).rejects.toMatchObject({ code: 'invalid_model' });
    expect(statusOf(registry, 'cut')).toBe('failed');
    expect(() => registry.unload('nobody')).toThrow(/No model is named/);
    await expect(registry.setAlias('x', 'npc')).rejects.toMatchObject({ code: 'database_unavailable' });
    await registry.dispose();
  });

  test('weights are loaded in the precision that is asked for; calls in hand end on those they began on', async () => {
    await write('npc', 'steered');
    const { registry } = await open();
    const precisionOf = () => registry.list().find(({ id }) => id === 'npc')!.precision;
    await registry.load('npc');
    const plain = await registry.language('npc');
    const speaking = speak(plain);
    await speaking.next();
    await registry.load('npc', 'int8');
    expect([precisionOf(), statusOf(registry, 'npc')]).toEqual(['int8', 'loaded']);
    while (!(await speaking.next()).done);
    const rounded = await registry.language('npc');
    expect(rounded.revision).toBe(`${plain.revision}-int8`);
    await expect(speak(plain).next(), 'a prompt of the other revision').rejects.toMatchObject({ code: 'not_ready' });
    await registry.load('npc');
    expect(precisionOf(), 'a load that names none leaves it').toBe('int8');
    await registry.dispose();
  });

  test('new folders appear, others go, half-written ones stay hidden, and broken ones are told of once', async () => {
    await write('one', 'steered');
    const { registry, broken } = await open();
    await write('.two.partial', 'steered', 'two');
    await registry.refresh();
    expect(registry.list().map(({ id }) => id)).toEqual(['one']);
    renameSync(inFolder('.two.partial'), inFolder('two'));
    await write('torn', 'steered');
    truncateSync(inFolder('torn', 'model.safetensors'), 400);
    await registry.refresh();
    await registry.refresh();
    expect(registry.list().map(({ id }) => id)).toEqual(['one', 'two']);
    expect(broken).toEqual([expect.stringMatching(/^torn: /)]);
    rmSync(inFolder('one'), { recursive: true });
    await registry.refresh();
    expect(registry.list().map(({ id, aliases }) => [id, aliases])).toEqual([['two', ['default']]]);
  });

  test('a model whose files change is opened anew, and calls that were prepared for the old one are refused', async () => {
    await write('npc', 'steered', 'npc', talkative);
    const { registry } = await open();
    const old = await registry.language('npc');
    const reply = speak(old);
    await reply.next();
    await write('npc', 'steered', 'npc', { ...talkative, seed: 2 });
    await registry.refresh();
    const fresh = await registry.language('npc');
    expect(fresh.revision).not.toBe(old.revision);
    await expect(speak(old).next()).rejects.toMatchObject({ code: 'not_ready' });
    expect(await endOf(reply), 'the reply begun before is told to its end').toMatchObject(wholeReply);
    await registry.dispose();
  });
});

test('the report is what stands on the card and in the folder now', async () => {
  await write('steered', 'steered');
  const { registry } = await open();
  expect(await registry.report('steered')).toEqual({ measured: {}, evaluations: {} });
  mkdirSync(inFolder('steered', 'evaluation'));
  writeFileSync(inFolder('steered', 'evaluation', 'steering.json'), '{"format_version":1}');
  expect((await registry.report('steered')).evaluations).toEqual({ steering: { format_version: 1 } });
  writeFileSync(inFolder('steered', 'evaluation', 'steering.json'), '{');
  await expect(registry.report('steered')).rejects.toMatchObject({ code: 'invalid_model' });
  await expect(registry.report('nobody')).rejects.toMatchObject({ code: 'model_not_found' });
});

test('what a held model is asked through the registry has its curves and how its replies are drawn', async () => {
  await write('one', 'steered');
  const path = inFolder('one', 'steerlm.json');
  const card = JSON.parse(readFileSync(path, 'utf8'));
  const curves = { humor: [0, 1].map((level) => ({ requested: level, obtained: level / 2, replies: 4 })) };
  writeFileSync(
    path,
    JSON.stringify({ ...card, measured: { steering: { judge: 'apm 1', precision: 'int8', prompts: 2, curves } } }),
  );
  writeFileSync(inFolder('one', 'generation_config.json'), '{"temperature": 0.6, "top_k": -1, "eos_token_id": 1}');
  const { registry } = await open();
  const model = await registry.language('one');
  expect(model.curves).toEqual(curves);
  expect(model.sampling).toEqual({ temperature: 0.6, topK: 0 });
  await registry.dispose();
});

describe('pulled models', () => {
  const openBoth = (modelsDir: string) =>
    ModelRegistry.open(modelsDir, { pulledDir: inFolder('data', 'models'), onBroken: () => {} });

  test('stand beside those of the models folder, which come first, and need no folder', async () => {
    await write('own/npc', 'steered', 'npc');
    expect((await openBoth(inFolder('own'))).list().map(({ id }) => id)).toEqual(['npc']);
    await write('data/models/pulled', 'steered', 'pulled');
    await write('data/models/npc', 'steered', 'npc');
    const registry = await openBoth(inFolder('own'));
    expect(registry.list().map(({ id, aliases }) => [id, aliases])).toEqual([
      ['npc', ['default']],
      ['pulled', []],
    ]);
    expect(registry.folderOf('npc')).toBe(inFolder('own', 'npc'));
    expect(registry.folderOf('pulled')).toBe(inFolder('data', 'models', 'pulled'));
  });

  test('the default is what MODELS_DIR says, else the first that was pulled; what the program came with comes last', async () => {
    await write('own/npc', 'steered', 'npc');
    await write('data/models/pulled', 'steered', 'pulled');
    writeFileSync(inFolder('data', 'models', 'default'), 'pulled\n');
    const first = async (modelsDir: string) => (await openBoth(modelsDir)).list()[0]?.id;
    expect(await first(inFolder('own'))).toBe('pulled');
    writeFileSync(inFolder('own', 'default'), 'npc\n');
    expect(await first(inFolder('own'))).toBe('npc');
    expect(await first('models')).toBe('pulled');
    writeFileSync(inFolder('data', 'models', 'default'), 'gone\n');
    expect(await first('models')).toBe('npc');
  });
});

test('steering vectors are told of as they come and go, while the model stays loaded', async () => {
  await write('one', 'steered', 'one', { layers: 3 });
  const { registry } = await open();
  await registry.load('one');
  const model = await registry.language('one');
  expect(registry.list()[0]!.vectors).toBeUndefined();
  // As another process does.
  await addVectors(inFolder('one'), await writeControlFile(inFolder('happy.gguf')));
  expect(await model.vectors!.sum({ happy: 1 })).toHaveLength(3 * width);
  await registry.refresh();
  expect(registry.list()[0]).toMatchObject({ status: 'loaded', vectors: [{ name: 'happy', range: [-1, 1] }] });
  writeFileSync(inFolder('one', vectorsName), 'torn');
  await registry.refresh();
  expect(registry.list()[0]).toMatchObject({ status: 'loaded', vectors: undefined });
  await expect(model.vectors!.sum({ happy: 1 })).rejects.toMatchObject({ code: 'invalid_vector' });
  await registry.dispose();
});
