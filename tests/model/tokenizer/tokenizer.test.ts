import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Tokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { oddTexts, smallTokenizer } from './small-tokenizer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenizer-'));
});
afterEach(() => rm(folder, { recursive: true }));

const controls = ['<extra_id_0>', '<extra_id_1>', '<extra_id_2>', '<|endoftext|>'];

test.each(oddTexts)('%j comes back as it was and holds no special token', (text) => {
  const ids = smallTokenizer.encodeText(text);
  expect(smallTokenizer.decode(ids)).toBe(text);
  expect(ids.every((id) => smallTokenizer.isText(id))).toBe(true);
  // A second time from memory.
  expect(smallTokenizer.encodeText(text)).toEqual(ids);
});

test('added tokens have ids, stand for no text, and text never reaches them', () => {
  const ids = controls.map((spelling) => smallTokenizer.tokenId(spelling));
  expect(ids).toEqual([0, 1, 2, 3]);
  expect(smallTokenizer.decode([1, ...smallTokenizer.encodeText('hello'), 3, 99_999, -1])).toBe('hello');
  expect(smallTokenizer.tokenId('<nothing>')).toBeUndefined();
});

test('a vocabulary that could spell a special token by its merges or whole words does not', () => {
  const json = {
    added_tokens: [{ id: 3, content: '<s>', special: true }],
    pre_tokenizer: null,
    decoder: { type: 'Fuse' },
    model: {
      type: 'BPE',
      ignore_merges: true,
      vocab: { '<': 0, s: 1, '>': 2, '<s>': 3, 's>': 4 },
      merges: ['s >', '< s>'],
    },
  };
  const tokenizer = Tokenizer.fromJson(json, 'forged');
  expect(tokenizer.encodeText('<s>')).toEqual([0, 4]);
  expect(tokenizer.encodeText('<s><s>')).toEqual([0, 4, 0, 4]);
  expect(tokenizer.tokenId('<s>')).toBe(3);
});

test('added tokens that are not special count as text in decoding', () => {
  const json = structuredClone(smallTokenizer.toJson());
  json.added_tokens.push({ id: smallTokenizer.size, content: '<思>', special: false });
  const tokenizer = Tokenizer.fromJson(json, 'with a plain added token');
  expect(tokenizer.decode([smallTokenizer.size, ...tokenizer.encodeText(' so')])).toBe('<思> so');
});

test('withAddedTokens takes the next ids, keeps known ones, and leaves the original alone', () => {
  const grown = smallTokenizer.withAddedTokens(['<new>', '<extra_id_1>', '<newer>', '<new>']);
  expect(grown.size).toBe(smallTokenizer.size + 2);
  expect(grown.tokenId('<new>')).toBe(smallTokenizer.size);
  expect(grown.tokenId('<newer>')).toBe(smallTokenizer.size + 1);
  expect(grown.tokenId('<extra_id_1>')).toBe(1);
  expect(smallTokenizer.tokenId('<new>')).toBeUndefined();
  expect(grown.encodeText('<new> words')).toEqual(smallTokenizer.encodeText('<new> words'));
});

test('a word of the vocabulary can be made special, and is no text from then on', () => {
  const id = smallTokenizer.tokenId('Ġsaid')!;
  const grown = smallTokenizer.withAddedTokens(['Ġsaid']);
  expect(grown.tokenId('Ġsaid')).toBe(id);
  expect(grown.encodeText('he said')).not.toContain(id);
  expect(grown.decode(grown.encodeText('he said'))).toBe('he said');
});

test('save and open give the same tokenizer; settings of a loaded one survive', async () => {
  const grown = smallTokenizer.withAddedTokens(['<new>']);
  await grown.save(folder);
  const settingsPath = join(folder, 'tokenizer_config.json');
  const settings = JSON.parse(await readFile(settingsPath, 'utf8'));
  expect(settings).toMatchObject({ tokenizer_class: 'PreTrainedTokenizerFast', clean_up_tokenization_spaces: false });
  await writeFile(settingsPath, JSON.stringify({ ...settings, chat_template: 'kept' }));
  const opened = await Tokenizer.open(folder, grown.size);
  expect(opened.toJson()).toEqual(grown.toJson());
  for (const text of oddTexts) expect(opened.encodeText(text)).toEqual(grown.encodeText(text));
  await opened.withAddedTokens(['<last>']).save(folder);
  const again = JSON.parse(await readFile(settingsPath, 'utf8'));
  expect(again.chat_template).toBe('kept');
  expect(again.added_tokens_decoder[grown.size]).toMatchObject({ content: '<last>', special: true });
});

