// What is counted in texts, against texts short enough to count by hand.
import { describe, expect, test } from 'vitest';
import type { SweepReply, WrittenReply } from '../../../src/evaluation/steering/observations.ts';
import { echoTest, healthOf, saysTwice } from '../../../src/evaluation/steering/text-health.ts';
import { proxies, proxyTable } from '../../../src/evaluation/steering/text-proxies.ts';
import { gramsOf, wordsIn } from '../../../src/evaluation/steering/words.ts';
import { controlTokens } from '../../../src/steerlm/prompt-layout.ts';

const levels = ['none', 'some', 'most'];
const schema = {
  name: 'tone',
  version: 1,
  attributes: ['wit', 'c++'].map((name) => ({ name, aliases: [], description: '', levels, default: 0, cap: 2 })),
};

const reply = (prompt: number, text: string, unfinished = false): WrittenReply => ({ prompt, text, unfinished, obtained: {} });

test('words are lower case, of any script, with what joins them', () => {
  expect(wordsIn('Don’t go — it’s half-past 3! Ça va?')).toEqual(['don’t', 'go', 'it’s', 'half-past', '3', 'ça', 'va']);
  expect(wordsIn(' … ')).toEqual([]);
  expect(gramsOf(['a', 'b', 'c'], 2)).toEqual(['a b', 'b c']);
  expect(gramsOf(['a'], 2)).toEqual([]);
});

test('shares and distinct n-grams', () => {
  const health = healthOf(schema, [reply(0, 'a b a b a b'), reply(0, ''), reply(1, 'A c, wit:2', true), reply(1, 'fine')], {
    draws: 20,
  });
  // Words: a b a b a b | a c wit 2 | fine. 4-grams: abab baba abab | a c wit 2.
  expect(health).toMatchObject({
    replies: 4,
    distinct_1: 6 / 11,
    distinct_2: 5 / 8,
    distinct_3: 4 / 6,
    repeated_4grams: { value: 0.25 },
    repeated_sentence: { value: 0 },
    empty: { value: 0.25 },
    unfinished: { value: 0.25 },
    label_echo: { value: 0.25 },
    words: { value: 11 / 4 },
  });
});

test('a sentence said twice', () => {
  expect(saysTwice('Few people ask for it. It is made here. Few people ask for it.')).toBe(true);
  expect(saysTwice('Is it far? Is it far?!  No.')).toBe(true);
  expect(saysTwice('So it is said… so it is said!')).toBe(true);
  expect(saysTwice('No. No. It is 3.5 silver, and 3.5 silver it stays.')).toBe(false);
  expect(saysTwice('It is made here. It is made here, mostly.')).toBe(false);
  expect(saysTwice('')).toBe(false);
  const health = healthOf(schema, [reply(0, 'It is far. It is far.'), reply(1, 'It is far.')], { draws: 20 });
  expect(health.repeated_sentence.value).toBe(0.5);
});

describe('echoes of labels', () => {
  const echoes = echoTest(schema);

  test('are names with a level, and control tokens', () => {
    for (const text of ['wit:3', 'So, Wit: 2,c++:0', 'c++:1', ...Object.values(controlTokens)])
      expect(echoes(text), text).toBe(true);
  });

  test('are no plain words', () => {
    for (const text of ['wit', 'half-wit is 3', 'halfwit:3', 'my wit: sharp', 'c:1', 'extra_id'])
      expect(echoes(text), text).toBe(false);
  });
});

test('counts of a text', () => {
  const text = 'Well, WELL! Is it so?';
  const counted = Object.fromEntries(Object.entries(proxies).map(([name, of]) => [name, of(text)]));
  expect(counted).toEqual({
    words: 5,
    characters: 21,
    words_per_sentence: 2.5,
    mean_word_length: 14 / 5,
    distinct_words: 4 / 5,
    exclamation_marks: 1 / 5,
    question_marks: 1 / 5,
    commas: 1 / 5,
    apostrophes: 0,
    capital_letters: 6 / 14,
  });
  for (const of of Object.values(proxies)) expect(of('')).toBe(0);
});

test('each attribute is told by the counts that follow it within prompts', () => {
  const replies = [0, 1, 2].flatMap((prompt) =>
    [0, 1, 2].flatMap((requested): SweepReply[] => [
      { prompt, attribute: 'wit', requested, obtained: {}, text: `ha${'!'.repeat(requested)} once more`, unfinished: false },
      { prompt, attribute: 'c++', requested, obtained: {}, text: 'word '.repeat(10 * prompt + 3 - requested), unfinished: false },
    ]),
  );
  const table = proxyTable(['wit', 'c++'], replies, { draws: 20 });
  expect(table.wit!.exclamation_marks).toEqual({ value: 1, low: 1, high: 1 });
  expect(table.wit!.words!.value).toBe(0);
  expect(table['c++']!.words!.value).toBeCloseTo(-1, 12);
});
