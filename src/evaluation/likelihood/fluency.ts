// How fluent replies are to a model that never saw a label, and what steering costs in it. A reply is its text under the unlabelled prompt.
import { readModelCard, readShape } from '../../model/model-folder.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { bootstrap, type Interval } from '../../statistics.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import { byGroup, drawsFor, total } from './label-information.ts';
import { openLikelihood } from './open.ts';
import { unlabelledReply } from './reply-sequence.ts';

/** −ln p of a reply's text, summed over its tokens. An empty reply has none; neither has one that does not fit the context. */
export interface ReplyFluency {
  nats: number;
  tokens: number;
}

export interface FluencyReader {
  /** Name of the base model. */
  readonly id: string;
  /** Of the last turn of each conversation, a reply; in order. Throws `cancelled`. */
  read(conversations: readonly Conversation[], signal?: AbortSignal): Promise<ReplyFluency[]>;
  dispose(): Promise<void>;
}

/** Replies encoded at once, which blocks the caller's thread. */
const readTogether = 256;

/** Reads with the model in `folder` on a thread of its own. Throws invalid_model in one clear line. */
export async function openFluency(folder: string, options: { threads?: number | undefined } = {}): Promise<FluencyReader> {
  const { name } = await readModelCard(folder);
  const { contextLength, vocabSize } = await readShape(folder);
  const tokenizer = await Tokenizer.open(folder, vocabSize);
  const likelihood = await openLikelihood(folder, options);
  return {
    id: name,
    async read(conversations, signal) {
      const found: ReplyFluency[] = [];
      for (let from = 0; from < conversations.length; from += readTogether) {
        const sequences = conversations.slice(from, from + readTogether).map((conversation) => {
          const sequence = unlabelledReply(tokenizer, conversation);
          return sequence.ids.length <= contextLength ? sequence : { ids: [], weights: [] };
        });
        found.push(...(await likelihood.score(sequences, { signal })));
      }
      return found;
    },
    dispose: () => likelihood.dispose(),
  };
}

/** Nats per token of each reply; NaN of one without tokens. */
export async function meanNlls(
  reader: FluencyReader,
  conversations: readonly Conversation[],
  signal?: AbortSignal,
): Promise<number[]> {
  return (await reader.read(conversations, signal)).map(({ nats, tokens }) => nats / tokens);
}

/** A reply with what it hangs together with: other replies to its prompt. */
export type GroupedFluency = ReplyFluency & { group: string };

export interface Perplexity {
  replies: number;
  tokens: number;
  /** Nats per token. */
  nll: Interval;
  perplexity: Interval;
}

/** Of replies together: long ones count as much as they say. */
export function perplexityOf(replies: readonly GroupedFluency[], seed = 0): Perplexity {
  const figures = bootstrap(
    byGroup(replies),
    (drawn) => {
      const nll = nllOf(drawn.flat());
      return { nll, perplexity: Math.exp(nll) };
    },
    { seed, draws: drawsFor(replies.length) },
  );
  return { replies: replies.length, tokens: total(replies, ({ tokens }) => tokens), ...figures };
}

/** Perplexity of the replies over that of the reference, less 1: 0.15 is 15 % more. Where both answer the same prompts, these are drawn together. */
export function perplexityCost(replies: readonly GroupedFluency[], reference: readonly GroupedFluency[], seed = 0): Interval {
  const both = [
    ...replies.map((reply) => ({ ...reply, steered: true })),
    ...reference.map((reply) => ({ ...reply, steered: false })),
  ];
  const { cost } = bootstrap(
    byGroup(both),
    (drawn) => {
      const rows = drawn.flat();
      const side = (steered: boolean) => nllOf(rows.filter((row) => row.steered === steered));
      return { cost: Math.expm1(side(true) - side(false)) };
    },
    { seed, draws: drawsFor(both.length) },
  );
  return cost;
}

function nllOf(replies: readonly ReplyFluency[]): number {
  return total(replies, ({ nats }) => nats) / total(replies, ({ tokens }) => tokens);
}
