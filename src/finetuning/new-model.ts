// A base model from nothing: a tokenizer trained on the run's own data, and weights drawn by its seed.

import { join } from 'node:path';
import type { SampleContent } from '../datasets/sample.ts';
import { initialWeights } from '../model/initial-weights.ts';
import { blankCard } from '../model/model-folder.ts';
import { type LlamaShape, plainLlama } from '../model/shape.ts';
import { Tokenizer } from '../model/tokenizer/tokenizer.ts';
import { trainTokenizer } from '../model/tokenizer/tokenizer-training.ts';
import type { Model } from '../model/whole-model.ts';
import { makeFolder, privateFolder } from '../private-files.ts';
import { controlTokens } from '../steerlm/prompt-layout.ts';
import type { RunSpec } from '../training/recipe.ts';
import { samplesOf } from './recipe-data.ts';
import { plainPieces } from './sequences.ts';
import type { NewModel } from './training-spec.ts';

/** The model a run begins with; the same run begins with the same one. */
export async function newModel(
  { name, train, runFolder, settings }: RunSpec,
  { inductionHeads = false, ...size }: NewModel,
  onNote: (text: string) => void,
): Promise<Model> {
  const tokenizer = await tokenizerOfRun(join(runFolder, 'tokenizer'), () => samplesOf(train), size.vocabSize, onNote);
  const shape: LlamaShape = {
    ...plainLlama,
    ...size,
    vocabSize: tokenizer.size,
    modelType: inductionHeads ? 'qwen2' : 'llama',
    headDim: size.hiddenSize / size.heads,
    ropeTheta: 10_000,
    ropeScaling: null,
    normEpsilon: 1e-5,
    tiedEmbeddings: true,
    attentionBias: inductionHeads,
  };
  return { shape, tokenizer, values: new Map(initialWeights(shape, settings.seed)), card: blankCard(name) };
}

/** The run's own tokenizer: trained once, then read again whenever the run is taken up. */
async function tokenizerOfRun(
  folder: string,
  samples: () => Promise<SampleContent[]>,
  vocabSize: number,
  onNote: (text: string) => void,
): Promise<Tokenizer> {
  const kept = await Tokenizer.open(folder).catch(() => null);
  if (kept) return kept;
  onNote(`training a tokenizer of ${vocabSize} tokens`);
  const json = await trainTokenizer(textsOf(await samples()), { vocabSize, addedTokens: Object.values(controlTokens) });
  const tokenizer = Tokenizer.fromJson(json, folder);
  makeFolder(folder, privateFolder);
  await tokenizer.save(folder);
  return tokenizer;
}

/** What the samples say, and the spelling of their labels: a base model never reads labels, the steered one made from it does. */
function* textsOf(samples: SampleContent[]): Generator<string> {
  for (const sample of samples) {
    for (const piece of plainPieces(sample)) if ('text' in piece) yield piece.text;
    if (sample.kind === 'text') continue;
    for (const { label } of sample.conversation.turns) {
      if (label)
        yield Object.entries(label)
          .map(([name, value]) => `${name}:${Math.round(value)}`)
          .join(',');
    }
  }
}
