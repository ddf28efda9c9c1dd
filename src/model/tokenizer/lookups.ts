// Vocabulary and merges as the tokenizer library looks them up. It makes them itself by way of objects and lists, in several times the time, which counts
// where a model starts: they are made here and handed over.
import type { ParsedTokenizer } from './tokenizer-json.ts';

export interface Lookups {
  tokens_to_ids: ReadonlyMap<string, number>;
  unk_token_id: number | undefined;
  /** The place of each merge in their order, by the JSON of its two halves. */
  bpe_ranks: { get(pair: string): number | undefined };
}

/** Hidden tokens are no words, and no merge spells them. */
export function lookupsOf({ vocab, merges, unk_token }: ParsedTokenizer['model'], hidden: ReadonlySet<string>): Lookups {
  const tokens_to_ids = without(vocab, hidden);
  const unk_token_id = typeof unk_token === 'string' ? tokens_to_ids.get(unk_token) : undefined;
  return { tokens_to_ids, unk_token_id, bpe_ranks: new MergeRanks(merges, hidden) };
}

/** The map itself where it has none of the names. */
function without(ids: ReadonlyMap<string, number>, names: ReadonlySet<string>): ReadonlyMap<string, number> {
  if (![...names].some((name) => ids.has(name))) return ids;
  const left = new Map(ids);
  for (const name of names) left.delete(name);
  return left;
}

/** Merges by their spelling in a file, which is there already: to spell each as JSON takes a tenth of a start. */
class MergeRanks {
  /** Both halves with a space between them. */
  readonly #plain = new Map<string, number>();
  /** Those with a space in a half, by their JSON. */
  readonly #spaced = new Map<string, number>();

  constructor(merges: ParsedTokenizer['model']['merges'], hidden: ReadonlySet<string>) {
    for (let rank = 0; rank < merges.length; rank++) {
      const merge = merges[rank]!;
      if (typeof merge === 'string') this.#plain.set(merge, rank);
      else if (merge.some((half) => half.includes(' '))) this.#spaced.set(JSON.stringify(merge), rank);
      else this.#plain.set(`${merge[0]} ${merge[1]}`, rank);
    }
    for (const token of hidden) {
      for (let cut = 1; cut < token.length; cut++) {
        const halves = [token.slice(0, cut), token.slice(cut)];
        this.#plain.delete(halves.join(' '));
        this.#spaced.delete(JSON.stringify(halves));
      }
    }
  }

  get(pair: string): number | undefined {
    if (pair.includes(' ')) return this.#spaced.get(pair);
    // Where nothing is escaped, a quote stands only around the halves.
    const spelt = pair.includes('\\') ? (JSON.parse(pair) as string[]).join(' ') : pair.slice(2, -2).replace('","', ' ');
    return this.#plain.get(spelt);
  }
}
