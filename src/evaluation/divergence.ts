// How far one model's next-token distributions lie from another's over the same tokens: KL(first ‖ second) in nats, of whole distributions.
// Each model reads the tokens after a prompt of its own. Lives where blocking is allowed.
import { SteerError } from '../errors.ts';
import { type LoadedNetwork, loadNetwork, type WeightSource } from '../llama/loaded-network.ts';
import type { Sequence } from '../llama/packing.ts';
import type { Node } from '../tensor/graph.ts';
import * as t from '../tensor/primitives.ts';
import type { Session } from '../tensor/session.ts';
import { giveWay } from './give-way.ts';
import { type Passage, passagesOf, runsOf } from './passages.ts';
import { countedScores, feedsOf, openSession, refuseLong, type SequenceLikelihood } from './token-likelihood.ts';

/** The same counted tokens after two prompts. */
export interface SequencePair {
  first: Sequence;
  second: Sequence;
}

export interface Divergence {
  /** Sum of KL(first ‖ second) over the counted tokens of each pair, and how many there are; in order. Throws as TokenLikelihood does,
   * and invalid_request where the counted tokens of a pair are not the same. */
  measure(pairs: readonly SequencePair[], signal?: AbortSignal): Promise<SequenceLikelihood[]>;
  dispose(): Promise<void>;
}

/**
 * Opens both models. Where one has more tokens than the other, as a model that got control tokens has, distributions are over those both have.
 * Throws invalid_model in one clear line.
 */
export async function openDivergence(
  first: WeightSource,
  second: WeightSource,
  { threads }: { threads?: number | undefined } = {},
): Promise<Divergence> {
  const closing: (() => Promise<void>)[] = [];
  const dispose = async () => {
    for (const close of closing.splice(0).reverse()) await close();
  };
  try {
    const ours = await loadNetwork(first, 'fp32');
    closing.push(ours.dispose);
    const theirs = await loadNetwork(second, 'fp32');
    closing.push(theirs.dispose);
    const shared = Math.min(ours.shape.vocabSize, theirs.shape.vocabSize);
    const scoring = await openSession(ours, { logProbabilities: sharedLogProbabilities(ours, shared) }, threads);
    closing.push(() => scoring.dispose());
    const comparing = await openSession(theirs, { divergence: divergenceFrom(theirs, shared) }, threads);
    closing.push(() => comparing.dispose());
    return { measure: (pairs, signal) => measure({ ours, theirs, shared, scoring, comparing }, pairs, signal), dispose };
  } catch (cause) {
    await dispose();
    throw cause;
  }
}

interface Opened {
  ours: LoadedNetwork;
  theirs: LoadedNetwork;
  /** Tokens both have. */
  shared: number;
  scoring: Session;
  comparing: Session;
}

async function measure(
  { ours, theirs, shared, scoring, comparing }: Opened,
  pairs: readonly SequencePair[],
  signal: AbortSignal | undefined,
): Promise<SequenceLikelihood[]> {
  const [firsts, seconds] = [pairs.map((pair) => pair.first), pairs.map((pair) => pair.second)];
  refuseLong(firsts, ours.shape.contextLength);
  refuseLong(seconds, theirs.shape.contextLength);
  const answers = pairs.map(() => ({ nats: 0, tokens: 0 }));
  for (const run of runsOf(pairedPassages(firsts, seconds, shared), shared)) {
    await giveWay(signal);
    const { logProbabilities } = await scoring.run(feedsOf(firsts, run));
    const others = run.map((passage) => ({ ...passage, counted: passage.other }));
    const { divergence } = await comparing.run({ ...feedsOf(seconds, others), expected: logProbabilities! });
    let next = 0;
    for (const { sequence, counted } of run) {
      const answer = answers[sequence]!;
      for (const _ of counted) answer.nats += divergence!.data[next++] as number;
      answer.tokens += counted.length;
    }
  }
  return answers;
}

/** ln p over the tokens both models have, (N, S). */
function sharedLogProbabilities(loaded: LoadedNetwork, shared: number): Node {
  const scores = countedScores(loaded);
  return t.logSoftmax(loaded.shape.vocabSize === shared ? scores : t.slice(scores, -1, 0, shared));
}

/** Σ p (ln p − ln q) with ln p fed as `expected` (N, S) → (N, 1). */
function divergenceFrom(loaded: LoadedNetwork, shared: number): Node {
  const expected = t.input('expected', 'float32', ['N', shared]);
  const found = sharedLogProbabilities(loaded, shared);
  return t.sum(t.mul(t.exp(expected), t.sub(expected, found)), [-1]);
}

interface PairedPassage extends Passage {
  /** Places of the counted tokens in the second sequence. */
  other: number[];
}

/** Throws invalid_request where the counted tokens of a pair are not the same. */
function pairedPassages(firsts: readonly Sequence[], seconds: readonly Sequence[], vocabSize: number): PairedPassage[] {
  const others = passagesOf(seconds, vocabSize);
  const passages = passagesOf(firsts, vocabSize);
  const told = (sequences: readonly Sequence[], parts: readonly Passage[]) =>
    parts.map(({ sequence, counted }) => [sequence, ...counted.map((at) => sequences[sequence]!.ids[at])].join()).join(';');
  if (told(firsts, passages) !== told(seconds, others)) {
    throw new SteerError(
      'invalid_request',
      'Expected the same tokens in both models, found others: their tokenizers differ, so their distributions cannot be compared.',
    );
  }
  return passages.map((passage, i) => {
    const { counted, length } = others[i]!;
    return { ...passage, other: counted, length: Math.max(passage.length, length) };
  });
}
