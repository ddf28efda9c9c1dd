// How llama.cpp cuts a text into words, by its names, as the pre-tokenizers that the makers of the models published. Both directions read this table.
import type { Splitter } from '../tokenizer/word-cuts.ts';

/** One regular expression that finds the words, as tokenizer.json has it. */
export const wordPatterns = {
  'llama-bpe': String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  qwen2: String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
};
/** Written under no name: llama.cpp's own expression for it finds other words in some texts. */
const tekken = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

const byteLetters = (words: boolean): Splitter => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: words,
});
const isolated = (pattern: string): Splitter => ({
  type: 'Split',
  pattern: { Regex: pattern },
  behavior: 'Isolated',
  invert: false,
});
const inTurn = (...pretokenizers: Splitter[]): Splitter => ({ type: 'Sequence', pretokenizers });
const byPattern = (pattern: string): Splitter => inTurn(isolated(pattern), byteLetters(false));

/** Where nothing is said of the words, llama.cpp cuts so. */
const unnamed = inTurn(
  isolated(String.raw`[\p{P}\$\+<=>\^~\|]+`),
  isolated(String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)`),
  isolated(String.raw`\p{N}+`),
  isolated('[0-9][0-9][0-9]'),
  byteLetters(false),
);

const splitters: Record<string, Splitter> = {
  default: unnamed,
  'gpt-2': byteLetters(true),
  smollm: inTurn({ type: 'Digits', individual_digits: true }, byteLetters(true)),
  'llama-bpe': byPattern(wordPatterns['llama-bpe']),
  qwen2: byPattern(wordPatterns.qwen2),
  tekken: byPattern(tekken),
};

/** Further names, by what they cut like. */
const likewise: Record<string, readonly string[]> = {
  'gpt-2': ['phi-2', 'mpt', 'olmo', 'jais', 'trillion', 'exaone4', 'granite-docling', 'modern-bert'],
  smollm: ['refact', 'starcoder', 'command-r', 'codeshell', 'exaone', 'minerva-7b'],
  'llama-bpe': ['llama3', 'llama-v3', 'falcon3', 'pixtral', 'dbrx', 'smaug-bpe', 'glm4'],
  qwen2: ['deepseek-r1-qwen', 'stablelm2', 'megrez', 'hunyuan'],
};

/** Those that take a word which is a token as that token, whatever the merges would make of it. */
const wholeWords = ['llama-bpe', 'llama3', 'llama-v3', 'falcon3', 'pixtral', 'glm4', 'tekken'];

/** Those whose texts begin with the beginning-of-sequence token where the file does not say. */
const begun = wholeWords.filter((name) => name !== 'glm4');

export interface WordCut {
  splitter: Splitter;
  wholeWords: boolean;
  begun: boolean;
}

/** How words are cut by the name; undefined for an unknown one. */
export function wordCut(name: string): WordCut | undefined {
  const like = Object.entries(likewise).find(([, names]) => names.includes(name))?.[0] ?? name;
  if (!Object.hasOwn(splitters, like)) return;
  return { splitter: splitters[like]!, wholeWords: wholeWords.includes(name), begun: begun.includes(name) };
}

export function wordCutNames(): string[] {
  return [...Object.keys(splitters), ...Object.values(likewise).flat()];
}
