import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { Tokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { documentSeparator, trainTokenizer } from '../../../src/model/tokenizer/tokenizer-training.ts';

interface Golden {
  corpus: string[];
  vocab_size: number;
  added_tokens: string[];
  size: number;
  merges: [string, string][];
  encodings: { text: string; ids: number[] }[];
}

// Made by tests/golden/make_tokenizer_golden.py with Hugging Face's tokenizers.
const golden: Golden = JSON.parse(await readFile(new URL('../../golden/tokenizer.json', import.meta.url), 'utf8'));

test('learns the merges Hugging Face learns, and encodes alike', async () => {
  const json = await trainTokenizer(golden.corpus, { vocabSize: golden.vocab_size, addedTokens: golden.added_tokens });
  expect(json.model.merges).toEqual(golden.merges);
  const tokenizer = Tokenizer.fromJson(json, 'trained');
  expect(tokenizer.size).toBe(golden.size);
  for (const { text, ids } of golden.encodings) expect({ text, ids: tokenizer.encodeText(text) }).toEqual({ text, ids });
});

test('a smaller vocabulary is filled exactly with the first merges', async () => {
  const json = await trainTokenizer(golden.corpus, { vocabSize: 300, addedTokens: golden.added_tokens });
  expect(json.model.merges).toEqual(golden.merges.slice(0, 40));
  expect(Tokenizer.fromJson(json, 'trained').size).toBe(300);
});

test('agrees with counting every pair anew for every merge', async () => {
  const seed = 20_240_607;
  const texts = Array.from({ length: 60 }, (_, i) => randomText(seed + i));
  const json = await trainTokenizer(texts, { vocabSize: 257 + 60, addedTokens: [] });
  expect({ seed, merges: json.model.merges }).toEqual({ seed, merges: slowMerges(texts, 60, json.model.vocab) });
});

test('added tokens take the first ids, the document separator among them, once', async () => {
  const json = await trainTokenizer(['a text'], { vocabSize: 300, addedTokens: ['<x>', '<y>', '<x>'] });
  expect(json.added_tokens.map(({ id, content }) => [id, content])).toEqual([
    [0, '<x>'],
    [1, '<y>'],
    [2, documentSeparator],
  ]);
});

test('texts may come from a stream, and none at all is enough for the bytes', async () => {
  async function* stream() {
    yield* golden.corpus;
  }
  const training = { vocabSize: 300, addedTokens: golden.added_tokens };
  expect(await trainTokenizer(stream(), training)).toEqual(await trainTokenizer(golden.corpus, training));
  const bare = Tokenizer.fromJson(await trainTokenizer([], training), 'bare');
  expect(bare.size).toBe(260);
  expect(bare.decode(bare.encodeText('né 你 😀'))).toBe('né 你 😀');
});

test('a vocabulary too small for the bytes is refused with the least size', async () => {
  await expect(trainTokenizer(['x'], { vocabSize: 256, addedTokens: ['<x>'] })).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringContaining('at least 258'),
  });
});

/** Words over few letters, so that pairs overlap and tie often. */
function randomText(seed: number): string {
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  return Array.from({ length: 40 }, () => Array.from({ length: 1 + next(7) }, () => 'aabc'[next(4)]).join('')).join(' ');
}

function slowMerges(texts: string[], count: number, vocab: Record<string, number>): [string, string][] {
  const ids = new Map(Object.entries(vocab));
  const words = texts.flatMap((text) => text.match(/ ?\w+/g) ?? []).map((word) => [...word.replace(' ', 'Ġ')]);
  const merges: [string, string][] = [];
  while (merges.length < count) {
    const counts = new Map<string, number>();
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const pair = `${word[i]} ${word[i + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const order = (pair: string) => pair.split(' ').map((token) => ids.get(token) ?? Infinity);
    const [best] = [...counts].sort(([a, x], [b, y]) => y - x || order(a)[0]! - order(b)[0]! || order(a)[1]! - order(b)[1]!);
    if (!best || best[1] < 2) break;
    const [left, right] = best[0].split(' ') as [string, string];
    merges.push([left, right]);
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) if (word[i] === left && word[i + 1] === right) word.splice(i, 2, left + right);
    }
  }
  return merges;
}
