// Everything about a steered model that can be told without having it write: what it makes of labels, how far it moved from its base, whether it
// remembers its training data, and how fluent replies are to the base.

import { SteerError } from '../../errors.ts';
import { readModelCard, readShape } from '../../model/model-folder.ts';
import { Tokenizer } from '../../model/tokenizer/tokenizer.ts';
import { counted } from '../../number-text.ts';
import { bootstrap, type Interval } from '../../statistics.ts';
import type { AttributeSchema } from '../../steerlm/attributes.ts';
import type { Conversation } from '../../steerlm/conversation.ts';
import { figuresApart } from '../figures-apart.ts';
import type { PairDivergence } from './divergence.ts';
import { type GroupedFluency, openFluency, type Perplexity, perplexityCost, perplexityOf } from './fluency.ts';
import { type GroupedLikelihood, type LabelFigures, perToken } from './label-figures.ts';
import { byGroup, drawsFor } from './label-information.ts';
import { readUnderLabels } from './label-readings.ts';
import type { LabelledReply } from './labelled-replies.ts';
import { openDivergenceThread, openLikelihood } from './open.ts';
import { labelledReply, labelledText, unlabelledReply } from './reply-sequence.ts';
import { type TokenCalibration, tokenCalibration } from './token-calibration.ts';
import type { TokenLikelihood } from './token-likelihood.ts';

export interface LikelihoodTask {
  /** Folder of the steered model. */
  model: string;
  /** Folder of the model it was made from, or of another that never saw a label. */
  base: string;
  heldOut: readonly LabelledReply[];
  /** Replies the model was trained on, to compare with. */
  trained?: readonly LabelledReply[] | undefined;
  /** Conversations that end with replies a model wrote. */
  written?: readonly { conversation: Conversation; group: string }[] | undefined;
  threads?: number | undefined;
  seed: number;
  /** What an earlier attempt found. */
  kept?: LikelihoodParts | undefined;
  onProgress?: (what: string, done: number, total: number) => void;
  /** After each part, with all there is so far. */
  onPhase?: (parts: LikelihoodParts) => Promise<void>;
  signal: AbortSignal;
}

/** An evaluation on its way. */
export interface LikelihoodParts {
  /** Parts that are whole. */
  done: number;
  found: Partial<LikelihoodEvaluation>;
}

export interface LikelihoodEvaluation extends LabelFigures {
  /** Held-out replies that do not fit the context under each of their labels, and were left out. */
  left_out: number;
  /** KL(model under the label ‖ base without) over the tokens of held-out replies, nats per token; null where they cannot be compared. */
  kl_to_base: Interval | null;
  /** Of the next token of held-out replies: the base without a label, the model under the true one; null where they cannot be compared. */
  calibration: TokenCalibration | null;
  fluency: {
    /** Held-out replies to the base. */
    held_out: Perplexity;
    written: Perplexity | null;
    /** Perplexity of the written over the held-out replies, less 1. */
    cost: Interval | null;
  };
  notes: string[];
}

/** Throws invalid_request for a model without attributes, invalid_dataset for too few replies, `cancelled`. */
export async function evaluateLikelihood(task: LikelihoodTask): Promise<LikelihoodEvaluation> {
  const { attributeSchema: schema, name } = await readModelCard(task.model);
  if (!schema) {
    throw new SteerError('invalid_request', `Expected a model with attributes, ${name} has none. Make one with: steer finetune.`);
  }
  if (task.heldOut.length < 2) {
    throw new SteerError(
      'invalid_dataset',
      `Expected at least two labelled replies to evaluate on, found ${task.heldOut.length}.`,
    );
  }
  const { contextLength, vocabSize } = await readShape(task.model);
  const reader: Reader = { schema, contextLength, tokenizer: await Tokenizer.open(task.model, vocabSize) };
  const { kept = { done: 0, found: {} }, onPhase } = task;
  const parts: (() => Promise<Partial<LikelihoodEvaluation>>)[] = [
    () => readLabels(task, reader),
    () => readDivergence(task, reader),
    () => readFluency(task),
  ];
  let { done, found } = kept;
  for (const part of parts.slice(done)) {
    found = { ...found, ...(await part()) };
    await onPhase?.({ done: ++done, found });
  }
  return found as LikelihoodEvaluation;
}

/** What turns replies into sequences of the steered model. */
interface Reader {
  schema: AttributeSchema;
  tokenizer: Tokenizer;
  contextLength: number;
}

