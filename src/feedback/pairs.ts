// Preferences between two replies to one prompt as pairs of a chosen and a rejected reply, and as the lines TRL trains on.
import { and, asc, eq, gt } from 'drizzle-orm';
import type { Db } from '../store/connect.ts';
import { pairs as pairTable } from '../store/feedback-schema.ts';
import type { Messages } from '../store/schema.ts';
import { groupBy } from './group.ts';
import type { HarvestRules } from './label-texts.ts';
import type { RatedTexts, SpokenReply } from './rated-texts.ts';
import { preferenceQuestion, type Rating } from './ratings.ts';

export interface Pair {
  prompt: Messages;
  chosen: string;
  rejected: string;
  /** Share of the raters' weight behind the choice, ties half. */
  agreement: number;
  votes: Rating[];
}

/**
 * Pairs on which enough raters with weight compared the same two texts and did not come out even, by the hashes of both. A pair belongs to the batch
 * of the lower one.
 */
export function findPairs(
  { hashes, ratings, replies }: RatedTexts,
  { minRaters, weighting }: HarvestRules,
  skip: (reason: 'same_text' | 'too_few_raters' | 'tie') => void,
): Pair[] {
  const spoken = ratings.flatMap((vote) => {
    if (vote.question !== preferenceQuestion) return [];
    const [first, second] = vote.item.split(' ').map((item) => replies.get(item));
    const ordered = first && second && inOrder(first, second, vote.value);
    return ordered && hashes.has(ordered.left.hash) ? [{ ...ordered, vote }] : [];
  });
  const found: (Pair & { key: string })[] = [];
  for (const [key, group] of groupBy(spoken, ({ left, right }) => `${left.hash} ${right.hash}`)) {
    const { left, right } = group[0]!;
    const latest = [...new Map(group.map((each) => [each.vote.rater, each])).values()];
    const weigh = (vote: Rating) => (weighting ? vote.weight : 1);
    const total = latest.reduce((sum, { vote }) => sum + weigh(vote), 0);
    const share = latest.reduce((sum, { vote, value }) => sum + (weigh(vote) * value) / 2, 0) / total;
    if (left.hash === right.hash) skip('same_text');
    else if (latest.length < minRaters) skip('too_few_raters');
    else if (Math.abs(share - 0.5) < 1e-9) skip('tie');
    else {
      const [chosen, rejected] = share > 0.5 ? [left, right] : [right, left];
      const agreement = Math.max(share, 1 - share);
      const texts = { prompt: promptOf(chosen), chosen: replyOf(chosen), rejected: replyOf(rejected) };
      found.push({ key, ...texts, agreement, votes: latest.map(({ vote }) => vote) });
    }
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ key: _, ...pair }) => pair);
}

/** `value` is 2 where `left` won. */
function inOrder(first: SpokenReply, second: SpokenReply, value: number) {
  return first.hash <= second.hash ? { left: first, right: second, value } : { left: second, right: first, value: 2 - value };
}

function promptOf({ sample }: SpokenReply): Messages {
  if (sample.content.kind === 'text') return { system: '', turns: [] };
  const { system, turns } = sample.content.conversation;
  return { system, turns: turns.slice(0, -1) };
}

function replyOf({ sample }: SpokenReply): string {
  return sample.content.kind === 'text' ? sample.content.text : sample.content.conversation.turns.at(-1)!.content;
}

interface Message {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** A line of TRL's conversational preference format, with the agreement beside. */
export interface PreferenceRow {
  prompt: Message[];
  chosen: Message[];
  rejected: Message[];
  agreement: number;
}

const pageRows = 500;

/** Pairs of a harvested dataset, in order. */
export async function* streamPairs(db: Db, datasetId: string): AsyncGenerator<PreferenceRow> {
  for (let after = -1; ; ) {
    const page = await db
      .select()
      .from(pairTable)
      .where(and(eq(pairTable.datasetId, datasetId), gt(pairTable.position, after)))
      .orderBy(asc(pairTable.position))
      .limit(pageRows);
    for (const { prompt, chosen, rejected, agreement } of page) {
      const system: Message[] = prompt.system === '' ? [] : [{ role: 'system', content: prompt.system }];
      yield { prompt: [...system, ...prompt.turns], chosen: said(chosen), rejected: said(rejected), agreement };
    }
    const last = page.at(-1);
    if (!last || page.length < pageRows) return;
    after = last.position;
  }
}

function said(content: string): Message[] {
  return [{ role: 'assistant', content }];
}
