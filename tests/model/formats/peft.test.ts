// LoRA adapters in PEFT's layout: those PEFT wrote give its scores once merged (bench/interop writes tests/golden/peft), those written here come
// back as they were, and what would be merged wrongly is refused.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mergePeft } from '../../../src/model/formats/peft.ts';
import { writeTensorFile } from '../../../src/model/formats/safetensors.ts';
import { initialWeights } from '../../../src/model/initial-weights.ts';
import { mergeAdapter } from '../../../src/model/lora.ts';
import { readModel, withControlTokens, writeModel } from '../../../src/model/model.ts';
import { blankCard, readShape } from '../../../src/model/model-folder.ts';
import { openWeights } from '../../../src/model/weights.ts';
import type { Model } from '../../../src/model/whole-model.ts';
import { writeTinyModel } from '../../tiny-model.ts';
import { randomAdapter } from '../random-models.ts';
import { furthest, scoresOf } from '../scores.ts';
import { smallTokenizer } from '../tokenizer/small-tokenizer.ts';

const golden = (path: string) => fileURLToPath(new URL(`../../golden/${path}`, import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'peft-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let base: Model;
beforeAll(async () => {
  const folder = golden('llama/gqa');
  const shape = await readShape(folder);
  const weights = await openWeights(folder, shape);
  const values = new Map<string, Float32Array>();
  for (const name of weights.names) values.set(name, await weights.read(name));
  await weights.close();
  base = { shape, values, tokenizer: smallTokenizer, card: blankCard('gqa') };
});

test.each([0, 1, 2])('adapter %i of PEFT', async (i) => {
  const { ids, scores } = JSON.parse(readFileSync(golden(`peft/${i}/golden.json`), 'utf8'));
  expect(furthest(await scoresOf(base, ids), scores)).toBeGreaterThan(0.1);
  expect(furthest(await scoresOf(await mergePeft(base, golden(`peft/${i}`)), ids), scores)).toBeLessThan(1e-4);
});

describe('an adapter written here', () => {
  const lora = { rank: 2, alpha: 3 };

  test('comes back as it was, with tokenizer and card', async () => {
    await writeTinyModel(join(scratch, 'plain'), { kind: 'base', name: 'plain' });
    const plain = await readModel(join(scratch, 'plain'));
    const adapter = randomAdapter(plain, { lora, base: 'plain', grown: false });
    const out = join(scratch, 'written');
    const card = { ...blankCard('adapted'), datasets: [{ name: 'talk', hash: 'x' }] };
    await writeModel(out, { ...plain, card, adapter }, 'float32');
    const merged = await mergePeft(plain, join(out, 'adapter'));
    const name = 'model.layers.0.mlp.gate_proj';
    const [down, up] = [adapter.values.get(`${name}.lora_A`)!, adapter.values.get(`${name}.lora_B`)!];
    expect(merged.values.get(`${name}.weight`)).toEqual(mergeAdapter(plain.values.get(`${name}.weight`)!, down, up, lora));
    expect(merged.values.get('model.norm.weight')).toEqual(plain.values.get('model.norm.weight'));
    expect(merged.card.datasets).toEqual(card.datasets);
    const config = JSON.parse(readFileSync(join(out, 'adapter/adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ peft_type: 'LORA', r: 2, lora_alpha: 3, base_model_name_or_path: 'plain' });
    expect(config.target_modules).toEqual(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj']);
  });

  test('brings the embeddings of a vocabulary that grew', async () => {
    await writeTinyModel(join(scratch, 'small'), { kind: 'base', name: 'small' });
    const small = await readModel(join(scratch, 'small'));
    const grown = withControlTokens({ ...small, tokenizer: small.tokenizer.withAddedTokens(['<|one more|>']) });
    expect(grown.shape.vocabSize).toBe(small.shape.vocabSize + 1);
    const out = join(scratch, 'grown');
    await writeModel(out, { ...grown, adapter: randomAdapter(grown, { lora, base: 'small', grown: true }) }, 'float32');
    const merged = await mergePeft(small, join(out, 'adapter'));
    expect(merged.shape).toEqual(grown.shape);
    expect(merged.values.get('model.embed_tokens.weight')).toEqual(grown.values.get('model.embed_tokens.weight'));
    expect(merged.tokenizer.tokenId('<|one more|>')).toBe(small.shape.vocabSize);
  });
});

/** An adapter of the tensors, each full of one number. */
async function adapterOf(folder: string, shapes: Record<string, [dims: number[], filling: number]>, config: object = {}) {
  cpSync(golden('peft/0'), folder, { recursive: true });
  const path = join(folder, 'adapter_config.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...config }));
  const all = Object.entries(shapes).map(([name, tensor]) => [`base_model.model.${name}`, ...tensor] as const);
  await writeTensorFile(
    join(folder, 'adapter_model.safetensors'),
    new Map(all.map(([name, dims]) => [name, dims])),
    all.map(([name, dims, filling]) => [name, new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(filling)]),
    'F32',
  );
}

describe('on a model whose embeddings are tied', () => {
  const folder = join(scratch, 'tied-adapter');
  const table = 'model.embed_tokens.weight';
  let tied: Model;
  let dims: number[];
  beforeAll(async () => {
    await writeTinyModel(join(scratch, 'tied'), { kind: 'base', name: 'tied' });
    tied = await readModel(join(scratch, 'tied'));
    expect(tied.shape.tiedEmbeddings).toBe(true);
    dims = [tied.shape.vocabSize, tied.shape.hiddenSize];
  });
  const valuesOf = ({ values }: Model, name: string) => values.get(name)!;
  const filled = (filling: number) => new Float32Array(dims[0]! * dims[1]!).fill(filling);

  test('an output projection that was trained makes the model an untied one, written and read as such', async () => {
    await adapterOf(folder, { 'lm_head.weight': [dims, 0.5] }, { modules_to_save: ['lm_head'] });
    const merged = await mergePeft(tied, folder);
    const out = join(scratch, 'untied');
    await writeModel(out, merged, 'float32');
    expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8')).tie_word_embeddings).toBe(false);
    const read = await readModel(out);
    expect(valuesOf(read, 'lm_head.weight')).toEqual(filled(0.5));
    expect(valuesOf(read, table)).toEqual(valuesOf(tied, table));
    const [before, after] = [await scoresOf(tied, [1, 2, 3]), await scoresOf(read, [1, 2, 3])];
    expect(after.some((score, i) => Math.abs(score - before[i]!) > 0.01)).toBe(true);
  });

  test('low ranks for the output projection do so as well', async () => {
    const [V, D] = dims as [number, number];
    const shapes = { 'lm_head.lora_A.weight': [[1, D], 1], 'lm_head.lora_B.weight': [[V, 1], 2] } as const;
    await adapterOf(folder, shapes as never, { r: 1, lora_alpha: 3, target_modules: ['lm_head'] });
    const merged = await mergePeft(tied, folder);
    expect(merged.shape.tiedEmbeddings).toBe(false);
    expect(valuesOf(merged, table)).toEqual(valuesOf(tied, table));
    expect(valuesOf(merged, 'lm_head.weight')[5]).toBeCloseTo(valuesOf(tied, table)[5]! + 6, 4);
  });

  test('embeddings that were trained alone leave the output projection as it was', async () => {
    await adapterOf(folder, { [table]: [dims, 0.25] }, { modules_to_save: ['embed_tokens'] });
    const merged = await mergePeft(tied, folder);
    expect(merged.shape.tiedEmbeddings).toBe(false);
    expect(valuesOf(merged, table)).toEqual(filled(0.25));
    expect(valuesOf(merged, 'lm_head.weight')).toEqual(valuesOf(tied, table));
  });

  test('tables that are alike, or were kept tied, stay one', async () => {
    await adapterOf(folder, { [table]: [dims, 0.25], 'lm_head.weight': [dims, 0.25] }, { modules_to_save: ['lm_head'] });
    for (const merged of [await mergePeft(tied, folder)]) {
      expect(merged.shape).toEqual(tied.shape);
      expect([...merged.values.keys()].toSorted()).toEqual([...tied.values.keys()].toSorted());
      expect(valuesOf(merged, table)).toEqual(filled(0.25));
    }
    await adapterOf(folder, { [table]: [dims, 0.5] }, { modules_to_save: ['embed_tokens'], ensure_weight_tying: true });
    const kept = await mergePeft(tied, folder);
    expect([kept.shape.tiedEmbeddings, valuesOf(kept, table)[0]]).toEqual([true, 0.5]);
    await adapterOf(folder, { 'lm_head.weight': [dims, 0.5] }, { modules_to_save: ['lm_head'], ensure_weight_tying: true });
    await expect(mergePeft(tied, folder)).rejects.toThrow('found ensure_weight_tying and two tables that differ');
  });

  test('embeddings of a larger vocabulary with none for the output projection are refused', async () => {
    await adapterOf(folder, { [table]: [[dims[0]! + 1, dims[1]!], 0.5] }, { modules_to_save: ['model.embed_tokens'] });
    await expect(mergePeft(tied, folder)).rejects.toThrow('a larger vocabulary without an lm_head of its size');
  });
});

test('biases that were trained are taken over', async () => {
  await writeTinyModel(join(scratch, 'unbiased'), { kind: 'base', name: 'unbiased' });
  const unbiased = await readModel(join(scratch, 'unbiased'));
  const shape = { ...unbiased.shape, modelType: 'qwen2' as const, attentionBias: true };
  const biased: Model = { ...unbiased, shape, values: new Map(initialWeights(shape, 1)) };
  const at = 'model.layers.0.self_attn';
  const length = biased.values.get(`${at}.q_proj.bias`)!.length;
  const shorter = biased.values.get(`${at}.v_proj.bias`)!.length;
  const folder = join(scratch, 'bias-adapter');
  const shapes = { [`${at}.q_proj.base_layer.bias`]: [[length], 0.5], [`${at}.v_proj.bias`]: [[shorter], 0.25] };
  await adapterOf(folder, shapes as never, { bias: 'all' });
  const merged = await mergePeft(biased, folder);
  expect(merged.values.get(`${at}.q_proj.bias`)).toEqual(new Float32Array(length).fill(0.5));
  expect(merged.values.get(`${at}.v_proj.bias`)).toEqual(new Float32Array(shorter).fill(0.25));
});

describe('refused', () => {
  const folder = join(scratch, 'refused');
  const weights = (shapes: Record<string, number[]>) =>
    writeTensorFile(
      join(folder, 'adapter_model.safetensors'),
      new Map(Object.entries(shapes)),
      Object.entries(shapes).map(([name, dims]) => [name, new Float32Array(dims.reduce((a, b) => a * b, 1))]),
      'F32',
    );
  const config = (change: object) => {
    cpSync(golden('peft/0'), folder, { recursive: true });
    const path = join(folder, 'adapter_config.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
  };

  test.each([
    [{ peft_type: 'IA3' }, 'peft_type: only LoRA adapters are read'],
    [{ use_dora: true }, 'weight-decomposed adapters (DoRA) are not read'],
    [{ fan_in_fan_out: true }, 'expected false'],
    [{ alpha_pattern: { '.*q_proj': 3 } }, 'expected names of modules, no other pattern'],
    [{ layer_replication: [[0, 2]] }, 'found layer_replication, which is not followed here'],
    [{ trainable_token_indices: { embed_tokens: [3] } }, 'found trainable_token_indices'],
    [{ target_parameters: ['mlp.experts.down_proj'] }, 'found target_parameters'],
    [{ lora_bias: true }, 'found lora_bias'],
    [{ kasa_config: { beta: 1 } }, 'found kasa_config'],
    [{ megatron_config: { layers: 2 } }, 'found megatron_config'],
    [{ said_by_a_later_peft: 'yes' }, 'found said_by_a_later_peft, which is not followed here'],
    ...['pissa', 'pissa_niter_16', 'olora', 'corda', 'loftq', 'lora_ga', 'of a later peft'].map((start): [object, string] => [
      { init_lora_weights: start },
      `found init_lora_weights "${start}", which changes the weights of the base. Merge the adapter with PEFT itself`,
    ]),
    [{ layers_to_transform: [1] }, /lora_[AB].weight, which layers_to_transform of adapter_config.json passes over/],
    [{ layers_to_transform: 0 }, /layers\.1\..* which layers_to_transform/],
    [{ target_modules: ['q_proj'] }, 'which target_modules of adapter_config.json passes over'],
    [{ exclude_modules: ['layers.1.self_attn.q_proj'] }, /layers\.1\.self_attn\.q_proj.* which exclude_modules/],
  ] as [object, string | RegExp][])('%j', async (change, message) => {
    config(change);
    await expect(mergePeft(base, folder)).rejects.toThrow(message);
  });

  test.each([
    { init_lora_weights: 'gaussian', loftq_config: { loftq_bits: 4 }, eva_config: null },
    { init_lora_weights: 'eva', eva_config: { rho: 2 } },
    { init_lora_weights: 'orthogonal', layers_to_transform: [0, 1], layers_pattern: 'layers' },
    { init_lora_weights: false, bias: 'lora_only', runtime_config: { ephemeral_gpu_offload: false } },
    { target_modules: '.*_proj$', said_by_a_later_peft: null, and_another: [], peft_version: '9.9' },
  ])('not %j, which changes nothing', async (change) => {
    config({});
    const before = await mergePeft(base, folder);
    config(change);
    expect((await mergePeft(base, folder)).values).toEqual(before.values);
  });

  test('tensors of another model, of another size, or without their other half', async () => {
    config({});
    const at = 'base_model.model.model.layers.0.self_attn.q_proj';
    await weights({ [`${at}.lora_A.weight`]: [2, 31], [`${at}.lora_B.weight`]: [32, 2] });
    await expect(mergePeft(base, folder)).rejects.toThrow('lora_A.weight [2, 31]');
    await weights({ [`${at}.lora_A.weight`]: [2, 32] });
    await expect(mergePeft(base, folder)).rejects.toThrow('lora_B.weight [missing] for a weight [32, 32]');
    await weights({ [`${at}.lora_B.weight`]: [32, 2] });
    await expect(mergePeft(base, folder)).rejects.toThrow('lora_B.weight without its lora_A');
    await weights({ [`${at.replace('layers.0', 'layers.7')}.lora_A.weight`]: [2, 32] });
    await expect(mergePeft(base, folder)).rejects.toThrow('of which gqa has no parameter');
    await weights({ [`${at}.lora_magnitude_vector.weight`]: [32] });
    await expect(mergePeft(base, folder)).rejects.toThrow('of which gqa has no parameter');
    await weights({ 'base_model.model.lm_head.weight': [60, 32] });
    await expect(mergePeft(base, folder)).rejects.toThrow('lm_head.weight [60, 32] for [64, 32]');
  });
});