async function readLabels(task: LikelihoodTask, reader: Reader) {
  const { heldOut, trained, seed, signal, threads, onProgress } = task;
  const likelihood = await openLikelihood(task.model, { threads });
  try {
    const progress = (done: number, all: number) => onProgress?.('replies under their labels', done, all);
    const readings = await readUnderLabels({ likelihood, ...reader, replies: heldOut, seed, signal, onProgress: progress });
    if (readings.length < 2) {
      const why = `${heldOut.length - readings.length} of ${counted(heldOut.length, 'reply')} did not fit the context of ${reader.contextLength} tokens`;
      throw new SteerError(
        'invalid_dataset',
        `Too few replies are left to evaluate on: ${why}. Choose data with shorter conversations.`,
      );
    }
    const remembered = trained ? await readTrained(likelihood, reader, trained, signal) : [];
    const { schema, contextLength } = reader;
    const figures = await figuresApart('labels', { schema, readings, trained: remembered, contextLength, seed }, signal);
    return { left_out: heldOut.length - readings.length, ...figures };
  } finally {
    await likelihood.dispose();
  }
}

async function readTrained(
  likelihood: TokenLikelihood,
  { tokenizer, schema, contextLength }: Reader,
  replies: readonly LabelledReply[],
  signal: AbortSignal,
): Promise<GroupedLikelihood[]> {
  const fitting = replies
    .map(({ conversation, label, group }) => ({ group, sequence: labelledReply(tokenizer, schema, conversation, label) }))
    .filter(({ sequence }) => sequence.ids.length <= contextLength);
  const found = await likelihood.score(
    fitting.map(({ sequence }) => sequence),
    { signal },
  );
  return found.map((sums, i) => ({ ...sums, group: fitting[i]!.group }));
}

/** Replies whose divergence is measured between two looks at the signal. */
const repliesAtOnce = 64;

async function readDivergence(
  { model, base, heldOut, threads, seed, signal, onProgress }: LikelihoodTask,
  { tokenizer, schema, contextLength }: Reader,
): Promise<Pick<LikelihoodEvaluation, 'kl_to_base' | 'calibration' | 'notes'>> {
  const { contextLength: baseContext, vocabSize } = await readShape(base);
  const baseTokenizer = await Tokenizer.open(base, vocabSize);
  const pairs = heldOut
    .map(({ conversation, label, group }) => ({
      group,
      first: labelledText(tokenizer, schema, conversation, label),
      second: unlabelledReply(baseTokenizer, conversation),
    }))
    .filter(({ first, second }) => first.ids.length <= contextLength && second.ids.length <= baseContext);
  const divergence = await openDivergenceThread(model, base, { threads });
  try {
    const rows: (PairDivergence & { group: string })[] = [];
    for (let from = 0; from < pairs.length; from += repliesAtOnce) {
      const some = pairs.slice(from, from + repliesAtOnce);
      const found = await divergence.measure(some, signal);
      rows.push(...found.map((sums, i) => ({ ...sums, group: some[i]!.group })));
      onProgress?.('distance from the base', Math.min(pairs.length, from + repliesAtOnce), pairs.length);
    }
    const { kl } = bootstrap(byGroup(rows), (drawn) => ({ kl: perToken(drawn.flat()) }), { seed, draws: drawsFor(rows.length) });
    const guessed = rows.map(({ group, first, second }) => ({ group, before: second, after: first }));
    return { kl_to_base: kl, calibration: tokenCalibration(guessed, seed), notes: [] };
  } catch (error) {
    if (!(error instanceof SteerError && error.code === 'invalid_request')) throw error;
    const notes = ['Distance from the base and calibration are not told: the two models have different tokenizers.'];
    return { kl_to_base: null, calibration: null, notes };
  } finally {
    await divergence.dispose();
  }
}

async function readFluency({ base, heldOut, written, threads, seed, signal }: LikelihoodTask) {
  const reader = await openFluency(base, { threads });
  try {
    const read = async (replies: readonly { conversation: Conversation; group: string }[]): Promise<GroupedFluency[]> => {
      const found = await reader.read(
        replies.map(({ conversation }) => conversation),
        signal,
      );
      return found.map((fluency, i) => ({ ...fluency, group: replies[i]!.group })).filter(({ tokens }) => tokens > 0);
    };
    const reference = await read(heldOut);
    const replies = written && (await read(written));
    return {
      fluency: {
        held_out: perplexityOf(reference, seed),
        written: replies ? perplexityOf(replies, seed) : null,
        cost: replies ? perplexityCost(replies, reference, seed) : null,
      },
    };
  } finally {
    await reader.dispose();
  }
}