test('added tokens are written into the vocabulary, where transformers looks for their ids', async () => {
  // As a GGUF file has it: ids of control tokens lie among those of words, which do not hold them.
  const sparse = {
    added_tokens: [{ id: 1, content: '<s>', special: true }],
    model: { type: 'BPE', vocab: { a: 0, b: 2 }, merges: [] },
  };
  const tokenizer = Tokenizer.fromJson(sparse, 'sparse');
  await tokenizer.withAddedTokens(['<new>']).save(folder);
  const written = JSON.parse(await readFile(join(folder, 'tokenizer.json'), 'utf8'));
  expect(written.model.vocab).toEqual({ a: 0, '<s>': 1, b: 2, '<new>': 3 });
  const opened = await Tokenizer.open(folder);
  expect(opened.encodeText('a<s>b<new>')).toEqual(tokenizer.encodeText('a<s>b<new>'));
  expect(opened.encodeText('a<s>b<new>')).toEqual([0, 2]);
});

test('the ids and merges of a vocabulary are checked one by one', () => {
  const refused = (model: object) => () =>
    Tokenizer.fromJson({ model: { type: 'BPE', vocab: { a: 0 }, merges: [], ...model } }, 'it');
  for (const id of [-1, 0.5, 2 ** 24, Number.NaN, '0', null]) expect(refused({ vocab: { a: 0, b: id } })).toThrow(/vocab/);
  for (const merge of [5, null, ['a'], ['a', 5], ['a', 'b', 'c']])
    expect(refused({ merges: [['a', 'a'], merge] })).toThrow(/merges/);
  expect(refused({ merges: ['a a', ['a', 'a']] })).toThrow(/merges/);
});

test('merges of what JSON writes otherwise are found', () => {
  const vocab = { '"': 0, '\\': 1, '\n': 2, '\u007f': 3, '"\\': 4, '\n\u007f': 5 };
  const merges = ['" \\', '\n \u007f'];
  for (const written of [merges, merges.map((merge) => merge.split(' '))]) {
    const tokenizer = Tokenizer.fromJson({ model: { type: 'BPE', vocab, merges: written } }, 'odd');
    expect(tokenizer.encodeText('"\\\n\u007f')).toEqual([4, 5]);
  }
});

test('merges with a space in a half are told from each other', () => {
  const vocab = { a: 0, ' ': 1, b: 2, c: 3, 'a ': 4, 'a b': 5, bc: 6, 'a bc': 7 };
  const ids = (...merges: [string, string][]) =>
    Tokenizer.fromJson({ pre_tokenizer: null, model: { type: 'BPE', vocab, merges } }, 'spaced').encodeText('a bc');
  expect(ids(['a', ' '], ['a ', 'b'], ['b', 'c'])).toEqual([5, 3]);
  expect(ids(['a', ' '], ['b', 'c'], ['a ', 'bc'])).toEqual([7]);
  // Spelt as one text, the last one would be the same as another: `a b c`.
  expect(ids(['a', ' '], ['a ', 'b'], ['a', 'b c'])).toEqual([5, 3]);
});

test('a tokenizer larger than the vocabulary of the model is refused with both numbers', async () => {
  await smallTokenizer.save(folder);
  const { size } = smallTokenizer;
  await expect(Tokenizer.open(folder, size - 1)).rejects.toMatchObject({
    code: 'invalid_model',
    message: expect.stringMatching(new RegExp(`vocab_size ${size - 1}, found ids up to ${size - 1}`)),
  });
});

test('missing and malformed files are one clear line', async () => {
  await expect(Tokenizer.open(folder)).rejects.toMatchObject({
    code: 'invalid_model',
    message: expect.stringContaining('tokenizer.json'),
  });
  const good = smallTokenizer.toJson();
  const cases: [string, unknown][] = [
    ['not valid JSON', '{"model":'],
    ['model', {}],
    ['model.type', { model: { type: 'Unigram', vocab: [], merges: [] } }],
    ['model.vocab', { ...good, model: { ...good.model, vocab: { a: 'b' } } }],
    ['model.merges', { ...good, model: { ...good.model, merges: [['a']] } }],
    ['share the id 5', { ...good, added_tokens: [{ id: 5, content: '<five>' }] }],
    ['below the model', { ...good, added_tokens: [{ id: 0xffffff, content: '<far>' }] }],
    ['cannot follow', { ...good, decoder: { type: 'Sequence', decoders: 5 } }],
    ['cannot follow', { ...good, decoder: { type: 'Sequence', decoders: [{ type: 'Replace', pattern: null, content: 5 }] } }],
    ['Unknown', { ...good, pre_tokenizer: { type: 'Unheard' } }],
  ];
  for (const [problem, content] of cases) {
    await writeFile(join(folder, 'tokenizer.json'), typeof content === 'string' ? content : JSON.stringify(content));
    const refused = { code: 'invalid_model', message: expect.stringContaining(problem) };
    await expect(Tokenizer.open(folder, smallTokenizer.size), problem).rejects.toMatchObject(refused);
  }
});

