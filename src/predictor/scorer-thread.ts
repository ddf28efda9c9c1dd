// The engine thread of a predictor: token sequences in, probabilities out, and before them a word when they are begun on.
import { readModelCard } from '../model/model-folder.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { serveThread } from '../tensor/serve-thread.ts';
import { openScorer } from './scorer.ts';
import { type ScoringCall, ScoringQueue } from './scoring-queue.ts';

export interface ScorerData {
  folder: string;
  /** Most tokens of a sequence. */
  contextLength: number;
  threads?: number;
}
export type ScoreEvent = 'begun' | Float32Array[];

await serveThread<null, ScoringCall, ScoreEvent>(async (data) => {
  const { folder, contextLength, threads } = data as ScorerData;
  const { attributeSchema } = await readModelCard(folder);
  const scorer = await openScorer({ folder, contextLength }, attributeSchema as AttributeSchema, threads);
  const queue = new ScoringQueue(scorer);
  return {
    ready: null,
    async handle(call, emit, signal) {
      emit(await queue.score(call, signal, () => emit('begun')));
    },
    dispose: () => scorer.dispose(),
  };
});
