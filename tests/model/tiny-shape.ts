// The one tiny shape that tests and benches start from; each says what is different about its own.
import { type LlamaShape, plainLlama } from '../../src/model/shape.ts';

/** Two layers, query heads that share keys, tied embeddings. */
export const tinyShape: LlamaShape = {
  ...plainLlama,
  vocabSize: 40,
  hiddenSize: 16,
  intermediateSize: 24,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 4,
  contextLength: 64,
  ropeTheta: 10_000,
  ropeScaling: null,
  normEpsilon: 1e-5,
  tiedEmbeddings: true,
};
