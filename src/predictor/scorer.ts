// Scores token sequences with a loaded predictor: sorted by length, batched so that little of a batch is padding. Lives where blocking is allowed.

import { loadNetwork, type WeightSource } from '../model/loaded-network.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { int64 } from '../tensor/int64.ts';
import { emitOnnx } from '../tensor/onnx.ts';
import { Session } from '../tensor/session.ts';
import { headShapes, levelCounts, scoringOutputs } from './graph.ts';

/** Sequences that are computed together, with their places among all. */
export interface ScoringRun {
  places: number[];
  sequences: (readonly number[])[];
  /** Padding included. */
  tokens: number;
}

export interface Scorer {
  /** Probabilities of all levels of all attributes for each sequence, in the order given. */
  score(sequences: readonly (readonly number[])[]): Promise<Float32Array[]>;
  /** The runs that takes, shortest sequences first. */
  runsOf(sequences: readonly (readonly number[])[]): ScoringRun[];
  /** The probabilities by place. */
  compute(run: ScoringRun): Promise<[place: number, probabilities: Float32Array][]>;
  dispose(): Promise<void>;
}

/** Tokens of one run, padding included: enough to keep the cores busy, small enough to stay in cache. Measured by bench/score. */
export const tokensPerRun = 1024;

/** Compiles the scoring graph of a predictor. Throws invalid_model in one clear line. */
export async function openScorer(source: WeightSource, schema: AttributeSchema, threads?: number): Promise<Scorer> {
  const loaded = await loadNetwork(source, 'fp32', { further: (shape) => headShapes(schema, shape) });
  const options = { name: 'predictor', folder: loaded.folder, ...(threads === undefined ? {} : { threads }) };
  const session = await Session.open(emitOnnx(scoringOutputs(loaded, schema)), options).finally(loaded.dispose);
  const L = levelCounts(schema).reduce((a, b) => a + b, 0);
  const compute: Scorer['compute'] = async ({ places, sequences }) => {
    const probabilities = await runBatch(session, sequences);
    return places.map((place, row) => [place, probabilities.slice(row * L, (row + 1) * L)]);
  };
  return {
    async score(sequences) {
      const answers = new Array<Float32Array>(sequences.length);
      for (const run of runsByLength(sequences)) for (const [place, found] of await compute(run)) answers[place] = found;
      return answers;
    },
    runsOf: runsByLength,
    compute,
    dispose: () => session.dispose().finally(loaded.dispose),
  };
}

/** Sequences that run together are neighbours in length, together at most tokensPerRun when padded to the longest. */
function runsByLength(sequences: readonly (readonly number[])[]): ScoringRun[] {
  const order = sequences.map((_, i) => i).sort((a, b) => sequences[a]!.length - sequences[b]!.length);
  const batches: number[][] = [];
  for (const i of order) {
    const batch = batches.at(-1);
    if (batch && (batch.length + 1) * sequences[i]!.length <= tokensPerRun) batch.push(i);
    else batches.push([i]);
  }
  return batches.map((places) => {
    const own = places.map((i) => sequences[i]!);
    return { places, sequences: own, tokens: own.length * own.at(-1)!.length };
  });
}

async function runBatch(session: Session, sequences: (readonly number[])[]): Promise<Float32Array> {
  const R = sequences.length;
  const T = Math.max(...sequences.map((ids) => ids.length));
  const ids = new Int32Array(R * T);
  const positions = Int32Array.from({ length: R * T }, (_, i) => i % T);
  sequences.forEach((sequence, row) => {
    ids.set(sequence, row * T);
  });
  const ends = sequences.map(({ length }, row) => row * T + length - 1);
  const answer = await session.run({ ids: int64(ids, [R, T]), positions: int64(positions, [R, T]), ends: int64(ends, [R]) });
  return answer.probabilities!.data as Float32Array;
}
