// Likelihoods and divergences computed on a thread of their own, for callers that must not block: the same interfaces as where they are computed.
import { SteerError } from '../../errors.ts';
import { builtEntry } from '../../tensor/built-entry.ts';
import { EngineThread } from '../../tensor/engine-thread.ts';
import type { Divergence } from './divergence.ts';
import type { LikelihoodAnswer, LikelihoodCall, LikelihoodData } from './thread-entry.ts';
import type { TokenLikelihood } from './token-likelihood.ts';

type Thread = EngineThread<null, LikelihoodCall, LikelihoodAnswer>;

/** Opens the language model in `folder`. Throws invalid_model in one clear line. */
export async function openLikelihood(
  folder: string,
  { threads }: { threads?: number | undefined } = {},
): Promise<TokenLikelihood> {
  const thread = await startThread({ folder, ...(threads === undefined ? {} : { threads }) });
  return {
    score: (sequences, { perToken = false, signal } = {}) => answerOf(thread, { sequences, perToken }, signal),
    dispose: () => thread.dispose(),
  };
}

/** Opens the models in both folders. Throws invalid_model in one clear line. */
export async function openDivergenceThread(
  folder: string,
  other: string,
  { threads }: { threads?: number | undefined } = {},
): Promise<Divergence> {
  const thread = await startThread({ folder, other, ...(threads === undefined ? {} : { threads }) });
  return { measure: (pairs, signal) => answerOf(thread, { pairs }, signal), dispose: () => thread.dispose() };
}

function startThread(data: LikelihoodData): Promise<Thread> {
  return EngineThread.start(builtEntry(import.meta.url, './thread-entry.ts'), data);
}

async function answerOf<Answer extends LikelihoodAnswer>(
  thread: Thread,
  call: LikelihoodCall,
  signal: AbortSignal = new AbortController().signal,
): Promise<Answer> {
  for await (const [answer] of thread.call(call, signal)) return answer as Answer;
  throw new SteerError('internal_error', 'The likelihood thread gave no answer.');
}