test('keeps the entry __proto__ of a vocabulary', () => {
  const json = JSON.parse('{"model": {"type": "BPE", "vocab": {"a": 0, "__proto__": 1}, "merges": []}}');
  expect(Tokenizer.fromJson(json, 'proto').tokenId('__proto__')).toBe(1);
});

test('bytesOf gives what a token stands for: together the bytes of the text, nothing for control tokens and unknown ids', () => {
  for (const text of oddTexts) {
    const bytes = Buffer.concat(smallTokenizer.encodeText(text).map((id) => smallTokenizer.bytesOf(id)));
    expect(bytes.equals(Buffer.from(text)), JSON.stringify(text)).toBe(true);
  }
  const ids = controls.map((spelling) => smallTokenizer.tokenId(spelling)!);
  expect([...ids, 99_999, -1].map((id) => smallTokenizer.bytesOf(id).length)).toEqual([0, 0, 0, 0, 0, 0]);
  const json = structuredClone(smallTokenizer.toJson());
  json.added_tokens.push({ id: smallTokenizer.size, content: '<思>', special: false });
  const plain = Tokenizer.fromJson(json, 'with a plain added token').bytesOf(smallTokenizer.size);
  expect(Buffer.from(plain).toString()).toBe('<思>');
});

test('bytesOf reads decoders that spell spaces and single bytes, and admits when a decoder does not work token by token', () => {
  const model = { type: 'BPE', vocab: { '▁a': 0, '<0x0A>': 1, é: 2, 'b</w>': 3, '▁▁': 4 }, merges: [] };
  const steps = [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }];
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  const textOf = (decoder: unknown): string[] => {
    const tokenizer = Tokenizer.fromJson({ model, decoder }, 'other decoders');
    return Object.values(model.vocab).map((id) => Buffer.from(tokenizer.bytesOf(id)).toString());
  };
  expect(textOf({ type: 'Sequence', decoders: [...steps, strip] })).toEqual([' a', '\n', 'é', 'b</w>', '  ']);
  expect(textOf({ type: 'Metaspace', replacement: '▁', prepend_scheme: 'first' })).toEqual([' a', '<0x0A>', 'é', 'b</w>', '  ']);
  expect(textOf(null)).toEqual(['▁a', '<0x0A>', 'é', 'b</w>', '▁▁']);
  expect(textOf({ type: 'BPEDecoder', suffix: '</w>' })).toEqual(['', '', '', '', '']);
});

describe('what stands before a text that begins a context', () => {
  const json = (post_processor: object | null) => ({
    ...smallTokenizer.toJson(),
    added_tokens: [...smallTokenizer.toJson().added_tokens, { id: smallTokenizer.size, content: '<s>', special: true }],
    post_processor,
  });
  const single = [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
  const template = { type: 'TemplateProcessing', single, pair: single, special_tokens: {} };
  const named = { bos_token: { content: '<s>' } };

  test.each([
    ['what the post-processor adds', template, {}, ['<s>']],
    ['the same within others', { type: 'Sequence', processors: [{ type: 'ByteLevel' }, template] }, {}, ['<s>']],
    ['nothing, as the settings say', template, { ...named, add_bos_token: false }, []],
    ['what the settings say', null, { ...named, add_bos_token: true }, ['<s>']],
    ['nothing where nobody says', null, named, []],
    ['no token that is text', { ...template, single: [{ SpecialToken: { id: 'a' } }, ...single.slice(1)] }, {}, []],
    ['nothing of what comes after', { ...template, single: single.toReversed() }, {}, []],
  ])('is %s', (_, processor, settings, expected) => {
    expect(Tokenizer.fromJson(json(processor), 'tokenizer.json', settings).beginning).toEqual(expected);
  });
});
