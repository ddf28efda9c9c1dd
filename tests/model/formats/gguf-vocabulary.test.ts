// Vocabularies out of GGUF files: the ids that Hugging Face's tokenizers give for the same models, which export wrote and llama.cpp was seen to read.
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { exportGguf } from '../../../src/model/formats/gguf.ts';
import { mergesOf, spaceCuts } from '../../../src/model/formats/gguf-merges.ts';
import { Tokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { giveTokenizer, ourShapes, tokenizerKinds, writeOurs } from '../random-models.ts';
import { bool, float32, ggufFile, list, text, uint32 } from './gguf-file.ts';

const golden = (name: string) =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../golden/tokenizers-${name}.json`, import.meta.url)), 'utf8'));
const texts: string[] = golden('texts');
const scratch = await mkdtemp(join(tmpdir(), 'gguf-vocabulary-'));
afterAll(() => rm(scratch, { recursive: true }));

async function exported(kind: string): Promise<string> {
  const [source, folder] = [join(scratch, `${kind}-source`), join(scratch, kind)];
  await mkdir(folder, { recursive: true });
  await writeOurs(source, { ...ourShapes[0]!.shape, vocabSize: 768 }, 'float32', 0);
  await giveTokenizer(source, kind);
  await exportGguf(source, join(folder, 'model.gguf'), 'f32');
  return folder;
}

test.each(tokenizerKinds)('one like that of %s, exported, reads every text as before', async (kind) => {
  const folder = await exported(kind);
  const tokenizer = await Tokenizer.open(folder, 768);
  const { ids, altered }: { ids: number[][]; altered: Record<number, string> } = golden(kind);
  const other = texts.filter((each, i) => tokenizer.encodeText(each).join() !== ids[i]!.join());
  // GGUF knows no Unicode normalisation, which Qwen 2 asks for.
  expect(other.filter((each) => kind !== 'qwen2' || each === each.normalize('NFC'))).toEqual([]);
  const decoded = texts.map((_, i) => tokenizer.decode(ids[i]!));
  expect(decoded.map((each, i) => (each === (altered[i] ?? texts[i]) ? null : texts[i])).filter((each) => each !== null)).toEqual(
    texts.filter((each) => kind === 'qwen2' && each !== each.normalize('NFC') && altered[texts.indexOf(each)] === undefined),
  );
  // And goes out again as it came in.
  const again = Tokenizer.fromJson(JSON.parse(JSON.stringify(tokenizer.toJson())), kind);
  expect(again.encodeText(texts.at(-1)!)).toEqual(tokenizer.encodeText(texts.at(-1)!));
});

describe('SentencePiece', () => {
  // As Gemma 3 writes it: runs of white space are tokens by themselves, one piece has a space inside, no space is put in front.
  const tokens: [string, number, number][] = [
    ['<pad>', 3, 0],
    ['<unk>', 2, 0],
    ['<bos>', 3, 0],
    ['  ', 4, -1000],
    ['\n', 4, -1000],
    ['\n\n', 4, -1000],
    ['<turn>', 4, -1000],
    ['<unused0>', 5, 0],
    ['<0x78>', 6, 0],
    ['▁', 1, -20],
    ['a', 1, -21],
    ['b', 1, -22],
    ['>', 1, -23],
    ['<', 1, -24],
    ['ab', 1, -2],
    ['▁a', 1, -3],
    ['▁ab', 1, -4],
    ['▁<', 1, -5],
    ['>▁<', 1, -6],
  ];
  const id = (spelling: string) => tokens.findIndex(([each]) => each === spelling);

  async function gemma(prefixed: boolean): Promise<Tokenizer> {
    const folder = join(scratch, `gemma-${prefixed}`);
    await mkdir(folder, { recursive: true });
    const values = [
      ['tokenizer.ggml.model', text('llama')] as const,
      ['tokenizer.ggml.tokens', list(tokens.map(([spelling]) => text(spelling)))] as const,
      ['tokenizer.ggml.token_type', list(tokens.map(([, kind]) => uint32(kind)))] as const,
      ['tokenizer.ggml.scores', list(tokens.map(([, , score]) => float32(score)))] as const,
      ['tokenizer.ggml.bos_token_id', uint32(2)] as const,
      ['tokenizer.ggml.unknown_token_id', uint32(1)] as const,
      ['tokenizer.ggml.add_space_prefix', bool(prefixed)] as const,
    ];
    await writeFile(join(folder, 'model.gguf'), ggufFile(values as never));
    return await Tokenizer.open(folder);
  }

  test('pieces are joined by their scores, bytes stand in for what has none, kinds tell what is text', async () => {
    const tokenizer = await gemma(false);
    const spelt = (words: string) => tokenizer.encodeText(words).map((each) => tokens[each]![0]);
    expect(spelt('ab')).toEqual(['ab']);
    expect(spelt(' ab ab')).toEqual(['▁ab', '▁ab']);
    expect(spelt('xa')).toEqual(['<0x78>', 'a']);
    expect(spelt('> <')).toEqual(['>▁<']);
    expect(spelt('a\n\nb  a')).toEqual(['a', '\n\n', 'b', '  ', 'a']);
    expect(spelt('<bos>').length).toBeGreaterThan(1);
    expect(tokenizer.decode(tokenizer.encodeText(' ab x> <  \n'))).toBe(' ab x> <  \n');
    expect(tokenizer.namedTokens).toEqual({ bos_token: '<bos>', unk_token: '<unk>' });
    expect(tokenizer.specialSpellings).toEqual(['<pad>', '<unk>', '<bos>']);
    // A text of the template, and a token nobody uses.
    expect([tokenizer.tokenId('<turn>'), tokenizer.isText(id('<turn>')), tokenizer.tokenId('<unused0>')]).toEqual([
      6,
      true,
      undefined,
    ]);
    expect([...tokenizer.bytesOf(id('<0x78>'))]).toEqual([0x78]);
  });

  test('with a space put in front', async () => {
    const tokenizer = await gemma(true);
    // Where the file does not say, a SentencePiece text begins with its token.
    expect(tokenizer.beginning).toEqual(['<bos>']);
    expect(tokenizer.encodeText('ab')).toEqual([id('▁ab')]);
    expect(tokenizer.decode([id('▁ab'), id('▁ab')])).toBe('ab ab');
  });

  test('the better score is merged first, whatever its place', async () => {
    const pieces = ['a', 'b', 'ab', 'ba'].map((spelling, i) => ({ spelling, score: i }));
    expect(await mergesOf(pieces)).toEqual(['b a', 'a b']);
  });

  test('words are cut before spaces, but for pieces that have one inside', () => {
    const cuts = (...pieces: string[]) => {
      const splitter = spaceCuts(pieces.map((spelling) => ({ spelling, score: 0 })));
      return splitter && 'a▁b▁▁c>▁</x▁'.match(new RegExp((splitter.pattern as { Regex: string }).Regex, 'gu'));
    };
    expect(cuts('a')).toEqual(['a', '▁b', '▁▁c>', '▁</x', '▁']);
    expect(cuts('a', '>▁</')).toEqual(['a', '▁b', '▁▁c>▁</x', '▁']);
    expect(cuts('a▁b')).toEqual(['a▁b', '▁▁c>', '▁</x', '▁']);
    expect(cuts(...Array.from({ length: 70 }, (_, i) => `${i}▁x`))).toBeNull();
  });
});
