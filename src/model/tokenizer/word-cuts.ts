// How a text is cut into words before its tokens are looked up, where the tokenizer library cuts otherwise than the one that trained the tokenizer:
// it takes white space and digits for those JavaScript knows, which are more of the one (U+FEFF), fewer of the other, and lack U+0085.

/** GPT-2's words, as the ByteLevel pre-tokenizer cuts them. */
export const wordPattern =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** A pre_tokenizer of a tokenizer.json. */
export type Splitter = Record<string, unknown> & { type: string };

/** The same cuts, spelt so that the library makes them. */
export function exactCuts(splitter: Splitter): Splitter {
  switch (splitter.type) {
    case 'Sequence':
      return { ...splitter, pretokenizers: ((splitter.pretokenizers ?? []) as Splitter[]).map(exactCuts) };
    case 'Digits':
      return isolate(splitter.individual_digits ? '\\p{N}' : '\\p{N}+');
    case 'ByteLevel':
      if (splitter.use_regex === false || splitter.add_prefix_space) return splitter;
      return { type: 'Sequence', pretokenizers: [isolate(wordPattern.source), { ...splitter, use_regex: false }] };
    default:
      return splitter;
  }
}

function isolate(pattern: string): Splitter {
  return { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
}
