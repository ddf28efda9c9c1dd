// Novelty by hand, and against a version that joins words and looks them up.
import { expect, test } from 'vitest';
import { measureNovelty } from '../../../src/evaluation/likelihood/novelty.ts';
import { randomStream } from '../../../src/random.ts';

test('a reply is verbatim where its words stand together in one text, whatever the case and the commas', async () => {
  const texts = ['Well met, traveller! The gate is shut tonight, and the guard is asleep by the fire.', 'Yes.'];
  const replies = [
    'The gate is shut tonight and the guard is asleep.',
    'Yes!',
    'the gate is shut',
    'The guard is shut tonight.',
    'By the fire the gate is shut tonight, and the guard sleeps.',
    '…',
  ];
  const found = await measureNovelty(replies, texts);
  expect(found).toMatchObject({ replies: 5, texts: 2, verbatim: 3 / 5, verbatim_long: 1 / 2, verbatim_whole: 1 / 5 });
});

test('words that stand in two texts, or apart in one, are no quotation', async () => {
  const found = await measureNovelty(
    ['one two three four five'],
    ['one two three four', 'two three four five', 'one two three four five'.replace('three', 'three x')],
  );
  expect(found).toMatchObject({ verbatim: 0, verbatim_whole: 0, novel_4grams: 0 });
  expect(found.novel_8grams).toBeNaN();
});

/** Everything as strings. */
function naive(replies: string[], texts: string[]) {
  const grams = (text: string, n: number) => {
    const words = text.split(' ');
    return Array.from({ length: Math.max(0, words.length - n + 1) }, (_, at) => words.slice(at, at + n).join(' '));
  };
  const novel = (n: number) => {
    const own = new Set(replies.flatMap((reply) => grams(reply, n)));
    const known = new Set(texts.flatMap((text) => grams(text, n)));
    return [...own].filter((gram) => !known.has(gram)).length / own.size;
  };
  const share = (holds: (reply: string, text: string) => boolean, own = replies) =>
    own.filter((reply) => texts.some((text) => holds(reply, text))).length / own.length;
  const within = (reply: string, text: string) => ` ${text} `.includes(` ${reply} `);
  return {
    replies: replies.length,
    texts: texts.length,
    verbatim: share(within),
    verbatim_long: share(
      within,
      replies.filter((reply) => reply.split(' ').length >= 8),
    ),
    verbatim_whole: share((reply, text) => reply === text),
    novel_4grams: novel(4),
    novel_8grams: novel(8),
  };
}

test.each([1, 2, 3, 4])('equals the naive count, seed %i', async (seed) => {
  const random = randomStream('novelty', seed);
  const say = (most: number) => Array.from({ length: 1 + Math.floor(random() * most) }, () => 'abc'[Math.floor(random() * 3)]);
  const texts = Array.from({ length: 60 }, () => say(40).join(' '));
  const replies = Array.from({ length: 50 }, (_, i) => {
    const words = texts[i]!.split(' ');
    // Half of them are cut out of a text, some of these changed in one place.
    if (i % 2 === 0) return say(20).join(' ');
    const cut = words.slice(Math.floor(random() * 3));
    if (i % 3 === 0) cut[Math.floor(random() * cut.length)] = 'd';
    return cut.length > 0 ? cut.join(' ') : 'a';
  });
  async function* stream() {
    yield* texts;
  }
  const expected = naive(replies, texts);
  expect(expected.verbatim).toBeGreaterThan(0.2);
  expect(expected.verbatim).toBeLessThan(0.95);
  expect(expected.novel_8grams).toBeGreaterThan(0);
  const found = await measureNovelty(replies, stream());
  for (const [name, value] of Object.entries(expected)) {
    expect(found[name as keyof typeof found], name).toBeCloseTo(value, 10);
  }
});
