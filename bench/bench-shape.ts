// Shapes that benches share. The first is that of the speed benches: 5.8 M parameters.
import { type LlamaShape, plainLlama } from '../src/model/shape.ts';

export const benchShape: LlamaShape = {
  ...plainLlama,
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
};

/** Llama 3.2 1B. */
export const llama1b: LlamaShape = {
  ...benchShape,
  vocabSize: 128_256,
  hiddenSize: 2048,
  intermediateSize: 8192,
  layers: 16,
  heads: 32,
  kvHeads: 8,
  headDim: 64,
  contextLength: 2048,
  ropeTheta: 500_000,
};
