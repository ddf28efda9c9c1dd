// The shape the speed benches share: 5.8 M parameters, as the shipped model.
import type { LlamaShape } from '../src/llama/shape.ts';

export const benchShape: LlamaShape = {
  modelType: 'llama',
  vocabSize: 4096,
  hiddenSize: 256,
  intermediateSize: 688,
  layers: 6,
  heads: 8,
  kvHeads: 8,
  headDim: 32,
  contextLength: 512,
  ropeTheta: 10_000,
  ropeScaling: null,
  normEpsilon: 1e-5,
  tiedEmbeddings: true,
  attentionBias: false,
  queryKeyNorm: false,
};
