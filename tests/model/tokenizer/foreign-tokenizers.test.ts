// Tokenizers of the kinds GPT-2, Llama 3, Qwen 2, SmolLM and Llama 2 have, trained by Hugging Face `tokenizers`: the same ids, and the same text
// back, for thirty-odd scripts and what tells tokenizers apart (tests/golden/make_tokenizers_golden.py).
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { StreamDecoder } from '../../../src/model/tokenizer/stream-decoder.ts';
import { Tokenizer } from '../../../src/model/tokenizer/tokenizer.ts';

interface Golden {
  tokenizer: object;
  ids: number[][];
  /** By place, what the library decodes where that is not the text itself. */
  altered: Record<number, string>;
}

const golden = (name: string) =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../golden/tokenizers-${name}.json`, import.meta.url)), 'utf8'));
const texts: string[] = golden('texts');

describe.each(['gpt2', 'llama3', 'qwen2', 'smollm', 'llama2'])('a tokenizer like that of %s', (name) => {
  const { tokenizer: json, ids, altered }: Golden = golden(name);
  const tokenizer = Tokenizer.fromJson(json, name);

  test.each(texts.map((text, i) => ({ text, i })))('$text', ({ text, i }) => {
    expect(tokenizer.encodeText(text)).toEqual(ids[i]);
    expect(tokenizer.decode(ids[i]!)).toBe(altered[i] ?? text);
    const stream = new StreamDecoder(tokenizer);
    const streamed = ids[i]!.map((id) => stream.push(id)).join('') + stream.flush();
    expect(streamed).toBe(altered[i] ?? text);
  });
});
