import { expect, test } from 'vitest';
import { StreamDecoder } from '../../../src/model/tokenizer/stream-decoder.ts';
import { Tokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { oddTexts, smallTokenizer } from './small-tokenizer.ts';

function stream(tokenizer: Tokenizer, ids: number[]): string[] {
  const decoder = new StreamDecoder(tokenizer);
  return [...ids.map((id) => decoder.push(id)), decoder.flush()];
}

test.each(oddTexts)('%j streams without half a character and sums to the whole', (text) => {
  const parts = stream(smallTokenizer, smallTokenizer.encodeText(text));
  expect(parts.join('')).toBe(text);
  for (const part of parts) {
    expect(part).not.toContain('\uFFFD');
    // Half a surrogate pair would come back from UTF-8 as U+FFFD.
    expect(Buffer.from(part).toString()).toBe(part);
  }
});

test('a character of several tokens comes with its last one', () => {
  const ids = smallTokenizer.encodeText('😀!');
  expect(ids).toHaveLength(5);
  expect(stream(smallTokenizer, ids)).toEqual(['', '', '', '😀', '!', '']);
});

test('a stream cut inside a character ends in U+FFFD at the flush', () => {
  expect(stream(smallTokenizer, smallTokenizer.encodeText('a😀').slice(0, 3))).toEqual(['a', '', '', '\uFFFD']);
});

test('special tokens and unknown ids give nothing and do not split a character', () => {
  const [a, b, c, d] = smallTokenizer.encodeText('😀') as [number, number, number, number];
  expect(stream(smallTokenizer, [a, 1, b, 99_999, c, d]).join('')).toBe('😀');
});

test('any bytes at all sum to what decode gives, also when no character is ever finished', () => {
  const seed = 77;
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  for (let round = 0; round < 300; round++) {
    const ids = Array.from({ length: 1 + next(60) }, () => 4 + next(smallTokenizer.size - 4));
    expect({ seed, round, text: stream(smallTokenizer, ids).join('') }).toEqual({
      seed,
      round,
      text: smallTokenizer.decode(ids),
    });
  }
  const lead = smallTokenizer.encodeText('😀')[0]!;
  const endless = Array.from({ length: 100 }, () => lead);
  const parts = stream(smallTokenizer, endless);
  expect(parts.join('')).toBe('\uFFFD'.repeat(100));
  // All but the last, which might still become a character, are given out as they come.
  expect(parts.at(-1)).toBe('\uFFFD');
});

test('spaces that a decoder strips at the start survive in the middle', () => {
  const json = {
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      byte_fallback: true,
      vocab: { '▁': 0, a: 1, b: 2, '▁a': 3, '<0xC3>': 4, '<0xA9>': 5 },
      merges: ['▁ a'],
    },
  };
  const tokenizer = Tokenizer.fromJson(json, 'sentencepiece');
  const ids = tokenizer.encodeText('a b é a');
  expect(ids).toEqual([3, 0, 2, 0, 4, 5, 3]);
  expect(stream(tokenizer, ids).join('')).toBe('a b é a');
});
