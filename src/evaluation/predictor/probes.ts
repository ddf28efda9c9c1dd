// What happens to a predictor's values when a reply is changed in a way anyone can tell: cut in half, said twice, or given as the answer to something
// else. Which way an attribute should move is for the reader to say: no attribute is known here.
import type { ConversationScore } from '../../predictor/predictor.ts';
import { randomStream, shuffledOrder } from '../../random.ts';
import { bootstrap, type Interval, mean } from '../../statistics.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import { type RatedReply, wordsOf } from './rated-data.ts';

export const probeNames = ['truncated', 'duplicated', 'swapped'] as const;
export type ProbeName = (typeof probeNames)[number];

export interface ProbeFigures {
  n: number;
  /** Value of the changed reply less that of the reply as it was, under its own prompt. */
  mean_change: Interval;
  /** Shares of replies whose value fell or rose by more than `leastChange`. */
  fell: number;
  rose: number;
}

/** By probe, then by attribute. */
export type Probes = Record<ProbeName, Record<string, ProbeFigures>>;

/** A value that moves by less stays where it was. */
export const leastChange = 0.05;

export type Score = (conversations: Conversation[]) => Promise<ConversationScore[]>;

/** Scores every reply once more for each probe; `before` are the scores of the replies as they are. */
export async function probe(
  schema: AttributeSchema,
  { replies, before }: { replies: readonly RatedReply[]; before: readonly ConversationScore[] },
  score: Score,
  seed: number,
): Promise<Probes> {
  const strangers = strangersTo(replies, seed);
  const changes: Record<ProbeName, (reply: RatedReply, i: number) => Conversation | null> = {
    truncated: ({ conversation, text }) => withReply(conversation, firstHalf(text)),
    duplicated: ({ conversation, text }) => withReply(conversation, `${text} ${text}`),
    swapped: ({ text }, i) => (strangers[i] ? withReply(strangers[i].conversation, text) : null),
  };
  const found = {} as Probes;
  for (const name of probeNames) {
    const changed = replies.flatMap((reply, i) => {
      const conversation = changes[name](reply, i);
      return conversation === null ? [] : [{ i, group: reply.group, conversation }];
    });
    const after = await score(changed.map(({ conversation }) => conversation));
    found[name] = Object.fromEntries(
      schema.attributes.map(({ name: attribute }) => {
        const moved = changed.map(({ i, group }, row) => {
          return { group, change: after[row]!.attributes[attribute]!.value - before[i]!.attributes[attribute]!.value };
        });
        return [attribute, figures(moved, seed)];
      }),
    );
  }
  return found;
}

/** The first half of the words; null where there is no half. */
function firstHalf(text: string): string | null {
  const words = wordsOf(text);
  return words.length < 2 ? null : words.slice(0, Math.ceil(words.length / 2)).join(' ');
}

/** For each reply one to another prompt that says something else; null where there is none. */
function strangersTo(replies: readonly RatedReply[], seed: number): (RatedReply | null)[] {
  const order = [...shuffledOrder(replies.length, randomStream('swap', seed))];
  const found: (RatedReply | null)[] = replies.map(() => null);
  order.forEach((i, place) => {
    const others = order.slice(place + 1).concat(order.slice(0, place));
    const other = others.find((j) => replies[j]!.group !== replies[i]!.group && replies[j]!.text !== replies[i]!.text);
    found[i] = other === undefined ? null : replies[other]!;
  });
  return found;
}

/** Null stays null. */
function withReply(conversation: Conversation, content: string | null): Conversation | null {
  return content === null
    ? null
    : { ...conversation, turns: [...conversation.turns.slice(0, -1), { role: 'assistant', content }] };
}

interface Moved {
  group: number;
  change: number;
}

function figures(moved: readonly Moved[], seed: number): ProbeFigures {
  const groups = new Map<number, number[]>();
  for (const { group, change } of moved) groups.set(group, [...(groups.get(group) ?? []), change]);
  const { change } = bootstrap([...groups.values()], (drawn) => ({ change: mean(drawn.flat()) }), { draws: 200, seed });
  const share = (moves: (change: number) => boolean) => mean(moved.map((each) => (moves(each.change) ? 1 : 0)));
  const none = { value: Number.NaN, low: Number.NaN, high: Number.NaN };
  return {
    n: moved.length,
    mean_change: moved.length > 0 ? change : none,
    fell: share((by) => by < -leastChange),
    rose: share((by) => by > leastChange),
  };
}
