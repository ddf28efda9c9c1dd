// LoRA adapters in PEFT's layout: those PEFT wrote give its scores once merged (bench/interop writes tests/golden/peft), those written here come
// back as they were, and what would be merged wrongly is refused.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mergePeft } from '../../../src/model/formats/peft.ts';
import { writeTensorFile } from '../../../src/model/formats/safetensors.ts';
import { mergeAdapter } from '../../../src/model/lora.ts';
import { type Model, readModel, withControlTokens, writeModel } from '../../../src/model/model.ts';
import { blankCard, readShape } from '../../../src/model/model-folder.ts';
import { openWeights } from '../../../src/model/weights.ts';
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
  ])('%j', async (change, message) => {
    config(change);
    await expect(mergePeft(base, folder)).rejects.toThrow(message);
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
