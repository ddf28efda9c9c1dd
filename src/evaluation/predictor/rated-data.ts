// Rated replies of a dataset or file as an evaluation takes them: those that are judged and, from the training split alone, those that baselines are
// fitted on.

import { promptKey } from '../../datasets/sample.ts';
import { type TrainingSource, withLabelsOf } from '../../datasets/training-data.ts';
import { SteerError } from '../../errors.ts';
import { counted } from '../../number-text.ts';
import { own } from '../../own.ts';
import { ratedReplies } from '../../predictor/readings.ts';
import { randomStream } from '../../random.ts';
import { type AttributeSchema, type Label, maxLevel } from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import type { Split } from '../../store/schema.ts';
import { groupsOf } from '../groups.ts';

export interface RatedReply {
  /** Ends with the reply. */
  conversation: Conversation;
  /** In the names of the schema. */
  label: Label;
  text: string;
  words: number;
  /** Equal for replies to the same words. */
  prompt: string;
  /** Number shared by what hangs together: replies to one prompt, replies of one conversation. */
  group: number;
}

export interface RatedData {
  judged: RatedReply[];
  /** Of the training split, at most `mostFitted`. Groups are numbered as those of the judged ones. */
  fitted: RatedReply[];
  /** Whether replies of the training split are judged as well, so that what is fitted on them has seen their ratings. */
  overlapping?: boolean;
}

export interface Selection {
  split: Split | 'all';
  /** Most replies judged, whole conversations drawn by the seed. */
  limit?: number | undefined;
  seed: number;
  signal: AbortSignal;
}

/** Baselines learn little from more, and every text is held in memory. */
const mostFitted = 20_000;

/** Throws invalid_dataset where no reply of the split is rated for an attribute of the schema, or a rating lies above its scale. */
export async function gatherRated(source: TrainingSource, schema: AttributeSchema, selection: Selection): Promise<RatedData> {
  const { split, limit = Number.POSITIVE_INFINITY, seed, signal } = selection;
  const judged = new Draw(limit, seed);
  const fitted = new Draw(mostFitted, seed);
  const foreign = new Set<string>();
  let elsewhere = 0;
  for await (const sample of source.samples()) {
    if (signal.aborted) throw new SteerError('cancelled', 'Stopped while reading the data; nothing was evaluated.');
    noteForeign(foreign, schema, sample.content);
    for (const { conversation, label } of ratedReplies(withLabelsOf(schema, sample.content))) {
      checkScale(source.name, schema, label);
      const reply = { conversation, label, conversationId: sample.conversationId };
      if (split === 'all' || sample.split === split) judged.take(reply);
      else elsewhere++;
      if (sample.split === 'train') fitted.take(reply);
    }
  }
  const taken = judged.taken();
  const all = finish([...taken, ...fitted.taken()]);
  const data = { judged: all.slice(0, taken.length), fitted: all.slice(taken.length), overlapping: split !== 'validation' };
  if (data.judged.length === 0) throw unrated(source.name, schema, split, { elsewhere, foreign });
  return data;
}

interface Found {
  conversation: Conversation;
  label: Label;
  conversationId: string;
}

/** Keeps the conversations that come first in an order that follows from the seed alone, until there are enough replies. */
class Draw {
  readonly #limit: number;
  readonly #seed: number;
  #kept: { place: number; index: number; found: Found }[] = [];
  #seen = 0;

  constructor(limit: number, seed: number) {
    this.#limit = limit;
    this.#seed = seed;
  }

  take(found: Found): void {
    const place = randomStream('evaluated', this.#seed, found.conversationId)();
    this.#kept.push({ place, index: this.#seen++, found });
    if (this.#kept.length > 2 * this.#limit + 1000) this.#cut();
  }

  /** In the order of the data. */
  taken(): Found[] {
    this.#cut();
    return this.#kept.toSorted((a, b) => a.index - b.index).map(({ found }) => found);
  }

  #cut(): void {
    if (this.#kept.length <= this.#limit) return;
    this.#kept = this.#kept.sort((a, b) => a.place - b.place || a.index - b.index).slice(0, this.#limit);
  }
}

function finish(found: Found[]): RatedReply[] {
  const prompts = found.map(({ conversation }) => promptKey({ kind: 'conversation', conversation }));
  const groups = groupsOf(found.map(({ conversationId }, i) => [`conversation ${conversationId}`, `prompt ${prompts[i]}`]));
  return found.map(({ conversation, label }, i) => {
    const text = conversation.turns.at(-1)!.content;
    return { conversation, label, text, words: wordsOf(text).length, prompt: prompts[i]!, group: groups[i]! };
  });
}

/** Words of a text, as white space separates them. */
export function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

function noteForeign(foreign: Set<string>, schema: AttributeSchema, content: Parameters<typeof ratedReplies>[0]): void {
  if (foreign.size >= 20) return;
  for (const { label } of ratedReplies(content)) {
    for (const name of Object.keys(label)) {
      if (!schema.attributes.some((attribute) => attribute.name === name || attribute.aliases.includes(name))) foreign.add(name);
    }
  }
}

function checkScale(data: string, schema: AttributeSchema, label: Label): void {
  for (const attribute of schema.attributes) {
    const rating = own(label, attribute.name);
    if (rating === undefined || rating <= maxLevel(attribute)) continue;
    throw new SteerError(
      'invalid_dataset',
      `Expected ${attribute.name} between 0 and ${maxLevel(attribute)}, as the predictor rates it; ${data} rates a reply ${rating}. Bring the data to that scale.`,
    );
  }
}

function unrated(
  data: string,
  schema: AttributeSchema,
  split: string,
  { elsewhere, foreign }: { elsewhere: number; foreign: ReadonlySet<string> },
): SteerError {
  const where = split === 'all' ? data : `the ${split} split of ${data}`;
  const known = schema.attributes.map(({ name }) => name).join(', ');
  const others = foreign.size > 0 ? ` Its labels name ${[...foreign].join(', ')}.` : '';
  const remedy =
    elsewhere > 0
      ? `The other split has ${counted(elsewhere, 'such reply')}: import with a larger --validation-share, or name another --split.`
      : 'Name data with ratings of these attributes, or say with --labels whose count.';
  return new SteerError('invalid_dataset', `No reply of ${where} is rated for any of ${known}.${others} ${remedy}`);
}
