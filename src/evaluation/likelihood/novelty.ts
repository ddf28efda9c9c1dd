// How much of replies is new: which are found word for word in training texts, and which of their n-grams never occur there. The replies are indexed
// and the training texts stream past, so memory follows the replies, however many texts there are. Words are compared without case and punctuation,
// so that a reply is not new for a comma. Pure.

/** Figures between 0 and 1; NaN where there is nothing to count. */
export interface Novelty {
  replies: number;
  texts: number;
  /** Share of replies whose words stand together, in order, in a training text. */
  verbatim: number;
  /** The same among replies of at least eight words: short ones are said by everybody. */
  verbatim_long: number;
  /** Share of replies that are a training text from its first word to its last. */
  verbatim_whole: number;
  /** Share of distinct 4- and 8-grams of words of the replies that no training text holds. */
  novel_4grams: number;
  novel_8grams: number;
}

/** Words of a reply that is not short. */
const longReply = 8;
/** Sizes of grams that are counted, as doublings: 2² and 2³ words. */
const counted = [2, 3] as const;

/**
 * Grams of 2^k words as numbers: a gram is the pair of its halves, so a key is exact and no text is kept.
 * Only grams of the replies have one; in a training text all others are −1.
 */
class Grams {
  readonly #words = new Map<string, number>();
  readonly #pairs: Map<number, number>[] = [];

  /** Numbers of the grams that begin at each word: [k][place]. Those that are not known yet are added where `add`. */
  read(words: readonly string[], add: boolean): Int32Array[] {
    const levels = [Int32Array.from(words, (word) => idOf(this.#words, word, add))];
    for (let half = 1; 2 * half <= words.length; half *= 2) {
      const below = levels.at(-1)!;
      this.#pairs[levels.length - 1] ??= new Map();
      const pairs = this.#pairs[levels.length - 1]!;
      levels.push(
        Int32Array.from({ length: words.length - 2 * half + 1 }, (_, at) =>
          idOf(pairs, pairKey(below[at]!, below[at + half]!), add),
        ),
      );
      if (!add && !levels.at(-1)!.some((id) => id >= 0)) break;
    }
    return levels;
  }
}

function idOf<Key>(ids: Map<Key, number>, key: Key, add: boolean): number {
  const known = ids.get(key);
  if (known !== undefined) return known;
  if (!add || key === -1) return -1;
  ids.set(key, ids.size);
  return ids.size - 1;
}

/** Two numbers below 2²⁶ as one, or −1 where a half is unknown. */
function pairKey(first: number, second: number): number {
  return first < 0 || second < 0 ? -1 : first * 2 ** 26 + second;
}

/** A reply is found where the grams of its first and of its last 2^k words stand as far apart as in the reply. */
interface Wanted {
  reply: number;
  words: number;
  last: number;
}

/** Reads the training texts once. A reply without a word is counted nowhere. */
export async function measureNovelty(
  replies: readonly string[],
  texts: Iterable<string> | AsyncIterable<string>,
): Promise<Novelty> {
  const own = replies.map(wordsOf).filter((words) => words.length > 0);
  const index = indexOf(own);
  const marks = {
    found: new Uint8Array(own.length),
    whole: new Uint8Array(own.length),
    seen: counted.map(() => new Set<number>()),
  };
  let read = 0;
  for await (const text of texts) {
    read++;
    markWhatIn(wordsOf(text), index, marks);
  }
  const share = (flags: Uint8Array, least = 1): number => {
    const places = own.flatMap((words, reply) => (words.length >= least ? [reply] : []));
    return places.reduce((sum, reply) => sum + flags[reply]!, 0) / places.length;
  };
  const [novelFours, novelEights] = counted.map((_, i) => 1 - marks.seen[i]!.size / index.all[i]!.size) as [number, number];
  return {
    replies: own.length,
    texts: read,
    verbatim: share(marks.found),
    verbatim_long: share(marks.found, longReply),
    verbatim_whole: share(marks.whole),
    novel_4grams: novelFours,
    novel_8grams: novelEights,
  };
}

interface ReplyIndex {
  grams: Grams;
  /** Distinct grams of the replies, by counted size. */
  all: Set<number>[];
  /** [k]: replies whose longest gram has 2^k words, by the gram they begin with. */
  wanted: Map<number, Wanted[]>[];
}

function indexOf(replies: readonly string[][]): ReplyIndex {
  const index: ReplyIndex = { grams: new Grams(), all: counted.map(() => new Set()), wanted: [] };
  replies.forEach((words, reply) => {
    const levels = index.grams.read(words, true);
    counted.forEach((k, i) => {
      for (const gram of levels[k] ?? []) index.all[i]!.add(gram);
    });
    const top = levels.length - 1;
    const [first, last] = [levels[top]![0]!, levels[top]!.at(-1)!];
    index.wanted[top] ??= new Map();
    const same = index.wanted[top]!.get(first);
    const one = { reply, words: words.length, last };
    if (same) same.push(one);
    else index.wanted[top]!.set(first, [one]);
  });
  return index;
}

interface Marks {
  /** By reply: 1 where a text holds it, where a text is it. */
  found: Uint8Array;
  whole: Uint8Array;
  /** Grams of the replies that occurred, by counted size. */
  seen: Set<number>[];
}

function markWhatIn(words: readonly string[], { grams, wanted }: ReplyIndex, { found, whole, seen }: Marks): void {
  const levels = grams.read(words, false);
  counted.forEach((k, i) => {
    for (const gram of levels[k] ?? []) if (gram >= 0) seen[i]!.add(gram);
  });
  levels.forEach((places, k) => {
    places.forEach((gram, at) => {
      for (const { reply, words: length, last } of wanted[k]?.get(gram) ?? []) {
        if (places[at + length - 2 ** k] !== last) continue;
        found[reply] = 1;
        if (length === words.length) whole[reply] = 1;
      }
    });
  });
}

function wordsOf(text: string): string[] {
  return (
    text
      .toLowerCase()
      .replaceAll('’', "'")
      .match(/[\p{L}\p{M}\p{N}']+/gu) ?? []
  );
}
