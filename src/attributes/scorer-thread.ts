// The engine thread of a predictor: token sequences in, probabilities out.
import { readModel } from '../llama/model.ts';
import type { AttributeSchema } from '../steerlm.ts';
import { serveThread } from '../tensor/serve-thread.ts';
import { headShapes } from './predictor-graph.ts';
import { openScorer } from './scorer.ts';

export interface ScorerData {
  folder: string;
  threads?: number;
}
export type ScoreRequest = number[][];
export type ScoreEvent = Float32Array[];

await serveThread<null, ScoreRequest, ScoreEvent>(async (data) => {
  const { folder, threads } = data as ScorerData;
  const model = await readModel(folder, ({ attributeSchema }, shape) => headShapes(attributeSchema as AttributeSchema, shape));
  const scorer = await openScorer(model, model.card.attributeSchema as AttributeSchema, threads);
  return {
    ready: null,
    async handle(sequences, emit, signal) {
      emit(await scorer.score(sequences, signal));
    },
    dispose: () => scorer.dispose(),
  };
});
