// The engine thread of a predictor: token sequences in, probabilities out.
import { readModelCard } from '../model/model-folder.ts';
import type { AttributeSchema } from '../steerlm/attributes.ts';
import { serveThread } from '../tensor/serve-thread.ts';
import { openScorer } from './scorer.ts';

export interface ScorerData {
  folder: string;
  threads?: number;
}
export type ScoreRequest = number[][];
export type ScoreEvent = Float32Array[];

await serveThread<null, ScoreRequest, ScoreEvent>(async (data) => {
  const { folder, threads } = data as ScorerData;
  const { attributeSchema } = await readModelCard(folder);
  const scorer = await openScorer(folder, attributeSchema as AttributeSchema, threads);
  return {
    ready: null,
    async handle(sequences, emit, signal) {
      emit(await scorer.score(sequences, signal));
    },
    dispose: () => scorer.dispose(),
  };
});
