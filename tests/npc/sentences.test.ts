// Sentences, however the text came in pieces.
import { expect, test } from 'vitest';
import { Sentences } from '../../src/npc/sentences.ts';
import { randomStream } from '../../src/random.ts';

/** The sentences of the text, told in pieces of these lengths over and over. */
function cut(text: string, sizes: number[]): string[] {
  const sentences = new Sentences();
  const found: string[] = [];
  for (let from = 0, i = 0; from < text.length; i++) {
    const size = sizes[i % sizes.length]!;
    found.push(...sentences.push(text.slice(from, from + size)));
    from += size;
  }
  const rest = sentences.finish();
  return rest === '' ? found : [...found, rest];
}

test.each([
  ['Aye. Two silver! Why?', ['Aye. ', 'Two silver! ', 'Why?']],
  ['"Halt!" he said. (Quietly.) Then no more…', ['"Halt!" ', 'he said. ', '(Quietly.) ', 'Then no more…']],
  ['Ask Mr. Brom or St. Olin, e.g. at noon.', ['Ask Mr. Brom or St. Olin, e.g. at noon.']],
  ['Three coins 3.50 each', ['Three coins 3.50 each']],
  ['Well… perhaps?! Yes.\n\nNo', ['Well… ', 'perhaps?! ', 'Yes.\n\n', 'No']],
  ['', []],
])('%j', (text, wanted) => {
  expect(cut(text, [text.length || 1])).toEqual(wanted);
  for (let seed = 0; seed < 20; seed++) {
    const random = randomStream('pieces', seed);
    expect(
      cut(
        text,
        [1, 2, 3].map(() => 1 + Math.floor(random() * 6)),
      ),
    ).toEqual(wanted);
  }
});

test('a long row of what ends sentences, quotes, spaces or abbreviations is looked through once', () => {
  for (const piece of ['.', '."', '. ', '"', 'Dr. ']) {
    const [text, sentences] = [piece.repeat(2 ** 18), new Sentences()];
    expect(sentences.push(text).join('') + sentences.finish()).toBe(text);
  }
});
