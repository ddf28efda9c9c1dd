// Byte-level BPE learnt from text: GPT-2's words, then the commonest pair of neighbours merged until the vocabulary is full. Ties go to the pair of
// lowest ids, as in Hugging Face's BpeTrainer, so both learn the same merges.
import { SteerError } from '../../errors.ts';
import { byteLetters } from './token-bytes.ts';
import type { TokenizerJson } from './tokenizer-json.ts';
import { wordPattern } from './word-cuts.ts';

export interface TokenizerTraining {
  /** Tokens in all: added tokens, 256 bytes, merges. Fewer when the text runs out of pairs. */
  vocabSize: number;
  /** Special tokens, taking the first ids in this order. */
  addedTokens: readonly string[];
  /** A pair seen less often is not merged. */
  minFrequency?: number;
}

/** Between two documents when texts are packed one after the other. */
export const documentSeparator = '<|endoftext|>';

/** Learns a tokenizer; the separator is always among its added tokens, after the given ones. Throws invalid_config for a vocabulary too small. */
export async function trainTokenizer(
  texts: Iterable<string> | AsyncIterable<string>,
  { vocabSize, addedTokens, minFrequency = 2 }: TokenizerTraining,
): Promise<TokenizerJson> {
  const special = [...new Set([...addedTokens, documentSeparator])];
  if (!(vocabSize >= special.length + 256)) {
    const least = special.length + 256;
    throw new SteerError(
      'invalid_config',
      `Expected a vocabulary of at least ${least} tokens (256 bytes, ${special.length} added), got ${vocabSize}.`,
    );
  }
  const alphabet = byteLetters().toSorted();
  const learnt = learnMerges(await countWords(texts), [...special, ...alphabet], vocabSize, minFrequency);
  return describe(learnt, special);
}

async function countWords(texts: Iterable<string> | AsyncIterable<string>): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for await (const text of texts) {
    for (const word of text.match(wordPattern) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

interface Learnt {
  /** Spelling by id. */
  vocabulary: string[];
  merges: [string, string][];
}

interface Word {
  /** Token ids, shortened by every merge. */
  ids: number[];
  count: number;
}

/** A pair of neighbours as one number, ordered like the pair. */
const pairBase = 2 ** 24;

function learnMerges(counts: Map<string, number>, start: string[], vocabSize: number, minFrequency: number): Learnt {
  const vocabulary = [...start];
  const ids = new Map(start.map((spelling, id) => [spelling, id]));
  const idOfByte = byteLetters().map((letter) => ids.get(letter)!);
  const words = [...counts].map(
    ([word, count]): Word => ({ ids: Array.from(Buffer.from(word), (byte) => idOfByte[byte]!), count }),
  );
  const pairs = new PairCounts(words);
  const merges: [string, string][] = [];
  while (vocabulary.length < vocabSize) {
    const best = pairs.takeCommonest(Math.max(1, minFrequency));
    if (best === undefined) break;
    const left = Math.floor(best / pairBase);
    const right = best % pairBase;
    const spelling = vocabulary[left]! + vocabulary[right]!;
    // Two merges can lead to one spelling, as a+bc and ab+c do; the token is then the same.
    const merged = ids.get(spelling) ?? vocabulary.push(spelling) - 1;
    ids.set(spelling, merged);
    merges.push([vocabulary[left]!, vocabulary[right]!]);
    pairs.merge(best, left, right, merged);
  }
  return { vocabulary, merges };
}

/** How often each pair of neighbours occurs, where, and which is commonest. */
class PairCounts {
  readonly #words: Word[];
  readonly #counts = new Map<number, number>();
  /** Words that hold the pair, or once did. */
  readonly #places = new Map<number, Set<number>>();
  /** Binary heap of pairs, commonest first; counts in it may be out of date and are checked when taken. */
  readonly #heap: { pair: number; count: number }[] = [];

  constructor(words: Word[]) {
    this.#words = words;
    for (const [at, { ids, count }] of words.entries()) {
      for (let i = 0; i + 1 < ids.length; i++) this.#add(ids[i]! * pairBase + ids[i + 1]!, count, at);
    }
    for (const [pair, count] of this.#counts) this.#push({ pair, count });
  }

  /** Removes and returns the commonest pair, or undefined when none occurs `least` times. */
  takeCommonest(least: number): number | undefined {
    for (let top = this.#pop(); top; top = this.#pop()) {
      const count = this.#counts.get(top.pair) ?? 0;
      if (count < least) continue;
      if (count === top.count) return top.pair;
      this.#push({ pair: top.pair, count });
    }
    return undefined;
  }

  merge(pair: number, left: number, right: number, merged: number): void {
    const grown = new Set<number>();
    for (const at of this.#places.get(pair) ?? []) this.#mergeWord(at, left, right, merged, grown);
    this.#places.delete(pair);
    this.#counts.delete(pair);
    for (const each of grown) {
      const count = this.#counts.get(each) ?? 0;
      if (count > 0) this.#push({ pair: each, count });
    }
  }

  #mergeWord(at: number, left: number, right: number, merged: number, grown: Set<number>): void {
    const { ids, count } = this.#words[at]!;
    let kept = 0;
    for (let i = 0; i < ids.length; i++) {
      if (ids[i] !== left || ids[i + 1] !== right) {
        ids[kept++] = ids[i]!;
        continue;
      }
      if (kept > 0) this.#replace(ids[kept - 1]! * pairBase + left, ids[kept - 1]! * pairBase + merged, count, at, grown);
      const after = ids[i + 2];
      if (after !== undefined) this.#replace(right * pairBase + after, merged * pairBase + after, count, at, grown);
      ids[kept++] = merged;
      i++;
    }
    ids.length = kept;
  }

  #replace(old: number, pair: number, count: number, at: number, grown: Set<number>): void {
    this.#counts.set(old, (this.#counts.get(old) ?? 0) - count);
    this.#add(pair, count, at);
    grown.add(pair);
  }

  #add(pair: number, count: number, at: number): void {
    this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + count);
    const places = this.#places.get(pair);
    if (places) places.add(at);
    else this.#places.set(pair, new Set([at]));
  }

  #push(entry: { pair: number; count: number }): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(entry);
    for (let parent = (i - 1) >> 1; i > 0 && isBefore(entry, heap[parent]!); parent = (i - 1) >> 1) {
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = entry;
  }

  #pop(): { pair: number; count: number } | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (!last || heap.length === 0) return top;
    let i = 0;
    for (let child = 1; child < heap.length; child = 2 * i + 1) {
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}

function isBefore(a: { pair: number; count: number }, b: { pair: number; count: number }): boolean {
  return a.count !== b.count ? a.count > b.count : a.pair < b.pair;
}

function describe({ vocabulary, merges }: Learnt, special: string[]): TokenizerJson {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => {
      return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
    }),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(vocabulary.map((spelling, id) => [spelling, id])),
      merges,
    },
  };
}
