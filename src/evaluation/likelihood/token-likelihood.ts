// How likely a model finds given tokens: −ln p of each counted token after those before it, many sequences at a time. Lives where blocking is allowed.
// Scores of the vocabulary are only computed where a token counts, and of them only the token's own leaves the graph.
// Dimension letters: B sequences, T tokens, N counted tokens, D hidden, V vocabulary.
import { SteerError } from '../../errors.ts';
import { causalBias, forwardTrunk, logits } from '../../model/forward.ts';
import { type LoadedNetwork, loadNetwork, type WeightSource } from '../../model/loaded-network.ts';
import type { Node } from '../../tensor/graph.ts';
import { int64 } from '../../tensor/int64.ts';
import { emitOnnx } from '../../tensor/onnx.ts';
import * as t from '../../tensor/primitives.ts';
import { Session, type Tensor } from '../../tensor/session.ts';
import type { Sequence } from '../../training/packing.ts';
import { giveWay } from '../give-way.ts';
import { type Passage, passagesOf, runsOf } from './passages.ts';

export interface SequenceLikelihood {
  /** Sum of −ln p over the counted tokens, each times its weight. */
  nats: number;
  /** Sum of their weights: how many they are where a weight is 0 or 1. */
  tokens: number;
  /** −ln p of each counted token in order, where asked for. */
  perToken?: Float32Array;
}

export interface LikelihoodOptions {
  perToken?: boolean;
  signal?: AbortSignal | undefined;
}

export interface TokenLikelihood {
  /**
   * Answers in the order given. A token counts where its weight is not 0; the first of a sequence never does, since nothing stands before it.
   * Throws context_length_exceeded for a sequence the model cannot hold, `cancelled` between two runs.
   */
  score(sequences: readonly Sequence[], options?: LikelihoodOptions): Promise<SequenceLikelihood[]>;
  dispose(): Promise<void>;
}

/** Compiles the scoring graph of a language model. Throws invalid_model in one clear line. */
export async function openTokenLikelihood(
  source: WeightSource,
  { threads }: { threads?: number | undefined } = {},
): Promise<TokenLikelihood> {
  const loaded = await loadNetwork(source, 'fp32');
  const { shape } = loaded;
  const nll = t.crossEntropy(countedScores(loaded), t.input('targets', 'int64', ['N'])); // (N)
  const session = await openSession(loaded, { nll }, threads);
  return {
    async score(sequences, { perToken = false, signal } = {}) {
      refuseLong(sequences, shape.contextLength);
      const answers = sequences.map((sequence) => emptyAnswer(sequence, perToken));
      for (const run of runsOf(passagesOf(sequences, shape.vocabSize), shape.vocabSize)) {
        // Each run blocks the thread.
        await giveWay(signal);
        const { nll: found } = await session.run(feedsOf(sequences, run));
        addUp(sequences, run, found!.data as Float32Array, answers);
      }
      return answers.map(({ next: _, ...answer }) => answer);
    },
    dispose: () => session.dispose().finally(loaded.dispose),
  };
}

/** Scores of the vocabulary for the tokens after `places`, flat places in the batch. Feeds: ids and positions (B, T), places (N) → (N, V). */
export function countedScores({ shape, network }: LoadedNetwork): Node {
  const positions = t.input('positions', 'int64', ['B', 'T']);
  const tokens = { ids: t.input('ids', 'int64', ['B', 'T']), positions, bias: causalBias(positions) };
  const { hidden } = forwardTrunk(shape, network, tokens); // (B, T, D)
  const rows = t.gather(t.reshape(hidden, ['B·T', shape.hiddenSize]), t.input('places', 'int64', ['N']));
  return logits(shape, network, rows);
}

/** A session over a loaded network, which may let go of its files once it is open. */
export function openSession(loaded: LoadedNetwork, outputs: Record<string, Node>, threads: number | undefined): Promise<Session> {
  const options = { name: 'likelihood', folder: loaded.folder, ...(threads === undefined ? {} : { threads }) };
  return Session.open(emitOnnx(outputs), options).finally(loaded.dispose);
}

/** Throws context_length_exceeded naming the first sequence that is too long. */
export function refuseLong(sequences: readonly Sequence[], contextLength: number): void {
  const long = sequences.findIndex(({ ids }) => ids.length > contextLength);
  if (long < 0) return;
  throw new SteerError(
    'context_length_exceeded',
    `Expected sequences of at most ${contextLength} tokens, got ${sequences[long]!.ids.length} in number ${long}. Leave it out or cut it.`,
  );
}

/** Right-padded to the longest; causal attention never looks at the padding. */
export function feedsOf(sequences: readonly Sequence[], run: readonly Passage[]): Record<string, Tensor> {
  const B = run.length;
  const T = Math.max(...run.map(({ sequence }) => sequences[sequence]!.ids.length));
  const ids = new Int32Array(B * T);
  const places: number[] = [];
  const targets: number[] = [];
  run.forEach(({ sequence, counted }, row) => {
    const own = sequences[sequence]!.ids;
    ids.set(own, row * T);
    for (const at of counted) {
      places.push(row * T + at - 1);
      targets.push(own[at]!);
    }
  });
  const positions = Int32Array.from({ length: B * T }, (_, i) => i % T);
  return {
    ids: int64(ids, [B, T]),
    positions: int64(positions, [B, T]),
    places: int64(places, [places.length]),
    targets: int64(targets, [targets.length]),
  };
}

type Answer = SequenceLikelihood & { next: number };

function emptyAnswer({ ids, weights }: Sequence, perToken: boolean): Answer {
  if (!perToken) return { nats: 0, tokens: 0, next: 0 };
  let counted = 0;
  for (let at = 1; at < ids.length; at++) counted += Number(weights[at] !== 0);
  return { nats: 0, tokens: 0, next: 0, perToken: new Float32Array(counted) };
}

function addUp(sequences: readonly Sequence[], run: readonly Passage[], found: Float32Array, answers: Answer[]): void {
  let next = 0;
  for (const { sequence, counted } of run) {
    const answer = answers[sequence]!;
    for (const at of counted) {
      const nats = found[next++]!;
      const weight = sequences[sequence]!.weights[at]!;
      answer.nats += weight * nats;
      answer.tokens += weight;
      if (answer.perToken) answer.perToken[answer.next++] = nats;
    }
  }
}
