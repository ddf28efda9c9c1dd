// Reads every reply under its own label, without one, under labels of other replies and under every level of every attribute.
// What follows from the numbers is label-information.ts's affair.

import type { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { own } from '../../own.ts';
import { randomStream, shuffledOrder } from '../../random.ts';
import { type AttributeSchema, formatLabel, type Label } from '../../steerlm/attributes.ts';
import type { Sequence } from '../../training/packing.ts';
import type { LabelledReply } from './labelled-replies.ts';
import { labelledReply } from './reply-sequence.ts';
import type { TokenLikelihood } from './token-likelihood.ts';

/** −ln p of a reply, summed over its tokens, under several labels. */
export interface LabelReading {
  group: string;
  /** Of the reply. */
  tokens: number;
  /** Of the whole conversation up to the end of the reply. */
  length: number;
  /** Under its own label. */
  own: number;
  /** Without a label. */
  none: number;
  /** Under the labels of other replies, on average. */
  others: number;
  /** By attribute of its label: the level there, and the sums at every level with the rest of the label as it is. */
  attributes: Record<string, { level: number; nats: number[] }>;
}

export interface ReadingTask {
  likelihood: TokenLikelihood;
  tokenizer: Tokenizer;
  schema: AttributeSchema;
  /** Longest sequence the model holds; a reply that does not fit under each of its labels is left out. */
  contextLength: number;
  replies: readonly LabelledReply[];
  seed: number;
  onProgress?: ((done: number, total: number) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Other replies whose labels each reply is read under. */
const otherLabels = 4;
/** Replies whose readings are scored together. */
const repliesAtOnce = 8;

/** Readings of the replies that fit, in order. Throws `cancelled`. */
export async function readUnderLabels(task: ReadingTask): Promise<LabelReading[]> {
  const { replies, seed, onProgress } = task;
  const order = shuffledOrder(replies.length, randomStream('other labels', seed));
  const readings: LabelReading[] = [];
  for (let from = 0; from < replies.length; from += repliesAtOnce) {
    const places = Array.from(order.keys()).slice(from, from + repliesAtOnce);
    readings.push(...(await readSome(task, order, places)));
    onProgress?.(Math.min(replies.length, from + repliesAtOnce), replies.length);
  }
  return readings;
}

async function readSome(task: ReadingTask, order: Uint32Array, places: readonly number[]): Promise<LabelReading[]> {
  const { likelihood, replies, signal } = task;
  const plans = places
    .map((place) => planOf(task, replies[order[place]!]!, othersOf(task, order, place)))
    .filter(({ sequences }) => sequences.every(({ ids }) => ids.length <= task.contextLength));
  const found = await likelihood.score(
    plans.flatMap(({ sequences }) => sequences),
    { signal },
  );
  let start = 0;
  return plans.map(({ sequences, read }) => {
    const own = found.slice(start, start + sequences.length);
    start += sequences.length;
    return read(
      own.map(({ nats }) => nats),
      own[0]!.tokens,
    );
  });
}

/** Labels of the next replies in a random order, which are never the reply's own. */
function othersOf({ replies }: ReadingTask, order: Uint32Array, place: number): Label[] {
  const count = Math.min(otherLabels, replies.length - 1);
  return Array.from({ length: count }, (_, i) => replies[order[(place + 1 + i) % order.length]!]!.label);
}

interface Plan {
  /** One for each label that differs; the first has the reply's own. */
  sequences: Sequence[];
  /** From the sums of the sequences to the reading. */
  read(nats: readonly number[], tokens: number): LabelReading;
}

function planOf({ tokenizer, schema }: ReadingTask, { conversation, label, group }: LabelledReply, others: Label[]): Plan {
  const places = new Map<string, number>();
  const sequences: Sequence[] = [];
  const placeOf = (said: Label): number => {
    const line = formatLabel(schema, said);
    const known = places.get(line);
    if (known !== undefined) return known;
    places.set(line, sequences.length);
    return sequences.push(labelledReply(tokenizer, schema, conversation, said)) - 1;
  };
  const labelled = placeOf(label);
  const none = placeOf({});
  const permuted = others.map(placeOf);
  const varied = schema.attributes
    .filter(({ name }) => own(label, name) !== undefined)
    .map(({ name, levels }) => ({
      name,
      level: label[name]!,
      at: levels.map((_, level) => placeOf({ ...label, [name]: level })),
    }));
  return {
    sequences,
    read: (nats, tokens) => ({
      group,
      tokens,
      length: sequences[labelled]!.ids.length,
      own: nats[labelled]!,
      none: nats[none]!,
      others: permuted.length === 0 ? nats[labelled]! : permuted.reduce((sum, at) => sum + nats[at]!, 0) / permuted.length,
      attributes: Object.fromEntries(
        varied.map(({ name, level, at }) => [name, { level, nats: at.map((place) => nats[place]!) }]),
      ),
    }),
  };
}
