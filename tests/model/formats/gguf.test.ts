// GGUF files: bit for bit those that llama.cpp was seen to continue as our engine does (bench/interop), what stands in them, and what is refused.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { exportGguf } from '../../../src/model/formats/gguf.ts';
import { readShape, writeShape } from '../../../src/model/model-folder.ts';
import { openWeights, saveWeights } from '../../../src/model/weights.ts';
import { writeTinyModel } from '../../tiny-model.ts';
import { ourShapes, wideWeights, writeTiny } from '../random-models.ts';
import { readHeader } from './gguf-header.ts';

const golden: Record<string, string> = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../golden/gguf.json', import.meta.url)), 'utf8'),
);
const scratch = mkdtempSync(join(tmpdir(), 'gguf-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const file = join(scratch, 'model.gguf');

test.each(ourShapes.map(({ name }, seed) => ({ name, seed })))('$name', async ({ name, seed }) => {
  const folder = join(scratch, `tiny-${seed}`);
  await writeTiny(folder, seed);
  await exportGguf(folder, file, 'f32');
  expect(createHash('sha256').update(readFileSync(file)).digest('hex')).toBe(golden[name]);
});

describe('in the file of a stretched Llama', () => {
  const seed = 1;
  const folder = join(scratch, 'stretched');

  test('shape, tokenizer and tensors stand where llama.cpp looks for them', async () => {
    await writeTiny(folder, seed);
    await exportGguf(folder, file, 'f16');
    const bytes = readFileSync(file);
    const { values, tensors } = readHeader(bytes);
    expect(values).toMatchObject({
      'general.architecture': 'llama',
      'general.name': 'tiny',
      'llama.block_count': 2,
      'llama.attention.head_count_kv': 2,
      'llama.rope.freq_base': 500_000,
      'tokenizer.ggml.model': 'gpt2',
      'tokenizer.ggml.pre': 'llama-bpe',
      'tokenizer.ggml.eos_token_id': 2,
      'tokenizer.ggml.add_bos_token': false,
    });
    const [tokens, types] = [values['tokenizer.ggml.tokens'] as string[], values['tokenizer.ggml.token_type'] as number[]];
    expect([tokens.length, types.length]).toEqual([768, 768]);
    expect([tokens[0], types[0], types[5], tokens[767], types[767]]).toEqual(['<|begin_of_text|>', 3, 1, '[unused767]', 5]);
    // Tied: the table alone, and the divisors of the rotary frequencies.
    expect(tensors['output.weight']).toBeUndefined();
    expect(tensors['token_embd.weight']).toMatchObject({ shape: [64, 768], type: 1 });
    expect(tensors['blk.1.ffn_norm.weight']).toMatchObject({ shape: [64], type: 0 });
    const divisors = Array.from({ length: 8 }, (_, i) => bytes.readFloatLE(tensors['rope_freqs.weight']!.at + 4 * i));
    expect([divisors[0], divisors[7]]).toEqual([1, 8]);
  });

  test('rows of queries lie in rotary pairs', async () => {
    await exportGguf(folder, file, 'f32');
    const bytes = readFileSync(file);
    const { at } = readHeader(bytes).tensors['blk.0.attn_q.weight']!;
    const weights = await openWeights(folder, await readShape(folder));
    const theirs = await weights.read('model.layers.0.self_attn.q_proj.weight');
    await weights.close();
    // Heads of 16: rows 0, 8, 1, 9 … of the first, then of the second.
    for (const [to, from] of [
      [0, 0],
      [1, 8],
      [2, 1],
      [15, 15],
      [17, 24],
    ] as const) {
      expect(bytes.readFloatLE(at + 4 * 64 * to)).toBe(theirs[64 * from]);
    }
  });

  test('numbers beyond f16 are refused', async () => {
    const shape = await readShape(folder);
    const large = [...wideWeights(shape, seed)].map(([name, values]): [string, Float32Array] => [
      name,
      values.map((x) => 1e6 * x),
    ]);
    await saveWeights(folder, shape, large, 'bfloat16');
    await expect(exportGguf(folder, file, 'f16')).rejects.toThrow('token_embd.weight holds numbers beyond 65504');
    await exportGguf(folder, file, 'bf16');
    expect(readHeader(readFileSync(file)).tensors['token_embd.weight']).toMatchObject({ type: 30 });
  });
});

test('a model brings its chat template and its card', async () => {
  const folder = join(scratch, 'steered');
  await writeTinyModel(folder, { kind: 'steered', name: 'tiny' });
  await exportGguf(folder, file, 'f16');
  const { values } = readHeader(readFileSync(file));
  expect(values['tokenizer.chat_template']).toContain('<extra_id_1>');
  expect(JSON.parse(values['steerlm.card'] as string)).toMatchObject({ kind: 'steered', prompt_layout_version: 1 });
  expect(values['tokenizer.ggml.pre']).toBe('gpt-2');
  // The turn token ends a reply.
  expect((values['tokenizer.ggml.tokens'] as string[])[values['tokenizer.ggml.eos_token_id'] as number]).toBe('<extra_id_1>');
});

describe('refused is what llama.cpp would run otherwise', () => {
  const folder = join(scratch, 'refused');
  const refusal = () => exportGguf(folder, file, 'f32');

  test('stretched frequencies of a Qwen', async () => {
    await writeTiny(folder, 2);
    const shape = { ...(await readShape(folder)), ropeScaling: ourShapes[1]!.shape.ropeScaling };
    await writeShape(folder, shape, 'float32', {});
    await expect(refusal()).rejects.toThrow('llama.cpp stretches rotary frequencies of Llama models only, this is a qwen2');
  });

  test('a family that is not written', async () => {
    await writeTiny(folder, 0);
    const shape = { ...(await readShape(folder)), modelType: 'smollm3' as const };
    await writeShape(folder, shape, 'float32', {});
    await expect(refusal()).rejects.toThrow('expected one of llama, mistral, qwen2, qwen3, found smollm3');
  });

  test('a predictor', async () => {
    await writeTinyModel(join(scratch, 'predictor'), { kind: 'predictor', name: 'tiny' });
    await expect(exportGguf(join(scratch, 'predictor'), file, 'f32')).rejects.toThrow('found the predictor');
  });

  test('another way to cut words, to write spaces, or to order merges', async () => {
    const tokenizer = (kind: string) =>
      JSON.parse(readFileSync(fileURLToPath(new URL(`../../golden/tokenizers-${kind}.json`, import.meta.url)), 'utf8')).tokenizer;
    await writeTiny(folder, 0);
    const give = (json: object) => writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(json));
    give({ ...tokenizer('gpt2'), pre_tokenizer: { type: 'Whitespace' } });
    await expect(refusal()).rejects.toThrow('found {"type":"Whitespace"}. llama.cpp would read other tokens');
    const llama2 = tokenizer('llama2');
    give({ ...llama2, normalizer: { type: 'NFC' } });
    await expect(refusal()).rejects.toThrow('Expected a tokenizer that writes spaces as Llama 2');
    give({ ...llama2, model: { ...llama2.model, merges: llama2.model.merges.toReversed() } });
    await expect(refusal()).rejects.toThrow('llama.cpp would merge in another order');
  });
});
