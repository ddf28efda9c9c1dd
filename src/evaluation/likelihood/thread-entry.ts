// The thread that owns the sessions of a likelihood evaluation: sequences in, sums out. One model, or two to compare.

import { serveThread } from '../../tensor/serve-thread.ts';
import type { Sequence } from '../../training/packing.ts';
import { openDivergence, type PairDivergence, type SequencePair } from './divergence.ts';
import { openTokenLikelihood, type SequenceLikelihood } from './token-likelihood.ts';

export interface LikelihoodData {
  folder: string;
  /** The model the first is compared with. */
  other?: string;
  threads?: number;
}
/** Sequences for one model, pairs for two. */
export type LikelihoodCall = { sequences: readonly Sequence[]; perToken: boolean } | { pairs: readonly SequencePair[] };
export type LikelihoodAnswer = SequenceLikelihood[] | PairDivergence[];

await serveThread<null, LikelihoodCall, LikelihoodAnswer>(async (data) => {
  const { folder, other, ...options } = data as LikelihoodData;
  if (other !== undefined) {
    const divergence = await openDivergence(folder, other, options);
    return {
      ready: null,
      async handle(call, emit, signal) {
        emit(await divergence.measure('pairs' in call ? call.pairs : [], signal));
      },
      dispose: () => divergence.dispose(),
    };
  }
  const likelihood = await openTokenLikelihood(folder, options);
  return {
    ready: null,
    async handle(call, emit, signal) {
      if ('sequences' in call) emit(await likelihood.score(call.sequences, { perToken: call.perToken, signal }));
    },
    dispose: () => likelihood.dispose(),
  };
});
