// How far one model's next-token distributions lie from another's over the same tokens, KL(first ‖ second) in nats, of whole distributions, and what
// each takes for the likeliest token.
// Each model reads the tokens after a prompt of its own. Lives where blocking is allowed.
import { SteerError } from '../../errors.ts';
import { type LoadedNetwork, loadNetwork, type WeightSource } from '../../model/loaded-network.ts';
import type { Node } from '../../tensor/graph.ts';
import * as t from '../../tensor/primitives.ts';
import type { Session, Tensor } from '../../tensor/session.ts';
import type { Sequence } from '../../training/packing.ts';
import { giveWay } from '../give-way.ts';
import { type Passage, passagesOf, runsOf } from './passages.ts';
import { type Guesses, noteGuesses } from './token-calibration.ts';
import { countedScores, feedsOf, openSession, refuseLong, type SequenceLikelihood } from './token-likelihood.ts';

/** The same counted tokens after two prompts. */
export interface SequencePair {
  first: Sequence;
  second: Sequence;
}

/** Sum of KL(first ‖ second) over the counted tokens of a pair, how many there are, and what either model guesses at each. */
export interface PairDivergence extends SequenceLikelihood {
  first: Guesses;
  second: Guesses;
}

export interface Divergence {
  /** In order. Throws as TokenLikelihood does, and invalid_request where the counted tokens of a pair are not the same. */
  measure(pairs: readonly SequencePair[], signal?: AbortSignal): Promise<PairDivergence[]>;
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
    const comparing = await openSession(theirs, divergenceFrom(theirs, shared), threads);
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
): Promise<PairDivergence[]> {
  const [firsts, seconds] = [pairs.map((pair) => pair.first), pairs.map((pair) => pair.second)];
  refuseLong(firsts, ours.shape.contextLength);
  refuseLong(seconds, theirs.shape.contextLength);
  const passages = pairedPassages(firsts, seconds, shared);
  const sizes = new Int32Array(pairs.length);
  for (const { sequence, counted } of passages) sizes[sequence]! += counted.length;
  const answers = pairs.map((_, pair) => emptyAnswer(sizes[pair]!));
  for (const run of runsOf(passages, shared)) {
    await giveWay(signal);
    const { logProbabilities } = await scoring.run(feedsOf(firsts, run));
    const others = run.map((passage) => ({ ...passage, counted: passage.other }));
    const { divergence, ...compared } = await comparing.run({ ...feedsOf(seconds, others), expected: logProbabilities! });
    let row = 0;
    for (const { sequence, counted } of run) {
      const answer = answers[sequence]!;
      const targets = counted.map((at) => firsts[sequence]!.ids[at]!);
      const rows = (tensor: Tensor | undefined) =>
        (tensor!.data as Float32Array).subarray(row * shared, (row + counted.length) * shared);
      noteGuesses(rows(logProbabilities), targets, answer.first, answer.tokens);
      noteGuesses(rows(compared.logProbabilities), targets, answer.second, answer.tokens);
      for (let i = 0; i < counted.length; i++) answer.nats += divergence!.data[row + i] as number;
      answer.tokens += counted.length;
      row += counted.length;
    }
  }
  return answers;
}

function emptyAnswer(tokens: number): PairDivergence {
  const guesses = (): Guesses => ({ probability: new Float32Array(tokens), right: new Uint8Array(tokens) });
  return { nats: 0, tokens: 0, first: guesses(), second: guesses() };
}

/** ln p over the tokens both models have, (N, S). */
function sharedLogProbabilities(loaded: LoadedNetwork, shared: number): Node {
  const scores = countedScores(loaded);
  return t.logSoftmax(loaded.shape.vocabSize === shared ? scores : t.slice(scores, -1, 0, shared));
}

/** ln q (N, S), and Σ p (ln p − ln q) with ln p fed as `expected` (N, S) → (N, 1). */
function divergenceFrom(loaded: LoadedNetwork, shared: number): Record<'logProbabilities' | 'divergence', Node> {
  const expected = t.input('expected', 'float32', ['N', shared]);
  const logProbabilities = sharedLogProbabilities(loaded, shared);
  return { logProbabilities, divergence: t.sum(t.mul(t.exp(expected), t.sub(expected, logProbabilities)), [-1]) };
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
