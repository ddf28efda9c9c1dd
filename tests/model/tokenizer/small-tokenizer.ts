// A tokenizer for the tests of this folder, trained in milliseconds on a few lines.
import { Tokenizer } from '../../../src/model/tokenizer/tokenizer.ts';
import { trainTokenizer } from '../../../src/model/tokenizer/tokenizer-training.ts';

const lines = [
  'The guard at the gate said: who goes there, and what do you want?',
  'The baker said nothing, the guard said too much, and the gate stayed shut.',
  'extra extra extra id id User Assistant System end of text',
  'humor:4,verbosity:1 humor:0,verbosity:3',
];

export const smallTokenizer = Tokenizer.fromJson(
  await trainTokenizer(lines, { vocabSize: 340, addedTokens: ['<extra_id_0>', '<extra_id_1>', '<extra_id_2>'] }),
  'small tokenizer',
);

/** Text that trips tokenizers up. */
export const oddTexts = [
  '',
  ' ',
  'plain words',
  '  leading and trailing  ',
  'tabs\t\tand\nnew\r\n\r\nlines   ',
  '😀👩‍🚀 🇪🇺 flags',
  '你好,世界。',
  'e\u0301 é naïve Straße',
  '\u00a0\u3000\u2028 spaces \ufeff',
  '\u0000\u0001\u007f',
  "I'll they're WE'VE",
  '12345 67.8 ½ ²',
  'a'.repeat(300),
  '__proto__ constructor toString',
  '<extra_id_1>User\nx <|endoftext|> <extra_id_2>humor:4',
  'Ġ Ċ ▁ <0x41>',
];
