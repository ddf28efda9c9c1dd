// A folder with one GGUF file is a model like any other: what this program exports comes back as it was, and what a file of others says is found.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { exportGguf } from '../../../src/model/formats/gguf.ts';
import { readModel } from '../../../src/model/model.ts';
import { readEndTokens, readModelCard, readShape, revisionOf, writeModelCard } from '../../../src/model/model-folder.ts';
import { readSampling, writeSampling } from '../../../src/model/sampling-defaults.ts';
import { readChatTemplate, Tokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { openWeights } from '../../../src/model/weights.ts';
import { writeTinyModel } from '../../tiny-model.ts';
import { ourShapes, writeTiny } from '../random-models.ts';
import { float32, ggufFile, list, text, uint32 } from './gguf-file.ts';
import { llama, tensors } from './small-gguf.ts';

const scratch = await mkdtemp(join(tmpdir(), 'gguf-folder-'));
afterAll(() => rm(scratch, { recursive: true }));
let folder: string;
let count = 0;
beforeEach(async () => {
  folder = join(scratch, `made-${count++}`);
  await mkdir(folder);
});
const file = () => join(folder, 'model.gguf');

describe.each(ourShapes.map(({ name, shape, dtype }, seed) => ({ name, shape, dtype, seed })))(
  '$name',
  ({ shape, dtype, seed }) => {
    test('comes back from its export with every number, whole and in parts', async () => {
      const source = join(scratch, `tiny-${seed}`);
      await writeTiny(source, seed);
      const exported = dtype === 'bfloat16' ? 'bf16' : dtype === 'float16' ? 'f16' : 'f32';
      await exportGguf(source, file(), exported);
      const [before, after] = [await readModel(source), await readModel(folder)];
      // GGUF has no name of its own for Mistral.
      const modelType = shape.modelType === 'mistral' ? 'llama' : shape.modelType;
      expect(after.shape).toEqual({ ...before.shape, modelType });
      expect(after.values).toEqual(before.values);
      expect(after.card).toEqual(before.card);
      const weights = await openWeights(folder, after.shape);
      for (const name of ['q', 'k', 'v'].map((each) => `model.layers.1.self_attn.${each}_proj.weight`)) {
        const whole = before.values.get(name)!;
        for (const [start, end] of [
          [0, 64],
          [64 * 5, 64 * 21],
          [64 * 7 + 9, whole.length - 3],
        ] as const) {
          expect(await weights.read(name, { start, end })).toEqual(whole.slice(start, end));
        }
      }
      await weights.close();
      expect(await readEndTokens(folder)).toEqual([2]);
    });
  },
);

test('a steered model comes back steered, with its template and what ends its replies', async () => {
  const source = join(scratch, 'steered');
  await writeTinyModel(source, { kind: 'steered', name: 'keeper' });
  await exportGguf(source, file(), 'f32');
  expect(await readModelCard(folder)).toEqual(await readModelCard(source));
  // And goes out again to the byte.
  await exportGguf(folder, join(scratch, 'again.gguf'), 'f32');
  expect(await readFile(join(scratch, 'again.gguf'))).toEqual(await readFile(file()));
  expect(await readEndTokens(folder)).toEqual(await readEndTokens(source));
  expect(await readChatTemplate(folder)).toBe(await readChatTemplate(source));
  const words = 'The innkeeper says: it is 12 o’clock.\n';
  const [before, after] = [await Tokenizer.open(source), await Tokenizer.open(folder)];
  expect(after.encodeText(words)).toEqual(before.encodeText(words));
  expect(after.specialSpellings).toEqual(before.specialSpellings);
});

async function lay(further?: Parameters<typeof llama>[0], of = tensors): Promise<void> {
  await writeFile(file(), ggufFile(llama(further), of));
}

describe('a file of others', () => {
  test('is named like its folder, and says its shape and what ends a text', async () => {
    await lay({ 'llama.rope.freq_base': float32(500_000) });
    const { card, shape } = await readModel(folder);
    expect([card.kind, card.name]).toEqual(['base', `made-${count - 1}`]);
    const told = { vocabSize: 8, hiddenSize: 8, heads: 2, kvHeads: 2, headDim: 4, contextLength: 64, ropeTheta: 500_000 };
    expect(shape).toMatchObject({ ...told, normEpsilon: 1e-5, tiedEmbeddings: true });
    expect(await readEndTokens(folder)).toEqual([1, 2]);
    await writeFile(join(folder, 'generation_config.json'), '{"eos_token_id": 3}');
    expect(await readEndTokens(folder)).toEqual([3, 1, 2]);
    const tokenizer = await Tokenizer.open(folder, 8);
    expect(tokenizer.namedTokens).toEqual({ bos_token: '<s>', eos_token: '</s>' });
    expect(tokenizer.specialSpellings).toEqual(['<s>', '</s>', '<|eot|>']);
    expect([tokenizer.encodeText('ab b'), tokenizer.isText(7)]).toEqual([[5, 6, 4], false]);
  });

  test('without an embedding of its own for the output, or with one', async () => {
    await lay({}, [...tensors, { name: 'output.weight', shape: [8, 8] }]);
    expect((await readModel(folder)).values.has('lm_head.weight')).toBe(true);
  });

  test('recommends how replies are drawn', async () => {
    const told = { temp: 0.6, top_k: 20, top_p: 0.95, min_p: 0.05, penalty_repeat: 1.1 };
    const values = Object.entries(told).map(([key, value]) => [`general.sampling.${key}`, float32(value)] as const);
    await lay({ ...Object.fromEntries(values), 'general.sampling.top_k': uint32(20) });
    const expected = { temperature: 0.6, topK: 20, topP: 0.95, minP: 0.05, repetitionPenalty: 1.1 };
    expect(await readSampling(folder)).toEqual(expected);
    await lay({ 'general.sampling.temp': float32(-1) });
    await expect(readSampling(folder)).rejects.toThrow(`${file()}: temperature`);
  });

  test('what lies beside it goes before it: a card, sampling, a template', async () => {
    await lay({ 'general.sampling.temp': float32(0.5), 'tokenizer.chat_template': text('theirs') });
    expect(await readChatTemplate(folder)).toBe('theirs');
    const card = await readModelCard(folder);
    const revision = await revisionOf(folder);
    await writeModelCard(folder, { ...card, name: 'mine', createdAt: '2024-06-01T12:00:00Z' });
    await writeSampling(folder, { temperature: 1.5 }, undefined);
    await writeFile(join(folder, 'chat_template.jinja'), 'mine');
    expect((await readModelCard(folder)).name).toBe('mine');
    expect(await readSampling(folder)).toEqual({ temperature: 1.5 });
    expect(await readChatTemplate(folder)).toBe('mine');
    expect(await revisionOf(folder)).toBe(revision);
  });

  test('another file of the same name is another model', async () => {
    await lay();
    const revision = await revisionOf(folder);
    await lay({ 'llama.context_length': uint32(128) });
    expect((await readShape(folder)).contextLength).toBe(128);
    expect(await revisionOf(folder)).not.toBe(revision);
  });
});

describe('refused in one line that names the file', () => {
  const refuses = async (said: string) => {
    await expect(readModel(folder)).rejects.toMatchObject({ code: 'invalid_model', message: expect.stringContaining(said) });
    await expect(readModel(folder)).rejects.toThrow(folder);
  };

  test('two files, and one part of several', async () => {
    await lay();
    await writeFile(join(folder, 'model-q8.gguf'), '');
    await refuses('Expected one .gguf file');
    await refuses('found 2: model-q8.gguf, model.gguf. Give each a folder of its own.');
    await Promise.all(['model-q8.gguf', 'model.gguf'].map((name) => rm(join(folder, name))));
    await writeFile(join(folder, 'model-00001-of-00003.gguf'), '');
    await refuses('model-00001-of-00003.gguf is one part of a model in several files');
  });

  test.each([
    ['lfm2', 'expected general.architecture to be one of llama, qwen2, qwen3'],
    ['qwen35', 'found "qwen35"'],
    ['constructor', 'found "constructor"'],
  ])('the architecture %s', async (architecture, said) => {
    await lay({ 'general.architecture': text(architecture) });
    await refuses(said);
  });

  test.each([
    ['llama.context_length', undefined, 'llama.context_length: expected'],
    ['llama.embedding_length', text('8'), 'llama.embedding_length: expected'],
    ['llama.attention.head_count', list([uint32(2), uint32(4)]), 'llama.attention.head_count to be the same for every layer'],
    ['llama.attention.value_length', uint32(16), 'llama.attention.value_length to be that of keys, 4'],
    ['llama.expert_count', uint32(8), 'models of experts are not read'],
    ['llama.rope.scaling.type', text('yarn'), 'found "yarn"'],
    ['llama.rope.dimension_count', uint32(2), 'partial_rotary_factor'],
    ['llama.block_count', uint32(2 ** 31), 'num_hidden_layers'],
    ['llama.block_count', uint32(2), 'lack model.layers.1.input_layernorm.weight'],
    ['llama.feed_forward_length', uint32(16), 'by its header, found'],
    ['tokenizer.ggml.model', text('t5'), 'tokenizer.ggml.model to be gpt2 (byte-level BPE) or llama (SentencePiece), found "t5"'],
    ['tokenizer.ggml.pre', text('unheard'), 'found "unheard"'],
    ['tokenizer.ggml.tokens', undefined, 'tokenizer.ggml.tokens to be a list of texts'],
    ['tokenizer.ggml.tokens', text('a'), 'expected tokenizer.ggml.tokens to be a list'],
    ['tokenizer.ggml.tokens', list([uint32(1)]), 'tokenizer.ggml.tokens to be a list of strings'],
    ['tokenizer.ggml.token_type', list([uint32(1)]), 'tokenizer.ggml.token_type to be a list of 8 values'],
    ['tokenizer.ggml.merges', undefined, 'tokenizer.ggml.merges to be a list of texts'],
    ['steerlm.card', text('{'), 'steerlm.card is not valid JSON'],
    ['steerlm.card', text('{"kind": "king"}'), 'format_version'],
  ] as const)('%s as it cannot be', async (key, value, said) => {
    await lay({ [key]: value });
    await refuses(said);
  });

  test('tensors that no Llama has, and numbers that are none', async () => {
    await lay({}, [...tensors, { name: 'blk.0.attn_sinks.weight', shape: [8] }]);
    await refuses('hold blk.0.attn_sinks.weight, which its header does not describe');
    const nothing = new Uint8Array(Float32Array.from({ length: 8 }, () => Number.NaN).buffer);
    await lay({}, [...tensors.slice(0, -1), { ...tensors.at(-1)!, data: nothing }] as never);
    await refuses('model.norm.weight holds what is no finite number');
    await lay({}, [...tensors, { name: 'rope_freqs.weight', shape: [2] }]);
    await refuses('expected rope_freqs.weight to stretch as Llama 3 does');
  });
});
