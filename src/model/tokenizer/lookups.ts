// Vocabulary and merges as the tokenizer library looks them up. It makes them itself by way of objects and lists, in several times the time, which counts
// where a model starts: they are made here and handed over.
import type { ParsedTokenizer } from './tokenizer-json.ts';

export interface Lookups {
  tokens_to_ids: ReadonlyMap<string, number>;
  unk_token_id: number | undefined;
  /** The place of each merge in their order, by the JSON of its two halves. */
  bpe_ranks: ReadonlyMap<string, number>;
}

/** Hidden tokens are no words, and no merge spells them. */
export function lookupsOf({ vocab, merges, unk_token }: ParsedTokenizer['model'], hidden: ReadonlySet<string>): Lookups {
  const tokens_to_ids = without(vocab, hidden);
  const unk_token_id = typeof unk_token === 'string' ? tokens_to_ids.get(unk_token) : undefined;
  return { tokens_to_ids, unk_token_id, bpe_ranks: mergeRanks(merges, hidden) };
}

/** The map itself where it has none of the names. */
function without(ids: ReadonlyMap<string, number>, names: ReadonlySet<string>): ReadonlyMap<string, number> {
  if (![...names].some((name) => ids.has(name))) return ids;
  const left = new Map(ids);
  for (const name of names) left.delete(name);
  return left;
}

function mergeRanks(merges: ParsedTokenizer['model']['merges'], hidden: ReadonlySet<string>): Map<string, number> {
  const ranks = new Map<string, number>();
  for (let rank = 0; rank < merges.length; rank++) {
    const merge = merges[rank]!;
    const [left, right] = typeof merge === 'string' ? halvesOf(merge) : merge;
    ranks.set(pairOf(left, right), rank);
  }
  for (const token of hidden) {
    for (let cut = 1; cut < token.length; cut++) ranks.delete(pairOf(token.slice(0, cut), token.slice(cut)));
  }
  return ranks;
}

/** One without a space merges nothing. */
function halvesOf(merge: string): [string, string] {
  const space = merge.indexOf(' ');
  return space < 0 ? [merge, ''] : [merge.slice(0, space), merge.slice(space + 1)];
}

/** Holds all that JSON spells otherwise than it stands. */
const escaped = /["\\\p{Cc}\p{Cs}]/u;

/** JSON of both, put together by hand: that takes half as long. */
function pairOf(left: string, right: string): string {
  return escaped.test(left) || escaped.test(right) ? JSON.stringify([left, right]) : `["${left}","${right}"]`;
}
