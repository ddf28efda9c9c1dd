// Models for these tests: the committed tiny ones with random weights, and one made on the spot with a tokenizer of its own.

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { initialWeights } from '../../src/model/initial-weights.ts';
import { writeModel } from '../../src/model/model.ts';
import { readShape } from '../../src/model/model-folder.ts';
import { Tokenizer } from '../../src/model/tokenizer/tokenizer.ts';
import { trainTokenizer } from '../../src/model/tokenizer/tokenizer-training.ts';
import { openWeights } from '../../src/model/weights.ts';
import type { Model } from '../../src/model/whole-model.ts';
import { controlTokens } from '../../src/steerlm/prompt-layout.ts';
import { gameCharacters } from '../../src/steerlm/schemas.ts';
import { tinyShape } from '../model/tiny-shape.ts';

/** Shape and weights of a model under tests/golden/llama. */
export async function readGolden(name: string): Promise<Pick<Model, 'shape' | 'values'>> {
  const folder = fileURLToPath(new URL(`../golden/llama/${name}`, import.meta.url));
  const shape = await readShape(folder);
  const weights = await openWeights(folder, shape);
  const values = new Map<string, Float32Array>();
  for (const parameter of weights.names) values.set(parameter, await weights.read(parameter));
  await weights.close();
  return { shape, values };
}

const sentences = ['The guard says the gate is shut.', 'The guard is at the gate.', 'Is the gate shut? says the guard.'];

/** A byte-level tokenizer that knows a few English words and nothing of accents or emoji. */
export async function smallTokenizer(): Promise<Tokenizer> {
  const json = await trainTokenizer(sentences, { vocabSize: 300, addedTokens: Object.values(controlTokens) });
  return Tokenizer.fromJson(json, 'small tokenizer');
}

/** Ids beyond the tokenizer that the model embeds all the same. */
const paddingRows = 20;

/** Writes a steered model that says any text token, and the two that end a reply, about equally often; the other ids it shouts. */
export async function writeSmallModel(contextLength: number): Promise<string> {
  const tokenizer = await smallTokenizer();
  const size = { vocabSize: tokenizer.size + paddingRows, hiddenSize: 32, intermediateSize: 48, headDim: 8, contextLength };
  const shape = { ...tinyShape, ...size, tiedEmbeddings: false };
  const card = {
    kind: 'steered' as const,
    name: 'small',
    description: null,
    attributeSchema: gameCharacters,
    promptLayoutVersion: 1,
    baseModel: null,
    datasets: [],
    recipe: {},
    measured: null,
    createdAt: null,
  };
  const values = new Map(initialWeights(shape, 7));
  const head = values.get('lm_head.weight')!;
  const shouted = [controlTokens.system, controlTokens.label].map((spelling) => tokenizer.tokenId(spelling)!);
  for (let id = tokenizer.size; id < shape.vocabSize; id++) shouted.push(id);
  for (const id of shouted) {
    for (let i = id * shape.hiddenSize; i < (id + 1) * shape.hiddenSize; i++) head[i] = 100 * head[i]!;
  }
  const folder = await mkdtemp(join(tmpdir(), 'steer-generation-'));
  await writeModel(folder, { shape, tokenizer, card, values }, 'float32');
  return folder;
}
