// Replies that were rated, text by text: completions that said the same to the same prompt belong together, wherever in time they lie. A first
// walk, by completion, notes which completions said which text; then the texts are gone through by hash, a batch at a time, each with all that was
// said of it. What is held of all the data is one line per text and completion: no text, no rating.
import { and, asc, eq, inArray } from 'drizzle-orm';
import { contentHash, type Sample } from '../datasets/sample.ts';
import { settle } from '../datasets/settle.ts';
import type { Label } from '../steerlm/attributes.ts';
import type { Db } from '../store/connect.ts';
import { completions } from '../store/schema.ts';
import { conversationOf } from './conversation.ts';
import { loadRatingsOf, type Rating, ratedCompletions } from './ratings.ts';

/** A reply as its conversation; several completions may have said the same. */
export interface SpokenReply {
  hash: string;
  model: string;
  applied: Label;
  sample: Sample;
}

/** Why a reply is no conversation to learn from. */
type Unspoken = 'raw_prompt' | 'empty_reply' | 'under_vectors';

export interface RatedTexts {
  /** Hashes of the texts of this batch. Ratings and replies may speak of others too, each of which has a batch of its own. */
  hashes: ReadonlySet<string>;
  /** All ratings of these texts, in the order they came. */
  ratings: Rating[];
  /** The replies the ratings speak of, by `completion:choice`. */
  replies: ReadonlyMap<string, SpokenReply>;
  /** Replies of this batch that are no text. */
  unspoken: Unspoken[];
}

export interface RatedTextsQuery {
  /** Replies of one model only. */
  model?: string | undefined;
  /** Also those written under steering vectors, which the model would not have said by itself. */
  underVectors?: boolean | undefined;
  /** Which of the latest ratings count. */
  counts(rating: Rating): boolean;
}

/** Completions of one batch; a text that more of them said comes whole all the same. */
const batchCompletions = 500;

/** Every text that has ratings, by hash; each is in one batch. */
export async function* ratedTexts(db: Db, query: RatedTextsQuery): AsyncGenerator<RatedTexts> {
  for (const { keys, ids } of batchesOf(await noteTexts(db, query))) {
    const said = await ratingsWithReplies(db, ids, query);
    const ofBatch = (item: string) => keys.has(keyOf(item, said.replies) ?? '');
    const ratings = said.ratings.filter(({ item }) => item.split(' ').some(ofBatch));
    const items = new Set(ratings.flatMap(({ item }) => item.split(' ')));
    const replies = new Map<string, SpokenReply>();
    const unspoken: Unspoken[] = [];
    for (const item of items) {
      const reply = said.replies.get(item);
      if (typeof reply === 'object') replies.set(item, reply);
      else if (reply !== undefined && ofBatch(item)) unspoken.push(reply);
    }
    yield { hashes: keys, ratings, replies, unspoken };
  }
}

/** `key id` of every text and completion whose ratings speak of it, in order. The key is the hash; a reply that is no text stands for itself. */
async function noteTexts(db: Db, query: RatedTextsQuery): Promise<string[]> {
  const noted = new Set<string>();
  for await (const ids of ratedCompletions(db)) {
    const { ratings, replies } = await ratingsWithReplies(db, ids, query);
    for (const { item } of ratings) {
      const items = item.split(' ');
      // A vote may be kept with either of its completions.
      for (const key of items.flatMap((each) => keyOf(each, replies) ?? [])) {
        for (const each of items) noted.add(`${key} ${completionOf(each)}`);
      }
    }
  }
  return [...noted].sort();
}

function* batchesOf(noted: readonly string[]): Generator<{ keys: Set<string>; ids: string[] }> {
  let [keys, ids] = [new Set<string>(), new Set<string>()];
  for (const line of noted) {
    const [key, id] = line.split(' ') as [string, string];
    if (ids.size >= batchCompletions && !keys.has(key)) {
      yield { keys, ids: [...ids] };
      [keys, ids] = [new Set(), new Set()];
    }
    keys.add(key);
    ids.add(id);
  }
  if (ids.size > 0) yield { keys, ids: [...ids] };
}

type Replies = Map<string, SpokenReply | Unspoken>;

function keyOf(item: string, replies: Replies): string | undefined {
  const reply = replies.get(item);
  return typeof reply === 'object' ? reply.hash : reply && `~${item}`;
}

function completionOf(item: string): string {
  return item.slice(0, item.lastIndexOf(':'));
}

async function ratingsWithReplies(db: Db, ids: readonly string[], query: RatedTextsQuery) {
  const ratings = (await loadRatingsOf(db, ids)).filter(query.counts);
  return { ratings, replies: await loadReplies(db, new Set(ratings.flatMap(({ item }) => item.split(' '))), query) };
}

async function loadReplies(db: Db, items: ReadonlySet<string>, { model, underVectors }: RatedTextsQuery): Promise<Replies> {
  const ids = [...new Set([...items].map(completionOf))];
  const replies: Replies = new Map();
  for (let start = 0; start < ids.length; start += batchCompletions) {
    const some = inArray(completions.id, ids.slice(start, start + batchCompletions));
    const rows = await db
      .select()
      .from(completions)
      .where(and(some, model === undefined ? undefined : eq(completions.model, model)))
      .orderBy(asc(completions.id), asc(completions.choice));
    for (const row of rows.filter(({ id, choice }) => items.has(`${id}:${choice}`))) {
      replies.set(`${row.id}:${row.choice}`, row.steering?.vectors && !underVectors ? 'under_vectors' : speak(row));
    }
  }
  return replies;
}

function speak(row: typeof completions.$inferSelect): SpokenReply | Unspoken {
  const conversation = conversationOf(row.request);
  if (!conversation) return 'raw_prompt';
  if (row.reply.trim() === '') return 'empty_reply';
  const turns = [...conversation.turns, { role: 'assistant' as const, content: row.reply }];
  const content = { kind: 'conversation' as const, conversation: { system: conversation.system, turns } };
  const sample = settle({ content, conversationId: null, source: null }, null);
  return { hash: contentHash(content), model: row.model, applied: row.applied, sample };
}
