// The thread that draws figures: plain data in, plain data out.
import { serveThread } from '../tensor/serve-thread.ts';
import { labelFigures } from './likelihood/label-figures.ts';
import { attributeEvaluations } from './predictor/attribute-evaluation.ts';
import { conditionFigures } from './steering/condition-figures.ts';

const figures = { condition: conditionFigures, attributes: attributeEvaluations, labels: labelFigures };
export type Figures = typeof figures;

export interface FiguresCall {
  name: keyof Figures;
  input: unknown;
}

await serveThread<null, FiguresCall, unknown>(async () => ({
  ready: null,
  async handle({ name, input }, emit, signal) {
    const compute = figures[name] as (input: unknown, signal: AbortSignal) => Promise<unknown>;
    emit(await compute(input, signal));
  },
  dispose: async () => {},
}));
